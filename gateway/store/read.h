/* What the handlers ask of the database. Answers are the JSON that the client gets, made by the
 * statement itself: one statement is one snapshot, so nothing in an answer contradicts the rest.
 * Every statement names the organisation: what is another's is not there.
 */
#ifndef PT_STORE_READ_H
#define PT_STORE_READ_H

#include "gateway/api/resources.h"
#include "gateway/http/cursor.h"
#include "gateway/http/http.h"

#define PT_SEQ_MAX INT64_C(1000000000000000000) /* no organisation's events come that far */

/* What the statements of the stores have in common: the first column of the
   first row. On PT_PG_OK
   `*text` is owned by the caller, or NULL if there is no row or it is null. */
pt_pg_outcome_t pt_store_read_text(pt_pool_t *pool, const pt_sql_t *sql, const char *const *params,
                                   int count, char **text);
/* The same of a statement that takes the organisation and one identifier of it. */
pt_pg_outcome_t pt_store_read_one(pt_pool_t *pool, const pt_sql_t *sql, const pt_uuid_t *org,
                                  const pt_uuid_t *id, char **text);

/* A copy of the first row's value, owned by the caller; NULL if it is null. */
char *pt_store_value(const PGresult *rows, int column);

/* Whose token has this SHA-256 (32 bytes) and is not revoked. */
pt_pg_outcome_t pt_store_token(pt_pool_t *pool, const uint8_t *hash, pt_caller_t *caller,
                               bool *found);

/* (organisations, jobs) → n from 1, the job's JSON; for gather.h */
extern const pt_sql_t pt_sql_read_jobs_by_id;

/* On PT_PG_OK `*json` is the text, owned by the caller, or NULL if there is no such row. */
pt_pg_outcome_t pt_store_variant(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *variant,
                                 char **json);
pt_pg_outcome_t pt_store_read_candidate(pt_pool_t *pool, const pt_uuid_t *org,
                                        const pt_uuid_t *candidate, char **json);
/* The job's events after that number: {data, next_after?}, the second if more stand behind them. */
pt_pg_outcome_t pt_store_job_events(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *job,
                                    int64_t after, int64_t limit, char **json);
/* What the job's pipelines wrote behind the byte `after`, oldest first, in that attempt, or (0) in
   all of the newest 16: {data} or plain text. */
pt_pg_outcome_t pt_store_job_logs(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *job,
                                  int64_t attempt, int64_t after, bool as_text, char **answer);
/* Events after that number: {data, next_after, has_more, last_seq, timeline, rewound_to?}. */
pt_pg_outcome_t pt_store_events(pt_pool_t *pool, const pt_uuid_t *org, int64_t after, int64_t limit,
                                char **json);

/* Which jobs a list shows. All borrowed. */
typedef struct {
    const char *const
        *job_types;              /* ended by NULL; NULL: all, also those nobody declares any more */
    const char *const *statuses; /* ended by NULL */
    bool any_kind;               /* these two are all that there are */
    const pt_uuid_t *variant;    /* NULL: of any */
    const char *error_code;      /* NULL: of any, and without */
    const pt_resource_t *resource; /* its only type, shown as this; NULL: as /v1/jobs shows them */
    const pt_position_t *behind;   /* NULL: from the newest */
    int64_t limit;
} pt_job_filter_t;

typedef struct {
    char *data; /* a JSON array, owned by the caller */
    bool more;  /* jobs stand behind `last`, the last one shown */
    pt_position_t last;
} pt_job_page_t;
pt_pg_outcome_t pt_store_jobs(pt_pool_t *pool, const pt_uuid_t *org, const pt_job_filter_t *filter,
                              pt_job_page_t *page);

/* A candidate and its baseline variant, in one transaction. `chains` is JSON, borrowed. */
typedef struct {
    pt_uuid_t org_id, candidate_id, variant_id;
    const char *name, *format, *chains;
} pt_candidate_t;
/* On PT_PG_OK `created_at` (PT_TIME_TEXT bytes) is set. */
pt_pg_outcome_t pt_store_candidate(pt_pool_t *pool, const pt_candidate_t *candidate,
                                   char *created_at);

#endif
