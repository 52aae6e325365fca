/*
 *  What `paratope-pipeline NAME --fasta FILE` prints: one JSON object a line.
 */
#ifndef PT_TOOLS_H
#define PT_TOOLS_H

#include "worker/pipelines/antibody/schemes.h"
#include "worker/pipelines/fasta.h"
#include <jansson.h>

typedef struct {
    bool apart;         /* records are not paired by name */
    pt_scheme_t scheme; /* of numbering */
} pt_tool_options_t;

/* The lines for one antibody, an array (new reference); a line with the key "error" failed. */
typedef json_t *(*pt_tool_fn)(const pt_antibody_t *antibody, const pt_tool_options_t *options);

/* {name, results: [one per strategy]} */
json_t *pt_tool_humanization(const pt_antibody_t *antibody, const pt_tool_options_t *options);
/* {name, risk_score, …}: the job's results */
json_t *pt_tool_immunogenicity(const pt_antibody_t *antibody, const pt_tool_options_t *options);
/* {name, ddg_matrix, …} */
json_t *pt_tool_stability(const pt_antibody_t *antibody, const pt_tool_options_t *options);
/* A line for each variable domain. */
json_t *pt_tool_numbering(const pt_antibody_t *antibody, const pt_tool_options_t *options);
/* {name, score, …} */
json_t *pt_tool_humanness(const pt_antibody_t *antibody, const pt_tool_options_t *options);

/* Runs a tool over a file. Exit status: 0, 1 when a line failed, 2 when the file cannot be read. */
int pt_tool_run(pt_tool_fn tool, const pt_tool_options_t *options, const char *path);

#endif
