/*
 *  The stability analysis of an antibody's Fv. Pure: no I/O, no allocation.
 */
#ifndef PT_STABILITY_H
#define PT_STABILITY_H

#include "worker/pipelines/antibody/liabilities.h"
#include "worker/pipelines/molecule.h"
#include "worker/pipelines/stability/ddg.h"
#include "worker/pipelines/stability/developability.h"

#define PT_STABILITY_VERSION "1"
#define PT_STABILIZING_MAX 20

/*
 *  Where Fab fragments melt, °C, and the spread among them: round numbers of the literature, the
 * same for every antibody, since no score of a sequence alone told hot ones from others
 * (docs/science.md).
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

typedef struct {
    size_t count; /* heavy first; one for a nanobody */
    pt_exposed_t parts[2];
    double ddg[2][PT_DOMAIN_MAX][PT_DDG_AMINO];
    size_t stabilizing_count; /* the largest first */
    pt_stabilizing_t stabilizing[PT_STABILIZING_MAX];
    size_t liability_count;
    pt_liability_t liabilities[PT_LIABILITIES_MAX];
    double isoelectric_point, charge_7_4, charge_6_0;
    double solubility;          /* minus the surface's hydropathy: higher is more soluble */
    double aggregation;         /* the hydrophobic peak: higher aggregates more */
    double thermostability;     /* consensus, 0 to 1: higher is more stable */
    size_t cdr_length;          /* of all IMGT CDRs */
    pt_state_t liability_state; /* red with a high one, amber with a medium one */
    double developability;      /* mean of the states that could be judged, green 1, red 0 */
} pt_stability_t;

/* Called before each domain's matrix with the fraction done. */
typedef void (*pt_stability_progress_fn)(const char *step, double fraction, void *context);

/* `result` borrows the molecule. */
void pt_analyse_stability(const pt_molecule_t *molecule, pt_stability_progress_fn progress,
                          void *context, pt_stability_t *result);

#endif
