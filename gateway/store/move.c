#include "gateway/store/move.h"

#include "gateway/store/columns.h"
#include "gateway/store/type_settings.h"

#include <stdio.h>
#include <time.h>

#define MICROSECONDS(TIME) "(extract(epoch from " TIME ") * 1000000)::bigint"

const pt_sql_t pt_sql_submit = {
    "submit",
    "select s.n, s.is_out, " MICROSECONDS(
        "s.job_created_at") ", s.event_seq,"
                            " s.variant_name, s.variant_format, s.variant_chains, s.job_options"
                            " from submit_jobs($1::uuid[], $2::uuid[], $3::uuid[], "
                            "$4::text[], $5::boolean[], $6::smallint[], $7::text[],"
                            " $8::uuid[], $9::text[], $10::uuid[]) s"};

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
    " error_message = u.message, error_details = u.details::json"
    " from unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[], $5::integer[],"
    " $6::bigint[], $7::timestamptz[], $8::timestamptz[], $9::text[], $10::double precision[],"
    " $11::text[], $12::text[], $13::text[]) as u (id, status, attempt, tries, losses, due,"
    " started_at, completed_at, step, fraction, code, message, details) where j.id = u.id"};

const pt_sql_t pt_sql_insert_results = {
    "insert_results",
    "insert into results (job_id, results, model_versions, files, bytes)"
    " select r.id, r.results::json, r.versions::json, r.files::json, octet_length(r.results)"
    " from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as r (id, results, versions, "
    "files)"};

const pt_sql_t pt_sql_job_inputs = {
    "job_inputs", "select j.attempt, j.completed_at is not null, v.id, v.name, v.format, v.chains,"
                  " j.options, e.key, r.job_id, r.results, r.files"
                  " from jobs j join variants v on v.id = j.variant_id"
                  " left join lateral jsonb_each_text(j.earlier) e on true"
                  " left join results r on r.job_id = e.value::uuid"
                  " where j.id = $1::uuid order by e.key"};

const pt_sql_t pt_sql_awaits_ending = {
    "awaits_ending", "select exists (select 1 from jobs where id = $1::uuid and org_id = $2::uuid"
                     " and job_type = $3 and attempt = $4::integer and completed_at is null)"};

const pt_sql_t pt_sql_append_events = {
    "append_events", "select n, seq from append_events($1::uuid[], $2::uuid[], $3::text[],"
                     " $4::text[], $5::text[], $6::integer[], $7::timestamptz[], $8::text[])"};

/* clang-format off */
/* Organisations with something waiting of a type, each found by one step in the index, with the class
   and the due time of the first: before that there are only entries of jobs that have left, which the
   index keeps until a vacuum, so that nobody should read them twice. */
#define WAITING_ORGS                                                                               \
    "with recursive orgs as (("                                                                    \
    "  select j.org_id, j.priority, j.due_at from jobs j"                                          \
    "  where j.job_type = $1 and j.due_at is not null"                                             \
    "  order by j.org_id, j.priority, j.due_at limit 1)"                                           \
    " union all"                                                                                   \
    "  select n.* from orgs cross join lateral ("                                                  \
    "   select j.org_id, j.priority, j.due_at from jobs j"                                         \
    "   where j.job_type = $1 and j.due_at is not null and j.org_id > orgs.org_id"                 \
    "   order by j.org_id, j.priority, j.due_at limit 1) n)"

/* Types of which something is out, likewise. */
#define OUT_TYPES                                                                                  \
    "out_types as (("                                                                              \
    "  select j.job_type from jobs j where j.due_at is null and j.completed_at is null"            \
    "  order by j.job_type limit 1)"                                                               \
    " union all"                                                                                   \
    "  select (select j.job_type from jobs j where j.due_at is null and j.completed_at is null"    \
    "          and j.job_type > t.job_type order by j.job_type limit 1)"                           \
    "  from out_types t where t.job_type is not null)"

/* What a limit l leaves: up to it, what is out is counted, in the index and only where there is one. */
#define LEFT_OF(OUT)                                                                               \
    "greatest(0, l.max_out - (select count(*) from (select 1 from " OUT                            \
    " and j.due_at is null and j.completed_at is null limit l.max_out) counted))"

