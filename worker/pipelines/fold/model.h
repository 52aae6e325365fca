/*
 *  A structure of an antibody's variable domains: which residue of the structure each of theirs is,
 * and how exposed it is. Chain H is the heavy domain, L the light one, residues are numbered in
 * IMGT.
 */
#ifndef PT_FOLD_MODEL_H
#define PT_FOLD_MODEL_H

#include "worker/pipelines/antibody/antibody.h"
#include "worker/pipelines/fold/surface.h"

#define PT_NOT_MODELLED (-1)

/* Owns what it holds. */
typedef struct {
    size_t count; /* of domains: heavy first */
    pt_pdb_t pdb;
    pt_accessibility_t *accessibility; /* of each residue of the structure */
    int residue[2][PT_DOMAIN_MAX]; /* of each residue of the domains: its index in the structure */
} pt_model_t;

/*
 *  Reads a structure of these domains (one, or heavy and light). False with the reason when it is
 * no structure, or one of another antibody: every residue must be there, at its IMGT position; only
 * the first three and the last three of a domain may be missing (PT_NOT_MODELLED). Residues beyond
 * the domains count as surroundings.
 */
bool pt_model_read(const char *text, size_t length, const pt_domain_t *const domains[],
                   size_t count, pt_model_t *model, char why[PT_PDB_REASON_MAX]);
void pt_model_clear(pt_model_t *model);

/* Relative accessibility of a domain's residue, 0 to 1; negative where it is not modelled. */
double pt_model_rsa(const pt_model_t *model, size_t domain, size_t residue);

#endif
