#include "gateway/record/recorder.h"

#include "gateway/database/array.h"
#include "gateway/links/announce.h"
#include "gateway/record/batch_large.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#include <stdatomic.h>

#define BATCH_MAX 1000
#define QUEUE_MAX 20000
#define QUEUE_BYTES (64 * 1024 * 1024)
#define STATEMENT_MS 5000
#define BYTES_A_MS 2048 /* of payloads, that a slow server takes */
#define AGAIN_MS 100    /* doubled up to */
#define AGAIN_MOST_MS 2000

struct pt_recorder {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pt_fact_t *queue; /* a ring of QUEUE_MAX */
    size_t head, queued, bytes;
    bool stop, active;
    bool unsure;               /* a commit was not answered */
    atomic_bool reread;        /* the types' settings may be others */
    pt_patiences_t *patiences; /* the thread's own */
    pthread_t thread;
    pt_pg_t *pg;
    pt_links_t *links;
    pt_waits_fn *waits;
    pt_ended_fn *ended;
    void *context;
    pt_recorded_fn *done;
    void *done_context;
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

bool pt_recorder_take(pt_recorder_t *self, pt_fact_t *fact)
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
    return fits;
}

void pt_recorder_on_done(pt_recorder_t *self, pt_recorded_fn *done, void *context)
{
    self->done = done;
    self->done_context = context;
}

void pt_recorder_set_active(pt_recorder_t *self, bool active)
{
    pthread_mutex_lock(&self->lock);
    self->active = active;
    if (!active)
        drop_queue(self);
    pthread_mutex_unlock(&self->lock);
}

/* A fact that is larger than a batch is one alone. */
static bool fits_batch(const pt_recorder_t *self, size_t count, size_t bytes)
{
    return count == 0 ||
           (count < BATCH_MAX && bytes + self->queue[self->head].payload_size <= PT_BATCH_BYTES);
}

