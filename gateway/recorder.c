#include "gateway/recorder.h"

#include "gateway/announce.h"
#include "gateway/batch.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#include <stdatomic.h>

#define BATCH_MAX 1000
#define BATCH_BYTES (8 * 1024 * 1024)
#define QUEUE_MAX 20000
#define QUEUE_BYTES (64 * 1024 * 1024)
#define STATEMENT_MS 5000
#define AGAIN_MS 200

struct pt_recorder {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pt_fact_t *queue; /* a ring of QUEUE_MAX */
    size_t head, queued, bytes;
    bool stop, active;
    pthread_t thread;
    pt_pg_t *pg;
    pt_links_t *links;
    pt_waits_fn *waits;
    void *context;
    _Atomic uint64_t recorded, stale, overtaken, refused, batches;
};

/* ---- the queue --------------------------------------------------------------------------- */

static void drop_queue(pt_recorder_t *self)
{
    for (; self->queued > 0; self->queued--) {
        free(self->queue[self->head].payload);
        self->head = (self->head + 1) % QUEUE_MAX;
    }
    self->bytes = 0;
}

void pt_recorder_take(pt_recorder_t *self, pt_fact_t *fact)
{
    pthread_mutex_lock(&self->lock);
    bool fits =
        self->active && self->queued < QUEUE_MAX && self->bytes + fact->payload_size <= QUEUE_BYTES;
    if (fits) {
        self->queue[(self->head + self->queued++) % QUEUE_MAX] = *fact;
        self->bytes += fact->payload_size;
        pthread_cond_signal(&self->wake);
    }
    pthread_mutex_unlock(&self->lock);
    if (!fits)
        free(fact->payload);
    fact->payload = NULL;
}

void pt_recorder_set_active(pt_recorder_t *self, bool active)
{
    pthread_mutex_lock(&self->lock);
    self->active = active;
    if (!active)
        drop_queue(self);
    pthread_mutex_unlock(&self->lock);
}

static size_t take_batch(pt_recorder_t *self, pt_item_t *items)
{
    size_t count = 0, bytes = 0;
    pthread_mutex_lock(&self->lock);
    while (self->queued == 0 && !self->stop)
        pthread_cond_wait(&self->wake, &self->lock);
    while (self->queued > 0 && count < BATCH_MAX && bytes < BATCH_BYTES && !self->stop) {
        memset(&items[count], 0, sizeof items[count]);
        items[count].fact = self->queue[self->head];
        self->head = (self->head + 1) % QUEUE_MAX;
        self->queued--;
        bytes += items[count++].fact.payload_size;
    }
    self->bytes -= bytes;
    pthread_mutex_unlock(&self->lock);
    return count;
}

static bool may_go_on(pt_recorder_t *self)
{
    pthread_mutex_lock(&self->lock);
    bool on = self->active && !self->stop;
    pthread_mutex_unlock(&self->lock);
    return on;
}

/* ---- one transaction --------------------------------------------------------------------- */

static pt_pg_outcome_t lock_and_fold(pt_recorder_t *self, pt_batch_t *batch)
{
    const char *ids = batch->ids.text;
    pt_pg_step_t steps[] = {{&pt_sql_begin, NULL, 0}, {&pt_sql_lock_jobs, &ids, 1}};
    PGresult *results[2];
    pt_pg_outcome_t outcome = pt_pg_flight(self->pg, steps, 2, STATEMENT_MS, results);
    if (outcome != PT_PG_OK)
        return outcome;
    pt_batch_fold(batch, results[1], &pt_patience_default);
    PQclear(results[0]);
    PQclear(results[1]);
    return PT_PG_OK;
}

static int texts(const char **to, const pt_array_t *arrays, int count)
{
    for (int i = 0; i < count; i++)
        to[i] = arrays[i].text;
    return count;
}

