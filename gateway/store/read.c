#include "gateway/store/read.h"

#include "gateway/store/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UTC PT_SQL_UTC

static const pt_sql_t sql_token = {
    "read_token",
    "select t.id, t.org_id, o.weight from tokens t join organisations o on o.id = t.org_id"
    " where t.hash = $1::bytea and t.revoked_at is null"};

/* clang-format off */
const pt_sql_t pt_sql_read_jobs_by_id = {
    "read_jobs_by_id",
    "select g.n, row_to_json(t)"
    " from unnest($1::uuid[], $2::uuid[]) with ordinality as g (org_id, id, n) cross join lateral"
    " (select " PT_SQL_JOB " from jobs where id = g.id and org_id = g.org_id) t"};

/* clang-format on */

/* An event as a page shows it; what its type has no use for is left out. */
#define EVENT "json_strip_nulls(row_to_json(e))"
#define EVENT_COLUMNS                                                                              \
    "seq, job_id, job_type, type, status, attempt, " UTC(                                          \
        "at") " as at,"                                                                            \
              " detail->>'step' as step, detail->'fraction' as fraction,"                          \
              " detail->>'code' as code, detail->>'message' as message,"                           \
              " detail->>'variant_id' as variant_id, detail->>'request_id' as request_id"

/* clang-format off */
static const pt_sql_t sql_job_events = {
    "read_job_events",
    "with page as materialized ("
    "  select " EVENT_COLUMNS " from events where job_id = $2::uuid and org_id = $1::uuid"
    "  and seq > $3::bigint order by seq limit $4::bigint + 1"
    "), shown as materialized (select * from page order by seq limit $4::bigint) "
    "select json_strip_nulls(row_to_json(t)) from jobs j, lateral ("
    "  select coalesce((select json_agg(" EVENT " order by e.seq) from shown e), '[]'::json) as data,"
    "  case when exists (select 1 from page offset $4::bigint) then (select max(seq) from shown) end"
    "    as next_after) t "
    "where j.id = $2::uuid and j.org_id = $1::uuid"};
/* clang-format on */

/* clang-format off */
/* The pieces of a job's log that reach behind $4, the first one cut there, unless that is the middle
   of a character. */
#define LOG_PIECES                                                                                 \
    "select l.attempt, b.begins, l.at, l.\"offset\" + octet_length(l.text) as ends,"               \
    "  case when b.begins = l.\"offset\" then l.text else convert_from(substring("                 \
    "    convert_to(l.text, 'UTF8') from (b.begins - l.\"offset\" + 1)::int), 'UTF8') end as text"  \
    " from jobs j join job_logs l on l.job_id = j.id and l.attempt >"                              \
    "    case $3::bigint when 0 then j.attempt - 16 else $3::bigint - 1 end"                       \
    "  and l.attempt <= case $3::bigint when 0 then j.attempt else $3::bigint end,"                \
    "  lateral (select case when $4::bigint > l.\"offset\" and get_byte(convert_to(l.text, 'UTF8'),"  \
    "      ($4::bigint - l.\"offset\")::int) & 192 <> 128 then $4::bigint"                         \
    "    else l.\"offset\" end as begins) b"                                                       \
    " where j.id = $2::uuid and j.org_id = $1::uuid"                                               \
    "  and l.\"offset\" + octet_length(l.text) > $4::bigint"

static const pt_sql_t sql_job_logs = {
    "read_job_logs",
    "with piece as (" LOG_PIECES ") "
    "select json_build_object('data', coalesce((select json_agg(json_build_object("
    "    'attempt', attempt, 'offset', begins, 'at', " UTC("at") ", 'text', text)"
    "    order by attempt, begins) from piece), '[]'::json))"
    " from jobs where id = $2::uuid and org_id = $1::uuid"};

static const pt_sql_t sql_job_logs_text = {
    "read_job_logs_text",
    "with piece as (" LOG_PIECES "), placed as ("
    "  select *, begins - coalesce(lag(ends) over attempts, $4::bigint) as gap,"
    "    lag(ends) over attempts is null and $3::bigint = 0 as is_first"
    "  from piece window attempts as (partition by attempt order by begins)) "
    "select coalesce((select string_agg("
    "    case when is_first then '[attempt ' || attempt || ']' || chr(10) else '' end"
    "    || case when gap > 0 then '[' || gap || ' bytes left out]' || chr(10) else '' end || text,"
    "    '' order by attempt, begins) from placed), '')"
    " from jobs where id = $2::uuid and org_id = $1::uuid"};
