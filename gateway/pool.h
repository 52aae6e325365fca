/* Connections for the handlers' reads: as many as fit, each lent to one thread at a time. */
#ifndef PT_POOL_H
#define PT_POOL_H

#include "gateway/pg.h"

typedef struct pt_pool pt_pool_t;

pt_pool_t *pt_pool_new(const char *uri, size_t size);
void pt_pool_destroy(pt_pool_t **self);

/* One statement on a free connection; waits for one within the deadline. As pt_pg_run. */
pt_pg_outcome_t pt_pool_run(pt_pool_t *self, const pt_sql_t *sql, const char *const *params,
                            int param_count, int deadline_ms, PGresult **result);

#endif
