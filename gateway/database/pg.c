#include "gateway/database/pg_inside.h"

#include "proto/program/process.h"
#include "proto/uuid.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define LARGE_ROWS (4 * 1024 * 1024) /* bytes */

const pt_sql_t pt_sql_begin = {"begin", "begin"};
const pt_sql_t pt_sql_commit = {"commit", "commit"};

/* There is a standby. By host or hostaddr. */
static bool names_several_hosts(const char *uri)
{
    bool several = false;
    PQconninfoOption *options = PQconninfoParse(uri, NULL);
    for (PQconninfoOption *option = options; option && option->keyword; option++)
        if (strncmp(option->keyword, "host", 4) == 0 && option->val && strchr(option->val, ','))
            several = true;
    PQconninfoFree(options);
    return several;
}

pt_pg_t *pt_pg_new(const char *uri)
{
    pt_pg_t *self = zmalloc(sizeof *self);
    self->uri = strdup(uri);
    assert(self->uri);
    self->several_hosts = names_several_hosts(uri);
    return self;
}

const char *pt_pg_text(const PGresult *rows, int row, int column)
{
    return PQgetisnull(rows, row, column) ? NULL : PQgetvalue(rows, row, column);
}

void pt_pg_clear_large(pt_pg_t *self, PGresult *rows)
{
    bool large = PQresultMemorySize(rows) > LARGE_ROWS;
    PQclear(rows);
    if (large)
        pt_pg_close(self);
}

void pt_pg_close(pt_pg_t *self)
{
    PQfinish(self->conn);
    self->conn = NULL;
    self->prepared_count = 0;
    self->unanswered = false;
}

void pt_pg_destroy(pt_pg_t **self_p)
{
    if (!*self_p)
        return;
    pt_pg_close(*self_p);
    free((*self_p)->uri);
    free(*self_p);
    *self_p = NULL;
}

const char *pt_pg_error(const pt_pg_t *self)
{
    return self->error;
}

bool pt_pg_failed_by(const pt_pg_t *self, const char *state)
{
    return strcmp(self->state, state) == 0;
}

uint64_t pt_pg_timeline(const pt_pg_t *self)
{
    return self->timeline;
}

PGconn *pt_pg_connection(pt_pg_t *self)
{
    return self->conn;
}

/* ---- statements -------------------------------------------------------------------------- */

/* By class of SQLSTATE: only data can be at fault for what will never be taken. Whatever else is
   wrong (a lock, a table that is being altered, a right that is missing, a full disk) can be put
   right, and then the same statement goes through. */
static pt_pg_outcome_t outcome_of(const char *state)
{
    static const char *const data[] = {"22", "23", "54"};
    if (strcmp(state, "55P03") == 0)
        return PT_PG_LOCKED;
    for (size_t i = 0; i < sizeof data / sizeof *data; i++)
        if (strncmp(state, data[i], 2) == 0)
            return PT_PG_REFUSED;
    return PT_PG_AGAIN;
}

static void keep_error(pt_pg_t *self, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    snprintf(self->state, sizeof self->state, "%s", state ? state : "");
    snprintf(self->error, sizeof self->error, "%s", PQresultErrorMessage(result));
    self->error[strcspn(self->error, "\n")] = 0;
}

static bool is_prepared(const pt_pg_t *self, const pt_sql_t *sql)
{
    for (size_t i = 0; i < self->prepared_count; i++)
        if (self->prepared[i] == sql)
            return true;
    return false;
}

static bool is_end(const pt_sql_t *sql)
{
    return sql == &pt_sql_begin || sql == &pt_sql_commit;
}

/* Prepares what is new to this connection, ahead of the flight, in its own. */
static bool send_prepares(pt_pg_t *self, const pt_pg_step_t *steps, int count, int *sent)
{
    *sent = 0;
    for (int i = 0; i < count; i++) {
        const pt_sql_t *sql = steps[i].sql;
        if (is_prepared(self, sql) || is_end(sql))
            continue;
        assert(self->prepared_count < PT_PG_PREPARED_MAX);
        self->prepared[self->prepared_count++] = sql;
        if (!PQsendPrepare(self->conn, sql->name, sql->sql, 0, NULL))
            return false;
        ++*sent;
    }
    return true;
}

