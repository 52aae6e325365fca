/*
 *  A humanization as a JSON value: the shape that API.md gives it.
 */
#ifndef PT_HUMANIZATION_RENDER_H
#define PT_HUMANIZATION_RENDER_H

#include "worker/pipelines/humanization/choices.h"
#include "worker/pipelines/humanization/oasis.h"
#include <jansson.h>

/* New reference; NULL when memory is out. */
json_t *pt_json_humanization(const pt_molecule_t *molecule,
                             const pt_humanization_choices_t *choices,
                             const pt_humanization_t *result);

/* {mean, median, identity: {loose, …}, parental: {mean, …}} */
json_t *pt_json_oasis(const pt_oasis_score_t *humanized, const pt_oasis_score_t *parental);

/* Names and versions of what took part, a new reference. */
json_t *pt_json_humanization_versions(void);

#endif
