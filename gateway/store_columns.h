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
/* clang-format on */

#endif
