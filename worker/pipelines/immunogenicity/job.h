/*
 *  The immunogenicity job: epitopes, risks and suggestions for one antibody.
 */
#ifndef PT_IMMUNOGENICITY_JOB_H
#define PT_IMMUNOGENICITY_JOB_H

#include "worker/pipelines/pipeline.h"

extern const pt_pipeline_t pt_immunogenicity;

/* The results (a new reference); NULL with *error. `reporter` may be NULL. */
json_t *pt_immunogenicity_results(const pt_chain_t *chains, size_t count, bool lone_heavy,
                                  pt_reporter_t *reporter, pt_error_t *error);

#endif
