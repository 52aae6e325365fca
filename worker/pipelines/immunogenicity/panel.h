/*
 *  Which alleles take part in a job, what each weighs, and what counts as binding.
 */
#ifndef PT_IMMUNOGENICITY_PANEL_H
#define PT_IMMUNOGENICITY_PANEL_H

#include "worker/pipelines/immunogenicity/mhc.h"

#define PT_ALLELES_MAX 64
#define PT_WEIGHT_SOURCE_MAX 200 /* bytes, with the final 0 */

typedef struct {
    uint64_t alleles[PT_MHC_CLASSES]; /* those that take part, bit a for matrix a of the panel */
    double weight[PT_MHC_CLASSES][PT_ALLELES_MAX]; /* of those, adding up to 1; others 0 */
    bool weighed[PT_MHC_CLASSES];                  /* by frequencies, not equally */
    char source[PT_WEIGHT_SOURCE_MAX];             /* of the frequencies; empty without */
    unsigned threshold; /* class II: a binder is among the best so many percent (1 to 10) */
} pt_panel_t;

/* Every allele alike, 5 %. */
void pt_panel_usual(pt_panel_t *panel);

/* Matrix of an allele by its name, as in "HLA-DRB1*01:01"; -1 when the class has none. */
int pt_panel_find(pt_mhc_class_t which, const char *allele);

/*
 *  Sets the weights of those that take part in proportion to frequencies (one for each matrix of
 * the class; 0 where unknown). False when none of them has any: the weights stay equal.
 */
bool pt_panel_weigh(pt_panel_t *panel, pt_mhc_class_t which,
                    const double frequency[PT_ALLELES_MAX]);

/* Each of those that take part alike; to be called after `alleles` was changed. */
void pt_panel_weigh_equally(pt_panel_t *panel, pt_mhc_class_t which);

/* The alleles of the panel that bind these nine residues (of the 20 amino acids). */
uint64_t pt_panel_binders(const pt_panel_t *panel, pt_mhc_class_t which, const char *core);

/* What those alleles weigh together, 0 to 1. */
double pt_panel_share(const pt_panel_t *panel, pt_mhc_class_t which, uint64_t alleles);

#endif
