/*
 *  The stability job.
 */
#ifndef PT_STABILITY_JOB_H
#define PT_STABILITY_JOB_H

#include "worker/pipelines/pipeline.h"

extern const pt_pipeline_t pt_stability;

#endif
