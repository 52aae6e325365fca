/*
 *  The standard genetic code, and how a host uses it. A codon's index is 16 a + 4 b + c with A 0, C
 * 1, G 2, T 3; DNA is text of these four capital letters.
 */
#ifndef PT_CODONS_H
#define PT_CODONS_H

#include "worker/pipelines/codon_export/tables.h"
#include <stdint.h>

#define PT_SYNONYMS_MAX 6

/* 0 to 3, or -1 for another letter. */
int pt_base_index(char base);

/* '*' for a stop. */
char pt_codon_residue(unsigned codon);

/* The codons of a residue (or '*') by rising index; how many. */
unsigned pt_codons_of(char residue, uint8_t codons[PT_SYNONYMS_MAX]);

/* Three letters, without a final 0. */
void pt_codon_write(unsigned codon, char *bases);
unsigned pt_codon_read(const char *bases);

/* Is base 0, 1 or 2 of the codon G or C? */
unsigned pt_codon_gc(unsigned codon, unsigned base);

/* NULL for a name that is no host. */
const pt_host_t *pt_host_find(const char *name);

/* Sharp & Li's relative adaptiveness w: fraction over that of the amino acid's most used codon. */
double pt_adaptiveness(const pt_host_t *host, unsigned codon);

/* Codon adaptation index (Sharp & Li 1987): the geometric mean of w over all codons but ATG, TGG
   and stops; 1 when there are none. `length` in bases. */
double pt_cai(const pt_host_t *host, const char *dna, size_t length);

/* Share of G and C. */
double pt_gc(const char *dna, size_t length);

#endif
