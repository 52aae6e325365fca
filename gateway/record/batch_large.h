/* The large results of a batch on their way into the table: streamed in PostgreSQL's binary COPY
 * format, which needs no copy of them and no quoting.
 */
#ifndef PT_BATCH_LARGE_H
#define PT_BATCH_LARGE_H

#include "gateway/record/batch.h"

/* Within the open transaction that locked the jobs. */
pt_pg_outcome_t pt_batch_write_large(const pt_batch_t *self, pt_pg_t *pg, int deadline_ms);

#endif
