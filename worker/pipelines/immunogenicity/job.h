/*
 *  The immunogenicity job: epitopes, risks and suggestions for one antibody.
 */
#ifndef PT_IMMUNOGENICITY_JOB_H
#define PT_IMMUNOGENICITY_JOB_H

#include "worker/pipelines/pipeline.h"

extern const pt_pipeline_t pt_immunogenicity;

#endif
