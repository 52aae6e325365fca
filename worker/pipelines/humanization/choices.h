/*
 *  What a humanization job may ask for (options.json).
 */
#ifndef PT_HUMANIZATION_CHOICES_H
#define PT_HUMANIZATION_CHOICES_H

#include "worker/pipelines/antibody/schemes.h"
#include "worker/pipelines/choice.h"
#include "worker/pipelines/humanization/humanization.h"

typedef struct {
    const pt_strategy_t *strategies[PT_STRATEGY_COUNT]; /* in the order asked for */
    size_t strategy_count;
    pt_scheme_t scheme; /* of the positions in the result, and of `keep` */
    pt_humanization_request_t request;
} pt_humanization_choices_t;

/* Reads the options of a job on this molecule. False with *error (invalid_options). */
bool pt_humanization_choose(const json_t *options, const pt_molecule_t *molecule,
                            pt_humanization_choices_t *choices, pt_error_t *error);

#endif
