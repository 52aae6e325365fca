/* As gateway/record/recorder.c and batch.c: facts are folded into the locked rows, written,
 * committed; then the events are published and the workers answered. */
#include "tests/simulation/gateway_inside.h"

#define STATEMENT_MS 5000
#define AGAIN_MS 100
#define AGAIN_MOST_MS 2000

static void go_on(gateway_t *self);

bool recorder_take(gateway_t *self, pt_fact_t *fact)
{
    recorder_t *recorder = &self->recorder;
    if (!recorder->active || recorder->queued >= (size_t)self->world->settings.facts_max) {
        free(fact->payload);
        return false;
    }
    recorder->queue[recorder->queued++] = *fact;
    go_on(self);
    return true;
}

static void drop_queue(recorder_t *recorder)
{
    while (recorder->queued > 0)
        free(recorder->queue[--recorder->queued].payload);
}

void recorder_set_active(gateway_t *self, bool active)
{
    self->recorder.active = active;
    if (!active)
        drop_queue(&self->recorder);
}

static void drop_batch(recorder_t *recorder)
{
    while (recorder->count > 0)
        free(recorder->batch[--recorder->count].fact.payload);
}

/* What was fetched is recorded, or will be fetched anew: there is room for another. */
static void tell_fetcher(gateway_t *self)
{
    for (size_t i = 0; i < self->recorder.count; i++) {
        const pt_fact_t *fact = &self->recorder.batch[i].fact;
        if (fact->size > 0 && fact->payload)
            fetcher_forget(self, &fact->said.job_id, fact->said.attempt);
    }
}

/* Its bytes are all the job's number, as its pipeline wrote them. */
static bool is_whole(const pt_fact_t *fact, int job, size_t size)
{
    const uint8_t *bytes = fact->payload;
    for (size_t i = 1; i < 8 && fact->payload_size >= size; i++)
        if (bytes[fact->payload_size / 8 * i] != (uint8_t)job)
            return false;
    return fact->payload_size >= size;
}

/* A large result has come whole. */
static void check_result(gateway_t *self, const fact_item_t *item)
{
    int number = job_find(self->world, &item->fact.said.job_id);
    size_t large = number < 0 ? 0 : job_at(self->world, number)->large;
    if (item->fold.took_result && large > 0 && !is_whole(&item->fact, number, large))
        broken(self->world, "the result of job %d, %zu bytes, is recorded with %zu or other bytes",
               number, large, item->fact.payload_size);
}

void recorder_clear(gateway_t *self)
{
    drop_queue(&self->recorder);
    drop_batch(&self->recorder);
}

static int by_job(const void *a, const void *b)
{
    const fact_item_t *left = a, *right = b;
    int order = pt_uuid_compare(&left->fact.said.job_id, &right->fact.said.job_id);
    return order ? order : (left->arrival > right->arrival) - (left->arrival < right->arrival);
}

static void take_batch(gateway_t *self)
{
    recorder_t *recorder = &self->recorder;
    size_t most = (size_t)self->world->settings.batch_max, rest = 0;
    for (; recorder->count < most && rest < recorder->queued; rest++) {
        recorder->batch[recorder->count] = (fact_item_t){.fact = recorder->queue[rest]};
        recorder->batch[recorder->count].arrival = recorder->count;
        recorder->count++;
    }
    recorder->queued -= rest;
    memmove(recorder->queue, recorder->queue + rest, recorder->queued * sizeof(pt_fact_t));
    qsort(recorder->batch, recorder->count, sizeof *recorder->batch, by_job);
    recorder->pause_ms = AGAIN_MS;
    ranges_push(&recorder->ranges, 0, recorder->count);
}

/* ---- after the commit -------------------------------------------------------------------- */

static void answer(gateway_t *self, const fact_item_t *item)
{
    pt_reply_t reply = pt_reply(item->fate, &item->fact.said, &item->fold, item->refused);
    pt_msg_t msg;
    if (reply.verb == PT_VERBS)
        return;
    pt_msg_init(&msg, reply.verb);
    msg.job_id = item->fact.said.job_id;
    msg.attempt = item->fact.said.attempt;
    pt_msg_set(&msg, PT_F_JOB_ID);
    pt_msg_set(&msg, PT_F_ATTEMPT);
    if (reply.outcome)
        pt_msg_set_text(&msg, PT_F_OUTCOME, reply.outcome);
    links_send(self, &item->fact.from, &msg, NULL, 0, 0);
}

