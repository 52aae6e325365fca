/* Columns that several statements show, in the words of the API. */
#ifndef PT_STORE_COLUMNS_H
#define PT_STORE_COLUMNS_H

#define PT_SQL_UTC(COLUMN)                                                                         \
    "to_char(" COLUMN " at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"')"

/* clang-format off */
/* A job as /v1/jobs shows it. The four states that clients of this endpoint know: a canceled job
   shows as failed. */
#define PT_SQL_JOB                                                                                 \
    "id, variant_id, job_type,"                                                                    \
    " case status when 'canceled' then 'failed' else status end as status,"                        \
    " " PT_SQL_UTC("created_at") " as created_at, " PT_SQL_UTC("started_at") " as started_at,"     \
    " " PT_SQL_UTC("completed_at") " as completed_at,"                                             \
    " case status when 'canceled' then 'canceled'"                                                 \
    "   when 'failed' then coalesce(error_message, error_code, 'failed') end as error_message"

/* A job as a typed resource; the parameters are what the resource calls its objects, their cost and
   its path. */
#define PT_SQL_TYPED(OBJECT, COST, PATH)                                                           \
    "id, " OBJECT "::text as object, status, " PT_SQL_UTC("created_at") " as created_at,"          \
    " " PT_SQL_UTC("started_at") " as started_at,"                                                 \
    " case status when 'completed' then " PT_SQL_UTC("completed_at") " end as completed_at,"       \
    " case status when 'failed' then " PT_SQL_UTC("completed_at") " end as failed_at,"             \
    " case status when 'canceled' then " PT_SQL_UTC("completed_at") " end as canceled_at,"         \
    " " COST "::integer as credit_cost,"                                                           \
    " jsonb_build_object('variant_id', variant_id) || coalesce(options::jsonb, '{}') as inputs,"   \
    " case status when 'failed' then jsonb_build_object("                                          \
    "   'type', 'urn:paratope:problem:job_failed', 'title', 'The job failed', 'status', 409,"      \
    "   'detail', coalesce(error_message, error_code, 'failed'), 'code', error_code,"              \
    "   'instance', '/v1/' || " PATH "::text || '/' || id)"                                        \
    "   || case when error_details is null then '{}'::jsonb"                                       \
    "      else jsonb_build_object('partial', error_details) end end as error"
/* clang-format on */

/* Job types of which something waits, each found by one step in the index. */
#define PT_SQL_WAITING_TYPES                                                                       \
    "with recursive types as (("                                                                   \
    "  select j.job_type from jobs j where j.due_at is not null order by j.job_type limit 1)"      \
    " union all"                                                                                   \
    "  select (select j.job_type from jobs j where j.due_at is not null"                           \
    "          and j.job_type > types.job_type order by j.job_type limit 1)"                       \
    "  from types where types.job_type is not null)"                                               \
    " select job_type from types where job_type is not null"

#endif
