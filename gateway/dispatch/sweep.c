#include "gateway/dispatch/sweep_inside.h"

#include "gateway/database/array.h"
#include "gateway/store/move.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#define LOOK_MS 30000
#define EDGES_MS 500   /* between two readings of edges that others hinted at */
#define HINTS_MAX 1000 /* what is hinted at beyond waits for the next look */
#define WORKER_LOST "worker_lost"

/* ---- wake-ups ---------------------------------------------------------------------------- */

static void wake_locked(pt_sweep_t *self)
{
    self->woken = true;
    pthread_cond_signal(&self->wake);
}

/* When there is something to do even if nobody wakes us. Backlogs without credit wait for credit.
 */
static int64_t next_due(const pt_sweep_t *self, int64_t now)
{
    int64_t due = self->look_at, rounds = pt_rounds_due(self->rounds, now);
    due = self->expire_at < due ? self->expire_at : due;
    due = rounds < due ? rounds : due;
    if (self->hinted.count > 0 && self->edges_at < due)
        due = self->edges_at;
    for (size_t i = 0; i < self->backlog_count; i++)
        if (self->backlogs[i].due < due &&
            pt_links_spare(self->links, self->backlogs[i].job_type) > 0)
            due = self->backlogs[i].due;
    return due;
}

/* Many a job is told of: the thread is woken only if that makes something due earlier than it
   knows. While it works it does not sleep, and looks at all of it before it does. */
static void wake_if_sooner_locked(pt_sweep_t *self)
{
    if (self->active && next_due(self, pt_clock_ms()) < self->sleeps_until)
        wake_locked(self);
}

static backlog_t *backlog_of(pt_sweep_t *self, const char *job_type)
{
    for (size_t i = 0; i < self->backlog_count; i++)
        if (strcmp(self->backlogs[i].job_type, job_type) == 0)
            return &self->backlogs[i];
    if (self->backlog_count == PT_TYPES_MAX)
        return NULL;
    backlog_t *backlog = &self->backlogs[self->backlog_count++];
    memset(backlog, 0, sizeof *backlog);
    pt_job_type_copy(backlog->job_type, job_type);
    backlog->due = INT64_MAX;
    return backlog;
}

void pt_sweep_waits_locked(pt_sweep_t *self, const char *job_type, int64_t due)
{
    backlog_t *backlog = backlog_of(self, job_type);
    if (backlog && due < backlog->due)
        backlog->due = due;
    if (backlog && backlog->unserved_since != 0 && self->expire_at == INT64_MAX)
        self->expire_at = 0; /* the first one again that may wait too long */
}

void pt_sweep_waits(pt_sweep_t *self, const char *job_type, int64_t due_in_ms)
{
    pthread_mutex_lock(&self->lock);
    if (job_type)
        pt_sweep_waits_locked(self, job_type, pt_clock_ms() + due_in_ms);
    else
        self->look_at = 0;
    pt_rounds_wake(self->rounds, false); /* if it is not handed out, it may be out and unsent */
    wake_if_sooner_locked(self);
    pthread_mutex_unlock(&self->lock);
}

void pt_sweep_credit(pt_sweep_t *self)
{
    pthread_mutex_lock(&self->lock);
    wake_if_sooner_locked(self);
    pthread_mutex_unlock(&self->lock);
}

static void ended_locked(pt_sweep_t *self)
{
    self->endings++;
    for (size_t i = 0; i < self->backlog_count; i++)
        if (self->backlogs[i].held) {
            self->backlogs[i].held = false;
            self->backlogs[i].due = 0;
            wake_locked(self);
        }
}

void pt_sweep_ended(pt_sweep_t *self)
{
    pthread_mutex_lock(&self->lock);
    ended_locked(self);
    pthread_mutex_unlock(&self->lock);
}

void pt_sweep_settings(pt_sweep_t *self)
{
    pt_sweep_waits(self, NULL, 0);
}

void pt_sweep_event(pt_sweep_t *self, const pt_msg_t *event, bool is_new)
{
    pthread_mutex_lock(&self->lock);
    pt_rounds_wake(self->rounds, false);
    if (event->waiting && strcmp(event->type, "created") == 0) /* others come from our recorder */
        pt_sweep_waits_locked(self, event->job_type, pt_clock_ms());
    if (strcmp(event->type, "canceled") == 0) /* by any gateway */
        ended_locked(self);
    if (is_new && self->hinted.count < HINTS_MAX)
        pt_array_uuid(&self->hinted, &event->org_id);
    wake_if_sooner_locked(self);
    pthread_mutex_unlock(&self->lock);
}

