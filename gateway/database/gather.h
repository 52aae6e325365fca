/* Reads of single jobs, gathered: while PT_GATHER_FLIGHTS queries are under way, those who come
 * wait together, and the next query answers all of them. So many clients that watch their jobs cost
 * few queries, and one client alone waits for nobody. A query begins after each request that it
 * answers.
 */
#ifndef PT_GATHER_H
#define PT_GATHER_H

#include "gateway/database/pool.h"
#include "proto/uuid.h"

#define PT_GATHER_FLIGHTS 2
#define PT_GATHER_MAX 256 /* requests in one query */

typedef struct pt_gather pt_gather_t;

/* Runs on connections of `pool`, which must live longer. `sql` takes (organisation ids, ids),
   arrays of equal length, and answers (n from 1, text) for each one that is there. */
pt_gather_t *pt_gather_new(pt_pool_t *pool, const pt_sql_t *sql);
/* Nobody may be waiting any more. */
void pt_gather_destroy(pt_gather_t **self);

/* On PT_PG_OK `*text` is owned by the caller, or NULL if there is no such row. Takes at most twice
   the deadline, if this thread asks for others that came later. */
pt_pg_outcome_t pt_gather_read(pt_gather_t *self, const pt_uuid_t *org, const pt_uuid_t *id,
                               int deadline_ms, char **text);

#endif
