/* The inside of pg.h, shared by the files of that module alone: a connection, and waiting for it
 * with a deadline (`until`, clock ms). What returns PT_PG_AWAY has given the connection up.
 */
#ifndef PT_PG_INSIDE_H
#define PT_PG_INSIDE_H

#include "gateway/database/pg.h"

#define PT_PG_PREPARED_MAX 64

struct pt_pg {
    char *uri;
    PGconn *conn;
    const pt_sql_t *prepared[PT_PG_PREPARED_MAX];
    size_t prepared_count;
    uint64_t timeline;
    bool several_hosts;
    bool unanswered; /* a warning said that the commit was not replicated */
    struct {
        int prepares, count;
        int64_t until;
    } flight; /* what is under way */
    char error[512], state[8];
};

/* Opens it if it is not open. */
pt_pg_outcome_t pt_pg_connect(pt_pg_t *self, int64_t until);

/* Keeps the first line of what went wrong, then gives the connection up. */
pt_pg_outcome_t pt_pg_away(pt_pg_t *self, const char *what);

/* For poll's events; false: not in time. */
bool pt_pg_wait(PGconn *conn, short events, int64_t until);
bool pt_pg_flush(pt_pg_t *self, int64_t until);

/* The next result; false if the deadline or the connection ended first. */
bool pt_pg_next_result(pt_pg_t *self, int64_t until, PGresult **result);

#endif
