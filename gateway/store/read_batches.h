/* What handlers ask about batches, see read.h. Nothing here costs more than the batch's own
 * jobs, 10,000 at most, and what has ended is counted once.
 */
#ifndef PT_READ_BATCHES_H
#define PT_READ_BATCHES_H

#include "gateway/store/read.h"

#define PT_BATCH_READ_MS 10000 /* deadline of a page: 50 batches may have 500,000 jobs */

/* The batch's JSON; NULL if there is none. */
pt_pg_outcome_t pt_store_batch(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *batch,
                               char **json);

/* Newest first, behind that position or (NULL) from the newest. */
pt_pg_outcome_t pt_store_batches(pt_pool_t *pool, const pt_uuid_t *org, const pt_position_t *behind,
                                 int64_t limit, pt_job_page_t *page);

/* Its jobs in the order of their ids, behind that one or (NULL) from the first. page->data is NULL
   if there is no such batch. */
pt_pg_outcome_t pt_store_batch_jobs(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *batch,
                                    const pt_position_t *behind, int64_t limit,
                                    pt_job_page_t *page);

/* Its job type (PT_TYPE_MAX bytes); "" if there is no such batch. */
pt_pg_outcome_t pt_store_batch_type(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *batch,
                                    char *job_type);

/* Which of these variants the organisation has not: `*rows` of their places from 0, at most
 * `limit`. */
pt_pg_outcome_t pt_store_missing_variants(pt_pool_t *pool, const pt_uuid_t *org,
                                          const pt_uuid_t *variants, size_t count, int limit,
                                          PGresult **rows);

/* Jobs that have ended, behind that id, in the order of their ids: up to 100, and no more than 1
   MiB of results in all, but for one that is larger and not in the row. `*rows`, see PT_ENDED_
   below. */
enum {
    PT_ENDED_JOB,
    PT_ENDED_VARIANT,
    PT_ENDED_NAME,
    PT_ENDED_STATUS,
    PT_ENDED_CODE,
    PT_ENDED_MESSAGE,
    PT_ENDED_RESULTS, /* null: it failed, or is large */
    PT_ENDED_LARGE,   /* bytes, if that is why; else null */
    PT_ENDED_LINE     /* all that as JSON, without the results of a large one */
};
/* `with_results`: the columns are there; else PT_ENDED_LINE is. */
pt_pg_outcome_t pt_store_batch_ended(pt_pool_t *pool, const char *batch, const char *behind,
                                     bool with_results, PGresult **rows);

/* The line of a large one, with its results. To be called in one's turn, see pool.h. */
pt_pg_outcome_t pt_store_large_line(pt_pool_t *pool, const char *job, PGresult **rows);

#endif
