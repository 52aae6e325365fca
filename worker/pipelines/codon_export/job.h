/*
 *  The codon_export job: a gene for each chain of an antibody.
 */
#ifndef PT_CODON_EXPORT_JOB_H
#define PT_CODON_EXPORT_JOB_H

#include "worker/pipelines/pipeline.h"

extern const pt_pipeline_t pt_codon_export;

#endif
