/*
 *  What a finished DNA holds, looked at plainly: shares nothing with how it was designed but the
 * patterns, so that no mistake of the one hides in the other.
 */
#ifndef PT_CODON_CHECK_H
#define PT_CODON_CHECK_H

#include "worker/pipelines/codon_export/pattern.h"

/* Coding DNA and what stands beside it. */
typedef struct {
    const char *upstream, *dna, *downstream;
} pt_construct_t;

/* Does the DNA translate to the protein (with '*' for a stop codon), whole? */
bool pt_translates_to(const char *dna, const char *protein);

/* How often a pattern stands where it counts. */
size_t pt_count_pattern(const pt_construct_t *construct, const pt_pattern_t *pattern);

typedef struct {
    double least, most;       /* share of G and C */
    size_t least_at, most_at; /* first base, from 0 */
} pt_windows_t;

/* Over all windows of `size` bases; over the whole when that is shorter. */
pt_windows_t pt_count_windows(const char *dna, size_t length, size_t size);

/* The next stretch of more than `most` bases that stands twice, behind a repeat found before
   ({0} at first), by the distance of the two, then by the place. False when there is none. The two
   may overlap. */
typedef struct {
    size_t first, distance, length;
} pt_repeat_t;

bool pt_next_repeat(const char *dna, size_t length, size_t most, pt_repeat_t *repeat);

/* Bases of the longest stretch that stands twice. */
size_t pt_longest_repeat(const char *dna, size_t length);

#endif
