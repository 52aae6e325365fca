/* What a batch has come to so far, read page by page while it is sent: however many results there
 * are, a page of them is in memory (1 MiB), and of one that is larger, that one.
 */
#ifndef PT_BATCH_RESULTS_H
#define PT_BATCH_RESULTS_H

#include "gateway/http/http.h"

typedef enum { PT_BATCH_JSONL, PT_BATCH_CSV, PT_BATCH_FASTA } pt_batch_format_t;

/* Columns of a CSV are those of the first PT_BATCH_LEARNT jobs with results; what others have
   beyond them stands in the column `other`. */
#define PT_BATCH_LEARNT 1000

/* PT_PG_OK: `*stream` is the caller's. The pool is borrowed. */
pt_pg_outcome_t pt_batch_results_new(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *batch,
                                     const char *job_type, pt_batch_format_t format,
                                     pt_stream_t **stream);

#endif
