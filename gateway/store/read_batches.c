#include "gateway/store/read_batches.h"

#include "gateway/database/array.h"
#include "gateway/store/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGE_LINE_MS 30000

/* clang-format off */
#define COUNT(STATUS)                                                                              \
    "(select count(*) from (select 1 from jobs j where j.batch_id = p.id"                          \
    " and j.status = '" STATUS "' limit 10000) c)"

/* From the rows `page` of batches to what is shown. Once all jobs have ended nothing changes any more:
   who sees it first keeps it. */
#define COUNTED                                                                                    \
    "counted as materialized (select p.id, p.total, " COUNT("pending") " as pending,"              \
    "  " COUNT("running") " as running, " COUNT("completed") " as completed,"                      \
    "  " COUNT("failed") " as failed, " COUNT("canceled") " as canceled, ("                        \
    "    select coalesce(sum(r.fraction), 0) from (select j.fraction from jobs j"                  \
    "      where j.batch_id = p.id and j.status = 'running' limit 10000) r) as reached"            \
    "  from page p where p.ended_at is null"                                                       \
    "), ended as materialized (select c.*, ("                                                      \
    "    select max(j.completed_at) from jobs j where j.batch_id = c.id) as at"                    \
    "  from counted c where c.completed + c.failed + c.canceled = c.total"                         \
    "), kept as (update batches b set completed = e.completed, failed = e.failed,"                 \
    "    canceled = e.canceled, ended_at = e.at from ended e where b.id = e.id"                    \
    "    and b.ended_at is null"                                                                   \
    "), whole as (select p.*, coalesce(p.ended_at, e.at) as all_ended_at,"                         \
    "    coalesce(c.pending, 0) as n_pending, coalesce(c.running, 0) as n_running,"                \
    "    coalesce(p.completed, c.completed) as n_completed,"                                       \
    "    coalesce(p.failed, c.failed) as n_failed, coalesce(p.canceled, c.canceled) as n_canceled,"\
    "    coalesce(c.reached, 0) as reached"                                                        \
    "  from page p left join counted c on c.id = p.id left join ended e on e.id = p.id"            \
    "), shown as (select w.created_at, w.id, row_to_json(t) as json from whole w, lateral ("       \
    "  select w.id, 'batch' as object, w.name, w.job_type,"                                        \
    "    (array['high', 'normal', 'low'])[w.priority + 1] as priority, w.options,"                 \
    "    case when w.all_ended_at is not null then"                                                \
    "        case when w.canceled_at is not null and w.n_canceled > 0 then 'canceled'"             \
    "        else 'completed' end"                                                                 \
    "      when w.n_pending = w.total then 'pending' else 'running' end as status,"                \
    "    " PT_SQL_UTC("w.created_at") " as created_at,"                                            \
    "    " PT_SQL_UTC("w.all_ended_at") " as completed_at,"                                        \
    "    " PT_SQL_UTC("w.canceled_at") " as canceled_at, w.total,"                                 \
    "    case when w.all_ended_at is not null then 1 else floor((w.n_completed + w.n_failed"       \
    "      + w.n_canceled + w.reached) / w.total * 10000) / 10000 end as progress,"                \
    "    (select row_to_json(n) from (select w.n_pending as pending, w.n_running as running,"      \
    "      w.n_completed as completed, w.n_failed as failed, w.n_canceled as canceled) n) as counts" \
    "  ) t)"

static const pt_sql_t sql_batch = {
    "read_batch",
    "with page as materialized ("
    "  select * from batches where id = $2::uuid and org_id = $1::uuid), " COUNTED
    " select json from shown"};

static const pt_sql_t sql_batches = {
    "read_batches",
    "with found as materialized ("
    "  select id, created_at from batches where org_id = $1::uuid"
    "  and created_at is not null and (created_at, id) < ($2::timestamptz, $3::uuid)"
    "  order by created_at desc, id desc limit $4::bigint + 1"
    "), first as materialized ("
    "  select id, created_at from found order by created_at desc, id desc limit $4::bigint"
    "), page as materialized (select b.* from first f join batches b on b.id = f.id), " COUNTED
    ", last as materialized (select id, created_at from first order by created_at, id limit 1)"
    " select (select coalesce(json_agg(s.json order by s.created_at desc, s.id desc), '[]'::json)"
    "    from shown s), exists (select 1 from found offset $4::bigint),"
    "  (select (extract(epoch from created_at) * 1000000)::bigint from last),"
    "  (select id from last)"};

