/*
 *  The humanization job: every strategy on one antibody.
 */
#ifndef PT_HUMANIZATION_JOB_H
#define PT_HUMANIZATION_JOB_H

#include "worker/pipelines/pipeline.h"

extern const pt_pipeline_t pt_humanization;

/* The list of results, one per strategy (a new reference); NULL with *error. `reporter` may be
 * NULL. */
json_t *pt_humanization_results(const pt_chain_t *chains, size_t count, bool lone_heavy,
                                pt_reporter_t *reporter, pt_error_t *error);

#endif