static bool send_steps(pt_pg_t *self, const pt_pg_step_t *steps, int count)
{
    for (int i = 0; i < count; i++) {
        const pt_pg_step_t *step = &steps[i];
        int sent = is_end(step->sql)
                       ? PQsendQueryParams(self->conn, step->sql->sql, 0, NULL, NULL, NULL, NULL, 0)
                       : PQsendQueryPrepared(self->conn, step->sql->name, step->param_count,
                                             step->params, NULL, NULL, 0);
        if (!sent)
            return false;
    }
    return PQpipelineSync(self->conn);
}

/* Takes `count` results and the sync mark behind them. The first error decides the outcome. */
static pt_pg_outcome_t take_results(pt_pg_t *self, int skip, int count, int64_t until,
                                    PGresult **results)
{
    pt_pg_outcome_t outcome = PT_PG_OK;
    for (int i = -skip; i <= count; i++) {
        PGresult *result = NULL, *end = NULL;
        if (!pt_pg_next_result(self, until, &result))
            return pt_pg_away(self, "no answer before the deadline");
        if (!result)
            return pt_pg_away(self, "the server's answers do not fit the questions");
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR && outcome == PT_PG_OK) {
            keep_error(self, result);
            outcome = outcome_of(self->state);
        }
        if (i >= 0 && i < count && results)
            results[i] = result;
        else
            PQclear(result);
        if (i == count) /* that was the sync mark, which no NULL follows */
            return status == PGRES_PIPELINE_SYNC ? outcome : pt_pg_away(self, "out of step");
        if (!pt_pg_next_result(self, until, &end))
            return pt_pg_away(self, "no answer before the deadline");
        PQclear(end);
    }
    return outcome;
}

static void no_results(PGresult **results, int count)
{
    for (int i = 0; results && i < count; i++)
        results[i] = NULL;
}

static void clear_results(PGresult **results, int count)
{
    for (int i = 0; results && i < count; i++)
        PQclear(results[i]);
    no_results(results, count);
}

/* A statement without parameters and rows, by itself. */
static bool command(pt_pg_t *self, const char *sql, int64_t until)
{
    PGresult *result = NULL, *end = NULL;
    bool ok = PQsendQueryParams(self->conn, sql, 0, NULL, NULL, NULL, NULL, 0) &&
              pt_pg_flush(self, until) && pt_pg_next_result(self, until, &result) &&
              PQresultStatus(result) == PGRES_COMMAND_OK && pt_pg_next_result(self, until, &end) &&
              !end;
    PQclear(result);
    PQclear(end);
    return ok;
}

/* A transaction that failed in the middle holds locks until it is ended. */
static void end_failed_transaction(pt_pg_t *self, int64_t until)
{
    if (!self->conn || PQtransactionStatus(self->conn) == PQTRANS_IDLE)
        return;
    if (!command(self, "rollback", until))
        pt_pg_close(self);
}

/* What ends a transaction must not be sent to a new connection, which has none of its locks. */
static bool in_transaction(const pt_pg_t *self)
{
    return self->conn && PQstatus(self->conn) == CONNECTION_OK &&
           PQtransactionStatus(self->conn) == PQTRANS_INTRANS;
}

static bool launch(pt_pg_t *self, const pt_pg_step_t *steps, int count, int64_t until)
{
    self->flight.count = count;
    self->flight.until = until;
    return PQenterPipelineMode(self->conn) &&
           send_prepares(self, steps, count, &self->flight.prepares) &&
           send_steps(self, steps, count);
}

bool pt_pg_launch(pt_pg_t *self, const pt_pg_step_t *steps, int count, int deadline_ms)
{
    if (!self->conn || PQstatus(self->conn) != CONNECTION_OK)
        return false;
    for (int i = 0; i < count; i++)
        if (!is_prepared(self, steps[i].sql))
            return false;
    if (launch(self, steps, count, pt_clock_ms() + deadline_ms))
        return true;
    pt_pg_away(self, PQerrorMessage(self->conn));
    return false;
}

pt_pg_outcome_t pt_pg_land(pt_pg_t *self, PGresult **results)
{
    int prepares = self->flight.prepares, count = self->flight.count;
    int64_t until = self->flight.until;
    no_results(results, count);
    pt_pg_outcome_t outcome = pt_pg_flush(self, until)
                                  ? take_results(self, prepares, count, until, results)
                                  : pt_pg_away(self, PQerrorMessage(self->conn));
    if (outcome != PT_PG_AWAY && PQstatus(self->conn) != CONNECTION_OK)
        outcome = pt_pg_away(self, PQerrorMessage(self->conn));
    if (outcome != PT_PG_AWAY && self->unanswered)
        outcome = pt_pg_away(self, "committed, but not on the synchronous standby");
    if (outcome != PT_PG_AWAY && !PQexitPipelineMode(self->conn))
        outcome = pt_pg_away(self, PQerrorMessage(self->conn));
    if (outcome == PT_PG_OK)
        return PT_PG_OK;
    clear_results(results, count);
    if (prepares && self->conn)
        pt_pg_close(self); /* which of them were prepared is no longer known */
    end_failed_transaction(self, until);
    return outcome;
}

