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
    const char *name; /* the antibody's, UTF-8 that no NUL ends; NULL if it has none */
    size_t name_length;
    pt_chain_t chains[PT_CHAINS_MAX];
    size_t chain_count;
    bool lone_heavy;       /* the format allows a heavy chain without a light one */
    const json_t *options; /* an object, empty if the job has none */
    const json_t *earlier; /* {job type: {job_id, results, files}} of what the pipeline wants */
} pt_inputs_t;

/* What a job comes to: new references, NULL where there is nothing. */
typedef struct {
    json_t *results, *versions;
    json_t *files;   /* {name: {media_type, content}} */
    json_t *partial; /* what was reached, when the job fails */
} pt_answer_t;

/* Says what is being done; fractions must not fall. */
typedef struct pt_reporter pt_reporter_t;
void pt_report(pt_reporter_t *reporter, const char *step, double fraction);

/* Computes a job: fills the answer, or returns false with *error; serve releases the answer. */
typedef bool (*pt_compute_fn)(const pt_inputs_t *inputs, pt_reporter_t *reporter,
                              pt_answer_t *answer, pt_error_t *error);

/* What PIPELINE.md's `declare` says, and the function. */
typedef struct {
    const char *job_type, *title;
    const char *version;        /* of the options */
    const char *options_schema; /* JSON */
    const char *wants;          /* one job type whose newest result is to come along, or NULL */
    pt_compute_fn compute;
} pt_pipeline_t;

/*
 *  Serves jobs of a type from one descriptor to another until end of file. Returns the exit status:
 * 0 at end of file between two jobs, 1 when what came in is no protocol or could not be answered,
 * with the reason on standard error.
 */
int pt_pipeline_serve(const pt_pipeline_t *pipeline, int in, int out);

#endif
