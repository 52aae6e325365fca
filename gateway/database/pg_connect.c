#include "gateway/database/pg_inside.h"

#include "proto/program/process.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* What every connection is told.
 *
 * The planner: every statement here finds its rows by an index, whatever the table's size. A plan
 * that was made and kept while the table was small would read it whole until the next ANALYZE.
 *
 * Locks: a client that was stopped or cut off in a transaction loses its locks after 2 s; who waits
 * for a lock gives up before its own deadline, and a server process whose client has left notices.
 * There is no statement_timeout: it could cancel a commit that waits for its standby. */
#define SETTINGS                                                                                   \
    "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off"              \
    " -c plan_cache_mode=force_generic_plan -c idle_in_transaction_session_timeout=2000"           \
    " -c lock_timeout=500 -c client_connection_check_interval=1000"

/* Its timeline; whether a commit waits for a standby; and whether a standby is there, as far as
   commits show that were given up: PostgreSQL keeps their connections until it is, so that each try
   would use up one more. */
static const char sql_server[] =
    "select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint,"
    " current_setting('synchronous_standby_names') <> ''"
    " and current_setting('synchronous_commit') in ('on', 'remote_apply'),"
    " (select count(*) from pg_stat_activity where usename = current_user"
    " and wait_event = 'SyncRep' and state_change < now() - interval '5 s') < 4";

pt_pg_outcome_t pt_pg_away(pt_pg_t *self, const char *what)
{
    snprintf(self->error, sizeof self->error, "%s", what);
    self->error[strcspn(self->error, "\n")] = 0;
    pt_pg_close(self);
    return PT_PG_AWAY;
}

/* ---- waiting with a deadline ------------------------------------------------------------- */

bool pt_pg_wait(PGconn *conn, short events, int64_t until)
{
    for (;;) {
        int64_t left = until - pt_clock_ms();
        if (left <= 0)
            return false;
        struct pollfd item = {.fd = PQsocket(conn), .events = events};
        int ready = poll(&item, 1, (int)left);
        if (ready > 0)
            return true;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

bool pt_pg_flush(pt_pg_t *self, int64_t until)
{
    int left;
    while ((left = PQflush(self->conn)) == 1) {
        /* Read as well: a server that cannot write its answers stops reading. */
        if (!pt_pg_wait(self->conn, POLLIN | POLLOUT, until) || !PQconsumeInput(self->conn))
            return false;
    }
    return left == 0;
}

bool pt_pg_next_result(pt_pg_t *self, int64_t until, PGresult **result)
{
    while (PQisBusy(self->conn)) {
        if (!pt_pg_wait(self->conn, POLLIN, until))
            return false;
        if (!PQconsumeInput(self->conn))
            return false;
    }
    *result = PQgetResult(self->conn);
    return true;
}

/* ---- connecting -------------------------------------------------------------------------- */

static void on_notice(void *arg, const PGresult *result)
{
    pt_pg_t *self = arg;
    const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
    /* Success that is none: the commit stopped waiting for its synchronous standby. */
    if (function && strcmp(function, "SyncRepWaitForLSN") == 0)
        self->unanswered = true;
}

/* With a standby to fail over to, what is answered must be there before; and standbys and settings
   change, so each new connection is asked. */
static pt_pg_outcome_t take_server(pt_pg_t *self, const PGresult *row)
{
    if (PQresultStatus(row) != PGRES_TUPLES_OK)
        return pt_pg_away(self, "the server is no primary");
    if (self->several_hosts && *PQgetvalue(row, 0, 1) != 't')
        return pt_pg_away(self,
                          "several hosts, but synchronous_standby_names is empty or"
                          " synchronous_commit is not on or remote_apply: accepted jobs could be"
                          " lost at a failover");
    if (self->several_hosts && *PQgetvalue(row, 0, 2) != 't')
        return pt_pg_away(self, "commits wait for a standby that is not there");
    self->timeline = strtoull(PQgetvalue(row, 0, 0), NULL, 10);
    return PT_PG_OK;
}

static pt_pg_outcome_t ask_server(pt_pg_t *self, int64_t until)
{
    PGresult *result = NULL, *end = NULL;
    if (!PQsendQueryParams(self->conn, sql_server, 0, NULL, NULL, NULL, NULL, 0) ||
        !pt_pg_flush(self, until) || !pt_pg_next_result(self, until, &result))
        return pt_pg_away(self, "no answer to the first question");
    pt_pg_outcome_t outcome = take_server(self, result);
    PQclear(result);
    if (outcome == PT_PG_OK && (!pt_pg_next_result(self, until, &end) || end))
        outcome = pt_pg_away(self, "no end of the first answer");
    PQclear(end);
    return outcome;
}

pt_pg_outcome_t pt_pg_connect(pt_pg_t *self, int64_t until)
{
    if (self->conn && PQstatus(self->conn) == CONNECTION_OK)
        return PT_PG_OK;
    pt_pg_close(self);
    const char *const keys[] = {"options", "fallback_application_name", "tcp_user_timeout",
                                "dbname",  "target_session_attrs",      NULL};
    const char *const values[] = {SETTINGS, "paratope", "3000", self->uri, "read-write", NULL};
    self->conn = PQconnectStartParams(keys, values, 1);
    if (!self->conn)
        return pt_pg_away(self, "out of memory");
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (status != PGRES_POLLING_OK) {
        if (status == PGRES_POLLING_FAILED || PQstatus(self->conn) == CONNECTION_BAD)
            return pt_pg_away(self, PQerrorMessage(self->conn));
        if (!pt_pg_wait(self->conn, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, until))
            return pt_pg_away(self, "no connection before the deadline");
        status = PQconnectPoll(self->conn);
    }
    PQsetnonblocking(self->conn, 1);
    PQsetNoticeReceiver(self->conn, on_notice, self);
    return ask_server(self, until);
}
