/* What a job came to: its results, its files, and all of it as a typed resource. What has more than
 * PT_LARGE_ANSWER is read by itself, by the functions called large, within the pool's room for
 * that (pt_pool_enter_large).
 */
#ifndef PT_STORE_RESULTS_H
#define PT_STORE_RESULTS_H

#include "gateway/store/read.h"

/* A job of the organisation's; borrowed. */
typedef struct {
    const pt_uuid_t *org, *id;
    const pt_resource_t *resource; /* it must be one of these; NULL: as /v1/jobs has it */
} pt_which_t;

/* How a job ended. All owned, released by pt_store_result_clear; NULL where there is none. */
typedef struct {
    char *status; /* NULL: no such job */
    char *error_code, *error_message;
    char *error_details; /* JSON */
    char *json;          /* {job_id, job_type, results, model_versions, files?} */
    bool large;          /* there is more of it, which pt_store_large_result reads */
} pt_store_result_t;
pt_pg_outcome_t pt_store_results(pt_pool_t *pool, const pt_which_t *which,
                                 pt_store_result_t *result);
void pt_store_result_clear(pt_store_result_t *self);
/* That json of a large one; NULL if there is no such job. Owned by the caller. */
pt_pg_outcome_t pt_store_large_result(pt_pool_t *pool, const pt_which_t *which, char **json);

/* As a typed resource with its results, `which->resource` being that. `*json` is NULL if there is
   no such job; `*ended` and `*large` are set otherwise, and a large one's results are left out. */
pt_pg_outcome_t pt_store_typed(pt_pool_t *pool, const pt_which_t *which, char **json, bool *ended,
                               bool *large);
/* With its results, however large. */
pt_pg_outcome_t pt_store_large_typed(pt_pool_t *pool, const pt_which_t *which, char **json);

/* A file of its results; all owned. A large one's content is read by pt_store_large_file. */
typedef struct {
    char *media_type; /* NULL: no such job, or no such file */
    char *content;    /* NULL: a large one */
} pt_store_file_t;
pt_pg_outcome_t pt_store_file(pt_pool_t *pool, const pt_which_t *which, const char *name,
                              pt_store_file_t *file);
pt_pg_outcome_t pt_store_large_file(pt_pool_t *pool, const pt_which_t *which, const char *name,
                                    char **content);
void pt_store_file_clear(pt_store_file_t *self);

/* () → job_type, title, version, options_schema of all that pipelines have declared */
extern const pt_sql_t pt_sql_declarations;

#endif
