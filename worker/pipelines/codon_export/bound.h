/*
 *  A design whose G+C over the whole is too high or too low without a limit. Counting G+C would
 * make the states many, so first a price is looked for (Lagrange): the cheapest DNA when each G or
 * C costs so much more, or so much less, that it just comes to lie in the range. It is one answer;
 * with the price as a lower bound everything that cannot beat it is left out of the exact search.
 */
#ifndef PT_BOUND_H
#define PT_BOUND_H

#include "worker/pipelines/codon_export/design.h"

/* As pt_design, for a design whose first range is all of it. */
pt_design_outcome_t pt_design_whole(pt_design_t *design, uint8_t *codons, size_t *stuck);

#endif
