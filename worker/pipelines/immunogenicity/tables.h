/*
 *  The tables of worker/data that immunogenicity works with, as make_tables.py compiles them in.
 */
#ifndef PT_IMMUNOGENICITY_TABLES_H
#define PT_IMMUNOGENICITY_TABLES_H

#include <stddef.h>
#include <stdint.h>

#define PT_CORE 9 /* residues of what a groove holds */
#define PT_MHC_LEVELS_MAX 10
#define PT_MHC_NEVER (-100000000) /* the score of an amino acid that a pocket does not take */

typedef enum { PT_MHC_2, PT_MHC_1, PT_MHC_CLASSES } pt_mhc_class_t;

/* Scores are whole numbers, so that a sum meets a threshold exactly; higher binds better. Class II:
   1/100 of Sturniolo's score. Class I: -1/100,000 of log10 (IC50 in nM). */
typedef struct {
    const char *allele;
    int32_t constant;
    int32_t score[PT_CORE][20];
    int32_t threshold[PT_MHC_LEVELS_MAX]; /* of the panel's levels */
    int32_t binder;                       /* what counts as binding */
} pt_mhc_matrix_t;

typedef struct {
    size_t count; /* at most 64; 0 where an operator left the table out */
    const pt_mhc_matrix_t *matrices;
    size_t level_count;
    double levels[PT_MHC_LEVELS_MAX]; /* percent of random 9-mers, rising */
} pt_mhc_panel_t;

extern const pt_mhc_panel_t pt_mhc_panels[PT_MHC_CLASSES];

typedef enum {
    PT_SCALE_PARKER,
    PT_SCALE_KARPLUS_0, /* no rigid neighbour */
    PT_SCALE_KARPLUS_1,
    PT_SCALE_KARPLUS_2,
    PT_SCALE_TURN,
    PT_SCALE_EMINI,
    PT_SCALE_KOLASKAR,
    PT_SCALES
} pt_scale_t;

extern const double pt_scales[PT_SCALES][20];

#endif