void pt_sweep_set_active(pt_sweep_t *self, bool active)
{
    pthread_mutex_lock(&self->lock);
    self->active = active;
    self->fresh = active;
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
}

/* ---- what brokers say -------------------------------------------------------------------- */

void pt_sweep_report_lost(pt_sweep_t *self, const pt_uuid_t *job_id, uint32_t attempt, bool counts,
                          const char *code, const char *reason)
{
    pt_fact_t fact = {.said.said = PT_SAID_LOST, .from.link = -1};
    fact.said.job_id = *job_id;
    fact.said.attempt = attempt;
    fact.said.counts = counts;
    snprintf(fact.said.code, sizeof fact.said.code, "%s", code);
    snprintf(fact.said.message, sizeof fact.said.message, "%s",
             *reason ? reason : "its worker was lost");
    atomic_fetch_add(&self->lost, 1);
    pt_recorder_take(self->recorder, &fact);
}

static void lost_in_round(void *context, const pt_ref_t *ref)
{
    pt_sweep_report_lost(context, &ref->job_id, ref->attempt, true, WORKER_LOST,
                         "no broker knows of a worker that has it");
}

void pt_sweep_brokers(pt_sweep_t *self, int gone)
{
    pthread_mutex_lock(&self->lock);
    if (gone >= 0)
        pt_rounds_broker_gone(self->rounds, gone);
    pt_rounds_wake(self->rounds, false);
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
}

void pt_sweep_held(pt_sweep_t *self, int broker, uint64_t number, const pt_refs_t *held)
{
    pthread_mutex_lock(&self->lock);
    pt_rounds_answer(self->rounds, pt_clock_ms(), broker, number, held, lost_in_round, self);
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
}

void pt_sweep_gone(pt_sweep_t *self, const pt_uuid_t *job_id, uint32_t attempt, bool certain,
                   bool counts, const char *reason)
{
    if (certain) {
        pt_sweep_report_lost(self, job_id, attempt, counts, counts ? WORKER_LOST : "handed_back",
                             reason);
        return;
    }
    pthread_mutex_lock(&self->lock);
    pt_rounds_wake(self->rounds, true);
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
}

/* ---- the thread -------------------------------------------------------------------------- */

static bool is_named(const PGresult *rows, const char *job_type)
{
    for (int row = 0; row < PQntuples(rows); row++)
        if (strcmp(PQgetvalue(rows, row, 0), job_type) == 0)
            return true;
    return false;
}

/* There are places for PT_TYPES_MAX types. When all are taken, those of which the table has nothing
   waiting make room; should something have come meanwhile, the next look finds it. */
static void make_room_locked(pt_sweep_t *self, const PGresult *waiting)
{
    size_t kept = 0;
    if (self->backlog_count < PT_TYPES_MAX)
        return;
    for (size_t i = 0; i < self->backlog_count; i++) {
        backlog_t *backlog = &self->backlogs[i];
        if (is_named(waiting, backlog->job_type) || backlog->held)
            self->backlogs[kept++] = *backlog;
        else
            pt_turns_clear(&backlog->turns);
    }
    self->backlog_count = kept;
}

/* Which types have a backlog at all, and where the events end: at the start, and now and then, in
   case a word of it was lost. */
static pt_pg_outcome_t look(pt_sweep_t *self)
{
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome =
        pt_pg_run(self->pg, &pt_sql_waiting_types, NULL, 0, PT_SWEEP_STATEMENT_MS, &rows);
    if (outcome != PT_PG_OK)
        return outcome;
    pthread_mutex_lock(&self->lock);
    make_room_locked(self, rows);
    for (int row = 0; row < PQntuples(rows); row++)
        pt_sweep_waits_locked(self, PQgetvalue(rows, row, 0), 0);
    pt_rounds_wake(self->rounds, false);
    self->look_at = pt_clock_ms() + LOOK_MS;
    self->expire_at = 0;
    pthread_mutex_unlock(&self->lock);
    PQclear(rows);
    return pt_refresh_edges(self->links, self->pg, NULL);
}

