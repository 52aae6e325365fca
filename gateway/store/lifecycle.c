#include "gateway/store/lifecycle.h"

#include "gateway/database/array.h"
#include "gateway/store/columns.h"
#include "gateway/store/read.h"
#include "gateway/store/type_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE_MS 500

/* clang-format off */
/* Jobs that stand before it and are due when it is. */
static const pt_sql_t sql_position = {
    "read_position",
    "select json_build_object('position', case when c.n < 10000 then c.n + 1 else c.n end,"
    " 'more', coalesce(c.n = 10000, false))"
    " from jobs j left join lateral ("
    "   select count(*) as n from (select 1 from jobs w"
    "     where w.job_type = j.job_type and w.org_id = j.org_id and w.due_at is not null"
    "     and (w.priority, w.due_at, w.id) < (j.priority, j.due_at, j.id)"
    "     and w.due_at <= greatest(j.due_at, now()) limit 10000) before) c on j.due_at is not null"
    " where j.id = $2::uuid and j.org_id = $1::uuid"};

static const pt_sql_t sql_dead = {
    "read_dead",
    "select status in ('failed', 'canceled'), variant_id, job_type, priority from jobs"
    " where id = $2::uuid and org_id = $1::uuid"};

static const pt_sql_t sql_job_types = {
    "read_job_types",
    "select json_build_object('data', json_agg(json_build_object("
    "  'job_type', t.job_type, 'title', coalesce(d.title, t.title), 'version', d.version,"
    "  'options_schema', d.options_schema, 'resource', '/v1/' || t.path, 'served', t.slots > 0, 'slots', greatest(t.slots, 0),"
    "  'max_tries', coalesce(s.max_tries, " PT_MAX_TRIES "),"
    "  'retry_after_seconds', trim_scale(extract(epoch from coalesce(s.retry_after, " PT_RETRY_AFTER "))),"
    "  'retry_most_seconds', trim_scale(extract(epoch from coalesce(s.retry_most, " PT_RETRY_MOST "))),"
    "  'queue_timeout_seconds', trim_scale(extract(epoch from coalesce(s.queue_timeout, " PT_QUEUE_TIMEOUT "))))"
    " order by t.n)) from unnest($1::text[], $2::bigint[], $3::text[], $4::text[])"
    "   with ordinality as t (job_type, slots, title, path, n)"
    " left join job_types s on s.job_type = t.job_type left join declarations d on d.job_type = t.job_type"};

static const pt_sql_t sql_waiting = {"read_waiting", PT_SQL_WAITING_TYPES};

static const pt_sql_t sql_has_type = {
    "has_type",
    "select 1 from jobs where org_id = $1::uuid and job_type = $2 and status is not null limit 1"};
/* clang-format on */

pt_pg_outcome_t pt_store_position(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *job,
                                  char **json)
{
    return pt_store_read_one(pool, &sql_position, org, job, json);
}

static void read_dead(const PGresult *rows, pt_submission_t *submission, bool *dead)
{
    *dead = *PQgetvalue(rows, 0, 0) == 't';
    pt_uuid_parse(&submission->variant_id, PQgetvalue(rows, 0, 1), PT_UUID_TEXT - 1);
    pt_job_type_copy(submission->job_type, PQgetvalue(rows, 0, 2));
    submission->priority = atoi(PQgetvalue(rows, 0, 3));
}

pt_pg_outcome_t pt_store_dead(pt_pool_t *pool, pt_submission_t *submission, bool *found, bool *dead)
{
    char org[PT_UUID_TEXT], job[PT_UUID_TEXT];
    const char *const params[] = {pt_uuid_format(&submission->org_id, org),
                                  pt_uuid_format(&submission->resubmit_of, job)};
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome = pt_pool_run(pool, &sql_dead, params, 2, PT_READ_MS, &rows);
    *found = outcome == PT_PG_OK && PQntuples(rows) > 0;
    *dead = false;
    if (*found)
        read_dead(rows, submission, dead);
    PQclear(rows);
    return outcome;
}

pt_pg_outcome_t pt_store_job_types(pt_pool_t *pool, const pt_known_type_t *types, size_t count,
                                   char **json)
{
    enum { TYPES, SLOTS, TITLES, PATHS, PARAMS };
    pt_array_t arrays[PARAMS] = {{0}};
    const char *params[PARAMS];
    for (size_t i = 0; i < count; i++) {
        pt_array_text(&arrays[TYPES], types[i].resource->job_type);
        pt_array_int(&arrays[SLOTS], types[i].slots);
        pt_array_text(&arrays[TITLES], types[i].resource->title);
        pt_array_text(&arrays[PATHS], types[i].resource->path);
    }
    for (int i = 0; i < PARAMS; i++)
        params[i] = pt_array_end(&arrays[i]);
    pt_pg_outcome_t outcome = pt_store_read_text(pool, &sql_job_types, params, PARAMS, json);
    for (int i = 0; i < PARAMS; i++)
        pt_array_clear(&arrays[i]);
    return outcome;
}

json_t *pt_store_waiting(pt_pool_t *pool)
{
    PGresult *rows = NULL;
    json_t *waiting = NULL;
    if (pt_pool_run(pool, &sql_waiting, NULL, 0, AT_ONCE_MS, &rows) == PT_PG_OK) {
        waiting = json_array();
        for (int row = 0; row < PQntuples(rows); row++)
            json_array_append_new(waiting, json_string(PQgetvalue(rows, row, 0)));
    }
    PQclear(rows);
    return waiting;
}

pt_pg_outcome_t pt_store_has_type(pt_pool_t *pool, const pt_uuid_t *org, const char *job_type,
                                  bool *has)
{
    char org_text[PT_UUID_TEXT];
    const char *const params[] = {pt_uuid_format(org, org_text), job_type};
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome = pt_pool_run(pool, &sql_has_type, params, 2, PT_READ_MS, &rows);
    *has = outcome == PT_PG_OK && PQntuples(rows) > 0;
    PQclear(rows);
    return outcome;
}