/* How many more of each organisation's may be out by its limits, and of the type by its own; null: as many
   as one likes. */
#define ROOMS                                                                                      \
    "type_room as materialized ("                                                                  \
    "  select " LEFT_OF("jobs j where j.job_type = $1") " as n"                                    \
    "  from limits l where l.org_id is null and l.job_type = $1"                                   \
    "), rooms as materialized ("                                                                   \
    "  select o.*, least("                                                                         \
    "    (select n from type_room),"                                                               \
    "    (select " LEFT_OF("jobs j where j.job_type = $1 and j.org_id = o.org_id")                 \
    "     from limits l where l.org_id = o.org_id and l.job_type = $1),"                           \
    "    (select " LEFT_OF("out_types t join jobs j on j.job_type = t.job_type"                    \
    "                       where j.org_id = o.org_id")                                            \
    "     from limits l where l.org_id = o.org_id and l.job_type is null)) as n"                   \
    "  from orgs o)"

/* Each class by itself, because only then the index gives those that are due without the others; from
   the first that waits on. */
#define CLASSES_OF(ORG)                                                                            \
    "unnest('{0,1,2}'::smallint[]) as p (class) cross join lateral (select"                        \
    "  case when p.class = " ORG ".priority then " ORG ".due_at else '-infinity' end as due_at"    \
    "  where p.class >= " ORG ".priority) f"

const pt_sql_t pt_sql_lock_hand_out = {
    "lock_hand_out", "select pg_advisory_xact_lock(hashtext('paratope.hand_out'))"};

/* An organisation's k-th job of this statement has the place where its turns stand, and k - 1 turns more,
   see turns.h.
   What is locked is found by its id. The condition is written so that no partial index fits it: a
   plan made while nothing waited takes jobs_waiting for empty, and then reads the whole backlog for
   each job. */
const pt_sql_t pt_sql_hand_out = {
    "hand_out", WAITING_ORGS ", " OUT_TYPES ", " ROOMS
    ", weighed as materialized ("
    "  select r.org_id, r.priority, r.due_at, r.n as room, w.weight,"
    "    greatest($4::bigint, coalesce(($3::jsonb ->> r.org_id::text)::bigint, 0)) as start"
    "  from rooms r join organisations w on w.id = r.org_id where coalesce(r.n > 0, true)"
    "), candidates as ("
    "  select c.id, o.weight, o.start + (c.k - 1) * (1000000 / o.weight) as turn, row_number() over ("
    "         order by o.start + (c.k - 1) * (1000000 / o.weight), o.org_id, c.k) as place"
    "  from weighed o cross join lateral ("
    "    select w.id, row_number() over (order by w.priority, w.due_at, w.id) as k from ("
    "      select d.* from " CLASSES_OF("o") " cross join lateral ("
    "        select j.id, j.priority, j.due_at from jobs j where j.job_type = $1"
    "        and j.org_id = o.org_id and j.priority = p.class and j.due_at between f.due_at and now()"
    "        order by j.due_at, j.id limit $2::bigint) d"
    "      order by d.priority, d.due_at, d.id limit $2::bigint) w) c"
    "  where coalesce(c.k <= o.room, true)"
    "  order by place limit least($2::bigint, (select n from type_room))"
    "), locked as ("
    "  select j.id, j.attempt, c.place, c.turn, c.weight from candidates c join jobs j on j.id = c.id"
    "  and coalesce(j.due_at < 'infinity', false) order by j.id for update of j skip locked"
    "), handed as ("
    "  update jobs j set due_at = null from locked l"
    "  where j.id = l.id and j.attempt = l.attempt"
    "  returning j.id, j.org_id, j.attempt, j.variant_id, j.priority, j.options, j.earlier, l.place, l.turn,"
    "  l.weight)"
    " select h.id, h.org_id, h.attempt, v.id, v.name, v.format, v.chains,"
    " case when pg_column_size(h.options) <= 2000 then h.options end, h.priority, h.weight, h.turn,"
    " h.earlier is not null or coalesce(pg_column_size(h.options) > 2000, false) from handed h join variants v on v.id = h.variant_id order by h.place"};

