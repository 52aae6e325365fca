/*
 *  How likely an antibody is to be answered by the immune system: which 9-mers are foreign (stand
 * in no human germline V or J gene), which of them MHC molecules of common alleles bind, and where
 * B cells may look. Computes only; no I/O and no allocation.
 *
 *  All risks are shares, 0 to 1, higher is worse. They order antibodies; none is a probability.
 */
#ifndef PT_IMMUNOGENICITY_H
#define PT_IMMUNOGENICITY_H

#include "worker/pipelines/immunogenicity/antigen.h"
#include "worker/pipelines/immunogenicity/bcell.h"
#include "worker/pipelines/immunogenicity/panel.h"

#define PT_IMMUNOGENICITY_VERSION "2"
#define PT_BCELL_EPITOPES_MAX (PT_ANTIGEN_MAX / PT_BCELL_LENGTH)

/* The 9-mer that begins at a residue of a stretch. */
typedef struct {
    bool foreign;
    uint64_t binders[PT_MHC_CLASSES]; /* which alleles of each panel bind it, a bit each */
} pt_core_t;

typedef struct {
    size_t core_count; /* length - 8; 0 for a shorter stretch */
    pt_core_t cores[PT_ANTIGEN_MAX];
    double foreign[PT_ANTIGEN_MAX]; /* of the 9-mers over each residue, the share that is foreign */
    size_t bcell_count;
    pt_bcell_epitope_t bcell[PT_BCELL_EPITOPES_MAX];
} pt_scan_t;

typedef struct {
    double mhc[PT_MHC_CLASSES]; /* mean over all 9-mers: 0 for a germline one, else the share of the
                                   panel that binds it, by weight */
    double bcell;   /* residues in B-cell epitopes, each by its foreign share and accessibility,
                       over all residues */
    double foreign; /* foreign 9-mers over all */
    double overall; /* mean over all 9-mers: 0 for a germline one, else a half and half the share of
                       the class II panel that binds it */
} pt_risk_t;

/* How many alleles: the bits that are set. */
unsigned pt_allele_count(uint64_t alleles);

/* Looks at one 9-mer. */
pt_core_t pt_core_of(const pt_panel_t *panel, const char *residues);

void pt_scan(const pt_antigen_t *antigen, const pt_panel_t *panel, pt_scan_t scans[2]);
pt_risk_t pt_risk_of(const pt_antigen_t *antigen, const pt_panel_t *panel,
                     const pt_scan_t scans[2]);

/* Mean humanness over the domains (antibody/humanness.h). */
double pt_antigen_humanness(const pt_antigen_t *antigen);

#endif
