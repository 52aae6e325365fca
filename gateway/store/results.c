#include "gateway/store/results.h"

#include "gateway/store/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGE_READ_MS 30000 /* 64 MiB and more, from a busy server */

/* clang-format off */
/* Found by its id: the type is asked for so that no index of a list fits it. */
#define WHICH                                                                                      \
    " where j.id = $2::uuid and j.org_id = $1::uuid and coalesce(j.job_type = $3::text, true)"

/* $4 is the path of the job's resource. */
#define FILES                                                                                      \
    "(select json_agg(json_build_object('name', f.key, 'media_type', f.value->>'media_type',"      \
    "   'bytes', octet_length(f.value->>'content'),"                                               \
    "   'url', '/v1/' || $4::text || '/' || j.id || '/files/' || f.key) order by f.key)"           \
    " from json_each(r.files) f)"
#define RESULT                                                                                     \
    "case when r.files is null then (select row_to_json(t) from ("                                 \
    "  select j.id as job_id, j.job_type, r.results, r.model_versions) t)"                         \
    " else (select row_to_json(t) from ("                                                          \
    "  select j.id as job_id, j.job_type, r.results, r.model_versions, " FILES " as files) t) end"

/* 1048576 is PT_LARGE_ANSWER. */
#define IS_LARGE "coalesce(r.bytes > 1048576, false)"

static const pt_sql_t sql_results = {
    "read_results",
    "select j.status, j.error_code, j.error_message, j.error_details,"
    " case when r.job_id is not null and not " IS_LARGE " then " RESULT " end, " IS_LARGE
    " from jobs j left join results r on r.job_id = j.id" WHICH};

static const pt_sql_t sql_large_result = {
    "read_large_result", "select " RESULT " from jobs j join results r on r.job_id = j.id" WHICH};

#define TYPED(RESULTS)                                                                             \
    "(select row_to_json(t) from (select " PT_SQL_TYPED("$4", "$5", "$6") ", " RESULTS " as results) t)"

static const pt_sql_t sql_typed = {
    "read_typed",
    "select " TYPED("case when not " IS_LARGE " then r.results end") ","
    " j.completed_at is not null, " IS_LARGE
    " from jobs j left join results r on r.job_id = j.id" WHICH};

static const pt_sql_t sql_large_typed = {
    "read_large_typed",
    "select " TYPED("r.results") " from jobs j join results r on r.job_id = j.id" WHICH};

#define FILE                                                                                       \
    " from jobs j join results r on r.job_id = j.id cross join lateral ("                          \
    "   select r.files -> $4::text as value) f" WHICH " and f.value is not null"

static const pt_sql_t sql_file = {
    "read_file",
    "select f.value->>'media_type', case when octet_length(f.value->>'content') <= 1048576"
    " then f.value->>'content' end" FILE};

static const pt_sql_t sql_large_file = {"read_large_file", "select f.value->>'content'" FILE};

const pt_sql_t pt_sql_declarations = {
    "declarations",
    "select job_type, title, version, options_schema from declarations order by job_type"};
/* clang-format on */

/* ---- a statement and its parameters ------------------------------------------------------ */

#define PARAMS_MAX 6

typedef struct {
    char org[PT_UUID_TEXT], id[PT_UUID_TEXT], cost[16];
    const char *params[PARAMS_MAX];
} params_t;

/* The three that name the job; others follow. */
static void params_init(params_t *self, const pt_which_t *which)
{
    memset(self, 0, sizeof *self);
    self->params[0] = pt_uuid_format(which->org, self->org);
    self->params[1] = pt_uuid_format(which->id, self->id);
    self->params[2] = which->resource ? which->resource->job_type : NULL;
}

static void params_of_results(params_t *self, const pt_which_t *which)
{
    params_init(self, which);
    self->params[3] = which->resource ? which->resource->path : "jobs";
}

static void params_of_typed(params_t *self, const pt_which_t *which)
{
    params_init(self, which);
    snprintf(self->cost, sizeof self->cost, "%d", which->resource->cost);
    self->params[3] = which->resource->object;
    self->params[4] = self->cost;
    self->params[5] = which->resource->path;
}

