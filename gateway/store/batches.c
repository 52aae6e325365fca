#include "gateway/store/batches.h"

#define MICROSECONDS(TIME) "(extract(epoch from " TIME ") * 1000000)::bigint"

const pt_sql_t pt_sql_add_batch = {
    "add_batch",
    "insert into batches (id, org_id, name, job_type, priority, options, total)"
    " values ($1::uuid, $2::uuid, $3::text, $4::text, $5::smallint, $6::json, $7::integer)"};

const pt_sql_t pt_sql_add_molecules = {
    "add_molecules",
    "with given as materialized ("
    "  select * from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[])"
    "  as g (candidate_id, variant_id, name, format, chains)"
    "), candidates as ("
    "  insert into therapeutic_candidates (id, org_id, name, format)"
    "  select g.candidate_id, $1::uuid, g.name, g.format from given g)"
    " insert into variants (id, org_id, candidate_id, name, format, chains)"
    " select g.variant_id, $1::uuid, g.candidate_id, g.name, g.format, g.chains::jsonb from given "
    "g"};

/* clang-format off */
/* The earlier jobs that come along are found as submit_jobs finds them. */
const pt_sql_t pt_sql_add_batch_jobs = {
    "add_batch_jobs",
    "insert into jobs (id, org_id, variant_id, job_type, priority, request_id, options, earlier,"
    "                  batch_id, due_at)"
    " select g.id, b.org_id, v.id, b.job_type, b.priority, $4::text, b.options, ("
    "   select jsonb_object_agg(w.job_type, e.id)"
    "   from declarations d cross join unnest(d.wants) as w (job_type) cross join lateral ("
    "     select j.id from jobs j where j.variant_id = v.id and j.job_type = w.job_type"
    "     and (j.status = 'completed') is not false order by j.completed_at desc, j.id limit 1) e"
    "   where d.job_type = b.job_type), b.id, now()"
    " from batches b cross join unnest($2::uuid[], $3::uuid[]) as g (id, variant_id)"
    " join variants v on v.id = g.variant_id and v.org_id = b.org_id where b.id = $1::uuid"};

const pt_sql_t pt_sql_announce_batch = {
    "announce_batch",
    "select announce_batch(b.id), " MICROSECONDS("b.created_at")
    " from batches b where b.id = $1::uuid"};

const pt_sql_t pt_sql_is_batch = {
    "is_batch",
    "select (select e.seq from events e where e.job_id = f.id order by e.seq limit 1),"
    " " MICROSECONDS("b.created_at") " from batches b cross join lateral ("
    "   select (array_agg(j.id order by j.id))[1] as id from jobs j where j.batch_id = b.id) f"
    " where b.id = $1::uuid"};

#define OPEN                                                                                       \
    "exists (select 1 from jobs j where j.batch_id = b.id and j.status = 'pending') or"            \
    " exists (select 1 from jobs j where j.batch_id = b.id and j.status = 'running')"

const pt_sql_t pt_sql_cancel_batch = {
    "cancel_batch",
    "with found as materialized (select b.id, b.canceled_at is not null as before, " OPEN " as open"
    "  from batches b where b.id = $2::uuid and b.org_id = $1::uuid"
    "), marked as (update batches b set canceled_at = now() from found f"
    "  where b.id = f.id and f.open and b.canceled_at is null)"
    " select before, open from found"};

const pt_sql_t pt_sql_cancel_batch_jobs = {
    "cancel_batch_jobs",
    "select c.job_id, c.changed, c.was_out, c.attempt, " MICROSECONDS("c.at") ", c.seq,"
    " ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint,"
    " b.job_type from batches b cross join lateral"
    " cancel_batch_jobs(b.id, $2::text, $3::integer) c where b.id = $1::uuid"};
/* clang-format on */
