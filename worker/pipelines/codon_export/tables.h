/*
 *  Codon usage by host, as make_tables.py compiles worker/data/codon_usage.tsv in.
 */
#ifndef PT_CODON_TABLES_H
#define PT_CODON_TABLES_H

#include <stddef.h>

#define PT_CODONS 64

typedef struct {
    const char *name;           /* of the option: "cho" */
    const char *species;        /* whose genes were counted */
    double fraction[PT_CODONS]; /* of its amino acid's codons, by index (codons.h) */
} pt_host_t;

extern const pt_host_t pt_hosts[];
extern const size_t pt_host_count;

#endif
