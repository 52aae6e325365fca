/*
 *  The Therapeutic Antibody Profiler's five metrics on a model of an Fv (Raybould et al. 2019, PNAS
 * 116:4025).
 */
#ifndef PT_STABILITY_TAP_H
#define PT_STABILITY_TAP_H

#include "worker/pipelines/fold/model.h"
#include "worker/pipelines/stability/tables.h"

#define PT_TAP_VERSION "1"
#define PT_SALT_BRIDGES_MAX 64

typedef enum { PT_GREEN, PT_AMBER, PT_RED } pt_state_t;
const char *pt_state_name(pt_state_t state);

/* Within the range that most clinical-stage antibodies have, at its edges, or beyond all. */
pt_state_t pt_tap_state(pt_tap_metric_t metric, double value);

/* One residue of each, as domain and residue of the domain. */
typedef struct {
    size_t domain[2], residue[2];
} pt_salt_bridge_t;

typedef struct {
    double value[PT_TAP_METRICS]; /* SFvCSP is 0 for a nanobody, which has no other domain */
    size_t vicinity;              /* residues of the CDR vicinity */
    size_t salt_bridge_count;
    pt_salt_bridge_t salt_bridges[PT_SALT_BRIDGES_MAX]; /* of the surface */
} pt_tap_t;

/* The model's domains, in the same order. The CDRs' length, which needs no model, is left 0. */
void pt_tap(const pt_domain_t *const domains[], size_t count, const pt_model_t *model,
            pt_tap_t *tap);

#endif
