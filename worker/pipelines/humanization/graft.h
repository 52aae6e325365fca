/*
 *  One domain onto a human framework: which residues change, and why.
 */
#ifndef PT_HUMANIZATION_GRAFT_H
#define PT_HUMANIZATION_GRAFT_H

#include "worker/pipelines/humanization/humanization.h"

/* Fills v and j of h, whose parental domain (0 heavy, 1 light) is there. */
void pt_choose_genes(const pt_humanization_request_t *request, size_t domain, pt_humanized_t *h);

/* Fills the humanized domain and the changes of h, whose genes are chosen. */
void pt_graft(const pt_molecule_t *molecule, const pt_strategy_t *strategy,
              const pt_humanization_request_t *request, size_t domain, pt_humanized_t *h);

/* Makes a change of h, or takes it back: the humanized domain follows. The reason is the caller's.
 */
void pt_set_change(pt_humanized_t *h, pt_change_t *change, bool mutated);

#endif
