/*
 *  Liabilities of a humanized antibody against its parent's.
 */
#ifndef PT_HUMANIZATION_GUARD_H
#define PT_HUMANIZATION_GUARD_H

#include "worker/pipelines/humanization/humanization.h"

/*
 *  Takes back each change that completes a motif which its strategy may not bring in: a
 * glycosylation site or an unpaired cysteine; a strategy that weighs brings in none that is high or
 * medium. Such a change is no longer one that is weighed. Returns whether there was any.
 */
bool pt_avoid_liabilities(pt_humanization_t *out);

/* Lists the liabilities that there are. */
void pt_list_liabilities(pt_humanization_t *out);

#endif
