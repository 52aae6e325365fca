#include "gateway/store.h"

#include <stdio.h>
#include <time.h>

#define MICROSECONDS(TIME) "(extract(epoch from " TIME ") * 1000000)::bigint"

const pt_sql_t pt_sql_submit = {
    "submit", "select s.n, s.is_out, " MICROSECONDS(
                  "s.job_created_at") ", s.event_seq,"
                                      " s.variant_name, s.variant_format, s.variant_chains"
                                      " from submit_jobs($1::uuid[], $2::uuid[], $3::uuid[], "
                                      "$4::text[], $5::boolean[]) s"};

/* Row by row, each by one step in the index, because a join of two lists without an index takes n²
   comparisons. Who skips locked rows waits for none, so their order can cause no deadlock. */
const pt_sql_t pt_sql_lock_jobs = {
    "lock_jobs",
    "select g.id, coalesce(l.org_id, (select j.org_id from jobs j where j.id = g.id)), l.job_type,"
    " l.status, l.due_at is not null, l.attempt, l.tries, l.losses, " MICROSECONDS(
        "l.created_at") ","
                        " " MICROSECONDS("l.started_at") ", l.step, l.fraction, " MICROSECONDS(
                            "now()") " from unnest($1::uuid[]) as g (id) left join lateral ("
                                     "  select j.* from jobs j where j.id = g.id"
                                     "  for update skip locked) l on true order by g.id"};

const pt_sql_t pt_sql_update_jobs = {
    "update_jobs",
    "update jobs j set status = u.status, attempt = u.attempt, tries = u.tries, losses = u.losses,"
    " due_at = clock_timestamp() + u.due * interval '1 microsecond', started_at = u.started_at,"
    " completed_at = u.completed_at, step = u.step, fraction = u.fraction, error_code = u.code,"
    " error_message = u.message"
    " from unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[], $5::integer[],"
    " $6::bigint[], $7::timestamptz[], $8::timestamptz[], $9::text[], $10::double precision[],"
    " $11::text[], $12::text[]) as u (id, status, attempt, tries, losses, due, started_at,"
    " completed_at, step, fraction, code, message) where j.id = u.id"};

const pt_sql_t pt_sql_insert_results = {
    "insert_results",
    "insert into results (job_id, results, model_versions, bytes)"
    " select r.id, r.results::json, r.versions::json, octet_length(r.results)"
    " from unnest($1::uuid[], $2::text[], $3::text[]) as r (id, results, versions)"};

const pt_sql_t pt_sql_insert_result = {
    "insert_result", "insert into results (job_id, results, model_versions, bytes)"
                     " values ($1::uuid, $2::text::json, $3::text::json, octet_length($2::text))"};

const pt_sql_t pt_sql_awaits_ending = {
    "awaits_ending", "select exists (select 1 from jobs where id = $1::uuid and org_id = $2::uuid"
                     " and job_type = $3 and attempt = $4::integer and completed_at is null)"};

const pt_sql_t pt_sql_append_events = {
    "append_events", "select n, seq from append_events($1::uuid[], $2::uuid[], $3::text[],"
                     " $4::text[], $5::text[], $6::integer[], $7::timestamptz[], $8::text[])"};

/* Organisations with something waiting of a type, each found by one step in the index. */
#define WAITING_ORGS                                                                               \
    "with recursive orgs as (("                                                                    \
    "  select j.org_id from jobs j where j.job_type = $1 and j.due_at is not null"                 \
    "  order by j.org_id limit 1)"                                                                 \
    " union all"                                                                                   \
    "  select (select j.org_id from jobs j where j.job_type = $1 and j.due_at is not null"         \
    "          and j.org_id > orgs.org_id order by j.org_id limit 1)"                              \
    "  from orgs where orgs.org_id is not null)"

/* What is locked is found by its id. The condition is written so that no partial index fits it: a
   plan made while nothing waited takes jobs_waiting for empty, and then reads the whole backlog for
   each job. */
const pt_sql_t pt_sql_hand_out = {
    "hand_out", WAITING_ORGS
    ", candidates as ("
    "  select c.id, c.turn, o.org_id, row_number() over ("
    "         order by c.turn, o.org_id <= $3::uuid, o.org_id) as place"
    "  from orgs o cross join lateral ("
    "    select w.id, row_number() over (order by w.due_at) as turn from ("
    "      select j.id, j.due_at from jobs j where j.job_type = $1 and j.org_id = o.org_id"
    "      and j.due_at <= now() order by j.due_at limit $2::bigint) w) c"
    "  where o.org_id is not null order by place limit $2::bigint"
    "), locked as ("
    "  select j.id, j.attempt, c.place from candidates c join jobs j on j.id = c.id"
    "  and coalesce(j.due_at < 'infinity', false) order by j.id for update of j skip locked"
    "), handed as ("
    "  update jobs j set due_at = null from locked l"
    "  where j.id = l.id and j.attempt = l.attempt"
    "  returning j.id, j.org_id, j.attempt, j.variant_id, l.place)"
    " select h.id, h.org_id, h.attempt, v.id, v.name, v.format, v.chains"
    " from handed h join variants v on v.id = h.variant_id order by h.place"};

const pt_sql_t pt_sql_next_due = {
    "next_due", WAITING_ORGS
    " select (extract(epoch from min(d.due_at) - clock_timestamp()) * 1000)::bigint"
    " from orgs o cross join lateral ("
    "  select j.due_at from jobs j where j.job_type = $1 and j.org_id = o.org_id"
    "  and j.due_at is not null order by j.due_at limit 1) d where o.org_id is not null"};

const pt_sql_t pt_sql_waiting_types = {
    "waiting_types",
    "with recursive types as (("
    "  select j.job_type from jobs j where j.due_at is not null order by j.job_type limit 1)"
    " union all"
    "  select (select j.job_type from jobs j where j.due_at is not null"
    "          and j.job_type > types.job_type order by j.job_type limit 1)"
    "  from types where types.job_type is not null)"
    " select job_type from types where job_type is not null"};

const pt_sql_t pt_sql_out_page = {
    "out_page", "select id, attempt, job_type from jobs where due_at is null"
                " and completed_at is null and id > $1::uuid order by id limit $2::bigint"};

const pt_sql_t pt_sql_edges = {"edges", "select org_id, seq from event_counters where seq > 0"};
const pt_sql_t pt_sql_edges_of = {
    "edges_of", "select org_id, seq from event_counters where org_id = any ($1::uuid[])"};

char *pt_time_format(int64_t unix_us, char text[PT_TIME_TEXT])
{
    time_t seconds = (time_t)(unix_us / 1000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t size = strftime(text, PT_TIME_TEXT, "%Y-%m-%d %H:%M:%S", &utc);
    snprintf(text + size, PT_TIME_TEXT - size, ".%06lld+00", (long long)(unix_us % 1000000));
    return text;
}
