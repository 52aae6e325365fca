#include "gateway/dispatch/sweep_inside.h"

#include "gateway/dispatch/job_inputs.h"
#include "gateway/store/move.h"
#include "proto/program/process.h"

/* How many are taken with one statement: few at first, twice as many as long as that leaves half of
   the time to send them, and no more than were sent when it was over. */
#define HAND_OUT_FIRST 16
#define HAND_OUT_MAX 256

/* Nobody can compute it, whoever tries. */
static void fail(pt_sweep_t *self, const pt_job_parcel_t *job, const pt_inputs_fault_t *fault)
{
    pt_fact_t fact = {.said = {.said = PT_SAID_ENDING, .at = pt_wall_us()},
                      .from = {.link = -1},
                      .org_id = job->org_id};
    fact.said.job_id = job->job_id;
    fact.said.attempt = job->attempt;
    fact.said.started_at = fact.said.at;
    pt_job_type_copy(fact.job_type, job->job_type);
    snprintf(fact.said.code, sizeof fact.said.code, "%s", fault->code);
    snprintf(fact.said.message, sizeof fact.said.message, "%s", fault->message);
    pt_recorder_take(self->recorder, &fact);
}

/* True: it is on its way to the broker. */
static bool send_or_fail(pt_sweep_t *self, const pt_job_parcel_t *job, int64_t expires)
{
    const pt_inputs_fault_t *fault = pt_send_job(self->links, job, expires);
    if (fault)
        fail(self, job, fault);
    return !fault;
}

/* It is out, and nobody but us could send it: another attempt is due at once. */
static bool give_back(pt_sweep_t *self, const pt_job_parcel_t *job)
{
    pt_sweep_report_lost(self, &job->job_id, job->attempt, false, PT_CODE_NOT_STARTED,
                         "its large inputs were not read in time");
    return false;
}

/* Large options and earlier results are read one job at a time. What cannot be read is found by the
   rounds, and handed out again, but not at once. */
static bool send_large(pt_sweep_t *self, pt_job_parcel_t *job, int64_t expires)
{
    char id[PT_UUID_TEXT];
    const char *params[] = {pt_uuid_format(&job->job_id, id)};
    PGresult *row = NULL;
    if (pt_clock_ms() > expires)
        return give_back(self, job);
    if (pt_pg_run(self->pg, &pt_sql_job_inputs, params, 1, PT_SWEEP_LARGE_MS, &row) != PT_PG_OK)
        return false;
    bool sent = false;
    if (PQntuples(row) > 0) {
        pt_job_inputs_read(row, &job->inputs);
        sent = send_or_fail(self, job, pt_clock_ms() + PT_SEND_WITHIN_MS);
    }
    pt_pg_clear_large(self->pg, row);
    return sent;
}

static bool send_row(pt_sweep_t *self, const PGresult *rows, int row, backlog_t *backlog,
                     const pt_ticket_t *ticket, int64_t expires)
{
    pt_job_parcel_t job = {.ticket = *ticket,
                           .job_type = backlog->job_type,
                           .attempt = (uint32_t)atoi(PQgetvalue(rows, row, 2)),
                           .priority = atoi(PQgetvalue(rows, row, 8)),
                           .weight = atoi(PQgetvalue(rows, row, 9)),
                           .inputs = {.name = PQgetvalue(rows, row, 4),
                                      .format = PQgetvalue(rows, row, 5),
                                      .chains = PQgetvalue(rows, row, 6),
                                      .options = pt_pg_text(rows, row, 7)}};
    pt_uuid_parse(&job.job_id, PQgetvalue(rows, row, 0), PT_UUID_TEXT - 1);
    pt_uuid_parse(&job.org_id, PQgetvalue(rows, row, 1), PT_UUID_TEXT - 1);
    pt_uuid_parse(&job.inputs.variant_id, PQgetvalue(rows, row, 3), PT_UUID_TEXT - 1);
    pt_turns_took(&backlog->turns, &job.org_id, strtoll(PQgetvalue(rows, row, 10), NULL, 10),
                  job.weight);
    if (*PQgetvalue(rows, row, 11) == 't')
        return send_large(self, &job, expires);
    return send_or_fail(self, &job, expires);
}

/* When the next one of the type is due, now that all that was due is out, and whether a limit holds
   something back. */
static pt_pg_outcome_t read_next_due(pt_sweep_t *self, backlog_t *backlog)
{
    const char *job_type = backlog->job_type;
    PGresult *result = NULL;
    pt_pg_outcome_t outcome =
        pt_pg_run(self->pg, &pt_sql_next_due, &job_type, 1, PT_SWEEP_STATEMENT_MS, &result);
    if (outcome != PT_PG_OK)
        return outcome;
    pthread_mutex_lock(&self->lock);
    /* Whatever ended since it was taken may have been counted as out. */
    backlog->held = *PQgetvalue(result, 0, 1) == 't' && backlog->endings == self->endings;
    if (*PQgetvalue(result, 0, 1) == 't' && !backlog->held)
        pt_sweep_waits_locked(self, job_type, 0);
    if (!PQgetisnull(result, 0, 0)) {
        int64_t left = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
        /* One that is overdue and was not handed out is locked by somebody: no hurry. */
        pt_sweep_waits_locked(self, job_type,
                              pt_clock_ms() + (left > 0 ? left : PT_SWEEP_AGAIN_MS));
    }
    pthread_mutex_unlock(&self->lock);
    PQclear(result);
    return PT_PG_OK;
}

