/*
 *  The table of worker/data that structures need, as make_tables.py compiles it in. Constant.
 */
#ifndef PT_FOLD_TABLES_H
#define PT_FOLD_TABLES_H

/* The most that the solvent can touch of a residue, Å². */
typedef struct {
    double whole; /* Gly-X-Gly, theoretical: Tien et al. 2013 */
    double side;  /* its side chain in Ala-X-Ala; of glycine the whole residue */
} pt_largest_area_t;

extern const pt_largest_area_t pt_largest_areas[20]; /* in the order of PT_AMINO */

#endif
