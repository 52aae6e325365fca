/*
 *  The stability analysis of an antibody's Fv. Pure: no I/O, no allocation.
 */
#ifndef PT_STABILITY_H
#define PT_STABILITY_H

#include "worker/pipelines/antibody/liabilities.h"
#include "worker/pipelines/antibody/schemes.h"
#include "worker/pipelines/molecule.h"
#include "worker/pipelines/stability/ddg.h"
#include "worker/pipelines/stability/developability.h"
#include "worker/pipelines/stability/tap.h"

#define PT_STABILITY_VERSION "3"
#define PT_STABILIZING_MAX 20
#define PT_POSITIONS_MAX (2 * PT_DOMAIN_MAX)
#define PT_PH_MAX 16

/*
 *  Where Fab fragments melt, °C, and the spread among them: round numbers of the literature, the
 * same for every antibody that has a Fab, since no score of a sequence alone told hot ones from
 * others (docs/science.md).
 */
#define PT_MELTING_TYPICAL 71.0
#define PT_MELTING_SPREAD 6.0

/* A framework substitution that the model calls stabilising, that human repertoires of the V family
   know, and that makes no liability. */
typedef struct {
    size_t domain, residue; /* residue of that domain, from 0 */
    char mutant;
    double ddg;
} pt_stabilizing_t;

/* What is wanted of the substitutions and charges. */
typedef struct {
    pt_scheme_t scheme;
    pt_position_t names[2][PT_DOMAIN_MAX]; /* of the domains' residues in that scheme */
    bool wanted[2][PT_DOMAIN_MAX];         /* whose substitutions are given */
    size_t ph_count;
    double ph[PT_PH_MAX];
} pt_scan_choice_t;

typedef struct {
    size_t count; /* heavy first; one for a nanobody */
    bool fab;     /* heavy and light chain of their own: no nanobody, no scFv */
    const pt_scan_choice_t *choice;
    const pt_model_t *model; /* NULL: burial is the position table's */
    pt_tap_t tap;            /* only with a model, but for the CDRs' length */
    pt_exposed_t parts[2];
    double ddg[2][PT_DOMAIN_MAX][PT_DDG_AMINO];
    size_t stabilizing_count; /* the largest first */
    pt_stabilizing_t stabilizing[PT_STABILIZING_MAX];
    size_t liability_count;
    pt_liability_t liabilities[PT_LIABILITIES_MAX];
    double isoelectric_point, charge[PT_PH_MAX];
    double cdr_hydropathy, cdr_hydrophobicity, cdr_charge;
    double rank[PT_RANKS];      /* among antibodies of crystal structures, 0 to 1; always by the
                                   position table's accessibility, as theirs */
    double solubility;          /* minus the CDRs' hydrophobicity: higher is more soluble */
    double aggregation;         /* the hydrophobic peak: higher aggregates more */
    double thermostability;     /* consensus, 0 to 1: higher is more stable */
    double liability_load;      /* by the position table's accessibility, as the ranks */
    pt_state_t liability_state; /* of the load */
    double developability;      /* mean of 1 - each rank, and of how good the states are (green 1,
                                   amber half, red 0, over those that could be judged) */
} pt_stability_t;

/* Called before each domain's matrix with the fraction done. */
typedef void (*pt_stability_progress_fn)(const char *step, double fraction, void *context);

/*
 *  The ddG of all substitutions of a domain, by the sequence model, SimBa-SYM at each residue's
 * accessibility and the evidence of human repertoires. `alone`: a nanobody, whose hallmarks no
 * repertoire speaks for.
 */
void pt_substitutions(const pt_exposed_t *part, bool alone,
                      double ddg[PT_DOMAIN_MAX][PT_DDG_AMINO]);

/* Whether a metric has a value here and can be judged against clinical-stage antibodies. */
bool pt_tap_judged(const pt_stability_t *result, pt_tap_metric_t metric);

/* `model` may be NULL. `result` borrows all of them. */
void pt_analyse_stability(const pt_molecule_t *molecule, const pt_model_t *model,
                          const pt_scan_choice_t *choice, pt_stability_progress_fn progress,
                          void *context, pt_stability_t *result);

#endif