static pt_pg_outcome_t take_rows(pt_sweep_t *self, backlog_t *backlog, int count, PGresult **rows)
{
    char limit[16], now[24], *turns = pt_turns_text(&backlog->turns);
    snprintf(limit, sizeof limit, "%d", count);
    snprintf(now, sizeof now, "%lld", (long long)backlog->turns.now);
    const char *params[] = {backlog->job_type, limit, turns, now};
    pt_pg_step_t steps[] = {{&pt_sql_lock_hand_out, NULL, 0}, {&pt_sql_hand_out, params, 4}};
    PGresult *results[2];
    pt_pg_outcome_t outcome = pt_pg_flight(self->pg, steps, 2, PT_SWEEP_STATEMENT_MS, results);
    free(turns);
    if (outcome != PT_PG_OK)
        return outcome;
    PQclear(results[0]);
    *rows = results[1];
    return PT_PG_OK;
}

static void learn(backlog_t *backlog, int in_time, int64_t left)
{
    if (left < 0)
        backlog->at_once = in_time > 0 ? in_time : 1;
    else if (left > PT_SEND_WITHIN_MS / 2 && backlog->at_once < HAND_OUT_MAX)
        backlog->at_once *= 2;
    if (backlog->at_once > HAND_OUT_MAX)
        backlog->at_once = HAND_OUT_MAX;
}

static pt_pg_outcome_t hand_out_rows(pt_sweep_t *self, backlog_t *backlog,
                                     const pt_ticket_t *tickets, int count, int *sent)
{
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome = take_rows(self, backlog, count, &rows);
    if (outcome != PT_PG_OK)
        return outcome;
    int64_t expires = pt_clock_ms() + PT_SEND_WITHIN_MS;
    int in_time = 0;
    for (*sent = 0; *sent < PQntuples(rows); ++*sent)
        if (send_row(self, rows, *sent, backlog, &tickets[*sent], expires))
            in_time++;
        else
            pt_links_release(self->links, &tickets[*sent], backlog->job_type);
    PQclear(rows);
    learn(backlog, in_time, expires - pt_clock_ms());
    atomic_fetch_add(&self->handed_out, (uint64_t)*sent);
    return PT_PG_OK;
}

/* Hands out one type, as far as credit goes. */
static pt_pg_outcome_t hand_out(pt_sweep_t *self, backlog_t *backlog)
{
    pt_ticket_t tickets[HAND_OUT_MAX];
    if (backlog->at_once == 0)
        backlog->at_once = HAND_OUT_FIRST;
    size_t most = (size_t)backlog->at_once;
    int sent = 0,
        count = (int)pt_links_reserve_spare(self->links, backlog->job_type, tickets, most);
    pt_pg_outcome_t outcome = PT_PG_OK;
    if (count > 0)
        outcome = hand_out_rows(self, backlog, tickets, count, &sent);
    for (int i = sent; i < count; i++)
        pt_links_release(self->links, &tickets[i], backlog->job_type);
    if (outcome == PT_PG_OK && sent < count)
        return read_next_due(self, backlog);
    pthread_mutex_lock(&self->lock); /* there may be more: it stays due */
    pt_sweep_waits_locked(self, backlog->job_type, 0);
    pthread_mutex_unlock(&self->lock);
    return outcome;
}

/* Takes the i-th backlog if it may be worked on now; false: it may not. `end`: there is none. */
static bool take_backlog(pt_sweep_t *self, size_t i, int64_t now, bool *end)
{
    pthread_mutex_lock(&self->lock);
    backlog_t *backlog = &self->backlogs[i];
    *end = i >= self->backlog_count;
    bool due = !*end && backlog->due <= now && pt_links_spare(self->links, backlog->job_type) > 0;
    if (due) {
        backlog->due = INT64_MAX; /* whoever waits from here on says so again */
        backlog->endings = self->endings;
        backlog->held = false;
    }
    pthread_mutex_unlock(&self->lock);
    return due;
}

pt_pg_outcome_t pt_sweep_hand_out(pt_sweep_t *self, int64_t now)
{
    pt_pg_outcome_t outcome = PT_PG_OK;
    bool end = false;
    for (size_t i = 0; outcome == PT_PG_OK && !end && i < PT_TYPES_MAX; i++) {
        if (!take_backlog(self, i, now, &end))
            continue;
        outcome = hand_out(self, &self->backlogs[i]);
        pthread_mutex_lock(&self->lock);
        pt_rounds_wake(self->rounds, false);
        pthread_mutex_unlock(&self->lock);
    }
    return outcome;
}