/* Writes what changed and commits, in one flight; the counters of the events are the last lock. */
static pt_pg_outcome_t write_and_commit(pt_recorder_t *self, pt_batch_t *batch)
{
    const char *update[12], *result[3], *events[8];
    pt_pg_step_t steps[4];
    PGresult *results[4];
    int count = 0, numbers = -1;
    if (batch->changed > 0)
        steps[count++] =
            (pt_pg_step_t){&pt_sql_update_jobs, update, texts(update, batch->update, 12)};
    if (batch->result_count > 0)
        steps[count++] =
            (pt_pg_step_t){&pt_sql_insert_results, result, texts(result, batch->results, 3)};
    if (batch->event_count > 0) {
        numbers = count;
        steps[count++] =
            (pt_pg_step_t){&pt_sql_append_events, events, texts(events, batch->events, 8)};
    }
    steps[count++] = (pt_pg_step_t){&pt_sql_commit, NULL, 0};
    pt_pg_outcome_t outcome = pt_pg_flight(self->pg, steps, count, STATEMENT_MS, results);
    if (outcome != PT_PG_OK)
        return outcome;
    if (numbers >= 0)
        pt_batch_number(batch, results[numbers]);
    for (int i = 0; i < count; i++)
        PQclear(results[i]);
    return PT_PG_OK;
}

/* ---- after the commit -------------------------------------------------------------------- */

static void publish(pt_recorder_t *self, const pt_item_t *item)
{
    pt_announcement_t about = {.job_id = item->row->job_id,
                               .org_id = item->row->org_id,
                               .job_type = item->row->job_type,
                               .seq = item->seq,
                               .timeline = pt_pg_timeline(self->pg),
                               .waiting = strcmp(item->fold.event.status, "pending") == 0};
    pt_announce(self->links, &about, &item->fold.event);
}

static void say(pt_recorder_t *self, const pt_item_t *item, pt_verb_t verb, const char *outcome,
                const char *reason)
{
    pt_msg_t msg;
    pt_msg_init(&msg, verb);
    msg.job_id = item->fact.said.job_id;
    msg.attempt = item->fact.said.attempt;
    pt_msg_set(&msg, PT_F_JOB_ID);
    pt_msg_set(&msg, PT_F_ATTEMPT);
    if (outcome)
        pt_msg_set_text(&msg, PT_F_OUTCOME, outcome);
    if (reason)
        pt_msg_set_text(&msg, PT_F_REASON, reason);
    pt_links_send(self->links, &item->fact.from, &msg, NULL, 0, 0);
}

static bool is_stale(const pt_item_t *item)
{
    return !item->known || item->fold.answer == PT_ANSWER_STALE ||
           item->fold.answer == PT_ANSWER_ENDED;
}

static void answer(pt_recorder_t *self, const pt_item_t *item)
{
    pt_said_t said = item->fact.said.said;
    if (said == PT_SAID_LOST)
        return;
    if (said != PT_SAID_ENDING) {
        if (is_stale(item))
            say(self, item, PT_STOP, NULL, NULL);
        return;
    }
    if (!item->known)
        say(self, item, PT_SETTLED, "unknown", NULL);
    else if (item->refusal && item->fold.answer == PT_ANSWER_COMMITTED)
        say(self, item, PT_SETTLED, "refused", item->refusal);
    else
        say(self, item, PT_SETTLED, pt_answer_outcome(item->fold.answer), NULL);
}

/* A job that is waiting again is handed out by the sweep. */
static void tell_sweep(pt_recorder_t *self, const pt_batch_t *batch)
{
    for (size_t i = 0; i < batch->row_count; i++)
        if (batch->rows[i].state == PT_WAITING)
            self->waits(self->context, batch->rows[i].job_type, batch->rows[i].due_in_us / 1000);
}

static void count(pt_recorder_t *self, const pt_item_t *item)
{
    atomic_fetch_add(item->fold.changed ? &self->recorded
                     : is_stale(item)   ? &self->stale
                                        : &self->overtaken,
                     1);
    if (item->refusal)
        atomic_fetch_add(&self->refused, 1);
}

