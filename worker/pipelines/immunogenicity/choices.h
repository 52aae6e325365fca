/*
 *  What an immunogenicity job may ask for (options.json).
 */
#ifndef PT_IMMUNOGENICITY_CHOICES_H
#define PT_IMMUNOGENICITY_CHOICES_H

#include "worker/pipelines/choice.h"
#include "worker/pipelines/immunogenicity/suggestions.h"

typedef struct {
    pt_panel_t panel;
    pt_suggestion_choice_t suggestions;
} pt_immunogenicity_choices_t;

/* Reads the options of a job on this antigen. False with *error (invalid_options). */
bool pt_immunogenicity_choose(const json_t *options, const pt_antigen_t *antigen,
                              pt_immunogenicity_choices_t *choices, pt_error_t *error);

#endif
