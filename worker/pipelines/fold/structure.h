/*
 *  Which structure a job's burial and contacts are taken from.
 */
#ifndef PT_FOLD_STRUCTURE_H
#define PT_FOLD_STRUCTURE_H

#include "worker/pipelines/fold/model.h"
#include "worker/pipelines/pipeline.h"

typedef enum {
    PT_STRUCTURE_AUTO,  /* the newest model of the variant, else the position table */
    PT_STRUCTURE_MODEL, /* … else a model is made */
    PT_STRUCTURE_TABLE
} pt_structure_choice_t;

/* Where the model came from, for people and programs. */
typedef struct {
    const char *source;     /* "structure job", "made here" or "none" */
    const char *job_id;     /* of the structure job; NULL without */
    const char *why_none;   /* why there is no model; NULL if there is one */
    const json_t *versions; /* of what made it here; NULL otherwise */
} pt_structure_source_t;

/* Owns what it holds. */
typedef struct {
    bool there;
    pt_model_t model;
    pt_structure_source_t source; /* its texts live as long as this and the inputs */
    char why[PT_PDB_REASON_MAX + 64];
    json_t *made; /* the structure pipeline's ending, when the model was made here */
} pt_structure_t;

/* As the option says. False with *error only when a model had to be made and could not be.
   `reporter` may be NULL. */
bool pt_structure_choose(pt_structure_choice_t choice, const json_t *earlier,
                         const pt_molecule_t *molecule, pt_reporter_t *reporter,
                         pt_structure_t *structure, pt_error_t *error);
void pt_structure_clear(pt_structure_t *structure);

#endif
