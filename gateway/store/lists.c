/* Lists of jobs (declared in read.h), newest first, page by page. */
#include "gateway/database/array.h"
#include "gateway/store/columns.h"
#include "gateway/store/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
/* A page of jobs behind the position ($2, $3), from the ids of one more than it shows: whether there
   is a next page is known without counting. */
#define JOB_PAGE(COLUMNS, IDS)                                                                             \
    "with found as materialized (" IDS "), shown as materialized ("                                \
    "  select id, created_at from found order by created_at desc, id desc limit $4::bigint"        \
    "), last as materialized (select id, created_at from shown order by created_at, id limit 1) "  \
    "select (select coalesce(json_agg(row_to_json(t) order by s.created_at desc, s.id desc),"      \
    "                        '[]'::json)"                                                          \
    "        from shown s cross join lateral ("                                                    \
    "          select " COLUMNS " from jobs where id = s.id) t),"                              \
    " exists (select 1 from found offset $4::bigint),"                                             \
    " (select (extract(epoch from created_at) * 1000000)::bigint from last),"                      \
    " (select id from last)"

/* Which index each takes is said by what it names, see schema/0002_job_lists.sql. */
#define BEHIND                                                                                     \
    " (created_at, id) < ($2::timestamptz, $3::uuid)"                                              \
    " order by created_at desc, id desc limit $4::bigint + 1"

/* The job types that are asked for, or all that the owner has jobs of, whether or not somebody still
   declares them: each found by one step in the index. */
#define OF_TYPES(OWNER)                                                                            \
    "with recursive own as (("                                                                     \
    "  select job_type from jobs where $5::text[] is null and " OWNER                              \
    "  order by job_type limit 1)"                                                                 \
    " union all"                                                                                   \
    "  select (select j.job_type from jobs j where " OWNER " and j.job_type > own.job_type"        \
    "          order by j.job_type limit 1)"                                                       \
    "  from own where own.job_type is not null"                                                    \
    "), types as materialized ("                                                                   \
    "  select unnest($5::text[]) as job_type"                                                      \
    "  union all select job_type from own where job_type is not null) "

/* One walk for each pair of job type and status, none of them longer than a page. */
#define EACH_KIND(OWNER)                                                                           \
    OF_TYPES(OWNER " and status is not null")                                                      \
    "select k.id, k.created_at"                                                                    \
    " from types t, unnest($6::text[]) as s (status), lateral ("                                   \
    "   select id, created_at from jobs where " OWNER " and job_type = t.job_type"                 \
    "   and status = s.status and" BEHIND ") k"                                                    \
    " order by k.created_at desc, k.id desc limit $4::bigint + 1"

static const pt_sql_t sql_jobs = {
    "read_jobs",
    JOB_PAGE(PT_SQL_JOB, "select id, created_at from jobs where org_id = $1::uuid"
             " and created_at <= $2::timestamptz and" BEHIND)};
static const pt_sql_t sql_jobs_by_kind = {
    "read_jobs_by_kind", JOB_PAGE(PT_SQL_JOB, EACH_KIND("org_id = $1::uuid"))};
/* Another organisation's variant is looked up and not found: its jobs are not walked through. */
#define OF_VARIANT                                                                                 \
    "variant_id = (select v.id from variants v where v.id = $7::uuid and v.org_id = $1::uuid)"
static const pt_sql_t sql_jobs_of_variant = {
    "read_jobs_of_variant", JOB_PAGE(PT_SQL_JOB, EACH_KIND(OF_VARIANT))};
/* Of a variant: those of its organisation's that failed for the reason are looked through. */
static const pt_sql_t sql_jobs_by_error = {
    "read_jobs_by_error",
    JOB_PAGE(PT_SQL_JOB, OF_TYPES("org_id = $1::uuid and error_code = $8::text")
             "select k.id, k.created_at from types t, lateral ("
             "   select id, created_at from jobs where org_id = $1::uuid and error_code = $8::text"
             "   and job_type = t.job_type and status = any ($6::text[])"
             "   and ($7::uuid is null or variant_id = $7::uuid) and" BEHIND ") k"
             " order by k.created_at desc, k.id desc limit $4::bigint + 1")};

/* Typed resources, of one job type; lists leave the results out. */
#define TYPED PT_SQL_TYPED("$8", "$9", "$10") ", null::json as results"
static const pt_sql_t sql_typed = {
    "read_typed_page", JOB_PAGE(TYPED, EACH_KIND("org_id = $1::uuid and $7::uuid is null"))};
static const pt_sql_t sql_typed_of_variant = {
    "read_typed_of_variant", JOB_PAGE(TYPED, EACH_KIND(OF_VARIANT))};
/* clang-format on */

static void read_page(const PGresult *rows, pt_job_page_t *page)
{
    page->data = pt_store_value(rows, 0);
    page->more = *PQgetvalue(rows, 0, 1) == 't';
    page->last.created_at = strtoll(PQgetvalue(rows, 0, 2), NULL, 10);
    pt_uuid_parse(&page->last.id, PQgetvalue(rows, 0, 3), strlen(PQgetvalue(rows, 0, 3)));
}

/* A list of words, ended by NULL, as PostgreSQL's array. */
static const char *words_of(pt_array_t *array, const char *const *words)
{
    while (*words)
        pt_array_text(array, *words++);
    return pt_array_end(array);
}

typedef struct {
    const pt_sql_t *sql;
    int params;
} list_t;

static list_t list_of(const pt_job_filter_t *filter)
{
    if (filter->resource)
        return (list_t){filter->variant ? &sql_typed_of_variant : &sql_typed, 10};
    if (filter->error_code)
        return (list_t){&sql_jobs_by_error, 8};
    if (filter->variant)
        return (list_t){&sql_jobs_of_variant, 7};
    return filter->any_kind ? (list_t){&sql_jobs, 4} : (list_t){&sql_jobs_by_kind, 6};
}

pt_pg_outcome_t pt_store_jobs(pt_pool_t *pool, const pt_uuid_t *org, const pt_job_filter_t *filter,
                              pt_job_page_t *page)
{
    char org_text[PT_UUID_TEXT], id[PT_UUID_TEXT] = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    char at[PT_TIME_TEXT] = "infinity", limit[24], variant[PT_UUID_TEXT], cost[16];
    pt_array_t types = {0}, statuses = {0};
    PGresult *rows = NULL;
    memset(page, 0, sizeof *page);
    if (filter->behind) {
        pt_time_iso(filter->behind->created_at, at);
        pt_uuid_format(&filter->behind->id, id);
    }
    snprintf(cost, sizeof cost, "%d", filter->resource ? filter->resource->cost : 0);
    snprintf(limit, sizeof limit, "%lld", (long long)filter->limit);
    const char *const params[] = {pt_uuid_format(org, org_text),
                                  at,
                                  id,
                                  limit,
                                  filter->job_types ? words_of(&types, filter->job_types) : NULL,
                                  words_of(&statuses, filter->statuses),
                                  filter->variant ? pt_uuid_format(filter->variant, variant) : NULL,
                                  filter->resource ? filter->resource->object : filter->error_code,
                                  cost,
                                  filter->resource ? filter->resource->path : NULL};
    const list_t list = list_of(filter);
    pt_pg_outcome_t outcome = pt_pool_run(pool, list.sql, params, list.params, PT_READ_MS, &rows);
    if (outcome == PT_PG_OK)
        read_page(rows, page);
    PQclear(rows);
    pt_array_clear(&types);
    pt_array_clear(&statuses);
    return outcome;
}
