/* Connections for the handlers' reads: as many as fit, each lent to one thread at a time. */
#ifndef PT_POOL_H
#define PT_POOL_H

#include "gateway/database/pg.h"
#include "proto/uuid.h"

typedef struct pt_pool pt_pool_t;

pt_pool_t *pt_pool_new(const char *uri, size_t size);
void pt_pool_destroy(pt_pool_t **self);

/* One statement on a free connection; waits for one within the deadline. As pt_pg_run. */
pt_pg_outcome_t pt_pool_run(pt_pool_t *self, const pt_sql_t *sql, const char *const *params,
                            int param_count, int deadline_ms, PGresult **result);

/* The same, but a statement whose answer was lost is not repeated: for those that change something.
 */
pt_pg_outcome_t pt_pool_run_once(pt_pool_t *self, const pt_sql_t *sql, const char *const *params,
                                 int param_count, int deadline_ms, PGresult **result);

/* Answers above PT_LARGE_ANSWER bytes are in memory whole, until the client has them: at most
   PT_LARGE_ANSWERS at once, half of them of one organisation, whose clients may be slow. False if
   there was no turn within the time. */
#define PT_LARGE_ANSWER (1024 * 1024)
#define PT_LARGE_ANSWERS 4
bool pt_pool_enter_large(pt_pool_t *self, const pt_uuid_t *org, int wait_ms);
void pt_pool_leave_large(pt_pool_t *self, const pt_uuid_t *org);

/* As pt_pool_run, on a connection of its own that goes with its buffers; one at a time. */
pt_pg_outcome_t pt_pool_run_large(pt_pool_t *self, const pt_sql_t *sql, const char *const *params,
                                  int param_count, int deadline_ms, PGresult **result);

#endif
