/* As gateway/record/fetcher.c: large results are looked up, fetched in chunks, and then recorded.
 */
#include "gateway/record/transfers.h"

#include "tests/simulation/gateway_inside.h"

#define STATEMENT_MS 5000
#define AGAIN_MS 500

static void go(gateway_t *self);

static void send_fetch(void *context, const pt_ticket_t *to, const pt_uuid_t *job_id,
                       uint32_t attempt, uint64_t offset)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_FETCH);
    msg.job_id = *job_id;
    msg.attempt = attempt;
    msg.offset = offset;
    pt_msg_set(&msg, PT_F_JOB_ID);
    pt_msg_set(&msg, PT_F_ATTEMPT);
    pt_msg_set(&msg, PT_F_OFFSET);
    links_send(context, to, &msg, NULL, 0, 0);
}

static bool record(void *context, pt_fact_t *fact)
{
    return recorder_take(context, fact);
}

void fetcher_new(gateway_t *self)
{
    self->fetcher.transfers = pt_transfers_new(&(pt_transfers_sink_t){self, send_fetch, record});
}

void fetcher_destroy(gateway_t *self)
{
    pt_transfers_destroy(&self->fetcher.transfers);
}

void fetcher_set_active(gateway_t *self, bool active)
{
    self->fetcher.active = active;
    if (!active)
        pt_transfers_reset(self->fetcher.transfers);
}

void fetcher_take(gateway_t *self, const pt_fact_t *ending)
{
    if (!self->fetcher.active)
        return;
    pt_transfers_offer(self->fetcher.transfers, gateway_now(self), ending);
    go(self);
}

void fetcher_chunk(gateway_t *self, const pt_msg_t *chunk, const void *payload, size_t size)
{
    pt_transfers_chunk(self->fetcher.transfers, gateway_now(self), chunk, payload, size);
    go(self);
}

void fetcher_forget(gateway_t *self, const pt_uuid_t *job_id, uint32_t attempt)
{
    pt_transfers_forget(self->fetcher.transfers, job_id, attempt);
    go(self);
}

/* ---- its thread -------------------------------------------------------------------------- */

static void on_again(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    (void)world, (void)event;
    self->fetcher.pausing = false;
    go(self);
}

/* What nobody waits for the recorder answers, which needs no result for that. */
static void on_looked_up(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    fetcher_t *fetcher = &self->fetcher;
    const statement_t *answer = event->data;
    if ((uint64_t)event->number != fetcher->serial)
        return;
    fetcher->serial = 0;
    bool known = answer && answer->outcome == DB_OK, awaited = known && answer->number;
    pt_transfers_judged(fetcher->transfers, gateway_now(self), &fetcher->ending.said.job_id,
                        fetcher->ending.said.attempt, awaited);
    if (known && !awaited)
        recorder_take(self, &fetcher->ending);
    if (!known) {
        database_hang_up(world, node, BY_FETCHER);
        fetcher->pausing = true;
        after(world, node, AGAIN_MS * MS, on_again, 0, NULL);
    }
    go(self);
}

static void look_up(gateway_t *self)
{
    statement_t *ask = statement_new(DB_AWAITS_ENDING, 1);
    ask->count = 1;
    ask->items[0].job = job_find(self->world, &self->fetcher.ending.said.job_id);
    ask->items[0].attempt = self->fetcher.ending.said.attempt;
    self->fetcher.serial =
        database_ask(self->world, self->node, BY_FETCHER, ask, STATEMENT_MS, on_looked_up);
}

static void on_due(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    (void)world;
    if ((uint64_t)event->number == self->fetcher.planned)
        go(self);
}

static void go(gateway_t *self)
{
    fetcher_t *fetcher = &self->fetcher;
    if (fetcher->serial || fetcher->pausing)
        return;
    pt_transfers_tick(fetcher->transfers, gateway_now(self));
    if (pt_transfers_next(fetcher->transfers, &fetcher->ending)) {
        look_up(self);
        return;
    }
    int64_t due = pt_transfers_due(fetcher->transfers);
    if (due == INT64_MAX)
        return;
    int64_t delay = until_local(self->world, self->node, due);
    after(self->world, self->node, delay > MS ? delay : MS, on_due, (int64_t)++fetcher->planned,
          NULL);
}
