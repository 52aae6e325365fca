/*
 *  What `paratope-pipeline NAME --fasta FILE` prints: one JSON object a line.
 */
#ifndef PT_TOOLS_H
#define PT_TOOLS_H

#include "worker/pipelines/antibody/schemes.h"
#include "worker/pipelines/fasta.h"
#include "worker/pipelines/pipeline.h"
#include <jansson.h>

typedef struct {
    bool apart;                    /* records are not paired by name */
    pt_scheme_t scheme;            /* of numbering */
    const pt_pipeline_t *pipeline; /* of pt_tool_pipeline */
    const json_t *options;         /* for it: an object, or NULL for none */
} pt_tool_options_t;

/* The lines for one antibody, an array (new reference); a line with the key "error" failed. */
typedef json_t *(*pt_tool_fn)(const pt_antibody_t *antibody, const pt_tool_options_t *options);

/* What a job of the pipeline would give: {name, results: […]} if that is a list, {name, …} if it is
 * an object. */
json_t *pt_tool_pipeline(const pt_antibody_t *antibody, const pt_tool_options_t *options);
/* A line for each variable domain. */
json_t *pt_tool_numbering(const pt_antibody_t *antibody, const pt_tool_options_t *options);
/* {name, score, …} */
json_t *pt_tool_humanness(const pt_antibody_t *antibody, const pt_tool_options_t *options);

/* Options of a pipeline from JSON text ("{…}") or a file of it; NULL, with the reason on standard
   error, when they are not what its schema takes. */
json_t *pt_tool_read_options(const pt_pipeline_t *pipeline, const char *given);

/* Runs a tool over a file. Exit status: 0, 1 when a line failed, 2 when the file cannot be read. */
int pt_tool_run(pt_tool_fn tool, const pt_tool_options_t *options, const char *path);

#endif
