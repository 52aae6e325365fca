/*
 *  One coding sequence from its protein: the design, with constraints that are brought in as they
 * are broken, until nothing is; or the conflict, as small as it can be made.
 *
 *  Motifs are in the design from the start. G+C and repeats would make its states many, so each
 * window, the whole, and each stretch that must not stand again comes in only when the best DNA
 * without it breaks it. What is best under some of the constraints and breaks none is best under
 * all, and what is impossible under some is impossible.
 */
#ifndef PT_SOLVE_H
#define PT_SOLVE_H

#include "worker/pipelines/codon_export/check.h"
#include "worker/pipelines/codon_export/design.h"
#include "worker/pipelines/codon_export/options.h"

#define PT_CODING_MAX                                                                              \
    (PT_SEQUENCE_MAX + PT_SIGNAL_PEPTIDE_MAX + 2) /* residues, with Met and stop */
#define PT_RANGES_MAX 400
#define PT_REPEATS_MAX 600
#define PT_ROUNDS_MAX 60
#define PT_STATES_MAX 10000000 /* over all rounds: some seconds */
#define PT_CONFLICT_MAX 16

/* Which constraints cannot be met together, for which residues. */
typedef struct {
    size_t from, to;                                            /* residues of the protein */
    char constraints[PT_CONFLICT_MAX][2 * PT_PATTERN_NAME_MAX]; /* for people */
    size_t count;
} pt_conflict_t;

typedef struct {
    const pt_codon_options_t *options;
    char protein[PT_CODING_MAX + 1]; /* with Met, signal peptide and '*' where they are wanted */
    size_t length;
    size_t before; /* residues before the chain's first */
    char dna[3 * PT_CODING_MAX + 1];
    char unconstrained[3 * PT_CODING_MAX + 1]; /* by the strategy alone; empty when sampled */
    size_t rounds;                             /* designs that were made */
    bool exact;   /* nothing better meets the constraints; false: repeats were avoided from left to
                     right */
    size_t fixed; /* residues whose codons are kept then */
    pt_conflict_t conflict;
    void (*tick)(void *context);
    void *context;

    /* The problem as it stands. */
    pt_choice_t choices[PT_CODING_MAX];
    pt_pattern_t patterns[PT_CODON_PATTERNS_MAX + PT_REPEATS_MAX];
    size_t pattern_count;
    pt_gc_range_t ranges[PT_RANGES_MAX];
    size_t range_count;
} pt_coding_t;

typedef enum {
    PT_SOLVED,
    PT_CONFLICT,  /* impossible: `conflict` says why */
    PT_UNDECIDED, /* neither found nor ruled out with the memory and the rounds there are */
    PT_SOLVE_NO_MEMORY
} pt_solve_outcome_t;

/* Makes the protein and what its codons cost. */
void pt_coding_make(const pt_codon_options_t *options, const char *chain, size_t length,
                    pt_coding_t *coding);

pt_solve_outcome_t pt_solve(pt_coding_t *coding);

/* conflict.c: fills `conflict` for a problem that is impossible. */
void pt_find_conflict(pt_coding_t *coding);

/* The fewest and the most G and C that a share allows. */
unsigned pt_gc_low(double share, size_t bases);
unsigned pt_gc_high(double share, size_t bases);

#endif