/* One walk for each status, none of them longer than a page. */
#define BY_ID(STATUSES, BATCH, BEHIND, LIMIT)                                                      \
    "select k.id from unnest('{" STATUSES "}'::text[]) as s (status), lateral ("                   \
    "   select j.id from jobs j where j.batch_id = " BATCH " and j.status = s.status"              \
    "   and j.id > " BEHIND " order by j.id limit " LIMIT ") k order by k.id limit " LIMIT

static const pt_sql_t sql_batch_jobs = {
    "read_batch_jobs",
    "with found as materialized (" BY_ID("pending,running,completed,failed,canceled",
                                         "$2::uuid", "$3::uuid", "$4::bigint + 1")
    "), first as materialized (select id from found order by id limit $4::bigint)"
    " select (select coalesce(json_agg(row_to_json(t) order by f.id), '[]'::json)"
    "    from first f cross join lateral (select " PT_SQL_JOB " from jobs where id = f.id) t),"
    "  exists (select 1 from found offset $4::bigint), 0,"
    "  (select id from first order by id desc limit 1)"
    " from batches b where b.id = $2::uuid and b.org_id = $1::uuid"};

static const pt_sql_t sql_batch_type = {
    "read_batch_type",
    "select job_type from batches where id = $2::uuid and org_id = $1::uuid"};

static const pt_sql_t sql_missing_variants = {
    "missing_variants",
    "select g.n - 1 from unnest($2::uuid[]) with ordinality as g (id, n) where not exists ("
    "  select 1 from variants v where v.id = g.id and v.org_id = $1::uuid)"
    " order by g.n limit $3::bigint"};

/* 1048576 is PT_LARGE_ANSWER. What has no results counts nothing, so with the first one that has some
   the sum is its own size. */
#define ENDED                                                                                      \
    "with found as materialized (" BY_ID("completed,failed,canceled", "$1::uuid", "$2::uuid", "100") \
    "), sized as materialized ("                                                                   \
    "  select f.id, b.bytes, coalesce(sum(b.bytes) over (order by f.id), 0) as upto"               \
    "  from found f left join lateral ("                                                           \
    "    select coalesce(r.bytes, octet_length(r.results::text)) as bytes"                         \
    "    from results r where r.job_id = f.id) b on true"                                          \
    "), taken as materialized ("                                                                   \
    "  select id, case when bytes > 1048576 then bytes end as large from sized"                    \
    "  where upto <= 1048576 or upto = bytes) "

/* As the job's own results have it: `partial` only where there is one. */
#define REASON                                                                                     \
    "case j.status when 'canceled' then 'canceled' else j.error_code end as code,"                 \
    " case j.status when 'canceled' then 'canceled' else j.error_message end as message"

#define LINE(RESULTS)                                                                              \
    "row_to_json((select l from (select j.id as job_id, j.variant_id, v.name, j.status,"           \
    "  case when j.status = 'completed' then null"                                                 \
    "    when j.error_details is null then (select row_to_json(e) from (select " REASON ") e)"     \
    "    else (select row_to_json(e) from (select " REASON ", j.error_details as partial) e)"      \
    "  end as error, " RESULTS " as results, r.model_versions) l))"

#define ENDED_FROM                                                                                 \
    " from taken t join jobs j on j.id = t.id join variants v on v.id = j.variant_id"              \
    " left join results r on r.job_id = t.id order by t.id"

static const pt_sql_t sql_batch_ended = {
    "read_batch_ended",
    ENDED "select j.id, j.variant_id, v.name, j.status,"
    " case j.status when 'canceled' then 'canceled' else j.error_code end,"
    " case j.status when 'canceled' then 'canceled' else j.error_message end,"
    " case when t.large is null then r.results end, t.large, null" ENDED_FROM};

static const pt_sql_t sql_batch_lines = {
    "read_batch_lines",
    ENDED "select j.id, null, null, null, null, null, null, t.large,"
    " case when t.large is null then " LINE("r.results") " end" ENDED_FROM};

static const pt_sql_t sql_large_line = {
    "read_large_line",
    "select " LINE("r.results") " from jobs j join variants v on v.id = j.variant_id"
    " join results r on r.job_id = j.id where j.id = $1::uuid"};
/* clang-format on */

/* ---- batches ----------------------------------------------------------------------------- */

/* The first column of the first row; owned, or NULL. */
static char *take_text(const PGresult *rows)
{
    bool none = PQntuples(rows) == 0 || PQgetisnull(rows, 0, 0);
    return none ? NULL : strdup(PQgetvalue(rows, 0, 0));
}