/* A new leader repeats every organisation's edge, and knows of no backlog yet. */
static pt_pg_outcome_t begin(pt_sweep_t *self)
{
    pt_pg_outcome_t outcome = pt_refresh_edges(self->links, self->pg, NULL);
    if (outcome != PT_PG_OK)
        return outcome;
    pthread_mutex_lock(&self->lock);
    pt_rounds_reset(self->rounds);
    for (size_t i = 0; i < self->backlog_count; i++) {
        pt_turns_clear(&self->backlogs[i].turns);
        self->backlogs[i].unserved_since = 0;
    }
    *self->unserved = 0;
    self->look_at = 0;
    self->fresh = false;
    pthread_mutex_unlock(&self->lock);
    return PT_PG_OK;
}

/* The edges of organisations of which other gateways published; what they say is only a hint. */
static pt_pg_outcome_t read_hinted_edges(pt_sweep_t *self, int64_t now)
{
    pthread_mutex_lock(&self->lock);
    bool due = self->hinted.count > 0 && now >= self->edges_at;
    pt_array_t orgs = {0};
    if (due) {
        orgs = self->hinted;
        memset(&self->hinted, 0, sizeof self->hinted);
        self->edges_at = now + EDGES_MS;
    }
    pthread_mutex_unlock(&self->lock);
    pt_pg_outcome_t outcome = PT_PG_OK;
    if (due)
        outcome = pt_refresh_edges(self->links, self->pg, pt_array_end(&orgs));
    pt_array_clear(&orgs);
    return outcome;
}

static pt_pg_outcome_t work(pt_sweep_t *self, bool fresh)
{
    int64_t now = pt_clock_ms();
    pt_pg_outcome_t outcome = fresh ? begin(self) : PT_PG_OK;
    pthread_mutex_lock(&self->lock);
    bool look_now = now >= self->look_at;
    pthread_mutex_unlock(&self->lock);
    if (outcome == PT_PG_OK && look_now)
        outcome = look(self);
    if (outcome == PT_PG_OK)
        outcome = read_hinted_edges(self, now);
    if (outcome == PT_PG_OK)
        outcome = pt_sweep_hand_out(self, now);
    if (outcome == PT_PG_OK)
        outcome = pt_sweep_expire(self, now);
    if (outcome == PT_PG_OK)
        outcome = pt_sweep_ask(self, now);
    if (outcome != PT_PG_OK)
        pt_log(PT_WARNING, "the sweep could not work", PT_S("why", pt_pg_error(self->pg)));
    return outcome;
}

/* Waits for a wake-up or the next due time; false: stop. */
static bool wait_for_work(pt_sweep_t *self, bool pause)
{
    pthread_mutex_lock(&self->lock);
    int64_t now = pt_clock_ms();
    int64_t due = !self->active ? now + LOOK_MS
                  : pause       ? now + PT_SWEEP_AGAIN_MS
                                : next_due(self, now);
    struct timespec until = pt_until(due);
    self->sleeps_until = due;
    if (pause)
        self->woken = false;
    while (!self->woken && !self->stop)
        if (pthread_cond_timedwait(&self->wake, &self->lock, &until) != 0)
            break;
    self->woken = false;
    self->sleeps_until = INT64_MIN;
    bool on = !self->stop;
    pthread_mutex_unlock(&self->lock);
    return on;
}

static void *run(void *arg)
{
    pt_sweep_t *self = arg;
    bool pause = false;
    while (wait_for_work(self, pause)) {
        pthread_mutex_lock(&self->lock);
        bool active = self->active, fresh = self->fresh;
        pthread_mutex_unlock(&self->lock);
        pause = active && work(self, fresh) != PT_PG_OK;
    }
    return NULL;
}

pt_sweep_t *pt_sweep_new(const char *uri, pt_links_t *links, pt_recorder_t *recorder)
{
    pt_sweep_t *self = zmalloc(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    pt_cond_init(&self->wake);
    self->rounds = pt_rounds_new();
    self->pg = pt_pg_new(uri);
    self->links = links;
    self->recorder = recorder;
    pthread_create(&self->thread, NULL, run, self);
    return self;
}

void pt_sweep_destroy(pt_sweep_t **self_p)
{
    pt_sweep_t *self = *self_p;
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    self->stop = true;
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    pt_rounds_destroy(&self->rounds);
    for (size_t i = 0; i < self->backlog_count; i++)
        pt_turns_clear(&self->backlogs[i].turns);
    pt_array_clear(&self->hinted);
    pt_pg_destroy(&self->pg);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

pt_sweep_counts_t pt_sweep_counts(pt_sweep_t *self)
{
    return (pt_sweep_counts_t){atomic_load(&self->handed_out), atomic_load(&self->asked),
                               atomic_load(&self->lost), atomic_load(&self->out)};
}
