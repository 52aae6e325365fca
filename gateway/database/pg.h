/* One connection to PostgreSQL, used by one thread at a time. Every statement has a deadline, after
 * which the connection is thrown away: PQexec would wait for ever on a stopped server.
 */
#ifndef PT_PG_H
#define PT_PG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

/* A statement, prepared on each connection when it is first used there. */
typedef struct {
    const char *name, *sql;
} pt_sql_t;

typedef enum {
    PT_PG_OK,
    PT_PG_AWAY,   /* no connection, or lost with the statement: nobody knows whether it was done */
    PT_PG_AGAIN,  /* rolled back for no fault of its own (deadlock, shutdown, no right, no disk) */
    PT_PG_LOCKED, /* rolled back because somebody else held a lock for too long */
    PT_PG_REFUSED /* rolled back because of its data */
} pt_pg_outcome_t;

typedef struct pt_pg pt_pg_t;

/* Does not connect yet. `uri` is copied. If it names several hosts, a server that does not
   replicate synchronously counts as away. */
pt_pg_t *pt_pg_new(const char *uri);
void pt_pg_destroy(pt_pg_t **self);

/* Runs one statement with text parameters (NULL is null). On PT_PG_OK `*result` (if asked for) is
   the caller's to PQclear. A closed connection is opened first, within the same deadline. */
pt_pg_outcome_t pt_pg_run(pt_pg_t *self, const pt_sql_t *sql, const char *const *params,
                          int param_count, int deadline_ms, PGresult **result);

/* Several statements in one flight over the network. They are one transaction, unless one of them
   opens or ends one: pt_sql_begin leaves it open for the next flight, pt_sql_commit ends it.
   `results` has room for `count`, or is NULL; they are set on PT_PG_OK alone. On any other outcome
   nothing of the transaction remains open. */
typedef struct {
    const pt_sql_t *sql;
    const char *const *params;
    int param_count;
} pt_pg_step_t;
pt_pg_outcome_t pt_pg_flight(pt_pg_t *self, const pt_pg_step_t *steps, int count, int deadline_ms,
                             PGresult **results);

/* The same in two halves, so that the caller can do something meanwhile. pt_pg_launch waits for
   nothing; false: there is no connection at hand, or a statement is new to it, and nothing was
   sent: use pt_pg_flight. After true nothing else may be asked of this connection before
   pt_pg_land, which takes the outcome and, of `count` statements, the results. */
bool pt_pg_launch(pt_pg_t *self, const pt_pg_step_t *steps, int count, int deadline_ms);
pt_pg_outcome_t pt_pg_land(pt_pg_t *self, PGresult **results);

extern const pt_sql_t pt_sql_begin, pt_sql_commit;

/* Streams the parts, one after the other, into a COPY … FROM STDIN within the open transaction.
   What is large must go this way: libpq moves all that is left of a parameter whenever the socket
   has taken some of it. Outcomes as above. */
typedef struct {
    const void *data;
    size_t size;
} pt_pg_part_t;
pt_pg_outcome_t pt_pg_copy(pt_pg_t *self, const char *sql, const pt_pg_part_t *parts, size_t count,
                           int deadline_ms);

/* What the last statement that was not PT_PG_OK said, for the log. */
const char *pt_pg_error(const pt_pg_t *self);

/* Whether that was this SQLSTATE, such as "42P01". */
bool pt_pg_failed_by(const pt_pg_t *self, const char *state);

/* The server's timeline at connect; changes when a standby was promoted. */
uint64_t pt_pg_timeline(const pt_pg_t *self);

/* The open connection, or NULL; for LISTEN and poll. Borrowed. */
PGconn *pt_pg_connection(pt_pg_t *self);

/* Drops the connection; the next statement opens a new one. */
void pt_pg_close(pt_pg_t *self);

/* A field's text, of the rows' memory; NULL for null. */
const char *pt_pg_text(const PGresult *rows, int row, int column);

/* Releases rows that may be large, and the connection with them if they are: its buffer has grown
   by as much, and never shrinks. */
void pt_pg_clear_large(pt_pg_t *self, PGresult *rows);

#endif
