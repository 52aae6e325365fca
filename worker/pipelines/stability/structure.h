/*
 *  Which structure a job's burial and contacts are taken from.
 */
#ifndef PT_STABILITY_STRUCTURE_H
#define PT_STABILITY_STRUCTURE_H

#include "worker/pipelines/fold/model.h"
#include "worker/pipelines/pipeline.h"
#include "worker/pipelines/stability/choices.h"
#include "worker/pipelines/stability/render.h"

/* Owns what it holds. */
typedef struct {
    bool there;
    pt_model_t model;
    pt_structure_source_t source; /* its texts live as long as this and the inputs */
    char why[PT_PDB_REASON_MAX + 64];
    json_t *made; /* the structure pipeline's ending, when the model was made here */
} pt_structure_t;

/* The newest structure job's model, if the inputs bring one that is of this molecule. Otherwise
   `source.why_none` says why there is none. */
void pt_structure_of_job(const json_t *earlier, const pt_molecule_t *molecule,
                         pt_structure_t *structure);

/* As the option says. False with *error only when a model had to be made and could not be. */
bool pt_structure_choose(pt_structure_choice_t choice, const json_t *earlier,
                         const pt_molecule_t *molecule, pt_reporter_t *reporter,
                         pt_structure_t *structure, pt_error_t *error);
void pt_structure_clear(pt_structure_t *structure);

#endif
