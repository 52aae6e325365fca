/*
 *  Stretches that stand twice, as constraints of the design.
 */
#ifndef PT_REPEATS_H
#define PT_REPEATS_H

#include "worker/pipelines/codon_export/solve.h"

/* Each stretch that is too long and stands twice in the DNA may stand once from now on. How many
   came in. */
size_t pt_break_repeats(pt_coding_t *coding);

/* Keeps the codons up to the first copy of the leftmost repeat, and lets nothing of them stand
   again. False when nothing stands twice, or there is no room for what must not. */
bool pt_fix_repeats(pt_coding_t *coding);

#endif