pt_pg_outcome_t pt_pg_flight(pt_pg_t *self, const pt_pg_step_t *steps, int count, int deadline_ms,
                             PGresult **results)
{
    int64_t until = pt_clock_ms() + deadline_ms;
    no_results(results, count);
    if (steps[count - 1].sql == &pt_sql_commit && !in_transaction(self))
        return pt_pg_away(self, "the connection ended within the transaction");
    pt_pg_outcome_t outcome = pt_pg_connect(self, until);
    if (outcome != PT_PG_OK)
        return outcome;
    if (!launch(self, steps, count, until))
        return pt_pg_away(self, PQerrorMessage(self->conn));
    return pt_pg_land(self, results);
}

/* ---- copying ----------------------------------------------------------------------------- */

#define COPY_PIECE (256 * 1024)

static bool put_piece(pt_pg_t *self, const char *data, size_t size, int64_t until)
{
    int put;
    while ((put = PQputCopyData(self->conn, data, (int)size)) == 0)
        if (!pt_pg_wait(self->conn, POLLOUT, until))
            return false;
    return put == 1 && pt_pg_flush(self, until);
}

static bool put_parts(pt_pg_t *self, const pt_pg_part_t *parts, size_t count, int64_t until)
{
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0, size; at < parts[i].size; at += size) {
            size = parts[i].size - at < COPY_PIECE ? parts[i].size - at : COPY_PIECE;
            if (!put_piece(self, (const char *)parts[i].data + at, size, until))
                return false;
        }
    return true;
}

/* One result, and that none follows it. */
static bool take_only_result(pt_pg_t *self, int64_t until, ExecStatusType *status)
{
    PGresult *result = NULL, *end = NULL;
    bool ok = pt_pg_next_result(self, until, &result) && result;
    *status = PQresultStatus(result);
    if (ok && *status == PGRES_FATAL_ERROR)
        keep_error(self, result);
    PQclear(result);
    if (!ok || *status == PGRES_COPY_IN)
        return ok;
    ok = pt_pg_next_result(self, until, &end) && !end;
    PQclear(end);
    return ok;
}

/* Whoever is stopped in the middle of it must not hold the transaction's locks for ever. */
#define COPY_TIMEOUT "set local statement_timeout = '90s'"
#define NO_TIMEOUT "set local statement_timeout = 0"

pt_pg_outcome_t pt_pg_copy(pt_pg_t *self, const char *sql, const pt_pg_part_t *parts, size_t count,
                           int deadline_ms)
{
    int64_t until = pt_clock_ms() + deadline_ms;
    ExecStatusType status;
    if (!in_transaction(self))
        return pt_pg_away(self, "the connection ended within the transaction");
    if (!command(self, COPY_TIMEOUT, until) || !PQsendQuery(self->conn, sql) ||
        !pt_pg_flush(self, until) || !take_only_result(self, until, &status))
        return pt_pg_away(self, "no answer before the deadline");
    if (status == PGRES_COPY_IN &&
        (!put_parts(self, parts, count, until) || PQputCopyEnd(self->conn, NULL) != 1 ||
         !pt_pg_flush(self, until) || !take_only_result(self, until, &status)))
        return pt_pg_away(self, "what was copied could not be sent before the deadline");
    if (status == PGRES_COMMAND_OK)
        return command(self, NO_TIMEOUT, until) ? PT_PG_OK
                                                : pt_pg_away(self, "no answer to a setting");
    pt_pg_outcome_t outcome = outcome_of(self->state);
    end_failed_transaction(self, until);
    return outcome;
}

pt_pg_outcome_t pt_pg_run(pt_pg_t *self, const pt_sql_t *sql, const char *const *params,
                          int param_count, int deadline_ms, PGresult **result)
{
    pt_pg_step_t step = {sql, params, param_count};
    PGresult *own = NULL;
    pt_pg_outcome_t outcome = pt_pg_flight(self, &step, 1, deadline_ms, &own);
    if (result)
        *result = own;
    else
        PQclear(own);
    return outcome;
}
