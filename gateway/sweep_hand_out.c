#include "gateway/sweep_inside.h"

#include "gateway/store.h"
#include "proto/program/process.h"

#define HAND_OUT_MAX 256

static int reserve(pt_sweep_t *self, const char *job_type, pt_ticket_t tickets[HAND_OUT_MAX])
{
    int count = 0;
    while (count < HAND_OUT_MAX) {
        tickets[count] = pt_links_reserve(self->links, job_type);
        if (tickets[count].link < 0)
            break;
        count++;
    }
    return count;
}

static void send_row(pt_sweep_t *self, const PGresult *rows, int row, const char *job_type,
                     const pt_ticket_t *ticket, int64_t expires)
{
    pt_job_parcel_t job = {.ticket = *ticket,
                           .job_type = job_type,
                           .attempt = (uint32_t)atoi(PQgetvalue(rows, row, 2)),
                           .name = PQgetvalue(rows, row, 4),
                           .format = PQgetvalue(rows, row, 5),
                           .chains = PQgetvalue(rows, row, 6)};
    pt_uuid_parse(&job.job_id, PQgetvalue(rows, row, 0), PT_UUID_TEXT - 1);
    pt_uuid_parse(&job.org_id, PQgetvalue(rows, row, 1), PT_UUID_TEXT - 1);
    pt_uuid_parse(&job.variant_id, PQgetvalue(rows, row, 3), PT_UUID_TEXT - 1);
    pt_send_job(self->links, &job, expires);
}

/* When the next one of the type is due, now that all that was due is out. */
static pt_pg_outcome_t read_next_due(pt_sweep_t *self, const char *job_type)
{
    PGresult *result = NULL;
    pt_pg_outcome_t outcome =
        pt_pg_run(self->pg, &pt_sql_next_due, &job_type, 1, PT_SWEEP_STATEMENT_MS, &result);
    if (outcome == PT_PG_OK && !PQgetisnull(result, 0, 0)) {
        int64_t left = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
        pthread_mutex_lock(&self->lock);
        /* One that is overdue and was not handed out is locked by somebody: no hurry. */
        pt_sweep_waits_locked(self, job_type,
                              pt_clock_ms() + (left > 0 ? left : PT_SWEEP_AGAIN_MS));
        pthread_mutex_unlock(&self->lock);
    }
    PQclear(result);
    return outcome;
}

static pt_pg_outcome_t hand_out_rows(pt_sweep_t *self, backlog_t *backlog,
                                     const pt_ticket_t *tickets, int count, int *sent)
{
    char limit[16];
    snprintf(limit, sizeof limit, "%d", count);
    const char *params[] = {backlog->job_type, limit,
                            *backlog->last_org ? backlog->last_org : NULL};
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome =
        pt_pg_run(self->pg, &pt_sql_hand_out, params, 3, PT_SWEEP_STATEMENT_MS, &rows);
    if (outcome != PT_PG_OK)
        return outcome;
    int64_t expires = pt_clock_ms() + PT_SEND_WITHIN_MS;
    for (*sent = 0; *sent < PQntuples(rows); ++*sent)
        send_row(self, rows, *sent, backlog->job_type, &tickets[*sent], expires);
    if (*sent > 0)
        snprintf(backlog->last_org, sizeof backlog->last_org, "%s", PQgetvalue(rows, *sent - 1, 1));
    PQclear(rows);
    atomic_fetch_add(&self->handed_out, (uint64_t)*sent);
    return PT_PG_OK;
}

/* Hands out one type, as far as credit goes. `backlog` is the caller's copy. */
static pt_pg_outcome_t hand_out(pt_sweep_t *self, backlog_t *backlog)
{
    pt_ticket_t tickets[HAND_OUT_MAX];
    int sent = 0, count = reserve(self, backlog->job_type, tickets);
    pt_pg_outcome_t outcome = PT_PG_OK;
    if (count > 0)
        outcome = hand_out_rows(self, backlog, tickets, count, &sent);
    for (int i = sent; i < count; i++)
        pt_links_release(self->links, &tickets[i], backlog->job_type);
    if (outcome == PT_PG_OK && sent < count)
        return read_next_due(self, backlog->job_type);
    pthread_mutex_lock(&self->lock); /* there may be more: it stays due */
    pt_sweep_waits_locked(self, backlog->job_type, 0);
    pthread_mutex_unlock(&self->lock);
    return outcome;
}

/* Takes the i-th backlog if it may be worked on now; false: it may not. `end`: there is none. */
static bool take_backlog(pt_sweep_t *self, size_t i, int64_t now, backlog_t *backlog, bool *end)
{
    pthread_mutex_lock(&self->lock);
    *end = i >= self->backlog_count;
    bool due = !*end && self->backlogs[i].due <= now &&
               pt_links_free(self->links, self->backlogs[i].job_type) > 0;
    if (due) {
        *backlog = self->backlogs[i];
        self->backlogs[i].due = INT64_MAX; /* whoever waits from here on says so again */
    }
    pthread_mutex_unlock(&self->lock);
    return due;
}

pt_pg_outcome_t pt_sweep_hand_out(pt_sweep_t *self, int64_t now)
{
    pt_pg_outcome_t outcome = PT_PG_OK;
    bool end = false;
    for (size_t i = 0; outcome == PT_PG_OK && !end; i++) {
        backlog_t backlog;
        if (!take_backlog(self, i, now, &backlog, &end))
            continue;
        outcome = hand_out(self, &backlog);
        pthread_mutex_lock(&self->lock);
        memcpy(self->backlogs[i].last_org, backlog.last_org, sizeof backlog.last_org);
        pt_rounds_wake(self->rounds, false);
        pthread_mutex_unlock(&self->lock);
    }
    return outcome;
}
