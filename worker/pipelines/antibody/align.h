/*
 *  Alignment of a sequence to a chain type's profile: local in the sequence, with affine gaps whose
 * costs belong to the column.
 */
#ifndef PT_ANTIBODY_ALIGN_H
#define PT_ANTIBODY_ALIGN_H

#include "antibody.h"
#include "tables.h"

/* Where an alignment ends; its score is in 1/PT_BIT bit. */
typedef struct {
    int score;
    size_t end; /* index of the last residue that stands in a column */
    int column; /* that column; -1 when nothing scores above 0 */
} pt_alignment_t;

/* All states of all columns after one residue. */
typedef struct {
    int16_t match[PT_COLUMNS_MAX];
    int16_t insert[PT_COLUMNS_MAX]; /* the residue stands behind the column, in none */
    int16_t skip[PT_COLUMNS_MAX];   /* the column has no residue */
    int16_t best[PT_COLUMNS_MAX];
} pt_align_row_t;

enum { PT_PATH_MAX = PT_DOMAIN_MAX + 64 }; /* a path longer than this is no domain's */

/* In a path: what stands behind column c, but in none. */
#define PT_INSERTED(column) (-2 - (column))

/* Index of an amino acid in PT_AMINO, or -1. */
int pt_amino_index(char letter);

/* The best alignment's end. `codes` are amino acid indices, at most PT_SEQUENCE_MAX of them. */
pt_alignment_t pt_align(const pt_profile_t *profile, const uint8_t *codes, size_t length);

/*
 *  The path to that end: fills columns[start … end] (indexed as codes) and returns start. `rows` is
 * scratch of PT_PATH_MAX + 1 rows. A path that would be longer begins where it would have to be
 * cut.
 */
size_t pt_align_path(const pt_profile_t *profile, const uint8_t *codes, pt_alignment_t alignment,
                     pt_align_row_t *rows, int *columns);

#endif
