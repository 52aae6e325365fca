/*
 *  What can be said of an Fv's handling from its sequence and where its residues usually stand.
 * Pure.
 */
#ifndef PT_DEVELOPABILITY_H
#define PT_DEVELOPABILITY_H

#include "worker/pipelines/antibody/liabilities.h"
#include "worker/pipelines/fold/model.h"
#include "worker/pipelines/stability/tables.h"

#define PT_PKA_TABLE "EMBOSS"

/* A variable domain and how exposed each of its residues is (0 to 1). */
typedef struct {
    const pt_domain_t *domain;
    double rsa[PT_DOMAIN_MAX];
} pt_exposed_t;

/*
 *  Relative solvent accessibility of each residue by its IMGT position, averaged over crystal
 * structures. `alone`: a nanobody, which has no partner that covers it.
 */
void pt_exposed_by_table(const pt_domain_t *domain, bool alone, pt_exposed_t *exposed);

/* In its place, that of each residue which the model has. `d`: which of the model's domains. */
void pt_exposed_by_model(const pt_model_t *model, size_t d, pt_exposed_t *exposed);

/* Net charge at a pH, each domain as a free chain with both ends; Cys 23 and 104 are a disulfide.
 */
double pt_net_charge(const pt_exposed_t *parts, size_t count, double ph);

/* The pH at which the net charge is 0, to 0.001. */
double pt_isoelectric_point(const pt_exposed_t *parts, size_t count);

/* Residues of the IMGT CDRs together. */
size_t pt_total_cdr_length(const pt_exposed_t *parts, size_t count);

/* Of the IMGT CDRs, residues weighed by their accessibility: the mean Kyte-Doolittle hydropathy;
   the mean of what it is worth to leave water for a membrane's interface (Wimley & White 1996,
   kcal/mol, positive: hydrophobic); and the sum of charges (Lys, Arg +1, Asp, Glu -1). */
double pt_cdr_hydropathy(const pt_exposed_t *parts, size_t count);
double pt_cdr_hydrophobicity(const pt_exposed_t *parts, size_t count);
double pt_cdr_charge(const pt_exposed_t *parts, size_t count);

/* The most hydrophobic stretch of seven residues: the mean of accessibility times interfacial
 * hydrophobicity, kcal/mol, what is hydrophilic counting 0. */
double pt_hydrophobic_peak(const pt_exposed_t *parts, size_t count);

/* Of the antibodies of crystal structures (nanobodies if it is one), the share below a value, 0
 * to 1.
 */
double pt_rank(pt_property_t property, bool nanobody, double value);

/* The most exposed residue of a motif. */
double pt_motif_exposure(const pt_exposed_t *parts, const pt_liability_t *motif);

/* How many motifs are exposed (a quarter or more): a high one counts 1, a medium one a half. */
double pt_liability_load(const pt_exposed_t *parts, const pt_liability_t *motifs, size_t count);

/* What a quarter of the antibodies of crystal structures lie above, and what a twentieth. */
typedef struct {
    double green, amber;
} pt_load_limits_t;
pt_load_limits_t pt_load_limits(bool nanobody);

/* How usual the V region's residues are in human repertoires of the V family: the geometric mean
   of each one's share over the position's most frequent residue's, 0 to 1. */
double pt_consensus(const pt_exposed_t *parts, size_t count);

#endif
