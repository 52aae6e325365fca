#include "gateway/record/fetcher.h"

#include "gateway/store/move.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#define STATEMENT_MS 5000
#define AGAIN_MS 500 /* after an error */

struct pt_fetcher {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, active, woken;
    pt_transfers_t *transfers;
    pthread_t thread;
    pt_pg_t *pg;
    pt_links_t *links;
    pt_recorder_t *recorder, *large;
};

static void wake_locked(pt_fetcher_t *self)
{
    self->woken = true;
    pthread_cond_signal(&self->wake);
}

/* ---- what the transfers want ------------------------------------------------------------- */

static void send_fetch(void *context, const pt_ticket_t *to, const pt_uuid_t *job_id,
                       uint32_t attempt, uint64_t offset)
{
    pt_fetcher_t *self = context;
    pt_msg_t msg;
    pt_msg_init(&msg, PT_FETCH);
    msg.job_id = *job_id;
    msg.attempt = attempt;
    msg.offset = offset;
    pt_msg_set(&msg, PT_F_JOB_ID);
    pt_msg_set(&msg, PT_F_ATTEMPT);
    pt_msg_set(&msg, PT_F_OFFSET);
    pt_links_send(self->links, to, &msg, NULL, 0, 0);
}

static bool record(void *context, pt_fact_t *fact)
{
    return pt_recorder_take(((pt_fetcher_t *)context)->large, fact);
}

static void on_recorded(void *context, const pt_fact_t *fact)
{
    pt_fetcher_t *self = context;
    pthread_mutex_lock(&self->lock);
    pt_transfers_forget(self->transfers, &fact->said.job_id, fact->said.attempt);
    wake_locked(self); /* there is room for another */
    pthread_mutex_unlock(&self->lock);
}

/* ---- from the links' thread -------------------------------------------------------------- */

void pt_fetcher_take(pt_fetcher_t *self, const pt_fact_t *ending)
{
    pthread_mutex_lock(&self->lock);
    if (self->active) {
        pt_transfers_offer(self->transfers, pt_clock_ms(), ending);
        wake_locked(self);
    }
    pthread_mutex_unlock(&self->lock);
}

void pt_fetcher_chunk(pt_fetcher_t *self, const pt_msg_t *chunk, const void *payload, size_t size)
{
    pthread_mutex_lock(&self->lock);
    pt_transfers_chunk(self->transfers, pt_clock_ms(), chunk, payload, size);
    pthread_mutex_unlock(&self->lock);
}

void pt_fetcher_gone(pt_fetcher_t *self, const pt_uuid_t *job_id, uint32_t attempt)
{
    pthread_mutex_lock(&self->lock);
    pt_transfers_forget(self->transfers, job_id, attempt);
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
}

void pt_fetcher_set_active(pt_fetcher_t *self, bool active)
{
    pthread_mutex_lock(&self->lock);
    self->active = active;
    if (!active)
        pt_transfers_reset(self->transfers);
    pthread_mutex_unlock(&self->lock);
}

/* ---- the thread -------------------------------------------------------------------------- */

static pt_pg_outcome_t is_awaited(pt_fetcher_t *self, const pt_fact_t *ending, bool *awaited)
{
    char id[PT_UUID_TEXT], org[PT_UUID_TEXT], attempt[16];
    snprintf(attempt, sizeof attempt, "%u", ending->said.attempt);
    const char *params[] = {pt_uuid_format(&ending->said.job_id, id),
                            pt_uuid_format(&ending->org_id, org), ending->job_type, attempt};
    PGresult *row = NULL;
    pt_pg_outcome_t outcome =
        pt_pg_run(self->pg, &pt_sql_awaits_ending, params, 4, STATEMENT_MS, &row);
    *awaited = outcome == PT_PG_OK && *PQgetvalue(row, 0, 0) == 't';
    PQclear(row);
    return outcome;
}

/* Looks one ending up. What nobody waits for the recorder answers, which needs no result for that.
   False: the database is away. */
static bool look_up(pt_fetcher_t *self, pt_fact_t *ending)
{
    bool awaited;
    pt_pg_outcome_t outcome = is_awaited(self, ending, &awaited);
    if (outcome != PT_PG_OK)
        pt_log(PT_WARNING, "a large result could not be looked up",
               PT_S("why", pt_pg_error(self->pg)));
    pthread_mutex_lock(&self->lock);
    pt_transfers_judged(self->transfers, pt_clock_ms(), &ending->said.job_id, ending->said.attempt,
                        awaited);
    pthread_mutex_unlock(&self->lock);
    if (outcome == PT_PG_OK && !awaited)
        pt_recorder_take(self->recorder, ending);
    return outcome == PT_PG_OK;
}

/* Waits for a wake-up or for what is overdue; false: stop. */
static bool wait_for_work(pt_fetcher_t *self, bool pause)
{
    int64_t due = pause ? pt_clock_ms() + AGAIN_MS : pt_transfers_due(self->transfers);
    self->woken = self->woken && !pause;
    while (!self->woken && !self->stop && pt_clock_ms() < due) {
        struct timespec until = pt_until(due);
        if (due == INT64_MAX)
            pthread_cond_wait(&self->wake, &self->lock);
        else
            pthread_cond_timedwait(&self->wake, &self->lock, &until);
        due = pause ? due : pt_transfers_due(self->transfers);
    }
    self->woken = false;
    return !self->stop;
}

static void *run(void *arg)
{
    pt_fetcher_t *self = arg;
    pt_fact_t ending;
    bool pause = false;
    pthread_mutex_lock(&self->lock);
    while (wait_for_work(self, pause)) {
        pause = false;
        pt_transfers_tick(self->transfers, pt_clock_ms());
        while (!pause && pt_transfers_next(self->transfers, &ending)) {
            pthread_mutex_unlock(&self->lock);
            pause = !look_up(self, &ending);
            pthread_mutex_lock(&self->lock);
        }
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

pt_fetcher_t *pt_fetcher_new(const char *uri, pt_links_t *links, pt_recorder_t *recorder,
                             pt_recorder_t *large)
{
    pt_fetcher_t *self = zmalloc(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    pt_cond_init(&self->wake);
    self->transfers = pt_transfers_new(&(pt_transfers_sink_t){self, send_fetch, record});
    self->pg = pt_pg_new(uri);
    self->links = links;
    self->recorder = recorder;
    self->large = large;
    pt_recorder_on_done(large, on_recorded, self);
    pthread_create(&self->thread, NULL, run, self);
    return self;
}

void pt_fetcher_stop(pt_fetcher_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->stop = true;
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
}

void pt_fetcher_destroy(pt_fetcher_t **self_p)
{
    pt_fetcher_t *self = *self_p;
    if (!self)
        return;
    pt_transfers_destroy(&self->transfers);
    pt_pg_destroy(&self->pg);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

pt_fetcher_counts_t pt_fetcher_counts(pt_fetcher_t *self)
{
    uint64_t recorded = pt_recorder_counts(self->large).recorded;
    pthread_mutex_lock(&self->lock);
    pt_transfers_counts_t now = pt_transfers_counts(self->transfers);
    pthread_mutex_unlock(&self->lock);
    return (pt_fetcher_counts_t){now.waiting, now.running, now.bytes, recorded};
}
