#include "gateway/dispatch/sweep_inside.h"

#include "gateway/database/array.h"
#include "gateway/store/move.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#define GRACE_MS (6 * PT_INTERVAL_MS) /* workers that start with all the rest have come by then */
#define EXPIRE_MAX 1000               /* jobs failed at once */

static bool is_waiting(const backlog_t *backlog)
{
    return backlog->due != INT64_MAX || backlog->held;
}

/* Looks who serves what, with the lock held. A type counts as unserved when nobody served it for as
   long as workers may take to come; nothing is judged while no broker says. */
static void watch(pt_sweep_t *self, int64_t now)
{
    for (size_t i = 0; i < self->backlog_count; i++) {
        backlog_t *backlog = &self->backlogs[i];
        if (!is_waiting(backlog) || pt_links_slots(self->links, backlog->job_type) != 0)
            backlog->unserved_since = 0;
        else if (backlog->unserved_since == 0)
            backlog->unserved_since = now;
        else
            continue;
        if (backlog->unserved_since != 0 && now + GRACE_MS < self->expire_at)
            self->expire_at = now + GRACE_MS;
    }
}

/* The types that are unserved, and those of which the table's word stands. */
static void list(pt_sweep_t *self, int64_t now, pt_array_t *unserved, pt_array_t *kept)
{
    pthread_mutex_lock(&self->lock);
    watch(self, now);
    for (size_t i = 0; i < self->backlog_count; i++) {
        const backlog_t *backlog = &self->backlogs[i];
        if (backlog->unserved_since != 0 && now - backlog->unserved_since >= GRACE_MS)
            pt_array_text(unserved, backlog->job_type);
        if (is_waiting(backlog) && pt_links_slots(self->links, backlog->job_type) <= 0)
            pt_array_text(kept, backlog->job_type);
    }
    pthread_mutex_unlock(&self->lock);
    pt_array_end(unserved);
    pt_array_end(kept);
}

static pt_pg_outcome_t note(pt_sweep_t *self, const pt_array_t *unserved, const pt_array_t *kept)
{
    if (strcmp(self->unserved, unserved->text) == 0)
        return PT_PG_OK;
    const char *params[] = {unserved->text, kept->text};
    pt_pg_outcome_t outcome =
        pt_pg_run(self->pg, &pt_sql_note_unserved, params, 2, PT_SWEEP_STATEMENT_MS, NULL);
    if (outcome == PT_PG_OK) {
        snprintf(self->unserved, sizeof self->unserved, "%s", unserved->text);
        pt_log(PT_INFO, "job types that wait and that nobody serves",
               PT_S("job_types", self->unserved));
    }
    return outcome;
}

static void report_expired(pt_sweep_t *self, const PGresult *rows, int row, const char *job_type)
{
    pt_fact_t fact = {.said.said = PT_SAID_EXPIRED, .from.link = -1};
    pt_uuid_parse(&fact.said.job_id, PQgetvalue(rows, row, 0), PT_UUID_TEXT - 1);
    fact.said.attempt = (uint32_t)atoi(PQgetvalue(rows, row, 1));
    strcpy(fact.said.code, "not_served");
    snprintf(
        fact.said.message, sizeof fact.said.message,
        "no worker serves %s, and the job waited for longer than the %s s that its type may wait",
        job_type, PQgetvalue(rows, row, 2));
    pt_recorder_take(self->recorder, &fact);
}

/* Fails what waited too long; `*due_in` is when there is more, in ms, or stays. */
static pt_pg_outcome_t expire_type(pt_sweep_t *self, const char *job_type, int64_t *due_in)
{
    char limit[16];
    snprintf(limit, sizeof limit, "%d", EXPIRE_MAX);
    const char *params[] = {job_type, limit};
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome =
        pt_pg_run(self->pg, &pt_sql_expired, params, 2, PT_SWEEP_STATEMENT_MS, &rows);
    if (outcome != PT_PG_OK)
        return outcome;
    int count = PQntuples(rows);
    for (int row = 0; row < count; row++)
        report_expired(self, rows, row, job_type);
    PQclear(rows);
    if (count > 0) { /* and once more, for what the recorder could not take */
        *due_in = PT_SWEEP_AGAIN_MS;
        return PT_PG_OK;
    }
    outcome = pt_pg_run(self->pg, &pt_sql_next_expiry, params, 1, PT_SWEEP_STATEMENT_MS, &rows);
    if (outcome == PT_PG_OK && PQntuples(rows) > 0 && !PQgetisnull(rows, 0, 0)) {
        int64_t left = strtoll(PQgetvalue(rows, 0, 0), NULL, 10);
        left = left < PT_SWEEP_AGAIN_MS ? PT_SWEEP_AGAIN_MS : left;
        *due_in = left < *due_in ? left : *due_in;
    }
    PQclear(rows);
    return outcome;
}

static pt_pg_outcome_t expire_all(pt_sweep_t *self, int64_t now)
{
    int64_t due_in = INT64_MAX - now;
    pt_pg_outcome_t outcome = PT_PG_OK;
    for (size_t i = 0; i < self->backlog_count && outcome == PT_PG_OK; i++) {
        const backlog_t *backlog = &self->backlogs[i];
        if (backlog->unserved_since == 0)
            continue;
        int64_t grace = backlog->unserved_since + GRACE_MS - now;
        if (grace > 0)
            due_in = grace < due_in ? grace : due_in;
        else
            outcome = expire_type(self, backlog->job_type, &due_in);
    }
    pthread_mutex_lock(&self->lock);
    self->expire_at = now + due_in;
    pthread_mutex_unlock(&self->lock);
    return outcome;
}

pt_pg_outcome_t pt_sweep_expire(pt_sweep_t *self, int64_t now)
{
    pt_array_t unserved = {0}, kept = {0};
    pt_pg_outcome_t outcome = PT_PG_OK;
    list(self, now, &unserved, &kept);
    if (pt_links_slots(self->links, NULL) >= 0)
        outcome = note(self, &unserved, &kept);
    if (outcome == PT_PG_OK && now >= self->expire_at)
        outcome = expire_all(self, now);
    pt_array_clear(&unserved);
    pt_array_clear(&kept);
    return outcome;
}