/* clang-format on */

static const pt_sql_t sql_events = {
    "read_events",
    "with page as materialized ("
    "  select " EVENT_COLUMNS " from events"
    "  where org_id = $1::uuid and seq > $2::bigint order by seq limit $3::bigint"
    "), edge as ("
    "  select c.seq as last, coalesce((select max(seq) from page), least($2::bigint, c.seq)) as "
    "next"
    "  from event_counters c where c.org_id = $1::uuid) "
    "select json_strip_nulls(row_to_json(t)) from ("
    "  select coalesce((select json_agg(" EVENT
    " order by e.seq) from page e), '[]'::json) as data,"
    "    next as next_after, next < last as has_more, last as last_seq,"
    "    ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint as timeline,"
    "    case when $2::bigint > last then last end as rewound_to"
    "  from edge) t"};

static const pt_sql_t sql_variant = {
    "read_variant",
    "select row_to_json(t) from ("
    "  select id, 'variant' as object, candidate_id, name, format, chains,"
    "    " UTC("created_at") " as created_at"
                             "  from variants where id = $2::uuid and org_id = $1::uuid) t"};

/* With its baseline, the first of its variants. */
static const pt_sql_t sql_read_candidate = {
    "read_candidate",
    "select row_to_json(t) from ("
    "  select c.id, 'therapeutic_candidate' as object, c.name, c.format, v.id as variant_id,"
    "    v.chains, " UTC("c.created_at") " as created_at"
                                         "  from therapeutic_candidates c join lateral ("
                                         "    select id, chains from variants where candidate_id = "
                                         "c.id order by created_at, id limit 1)"
                                         "    v on true"
                                         "  where c.id = $2::uuid and c.org_id = $1::uuid) t"};

/* The pool repeats it after a lost answer, so it makes nothing twice and answers as before. */
static const pt_sql_t sql_candidate = {
    "make_candidate",
    "with candidate as ("
    "  insert into therapeutic_candidates (id, org_id, name, format)"
    "  values ($2::uuid, $1::uuid, $4::text, $5::text)"
    "  on conflict (id) do nothing returning created_at"
    "), variant as ("
    "  insert into variants (id, org_id, candidate_id, name, format, chains)"
    "  values ($3::uuid, $1::uuid, $2::uuid, $4::text, $5::text, $6::jsonb)"
    "  on conflict (id) do nothing) "
    "select " UTC(
        "created_at") " from (select created_at from candidate union all"
                      " select created_at from therapeutic_candidates where id = $2::uuid) made"};

/* ---- reading a row ----------------------------------------------------------------------- */

char *pt_store_value(const PGresult *rows, int column)
{
    return PQgetisnull(rows, 0, column) ? NULL : strdup(PQgetvalue(rows, 0, column));
}

pt_pg_outcome_t pt_store_read_text(pt_pool_t *pool, const pt_sql_t *sql, const char *const *params,
                                   int count, char **text)
{
    PGresult *rows = NULL;
    *text = NULL;
    pt_pg_outcome_t outcome = pt_pool_run(pool, sql, params, count, PT_READ_MS, &rows);
    if (outcome == PT_PG_OK && PQntuples(rows) > 0)
        *text = pt_store_value(rows, 0);
    PQclear(rows);
    return outcome;
}

pt_pg_outcome_t pt_store_read_one(pt_pool_t *pool, const pt_sql_t *sql, const pt_uuid_t *org,
                                  const pt_uuid_t *id, char **text)
{
    char org_text[PT_UUID_TEXT], id_text[PT_UUID_TEXT];
    const char *const params[] = {pt_uuid_format(org, org_text), pt_uuid_format(id, id_text)};
    return pt_store_read_text(pool, sql, params, 2, text);
}

/* ---- the questions ----------------------------------------------------------------------- */

