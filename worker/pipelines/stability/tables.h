/*
 *  The tables of worker/data that stability needs, as make_tables.py compiles them in. Constant.
 */
#ifndef PT_STABILITY_TABLES_H
#define PT_STABILITY_TABLES_H

#include "worker/pipelines/antibody/tables.h"

typedef enum {
    PT_ALWAYS,    /* 1 */
    PT_PAIR,      /* mean of wild and mutant on a scale */
    PT_NEIGHBOURS /* mean of the neighbours in the sequence on a scale */
} pt_context_kind_t;

/* weight * (scale[mutant] - scale[wild]) * context */
typedef struct {
    int scale;
    pt_context_kind_t context;
    int of;    /* the context's scale */
    int reach; /* neighbours on each side */
    double weight;
} pt_ddg_term_t;

/* What is compared with other antibodies: the first two as ranks, the last as a state. */
typedef enum {
    PT_CDR_HYDROPHOBICITY,
    PT_CDR_CHARGE,
    PT_RANKS,
    PT_LIABILITY_LOAD = PT_RANKS,
    PT_PROPERTIES
} pt_property_t;
enum { PT_QUANTILES = 21 };

/* The five metrics of TAP. */
typedef enum {
    PT_TAP_CDR_LENGTH, /* residues of all IMGT CDRs */
    PT_TAP_PSH,        /* patches of surface hydrophobicity */
    PT_TAP_PPC,        /* patches of positive charge */
    PT_TAP_PNC,        /* patches of negative charge */
    PT_TAP_SFVCSP,     /* charge of VH's surface times charge of VL's */
    PT_TAP_METRICS
} pt_tap_metric_t;

/* Infinite where it is open. */
typedef struct {
    double amber_low, green_low, green_high, amber_high;
} pt_range_t;

extern const double pt_ddg_scales[][PT_AMINO_COUNT];
extern const pt_ddg_term_t pt_ddg_terms[];
extern const size_t pt_ddg_term_count;
extern const int pt_simba_hydrophobicity, pt_simba_volume; /* rows of pt_ddg_scales */
extern const double pt_hydropathy[PT_AMINO_COUNT];         /* Kyte & Doolittle 1982 */
/* From water to a membrane's interface, kcal/mol: Wimley & White 1996; negative is hydrophobic. */
extern const double pt_interfacial[PT_AMINO_COUNT];
/* Of the antibodies and of the nanobodies of crystal structures: every twentieth of them. */
extern const double pt_reference[2][PT_PROPERTIES][PT_QUANTILES];
extern const pt_range_t pt_tap_ranges[PT_TAP_METRICS]; /* of heavy and light chain together */

#endif
