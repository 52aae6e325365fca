/*
 *  The humanization job: some strategies on one antibody. Its result is a list, one per strategy.
 */
#ifndef PT_HUMANIZATION_JOB_H
#define PT_HUMANIZATION_JOB_H

#include "worker/pipelines/pipeline.h"

extern const pt_pipeline_t pt_humanization;

#endif
