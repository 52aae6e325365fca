/*
 *  The options of a codon export, read: the host, how codons are chosen, and the constraints.
 */
#ifndef PT_CODON_OPTIONS_H
#define PT_CODON_OPTIONS_H

#include "worker/pipelines/codon_export/codons.h"
#include "worker/pipelines/codon_export/pattern.h"
#include "worker/pipelines/molecule.h"
#include <jansson.h>

#define PT_CODON_PATTERNS_MAX 160
#define PT_SIGNAL_PEPTIDE_MAX 60
#define PT_FLANK_MAX 200
#define PT_REPEAT_LEAST 9 /* bases: shorter stretches stand twice in any gene */

typedef enum { PT_BEST, PT_HARMONISED, PT_SAMPLED } pt_strategy_t;

typedef struct {
    const pt_host_t *host;
    pt_strategy_t strategy;
    uint64_t seed;
    double min_fraction;
    pt_pattern_t patterns[PT_CODON_PATTERNS_MAX]; /* all that must not stand */
    size_t pattern_count;
    double gc_min, gc_max, window_min, window_max;
    size_t window;     /* bases; 0 none */
    size_t max_repeat; /* bases; 0 any */
    char signal_peptide[PT_SIGNAL_PEPTIDE_MAX + 1];
    bool start;
    char stop[5]; /* "best", a codon, or "none" */
    char upstream[PT_FLANK_MAX + 1], downstream[PT_FLANK_MAX + 1];
    bool fasta, csv, genbank;
} pt_codon_options_t;

extern const char *const pt_strategy_names[]; /* ended by NULL */

/* Reads options that fit the schema; what is missing has its default. False with *error. */
bool pt_codon_options_read(const json_t *given, pt_codon_options_t *options, pt_error_t *error);

#endif
