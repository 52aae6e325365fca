/*
 *  The best choice of codons that meets all constraints, found exactly: dynamic programming from
 * the first codon to the last over states (what the matcher knows of unfinished patterns, how many
 * G and C each range has so far that is begun and not ended). Two beginnings in the same state have
 * the same future, so only the better one is kept, and nothing that could be is left out: no way
 * through is a proof that there is none.
 */
#ifndef PT_DESIGN_H
#define PT_DESIGN_H

#include "worker/pipelines/codon_export/codons.h"
#include "worker/pipelines/codon_export/pattern.h"

#define PT_DESIGN_STATES_MAX 4000000 /* over all codons; a limit of memory, about 40 MiB */

/* The codons that a residue may have, and what each costs. */
typedef struct {
    unsigned count;
    uint8_t codon[PT_SYNONYMS_MAX];
    double cost[PT_SYNONYMS_MAX];
} pt_choice_t;

/* How many G and C the bases [from, to) of the coding sequence may have. */
typedef struct {
    size_t from, to;
    unsigned low, high;
} pt_gc_range_t;

/* What need not be looked at: a beginning is left when its cost + price · (its G+C in a range) +
   rest[its residues] is above the limit. rest is the least that the codons behind can add to that.
 */
typedef struct {
    size_t range; /* index of the range, which has to be the whole design */
    double price, limit;
    double *rest;
} pt_bound_t;

typedef struct {
    const pt_choice_t *choices; /* of all residues */
    size_t length;
    const pt_pattern_t *patterns;
    size_t pattern_count;
    const pt_gc_range_t *ranges;
    size_t range_count;
    const char *upstream, *downstream; /* DNA beside it, fixed */
    size_t from, to; /* the residues to design: [0, length), or part of it for a proof; ranges that
                        lie in it in part do not count then, nor does DNA beside another end */
    const pt_bound_t *bound; /* NULL: none */
    bool sample;     /* instead of the cheapest one that has the chance exp(-cost) among all */
    uint64_t random; /* state of the random numbers; moves on */
    size_t states;   /* how many were kept is added */
    void (*tick)(void *context); /* called often; may be NULL */
    void *context;
} pt_design_t;

typedef enum {
    PT_DESIGN_DONE,
    PT_DESIGN_IMPOSSIBLE,
    PT_DESIGN_TOO_LARGE, /* more states than there is room for: neither found nor disproved */
    PT_DESIGN_NO_MEMORY
} pt_design_outcome_t;

/* Fills codons[from … to) when it is done. When it is impossible, [from, *stuck] is as far as it
   got. */
pt_design_outcome_t pt_design(pt_design_t *design, uint8_t *codons, size_t *stuck);

#endif
