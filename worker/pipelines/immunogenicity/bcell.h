/*
 *  Linear B-cell epitopes by five published propensity scales, each smoothed as its authors did,
 * and where most of them agree. Sequence alone: what the fold hides is not known here.
 */
#ifndef PT_IMMUNOGENICITY_BCELL_H
#define PT_IMMUNOGENICITY_BCELL_H

#include <stddef.h>

#define PT_BCELL_METHODS 5
#define PT_BCELL_AGREE 3  /* methods that must say so of a residue */
#define PT_BCELL_LENGTH 6 /* residues in a row */

extern const char *const pt_bcell_methods[PT_BCELL_METHODS];

typedef struct {
    size_t from, to;               /* residues of the sequence */
    double mean[PT_BCELL_METHODS]; /* of each method over them */
} pt_bcell_epitope_t;

/* Epitopes of a sequence of the 20 amino acids, in order, at most `max`; returns how many. Longer
   sequences than PT_ANTIGEN_MAX are not looked at behind it. */
size_t pt_bcell_find(const char *sequence, size_t length, pt_bcell_epitope_t *found, size_t max);

#endif
