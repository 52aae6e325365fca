/*
 *  The pipelines' side of proto/PIPELINE.md: reads jobs, computes them one after the other, writes
 * progress and endings.
 */
#ifndef PT_PIPELINE_H
#define PT_PIPELINE_H

#include "worker/pipelines/molecule.h"
#include <jansson.h>

/* What a job brings; valid while it is computed. */
typedef struct {
    pt_chain_t chains[PT_CHAINS_MAX];
    size_t chain_count;
    bool lone_heavy; /* the format allows a heavy chain without a light one */
} pt_inputs_t;

/* Says what is being done; fractions must not fall. */
typedef struct pt_reporter pt_reporter_t;
void pt_report(pt_reporter_t *reporter, const char *step, double fraction);

/* Computes a job: *results and *versions (new references), or false with *error. */
typedef bool (*pt_compute_fn)(const pt_inputs_t *inputs, pt_reporter_t *reporter, json_t **results,
                              json_t **versions, pt_error_t *error);

/*
 *  Serves jobs of a type from one descriptor to another until end of file. Returns the exit status:
 * 0 at end of file between two jobs, 1 when what came in is no protocol or could not be answered,
 * with the reason on standard error.
 */
int pt_pipeline_serve(const char *job_type, pt_compute_fn compute, int in, int out);

#endif