static void publish(gateway_t *self, const fact_item_t *item)
{
    if (item->fold.changed)
        links_announce(self, job_find(self->world, &item->fact.said.job_id), item->seq,
                       strcmp(item->fold.event.status, "pending") == 0, &item->fold.event);
}

static void tell_sweep(gateway_t *self, const fact_item_t *item)
{
    if (item->fate != PT_ITEM_JUDGED || item->row.state == PT_OUT || item->row.state == PT_RUNNING)
        return;
    if (item->row.state == PT_WAITING)
        sweep_waits(self, job_at(self->world, job_find(self->world, &item->row.job_id))->type,
                    item->row.due_in_us / 1000);
    sweep_ended(self);
}

static void on_edges(world_t *world, node_t *node, event_t *event)
{
    const statement_t *answer = event->data;
    if (!answer || answer->outcome != DB_OK)
        return;
    for (int org = 0; org < world->settings.orgs; org++)
        if (answer->number >> org & 1)
            links_note_edge(node->state, org, answer->seqs[org], answer->timeline);
}

/* Events that nobody published may be between: an ending that had been recorded before, or a commit
   without an answer. */
static void tell_edges(gateway_t *self, range_t range)
{
    statement_t *ask = statement_new(DB_EDGES, 0);
    for (size_t i = 0; i < range.count; i++) {
        const fact_item_t *item = &self->recorder.batch[range.first + i];
        bool ended = item->fold.answer == PT_ANSWER_ENDED && item->fact.said.said == PT_SAID_ENDING;
        if (item->fate == PT_ITEM_JUDGED && (ended || self->recorder.unsure))
            ask->number |= 1 << org_find(&item->row.org_id);
    }
    self->recorder.unsure = false;
    if (ask->number)
        database_ask(self->world, self->node, BY_RECORDER, ask, STATEMENT_MS, on_edges);
    else
        free(ask);
}

static void follow_up(gateway_t *self, const statement_t *written, range_t range)
{
    self->timeline = written->timeline;
    for (size_t i = 0; i < range.count; i++) {
        fact_item_t *item = &self->recorder.batch[range.first + i];
        item->seq = written->items[i].seq;
        check_result(self, item);
        publish(self, item);
        answer(self, item);
        tell_sweep(self, item);
    }
    tell_edges(self, range);
}

/* ---- what does not go through ------------------------------------------------------------ */

static void each_organisation(gateway_t *self)
{
    recorder_t *recorder = &self->recorder;
    range_t range = ranges_top(&recorder->ranges);
    fact_item_t sorted[BATCH_MOST];
    size_t n = 0, before;
    recorder->ranges.count--;
    for (int org = -1; org < ORGS_MAX; org++) { /* −1: losses, which name none */
        before = n;
        for (size_t i = 0; i < range.count; i++)
            if (org_find(&recorder->batch[range.first + i].fact.org_id) == org)
                sorted[n++] = recorder->batch[range.first + i];
        if (n - before < range.count)
            ranges_push(&recorder->ranges, range.first + before, n - before);
        else if (org < 0 && range.count > 1) {
            ranges_push(&recorder->ranges, range.first, range.count);
            ranges_halve(&recorder->ranges);
        }
    }
    memcpy(recorder->batch + range.first, sorted, n * sizeof *sorted);
}

/* One fact that the database does not take: an ending becomes one with a reason that it takes. */
static bool make_acceptable(fact_item_t *item)
{
    if (item->fact.said.said != PT_SAID_ENDING || item->refused)
        return false;
    item->refused = item->fact.said.refused = true;
    item->fact.said.completed = false;
    strcpy(item->fact.said.code, "invalid_result");
    strcpy(item->fact.said.message, "the database does not take it");
    return true;
}

static void refused(gateway_t *self)
{
    ranges_t *ranges = &self->recorder.ranges;
    range_t range = ranges_top(ranges);
    if (range.count > 1)
        ranges_halve(ranges);
    else if (!make_acceptable(&self->recorder.batch[range.first]))
        ranges->count--;
}

static void on_again(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    (void)world, (void)event;
    self->recorder.pausing = false;
    if (!self->recorder.active)
        self->recorder.ranges.count = 0;
    go_on(self);
}

static void failed(gateway_t *self, const statement_t *answer)
{
    recorder_t *recorder = &self->recorder;
    if (answer && answer->outcome == DB_WAS_LOCKED) {
        each_organisation(self);
    } else if (answer && answer->outcome == DB_WAS_REFUSED) {
        refused(self);
    } else {
        database_hang_up(self->world, self->node, BY_RECORDER);
        recorder->pausing = true;
        after(self->world, self->node, recorder->pause_ms * MS, on_again, 0, NULL);
        recorder->pause_ms =
            recorder->pause_ms < AGAIN_MOST_MS ? recorder->pause_ms * 2 : AGAIN_MOST_MS;
    }
}