const pt_sql_t pt_sql_cancel = {
    "cancel",
    "select c.changed, c.was_out, c.job_type, c.attempt, " MICROSECONDS("c.at") ", c.seq,"
    " ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint,"
    " (select j.status = 'canceled' from jobs j where j.id = $2::uuid)"
    " from cancel_job($1::uuid, $2::uuid, $3) c"};

const pt_sql_t pt_sql_next_due = {
    "next_due", WAITING_ORGS ", " OUT_TYPES ", " ROOMS
    " select (extract(epoch from min(d.due_at) filter (where coalesce(r.n > 0, true))"
    "   - clock_timestamp()) * 1000)::bigint, coalesce(bool_or(r.n = 0), false)"
    " from rooms r cross join " CLASSES_OF("r") " cross join lateral ("
    "  select j.due_at from jobs j where j.job_type = $1 and j.org_id = r.org_id"
    "  and j.priority = p.class and j.due_at >= f.due_at order by j.due_at limit 1) d"};
/* clang-format on */

const pt_sql_t pt_sql_waiting_types = {"waiting_types", PT_SQL_WAITING_TYPES};

/* clang-format off */
const pt_sql_t pt_sql_out_page = {
    "out_page",
    "with last as materialized ("
    "  select job_type, org_id, id from jobs where id = $1::uuid"
    "  union all select '', $1::uuid, $1::uuid where $1::uuid = '00000000-0000-0000-0000-000000000000')"
    " select o.id, o.attempt, o.job_type from last cross join lateral ("
    "   select j.org_id, j.id, j.attempt, j.job_type from jobs j"
    "   where j.due_at is null and j.completed_at is null"
    "   and (j.job_type, j.org_id, j.id) > (last.job_type, last.org_id, last.id)"
    "   order by j.job_type, j.org_id, j.id limit $2::bigint) o order by o.job_type, o.org_id, o.id"};

/* ---- settings ---------------------------------------------------------------------------- */

const pt_sql_t pt_sql_patiences = {
    "patiences", "select job_type, max_tries, " "(extract(epoch from retry_after) * 1000000)::bigint,"
    " (extract(epoch from retry_most) * 1000000)::bigint from job_types order by job_type"};

/* ---- what nobody serves ------------------------------------------------------------------ */

const pt_sql_t pt_sql_note_unserved = {
    "note_unserved",
    "with others as (delete from unserved where job_type <> all ($2::text[]))"
    " insert into unserved (job_type) select u.job_type from unnest($1::text[]) as u (job_type)"
    " on conflict (job_type) do nothing"};

#define QUEUE_TIMEOUT                                                                              \
    "coalesce((select t.queue_timeout from job_types t where t.job_type = $1), " PT_QUEUE_TIMEOUT ")"

const pt_sql_t pt_sql_expired = {
    "expired", WAITING_ORGS
    ", patience as materialized (select u.since, " QUEUE_TIMEOUT " as timeout from unserved u"
    "    where u.job_type = $1 and u.since <= now() - " QUEUE_TIMEOUT ")"
    " select d.id, d.attempt, extract(epoch from s.timeout)::bigint"
    " from patience s cross join orgs o cross join " CLASSES_OF("o") " cross join lateral ("
    "  select j.id, j.attempt from jobs j where j.job_type = $1 and j.org_id = o.org_id"
    "  and j.priority = p.class and j.due_at between f.due_at and now() - s.timeout"
    "  order by j.due_at, j.id limit $2::bigint) d limit $2::bigint"};

const pt_sql_t pt_sql_next_expiry = {
    "next_expiry", WAITING_ORGS
    " select ceil(extract(epoch from greatest(min(d.due_at), min(u.since)) + " QUEUE_TIMEOUT
    "   - clock_timestamp()) * 1000)::bigint"
    " from unserved u cross join orgs o cross join " CLASSES_OF("o") " cross join lateral ("
    "  select j.due_at from jobs j where j.job_type = $1 and j.org_id = o.org_id"
    "  and j.priority = p.class and j.due_at >= f.due_at order by j.due_at limit 1) d"
    " where u.job_type = $1"};
/* clang-format on */

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