static pt_pg_outcome_t read_large(pt_pool_t *pool, const pt_sql_t *sql, const params_t *params,
                                  int count, char **text)
{
    PGresult *rows = NULL;
    *text = NULL;
    pt_pg_outcome_t outcome =
        pt_pool_run_large(pool, sql, params->params, count, LARGE_READ_MS, &rows);
    if (outcome == PT_PG_OK && PQntuples(rows) > 0)
        *text = pt_store_value(rows, 0);
    PQclear(rows);
    return outcome;
}

static bool is_true(const PGresult *rows, int column)
{
    return *PQgetvalue(rows, 0, column) == 't';
}

/* ---- results ----------------------------------------------------------------------------- */

pt_pg_outcome_t pt_store_results(pt_pool_t *pool, const pt_which_t *which,
                                 pt_store_result_t *result)
{
    params_t given;
    PGresult *rows = NULL;
    params_of_results(&given, which);
    memset(result, 0, sizeof *result);
    pt_pg_outcome_t outcome = pt_pool_run(pool, &sql_results, given.params, 4, PT_READ_MS, &rows);
    if (outcome == PT_PG_OK && PQntuples(rows) > 0) {
        result->status = pt_store_value(rows, 0);
        result->error_code = pt_store_value(rows, 1);
        result->error_message = pt_store_value(rows, 2);
        result->error_details = pt_store_value(rows, 3);
        result->json = pt_store_value(rows, 4);
        result->large = is_true(rows, 5);
    }
    PQclear(rows);
    return outcome;
}

void pt_store_result_clear(pt_store_result_t *self)
{
    free(self->status);
    free(self->error_code);
    free(self->error_message);
    free(self->error_details);
    free(self->json);
    memset(self, 0, sizeof *self);
}

pt_pg_outcome_t pt_store_large_result(pt_pool_t *pool, const pt_which_t *which, char **json)
{
    params_t given;
    params_of_results(&given, which);
    return read_large(pool, &sql_large_result, &given, 4, json);
}

/* ---- typed resources --------------------------------------------------------------------- */

pt_pg_outcome_t pt_store_typed(pt_pool_t *pool, const pt_which_t *which, char **json, bool *ended,
                               bool *large)
{
    params_t given;
    PGresult *rows = NULL;
    params_of_typed(&given, which);
    *json = NULL;
    pt_pg_outcome_t outcome = pt_pool_run(pool, &sql_typed, given.params, 6, PT_READ_MS, &rows);
    if (outcome == PT_PG_OK && PQntuples(rows) > 0) {
        *json = pt_store_value(rows, 0);
        *ended = is_true(rows, 1);
        *large = is_true(rows, 2);
    }
    PQclear(rows);
    return outcome;
}

pt_pg_outcome_t pt_store_large_typed(pt_pool_t *pool, const pt_which_t *which, char **json)
{
    params_t given;
    params_of_typed(&given, which);
    return read_large(pool, &sql_large_typed, &given, 6, json);
}

/* ---- files ------------------------------------------------------------------------------- */

pt_pg_outcome_t pt_store_file(pt_pool_t *pool, const pt_which_t *which, const char *name,
                              pt_store_file_t *file)
{
    params_t given;
    PGresult *rows = NULL;
    params_init(&given, which);
    given.params[3] = name;
    memset(file, 0, sizeof *file);
    pt_pg_outcome_t outcome = pt_pool_run(pool, &sql_file, given.params, 4, PT_READ_MS, &rows);
    if (outcome == PT_PG_OK && PQntuples(rows) > 0) {
        file->media_type = pt_store_value(rows, 0);
        file->content = pt_store_value(rows, 1);
    }
    PQclear(rows);
    return outcome;
}

pt_pg_outcome_t pt_store_large_file(pt_pool_t *pool, const pt_which_t *which, const char *name,
                                    char **content)
{
    params_t given;
    params_init(&given, which);
    given.params[3] = name;
    return read_large(pool, &sql_large_file, &given, 4, content);
}

void pt_store_file_clear(pt_store_file_t *self)
{
    free(self->media_type);
    free(self->content);
    memset(self, 0, sizeof *self);
}