/* ---- one transaction --------------------------------------------------------------------- */

static void on_written(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    recorder_t *recorder = &self->recorder;
    const statement_t *written = event->data;
    (void)world;
    if ((uint64_t)event->number != recorder->serial)
        return;
    recorder->serial = 0;
    if (written && written->outcome == DB_OK) {
        range_t range = ranges_top(&recorder->ranges);
        recorder->ranges.count--;
        follow_up(self, written, range);
    } else {
        recorder->unsure = recorder->unsure || !written || written->outcome == DB_AWAY;
        failed(self, written);
    }
    go_on(self);
}

/* Which row of the job table it asks for. */
static void cover(gateway_t *self, const pt_row_t *row, const pt_said_fact_t *said)
{
    pt_fact_kind_t kind = PT_FACT_LOST;
    bool ended = pt_state_ended(row->state);
    bool again = said->retry && (ended || row->tries + 1 < pt_patience_default.max_tries);
    if (!ended && said->attempt != row->attempt)
        return;
    if (said->said == PT_SAID_STARTED)
        kind = PT_FACT_STARTED;
    else if (said->said == PT_SAID_PROGRESS)
        kind = PT_FACT_PROGRESS;
    else if (said->said == PT_SAID_EXPIRED)
        kind = PT_FACT_EXPIRED;
    else if (said->said == PT_SAID_ENDING)
        kind = said->completed ? PT_FACT_COMPLETED : again ? PT_FACT_RETRY : PT_FACT_FAILED;
    self->world->coverage->rows[row->state][kind]++;
}

static void fold(gateway_t *self, const statement_t *locked, range_t range, statement_t *write)
{
    pt_row_t row;
    for (size_t i = 0; i < range.count; i++) {
        fact_item_t *item = &self->recorder.batch[range.first + i];
        const item_t *found = &locked->items[i];
        const pt_fact_t *next = i + 1 < range.count ? &item[1].fact : NULL;
        if (i == 0 || !pt_uuid_equal(&item->fact.said.job_id, &item[-1].fact.said.job_id))
            row = found->row;
        memset(&item->fold, 0, sizeof item->fold);
        item->fate = found->exists ? PT_ITEM_HELD : PT_ITEM_UNKNOWN;
        if (found->locked) {
            cover(self, &row, &item->fact.said);
            item->fate =
                pt_judge(&row, &item->fact, next, locked->now, &pt_patience_default, &item->fold);
        }
        item->row = row;
        write->items[i] = (item_t){.job = found->job,
                                   .changed = item->fold.changed,
                                   .took_result = item->fold.took_result,
                                   .refused = item->refused,
                                   .row = row,
                                   .event = item->fold.event};
    }
}

static void on_locked(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    recorder_t *recorder = &self->recorder;
    const statement_t *locked = event->data;
    if ((uint64_t)event->number != recorder->serial)
        return;
    recorder->serial = 0;
    if (!locked || locked->outcome != DB_OK) {
        failed(self, locked);
        go_on(self);
        return;
    }
    range_t range = ranges_top(&recorder->ranges);
    statement_t *write = statement_new(DB_WRITE, range.count);
    write->count = range.count;
    write->transaction = locked->transaction;
    fold(self, locked, range, write);
    recorder->serial = database_ask(world, node, BY_RECORDER, write, STATEMENT_MS, on_written);
}

static void try_batch(gateway_t *self)
{
    recorder_t *recorder = &self->recorder;
    range_t range = ranges_top(&recorder->ranges);
    statement_t *ask = statement_new(DB_LOCK_ROWS, range.count);
    ask->count = range.count;
    for (size_t i = 0; i < range.count; i++)
        ask->items[i].job =
            job_find(self->world, &recorder->batch[range.first + i].fact.said.job_id);
    recorder->serial =
        database_ask(self->world, self->node, BY_RECORDER, ask, STATEMENT_MS, on_locked);
}

static void go_on(gateway_t *self)
{
    recorder_t *recorder = &self->recorder;
    if (recorder->serial || recorder->pausing)
        return;
    if (recorder->ranges.count == 0) {
        tell_fetcher(self);
        drop_batch(recorder);
        if (recorder->queued > 0)
            take_batch(self);
    }
    if (recorder->ranges.count > 0)
        try_batch(self);
}