static void follow_up(pt_recorder_t *self, pt_batch_t *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const pt_item_t *item = &batch->items[i];
        if (item->fold.changed)
            publish(self, item);
        answer(self, item);
        count(self, item);
    }
    tell_sweep(self, batch);
    atomic_fetch_add(&self->batches, 1);
}

/* ---- batches that do not go through ------------------------------------------------------ */

/* Forgets what folding said, so that the items can be folded against the rows as they are now. */
static void unfold(pt_item_t *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        items[i].row = NULL;
        items[i].known = false;
        memset(&items[i].fold, 0, sizeof items[i].fold);
        pt_rendered_clear(&items[i].result);
    }
}

static pt_pg_outcome_t try_batch(pt_recorder_t *self, pt_item_t *items, size_t count)
{
    pt_batch_t batch;
    unfold(items, count);
    pt_batch_init(&batch, items, count);
    pt_pg_outcome_t outcome = lock_and_fold(self, &batch);
    if (outcome == PT_PG_OK)
        outcome = write_and_commit(self, &batch);
    if (outcome == PT_PG_OK)
        follow_up(self, &batch);
    pt_batch_clear(&batch);
    return outcome;
}

static void record(pt_recorder_t *self, pt_item_t *items, size_t count)
{
    pt_pg_outcome_t outcome;
    while ((outcome = try_batch(self, items, count)) != PT_PG_OK) {
        pt_log(PT_WARNING, "status events could not be recorded", PT_N("facts", count),
               PT_S("why", pt_pg_error(self->pg)));
        if (outcome == PT_PG_REFUSED && count > 1) { /* one bad fact must not fail the others */
            record(self, items, count / 2);
            record(self, items + count / 2, count - count / 2);
            return;
        }
        if (outcome == PT_PG_REFUSED && items->fact.said.completed) {
            pt_item_refuse(items, "the database does not take it");
            continue;
        }
        if (outcome == PT_PG_REFUSED) {
            pt_log(PT_ERROR, "a status event was given up", PT_S("why", pt_pg_error(self->pg)));
            return;
        }
        if (!may_go_on(self))
            return;
        usleep(AGAIN_MS * 1000);
    }
}

/* ---- the thread -------------------------------------------------------------------------- */

static void *run(void *arg)
{
    pt_recorder_t *self = arg;
    pt_item_t *items = zmalloc(BATCH_MAX * sizeof *items);
    size_t count;
    while ((count = take_batch(self, items)) > 0) {
        record(self, items, count);
        unfold(items, count);
        for (size_t i = 0; i < count; i++)
            free(items[i].fact.payload);
    }
    free(items);
    return NULL;
}

pt_recorder_t *pt_recorder_new(const char *uri, pt_links_t *links, pt_waits_fn *waits,
                               void *context)
{
    pt_recorder_t *self = zmalloc(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    pt_cond_init(&self->wake);
    self->queue = zmalloc(QUEUE_MAX * sizeof *self->queue);
    self->pg = pt_pg_new(uri);
    self->links = links;
    self->waits = waits;
    self->context = context;
    pthread_create(&self->thread, NULL, run, self);
    return self;
}

void pt_recorder_destroy(pt_recorder_t **self_p)
{
    pt_recorder_t *self = *self_p;
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    self->stop = true;
    drop_queue(self);
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    pt_pg_destroy(&self->pg);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self->queue);
    free(self);
    *self_p = NULL;
}

pt_recorder_counts_t pt_recorder_counts(pt_recorder_t *self)
{
    pthread_mutex_lock(&self->lock);
    uint64_t queue = self->queued;
    pthread_mutex_unlock(&self->lock);
    return (pt_recorder_counts_t){queue,
                                  atomic_load(&self->recorded),
                                  atomic_load(&self->stale),
                                  atomic_load(&self->overtaken),
                                  atomic_load(&self->refused),
                                  atomic_load(&self->batches)};
}