pt_pg_outcome_t pt_store_token(pt_pool_t *pool, const uint8_t *hash, pt_caller_t *caller,
                               bool *found)
{
    char text[2 + 64 + 1] = "\\x";
    for (size_t i = 0; i < 32; i++)
        snprintf(text + 2 + 2 * i, 3, "%02x", hash[i]);
    const char *const params[] = {text};
    PGresult *rows = NULL;
    *found = false;
    pt_pg_outcome_t outcome = pt_pool_run(pool, &sql_token, params, 1, PT_READ_MS, &rows);
    if (outcome == PT_PG_OK && PQntuples(rows) > 0)
        *found = pt_uuid_parse(&caller->token_id, PQgetvalue(rows, 0, 0), PT_UUID_TEXT - 1) &&
                 pt_uuid_parse(&caller->org_id, PQgetvalue(rows, 0, 1), PT_UUID_TEXT - 1);
    if (*found)
        caller->weight = atoi(PQgetvalue(rows, 0, 2));
    PQclear(rows);
    return outcome;
}

pt_pg_outcome_t pt_store_job_events(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *job,
                                    int64_t after, int64_t limit, char **json)
{
    char org_text[PT_UUID_TEXT], job_text[PT_UUID_TEXT], after_text[24], limit_text[24];
    snprintf(after_text, sizeof after_text, "%lld", (long long)after);
    snprintf(limit_text, sizeof limit_text, "%lld", (long long)limit);
    const char *const params[] = {pt_uuid_format(org, org_text), pt_uuid_format(job, job_text),
                                  after_text, limit_text};
    return pt_store_read_text(pool, &sql_job_events, params, 4, json);
}

pt_pg_outcome_t pt_store_job_logs(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *job,
                                  int64_t attempt, int64_t after, bool as_text, char **answer)
{
    char org_text[PT_UUID_TEXT], job_text[PT_UUID_TEXT], attempt_text[24], after_text[24];
    snprintf(attempt_text, sizeof attempt_text, "%lld", (long long)attempt);
    snprintf(after_text, sizeof after_text, "%lld", (long long)after);
    const char *const params[] = {pt_uuid_format(org, org_text), pt_uuid_format(job, job_text),
                                  attempt_text, after_text};
    return pt_store_read_text(pool, as_text ? &sql_job_logs_text : &sql_job_logs, params, 4,
                              answer);
}

pt_pg_outcome_t pt_store_variant(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *variant,
                                 char **json)
{
    return pt_store_read_one(pool, &sql_variant, org, variant, json);
}

pt_pg_outcome_t pt_store_read_candidate(pt_pool_t *pool, const pt_uuid_t *org,
                                        const pt_uuid_t *candidate, char **json)
{
    return pt_store_read_one(pool, &sql_read_candidate, org, candidate, json);
}

pt_pg_outcome_t pt_store_events(pt_pool_t *pool, const pt_uuid_t *org, int64_t after, int64_t limit,
                                char **json)
{
    char org_text[PT_UUID_TEXT], after_text[24], limit_text[24];
    snprintf(after_text, sizeof after_text, "%lld", (long long)after);
    snprintf(limit_text, sizeof limit_text, "%lld", (long long)limit);
    const char *const params[] = {pt_uuid_format(org, org_text), after_text, limit_text};
    return pt_store_read_text(pool, &sql_events, params, 3, json);
}

pt_pg_outcome_t pt_store_candidate(pt_pool_t *pool, const pt_candidate_t *candidate,
                                   char *created_at)
{
    char org[PT_UUID_TEXT], id[PT_UUID_TEXT], variant[PT_UUID_TEXT];
    const char *const params[] = {pt_uuid_format(&candidate->org_id, org),
                                  pt_uuid_format(&candidate->candidate_id, id),
                                  pt_uuid_format(&candidate->variant_id, variant),
                                  candidate->name,
                                  candidate->format,
                                  candidate->chains};
    char *text = NULL;
    pt_pg_outcome_t outcome = pt_store_read_text(pool, &sql_candidate, params, 6, &text);
    snprintf(created_at, PT_TIME_TEXT, "%s", text ? text : "");
    free(text);
    return outcome;
}