pt_pg_outcome_t pt_store_batch(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *batch,
                               char **json)
{
    return pt_store_read_one(pool, &sql_batch, org, batch, json);
}

static void take_page(const PGresult *rows, pt_job_page_t *page)
{
    page->data = take_text(rows);
    if (!page->data)
        return;
    page->more = *PQgetvalue(rows, 0, 1) == 't';
    page->last.created_at = strtoll(PQgetvalue(rows, 0, 2), NULL, 10);
    pt_uuid_parse(&page->last.id, PQgetvalue(rows, 0, 3), strlen(PQgetvalue(rows, 0, 3)));
}

static pt_pg_outcome_t read_page(pt_pool_t *pool, const pt_sql_t *sql, const char *const *params,
                                 pt_job_page_t *page)
{
    PGresult *rows = NULL;
    memset(page, 0, sizeof *page);
    pt_pg_outcome_t outcome = pt_pool_run(pool, sql, params, 4, PT_BATCH_READ_MS, &rows);
    if (outcome == PT_PG_OK)
        take_page(rows, page);
    PQclear(rows);
    return outcome;
}

pt_pg_outcome_t pt_store_batches(pt_pool_t *pool, const pt_uuid_t *org, const pt_position_t *behind,
                                 int64_t limit, pt_job_page_t *page)
{
    char org_text[PT_UUID_TEXT], id[PT_UUID_TEXT] = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    char at[PT_TIME_TEXT] = "infinity", limit_text[24];
    if (behind) {
        pt_time_iso(behind->created_at, at);
        pt_uuid_format(&behind->id, id);
    }
    snprintf(limit_text, sizeof limit_text, "%lld", (long long)limit);
    const char *const params[] = {pt_uuid_format(org, org_text), at, id, limit_text};
    return read_page(pool, &sql_batches, params, page);
}

pt_pg_outcome_t pt_store_batch_jobs(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *batch,
                                    const pt_position_t *behind, int64_t limit, pt_job_page_t *page)
{
    static const pt_uuid_t none;
    char org_text[PT_UUID_TEXT], batch_text[PT_UUID_TEXT], id[PT_UUID_TEXT], limit_text[24];
    snprintf(limit_text, sizeof limit_text, "%lld", (long long)limit);
    const char *const params[] = {pt_uuid_format(org, org_text), pt_uuid_format(batch, batch_text),
                                  pt_uuid_format(behind ? &behind->id : &none, id), limit_text};
    return read_page(pool, &sql_batch_jobs, params, page);
}

pt_pg_outcome_t pt_store_batch_type(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *batch,
                                    char *job_type)
{
    char *text = NULL;
    pt_pg_outcome_t outcome = pt_store_read_one(pool, &sql_batch_type, org, batch, &text);
    snprintf(job_type, PT_TYPE_MAX, "%s", text ? text : "");
    free(text);
    return outcome;
}

pt_pg_outcome_t pt_store_missing_variants(pt_pool_t *pool, const pt_uuid_t *org,
                                          const pt_uuid_t *variants, size_t count, int limit,
                                          PGresult **rows)
{
    char org_text[PT_UUID_TEXT], limit_text[24];
    pt_array_t ids = {0};
    for (size_t i = 0; i < count; i++)
        pt_array_uuid(&ids, &variants[i]);
    snprintf(limit_text, sizeof limit_text, "%d", limit);
    const char *const params[] = {pt_uuid_format(org, org_text), pt_array_end(&ids), limit_text};
    pt_pg_outcome_t outcome = pt_pool_run(pool, &sql_missing_variants, params, 3, PT_READ_MS, rows);
    pt_array_clear(&ids);
    return outcome;
}

/* ---- results ----------------------------------------------------------------------------- */

pt_pg_outcome_t pt_store_batch_ended(pt_pool_t *pool, const char *batch, const char *behind,
                                     bool with_results, PGresult **rows)
{
    const char *const params[] = {batch, behind};
    return pt_pool_run(pool, with_results ? &sql_batch_ended : &sql_batch_lines, params, 2,
                       PT_BATCH_READ_MS, rows);
}

pt_pg_outcome_t pt_store_large_line(pt_pool_t *pool, const char *job, PGresult **rows)
{
    return pt_pool_run_large(pool, &sql_large_line, &job, 1, LARGE_LINE_MS, rows);
}
