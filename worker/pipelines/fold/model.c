#include "worker/pipelines/fold/model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RAGGED = 3 }; /* residues that a domain's end may lack */

static bool find_residues(pt_model_t *model, const pt_domain_t *domain, size_t d, char *why)
{
    char chain = d ? 'L' : 'H', position[8];
    for (size_t i = 0; i < domain->length; i++) {
        pt_position_t p = domain->positions[i];
        int found = pt_pdb_find(&model->pdb, chain, p.number, p.letter);
        bool at_end = i < RAGGED || i + RAGGED >= domain->length;
        if (found >= 0 && model->pdb.residues[found].letter != domain->residues[i]) {
            snprintf(why, PT_PDB_REASON_MAX, "it is of another sequence: %c at %c%s instead of %c",
                     model->pdb.residues[found].letter, chain, pt_position_text(p, position),
                     domain->residues[i]);
            return false;
        }
        if (found < 0 && !at_end) {
            snprintf(why, PT_PDB_REASON_MAX, "it lacks residue %c%s", chain,
                     pt_position_text(p, position));
            return false;
        }
        model->residue[d][i] = found < 0 ? PT_NOT_MODELLED : found;
    }
    return true;
}

static bool measure(pt_model_t *model, char *why)
{
    model->accessibility = calloc(model->pdb.residue_count, sizeof *model->accessibility);
    if (model->accessibility && pt_accessibility(&model->pdb, model->accessibility))
        return true;
    snprintf(why, PT_PDB_REASON_MAX, "out of memory");
    return false;
}

bool pt_model_read(const char *text, size_t length, const pt_domain_t *const domains[],
                   size_t count, pt_model_t *model, char why[PT_PDB_REASON_MAX])
{
    memset(model, 0, sizeof *model);
    model->count = count;
    bool ok = pt_pdb_read(text, length, &model->pdb, why);
    for (size_t d = 0; ok && d < count; d++)
        ok = find_residues(model, domains[d], d, why);
    ok = ok && measure(model, why);
    if (!ok)
        pt_model_clear(model);
    return ok;
}

void pt_model_clear(pt_model_t *model)
{
    pt_pdb_clear(&model->pdb);
    free(model->accessibility);
    memset(model, 0, sizeof *model);
}

double pt_model_rsa(const pt_model_t *model, size_t domain, size_t residue)
{
    int index = model->residue[domain][residue];
    return index == PT_NOT_MODELLED ? -1 : model->accessibility[index].whole;
}