static size_t take_batch(pt_recorder_t *self, pt_item_t *items)
{
    size_t count = 0, bytes = 0;
    pthread_mutex_lock(&self->lock);
    while (self->queued == 0 && !self->stop)
        pthread_cond_wait(&self->wake, &self->lock);
    while (self->queued > 0 && fits_batch(self, count, bytes) && !self->stop) {
        memset(&items[count], 0, sizeof items[count]);
        items[count].fact = self->queue[self->head];
        self->head = (self->head + 1) % QUEUE_MAX;
        self->queued--;
        bytes += items[count++].fact.payload_size;
    }
    self->bytes -= bytes;
    if (self->queued == 0)
        self->head = 0; /* else the ring's whole memory, 30 MiB, would be used in time */
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

/* ---- settings ---------------------------------------------------------------------------- */

void pt_recorder_settings(pt_recorder_t *self)
{
    atomic_store(&self->reread, true);
}

static void read_patience(pt_patiences_t *to, const PGresult *rows, int row)
{
    pt_patience_t patience = pt_patience_default;
    patience.max_tries = (uint32_t)atoi(PQgetvalue(rows, row, 1));
    patience.retry_after_us = strtoll(PQgetvalue(rows, row, 2), NULL, 10);
    patience.retry_most_us = strtoll(PQgetvalue(rows, row, 3), NULL, 10);
    pt_patience_add(to, PQgetvalue(rows, row, 0), &patience);
}

/* Should it not succeed, what was known stands, and the next batch tries again. */
static void reread_settings(pt_recorder_t *self)
{
    PGresult *rows = NULL;
    if (!atomic_exchange(&self->reread, false))
        return;
    if (pt_pg_run(self->pg, &pt_sql_patiences, NULL, 0, STATEMENT_MS, &rows) != PT_PG_OK) {
        atomic_store(&self->reread, true);
        return;
    }
    self->patiences->count = 0;
    for (int row = 0; row < PQntuples(rows); row++)
        read_patience(self->patiences, rows, row);
    PQclear(rows);
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
    pt_batch_fold(batch, results[1], self->patiences);
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

static int deadline_of(const pt_batch_t *batch)
{
    size_t bytes = 0;
    for (size_t i = 0; i < batch->count; i++)
        bytes += batch->items[i].fact.payload_size;
    return STATEMENT_MS + (int)(bytes / BYTES_A_MS);
}

/* Writes what changed and commits, in one flight; the counters of the events are the last lock. */
static pt_pg_outcome_t write_and_commit(pt_recorder_t *self, pt_batch_t *batch)
{
    const char *update[13], *result[4], *events[8];
    pt_pg_step_t steps[4];
    PGresult *results[4];
    int count = 0, numbers = -1;
    if (batch->changed > 0)
        steps[count++] =
            (pt_pg_step_t){&pt_sql_update_jobs, update, texts(update, batch->update, 13)};
    if (batch->result_count > 0)
        steps[count++] =
            (pt_pg_step_t){&pt_sql_insert_results, result, texts(result, batch->results, 4)};
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

static void answer(pt_recorder_t *self, const pt_item_t *item)
{
    if (item->fact.from.link < 0) /* our own */
        return;
    pt_reply_t reply = pt_reply(item->fate, &item->fact.said, &item->fold, item->refusal != NULL);
    bool refused = reply.outcome && strcmp(reply.outcome, "refused") == 0;
    if (reply.verb != PT_VERBS)
        say(self, item, reply.verb, reply.outcome, refused ? item->refusal : NULL);
}

/* A job that is waiting again is handed out by the sweep; one that is out no longer makes room
   within a limit. */
static void tell_sweep(pt_recorder_t *self, const pt_batch_t *batch)
{
    bool ended = false;
    for (size_t i = 0; i < batch->row_count; i++) {
        const pt_row_t *row = &batch->rows[i];
        if (!row->job_type[0] || row->state == PT_OUT || row->state == PT_RUNNING)
            continue;
        ended = true;
        if (row->state == PT_WAITING)
            self->waits(self->context, row->job_type, row->due_in_us / 1000);
    }
    if (ended)
        self->ended(self->context);
}

static void count(pt_recorder_t *self, const pt_item_t *item)
{
    bool stale = pt_judged_stale(item->fate, &item->fold) || item->fate == PT_ITEM_MISFIT;
    atomic_fetch_add(item->fold.changed ? &self->recorded
                     : stale            ? &self->stale
                                        : &self->overtaken,
                     1);
    if (item->refusal)
        atomic_fetch_add(&self->refused, 1);
}

/* An ending that had been recorded before, or a commit without an answer: somewhere in between
   there may be events that nobody published. Subscribers learn of them by the edge. */
static void tell_edges(pt_recorder_t *self, const pt_batch_t *batch)
{
    pt_array_t orgs = {0};
    for (size_t i = 0; i < batch->count; i++) {
        const pt_item_t *item = &batch->items[i];
        bool ended = item->fate == PT_ITEM_JUDGED && item->fold.answer == PT_ANSWER_ENDED &&
                     item->fact.said.said == PT_SAID_ENDING;
        if (item->fate == PT_ITEM_JUDGED && (ended || self->unsure))
            pt_array_uuid(&orgs, &item->row->org_id);
    }
    if (orgs.count > 0)
        pt_refresh_edges(self->links, self->pg, pt_array_end(&orgs));
    self->unsure = false;
    pt_array_clear(&orgs);
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
    tell_edges(self, batch);
    atomic_fetch_add(&self->batches, 1);
}

/* ---- batches that do not go through ------------------------------------------------------ */

/* Forgets what folding said, so that the items can be folded against the rows as they are now. */
static void unfold(pt_item_t *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        items[i].row = NULL;
        items[i].fate = PT_ITEM_UNKNOWN;
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
    if (outcome == PT_PG_OK && batch.large_count > 0)
        outcome = pt_batch_write_large(&batch, self->pg, deadline_of(&batch));
    if (outcome == PT_PG_OK) {
        outcome = write_and_commit(self, &batch);
        self->unsure = self->unsure || outcome == PT_PG_AWAY;
    }
    if (outcome == PT_PG_OK)
        follow_up(self, &batch);
    pt_batch_clear(&batch);
    return outcome;
}

static void record(pt_recorder_t *self, pt_item_t *items, size_t count);

static void record_halves(pt_recorder_t *self, pt_item_t *items, size_t count)
{
    record(self, items, count / 2);
    record(self, items + count / 2, count - count / 2);
}

static bool same_organisation(const pt_item_t *a, const pt_item_t *b)
{
    return pt_uuid_equal(&a->fact.org_id, &b->fact.org_id);
}

/* Within one, in the order of before: facts about one job stay in the order of their arrival. */
static int by_organisation(const void *a, const void *b)
{
    const pt_item_t *left = a, *right = b;
    int order = pt_uuid_compare(&left->fact.org_id, &right->fact.org_id);
    return order ? order : (left->seq > right->seq) - (left->seq < right->seq);
}

/* Somebody holds the lock of one organisation's counter: the others do not wait for it, and what
   was said of its jobs is said again. Losses, which name no organisation, are tried one by one. */
static void record_each_organisation(pt_recorder_t *self, pt_item_t *items, size_t count)
{
    static const pt_uuid_t none;
    qsort(items, count, sizeof *items, by_organisation);
    for (size_t first = 0, next; first < count; first = next) {
        for (next = first + 1; next < count && same_organisation(&items[first], &items[next]);)
            next++;
        if (next - first < count)
            record(self, items + first, next - first);
        else if (count > 1 && pt_uuid_equal(&items[first].fact.org_id, &none))
            record_halves(self, items, count);
    }
}

/* One fact that the database does not take: an ending becomes one with a reason that it takes. */
static bool make_acceptable(pt_item_t *item)
{
    if (item->fact.said.said != PT_SAID_ENDING || item->refusal)
        return false;
    pt_item_refuse(item, "the database does not take it");
    return true;
}

/* What did not go through: in parts, or not at all. True: try the same once more. */
static bool once_more(pt_recorder_t *self, pt_item_t *items, size_t count, pt_pg_outcome_t outcome,
                      int pause_ms)
{
    pt_log(PT_WARNING, "status events could not be recorded", PT_N("facts", count),
           PT_S("why", pt_pg_error(self->pg)));
    if (outcome == PT_PG_LOCKED) {
        record_each_organisation(self, items, count);
        return false;
    }
    if (outcome == PT_PG_REFUSED && count > 1) { /* one bad fact must not fail the others */
        record_halves(self, items, count);
        return false;
    }
    if (outcome == PT_PG_REFUSED)
        return make_acceptable(items);
    usleep((useconds_t)pause_ms * 1000);
    return may_go_on(self);
}

static void record(pt_recorder_t *self, pt_item_t *items, size_t count)
{
    pt_pg_outcome_t outcome;
    int pause_ms = AGAIN_MS;
    while ((outcome = try_batch(self, items, count)) != PT_PG_OK) {
        if (!once_more(self, items, count, outcome, pause_ms))
            return;
        pause_ms = pause_ms < AGAIN_MOST_MS ? pause_ms * 2 : AGAIN_MOST_MS;
    }
}

/* ---- the thread -------------------------------------------------------------------------- */

static void *run(void *arg)
{
    pt_recorder_t *self = arg;
    pt_item_t *items = zmalloc(BATCH_MAX * sizeof *items);
    size_t count;
    while ((count = take_batch(self, items)) > 0) {
        reread_settings(self);
        record(self, items, count);
        unfold(items, count);
        for (size_t i = 0; i < count; i++) {
            if (self->done)
                self->done(self->done_context, &items[i].fact);
            free(items[i].fact.payload);
        }
    }
    free(items);
    return NULL;
}

pt_recorder_t *pt_recorder_new(const char *uri, pt_links_t *links, pt_waits_fn *waits,
                               pt_ended_fn *ended, void *context)
{
    pt_recorder_t *self = zmalloc(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    pt_cond_init(&self->wake);
    self->queue = zmalloc(QUEUE_MAX * sizeof *self->queue);
    self->pg = pt_pg_new(uri);
    self->links = links;
    self->waits = waits;
    self->ended = ended;
    self->patiences = zmalloc(sizeof *self->patiences);
    self->reread = true;
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
    free(self->patiences);
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
