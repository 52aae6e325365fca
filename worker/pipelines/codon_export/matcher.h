/*
 *  Finds patterns in a DNA that is read base by base, as a finite automaton: a state knows how far
 * each pattern has been matched (Baeza-Yates & Gonnet's Shift-And, so IUPAC letters cost nothing),
 * and which patterns that may stand once have stood. States are made when they are first reached
 * and numbered from 0, the empty one.
 */
#ifndef PT_MATCHER_H
#define PT_MATCHER_H

#include "worker/pipelines/codon_export/pattern.h"

#define PT_MATCHER_STATES_MAX 200000

typedef struct pt_matcher pt_matcher_t;

/* Borrows the patterns. NULL when memory is out. */
pt_matcher_t *pt_matcher_new(const pt_pattern_t *patterns, size_t count);
void pt_matcher_destroy(pt_matcher_t **matcher);

/* The state behind one more base (0 to 3). *length is that of the longest pattern that ends here
   against its rule, 0 if none does. PT_MATCHER_STATES_MAX when there are too many states or memory
   is out. */
uint32_t pt_matcher_step(pt_matcher_t *matcher, uint32_t state, unsigned base, size_t *length);

/* The state without what is known of a pattern. */
uint32_t pt_matcher_forget(pt_matcher_t *matcher, uint32_t state, size_t pattern);

#endif
