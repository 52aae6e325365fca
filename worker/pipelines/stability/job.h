/*
 *  The stability job.
 */
#ifndef PT_STABILITY_JOB_H
#define PT_STABILITY_JOB_H

#include "worker/pipelines/pipeline.h"

extern const pt_pipeline_t pt_stability;

/* The result as an object (a new reference), by the default options and the position table; NULL
   with *error. `reporter` may be NULL. */
json_t *pt_stability_results(const pt_chain_t *chains, size_t count, bool lone_heavy,
                             pt_reporter_t *reporter, pt_error_t *error);

#endif
