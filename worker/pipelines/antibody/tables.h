/*
 *  The tables of worker/data as make_tables.py compiles them in. Constant; inside the core only.
 */
#ifndef PT_ANTIBODY_TABLES_H
#define PT_ANTIBODY_TABLES_H

#include <stddef.h>
#include <stdint.h>

#define PT_AMINO_COUNT 20
#define PT_AMINO "ACDEFGHIKLMNPQRSTVWY" /* the order of every table's columns */
#define PT_PROFILE_COUNT 3
#define PT_COLUMNS_MAX 128
#define PT_PEPTIDE 9
#define PT_VERNIER_MAX 24
#define PT_FACTS_COUNT 4
#define PT_BIT                                                                                     \
    32 /* scores and gap costs are in 1/32 bit, so that a whole alignment's fits 16 bits */

/* A column is an IMGT position that the chain type can have; columns from `count` on never match.
 */
typedef struct {
    char chain;
    uint8_t count;
    uint8_t imgt[PT_COLUMNS_MAX];
    int16_t delete_open[PT_COLUMNS_MAX];
    int16_t delete_extend[PT_COLUMNS_MAX];
    int16_t insert_open[PT_COLUMNS_MAX]; /* of residues after the column */
    int16_t insert_extend[PT_COLUMNS_MAX];
    int16_t score[PT_AMINO_COUNT][PT_COLUMNS_MAX];
} pt_profile_t;

typedef struct {
    const char *species; /* "human" or "mouse" */
    char chain;          /* 'H', 'K' or 'L' */
    char segment;        /* 'V' or 'J' */
    const char *allele;
    const char *same;  /* other alleles of the same protein, with commas between */
    float presence;    /* V: share of people whose repertoire uses the gene; 0 where unknown */
    char aligned[129]; /* a letter for each IMGT position, '-' for a gap */
} pt_germline_t;

/* Share (1/10,000) of each amino acid at each IMGT position in human repertoires. */
typedef struct {
    const char *family; /* "IGHV3", or "Heavy", "Kappa", "Lambda" for a whole chain type */
    uint16_t share[129][PT_AMINO_COUNT];
} pt_repertoire_t;

/* What is known of an IMGT position from crystal structures, in 1/1000; 0 where nothing is. */
typedef struct {
    char kind;                       /* 'H', 'K', 'L': chains of an Fv; 'N': a nanobody alone */
    uint16_t exposure[129];          /* mean relative solvent accessibility */
    uint16_t cdr[129], partner[129]; /* share of side chains that touch a CDR, the other chain */
} pt_position_facts_t;

typedef struct {
    const char *name;
    const char *group;
    const char
        *motif; /* letters, [classes], [^classes], '^' at the start, '|' between alternatives */
    const char *region;
    const char *severity;
    const char *condition;
} pt_liability_rule_t;

extern const pt_profile_t pt_profiles[PT_PROFILE_COUNT];
extern const pt_germline_t pt_germlines[];
extern const size_t pt_germline_count;
extern const pt_repertoire_t pt_repertoires[];
extern const size_t pt_repertoire_count;
extern const uint64_t pt_germline_peptides[]; /* 5 bits a residue, rising */
extern const size_t pt_germline_peptide_count;
extern const pt_liability_rule_t pt_liability_rules[];
extern const size_t pt_liability_rule_count;
extern const pt_position_facts_t pt_position_facts[PT_FACTS_COUNT];
extern const uint8_t
    pt_vernier[2][PT_VERNIER_MAX]; /* heavy, light: a count, then that many positions */

#endif
