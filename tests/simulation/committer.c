/* As gateway/submit/committer.c: everything that waits becomes one transaction. */
#include "tests/simulation/gateway_inside.h"

#define STATEMENT_MS 3000
#define AGAIN_MS 100
#define PATIENCE_MS 5000

static void go_on(gateway_t *self);

static pt_ticket_t reserve(gateway_t *self, int job)
{
    return pt_credit_reserve(&self->credit, job_types[job_at(self->world, job)->type]);
}

static void take_batch(gateway_t *self)
{
    committer_t *committer = &self->committer;
    size_t taken = 0;
    committer->count = 0;
    for (; taken < committer->queued && committer->count < (size_t)self->world->settings.batch_max;
         taken++) {
        if (committer->until[taken] <= gateway_now(self)) /* its handler has left */
            continue;
        committer->batch[committer->count++] =
            (waiter_t){.job = committer->queue[taken],
                       .until = committer->until[taken],
                       .ticket = reserve(self, committer->queue[taken])};
    }
    committer->queued -= taken;
    memmove(committer->queue, committer->queue + taken, committer->queued * sizeof(int));
    memmove(committer->until, committer->until + taken, committer->queued * sizeof(int64_t));
    ranges_push(&committer->ranges, 0, committer->count);
}

static void follow_up(gateway_t *self, const statement_t *answer, range_t range)
{
    int64_t expires = gateway_now(self) + PT_SEND_WITHIN_MS;
    self->timeline = answer->timeline;
    for (size_t i = 0; i < range.count; i++) {
        waiter_t *waiter = &self->committer.batch[range.first + i];
        const item_t *item = &answer->items[i];
        bool made_now = item->seq > 0;
        waiter->created = true;
        if (item->is_out && made_now && waiter->ticket.link >= 0) {
            links_send_job(self, &waiter->ticket, waiter->job, 1, expires);
            waiter->ticket.link = -1; /* used */
        }
        if (!item->is_out || !made_now)
            sweep_waits(self, item->type, 0);
        if (made_now)
            links_announce(
                self, waiter->job, item->seq, !item->is_out,
                &(pt_event_t){
                    .type = "created", .status = "pending", .attempt = 1, .at = item->created_at});
    }
}

static void finish(gateway_t *self)
{
    committer_t *committer = &self->committer;
    for (size_t i = 0; i < committer->count; i++) {
        waiter_t *waiter = &committer->batch[i];
        pt_credit_release(&self->credit, &waiter->ticket,
                          job_types[job_at(self->world, waiter->job)->type]);
        if (waiter->created && waiter->until > gateway_now(self))
            client_accepted(self->world, self->node, waiter->job);
    }
    committer->count = 0;
}

/* Somebody holds one organisation's lock: the others do not wait for it. */
static void each_organisation(gateway_t *self)
{
    ranges_t *ranges = &self->committer.ranges;
    waiter_t sorted[BATCH_MOST];
    range_t range = ranges->items[--ranges->count];
    size_t n = 0, before;
    for (int org = 0; org < ORGS_MAX; org++) {
        before = n;
        for (size_t i = 0; i < range.count; i++)
            if (job_at(self->world, self->committer.batch[range.first + i].job)->org == org)
                sorted[n++] = self->committer.batch[range.first + i];
        if (n - before < range.count)
            ranges_push(ranges, range.first + before, n - before);
    }
    memcpy(self->committer.batch + range.first, sorted, n * sizeof *sorted);
}

static bool anybody_waits(const gateway_t *self, range_t range)
{
    for (size_t i = 0; i < range.count; i++)
        if (self->committer.batch[range.first + i].until > gateway_now(self))
            return true;
    return false;
}

static void on_again(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    (void)world, (void)event;
    self->committer.pausing = false;
    if (self->committer.ranges.count > 0 &&
        !anybody_waits(self, ranges_top(&self->committer.ranges)))
        self->committer.ranges.count--;
    go_on(self);
}

static void on_submitted(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    committer_t *committer = &self->committer;
    const statement_t *answer = event->data;
    if ((uint64_t)event->number != committer->serial)
        return;
    committer->serial = 0;
    if (answer && answer->outcome == DB_OK) {
        follow_up(self, answer, ranges_top(&committer->ranges));
        committer->ranges.count--;
    } else if (answer && answer->outcome == DB_WAS_LOCKED) {
        each_organisation(self);
    } else {
        database_hang_up(world, node, BY_COMMITTER);
        committer->pausing = true;
        after(world, node, AGAIN_MS * MS, on_again, 0, NULL);
    }
    go_on(self);
}

static void try_batch(gateway_t *self)
{
    committer_t *committer = &self->committer;
    range_t range = ranges_top(&committer->ranges);
    statement_t *ask = statement_new(DB_SUBMIT, range.count);
    ask->count = range.count;
    for (size_t i = 0; i < range.count; i++) {
        const waiter_t *waiter = &committer->batch[range.first + i];
        const job_t *job = job_at(self->world, waiter->job);
        ask->items[i] = (item_t){.job = waiter->job,
                                 .org = job->org,
                                 .type = job->type,
                                 .reserved = waiter->ticket.link >= 0};
    }
    committer->serial =
        database_ask(self->world, self->node, BY_COMMITTER, ask, STATEMENT_MS, on_submitted);
}

static void go_on(gateway_t *self)
{
    committer_t *committer = &self->committer;
    if (committer->serial || committer->pausing)
        return;
    if (committer->ranges.count == 0 && committer->count > 0)
        finish(self);
    if (committer->ranges.count == 0 && committer->queued > 0)
        take_batch(self);
    if (committer->ranges.count > 0)
        try_batch(self);
}

void committer_submit(gateway_t *self, int job)
{
    committer_t *committer = &self->committer;
    if (committer->queued == SUBMISSIONS_MAX || self->draining)
        return; /* 503 */
    committer->queue[committer->queued] = job;
    committer->until[committer->queued++] = gateway_now(self) + PATIENCE_MS;
    go_on(self);
}
