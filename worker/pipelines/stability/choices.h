/*
 *  What a stability job may ask for (options.json).
 */
#ifndef PT_STABILITY_CHOICES_H
#define PT_STABILITY_CHOICES_H

#include "worker/pipelines/antibody/schemes.h"
#include "worker/pipelines/choice.h"
#include "worker/pipelines/fold/structure.h"
#include "worker/pipelines/stability/stability.h"

typedef struct {
    int structure; /* pt_structure_choice_t */
    pt_scan_choice_t scan;
} pt_stability_choices_t;

/* Reads the options of a job on this molecule. False with *error (invalid_options). */
bool pt_stability_choose(const json_t *options, const pt_molecule_t *molecule,
                         pt_stability_choices_t *choices, pt_error_t *error);

#endif
