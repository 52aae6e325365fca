/* As gateway/dispatch/supplier.c: workers fetch large inputs, which are read from the table and
 * kept for a while. */
#include "tests/simulation/gateway_inside.h"
#include "tests/simulation/inputs.h"

#define STATEMENT_MS 30000

static void go(gateway_t *self);

static void send_chunk(gateway_t *self, const fetch_t *fetch, const pt_supply_t *kept)
{
    pt_msg_t msg;
    msgpack_sbuffer payload;
    msgpack_packer to;
    size_t left = kept->size - fetch->offset, size = left < PT_CHUNK_MAX ? left : PT_CHUNK_MAX;
    if (fetch->offset >= kept->size || fetch->offset % PT_CHUNK_MAX != 0)
        return;
    msgpack_sbuffer_init(&payload);
    msgpack_packer_init(&to, &payload, msgpack_sbuffer_write);
    msgpack_pack_bin(&to, size);
    msgpack_pack_bin_body(&to, kept->data + fetch->offset, size);
    links_about_job(&msg, PT_CHUNK, &fetch->job_id, fetch->attempt);
    msg.offset = fetch->offset;
    pt_msg_set(&msg, PT_F_OFFSET);
    links_send(self, &fetch->from, &msg, payload.data, payload.size, 0);
    msgpack_sbuffer_destroy(&payload);
}

static void send_stop(gateway_t *self, const fetch_t *fetch)
{
    pt_msg_t msg;
    sight(self->world, SIGHT_INPUTS_UNWANTED);
    links_about_job(&msg, PT_STOP, &fetch->job_id, fetch->attempt);
    links_send(self, &fetch->from, &msg, NULL, 0, 0);
}

/* Never more in memory than allowed, one job's inputs aside. */
static const pt_supply_t *keep(gateway_t *self, const fetch_t *fetch)
{
    pt_supplies_t *supplies = &self->supplier.supplies;
    msgpack_sbuffer inputs;
    size_t before = supplies->bytes;
    msgpack_sbuffer_init(&inputs);
    inputs_write(self->world, job_find(self->world, &fetch->job_id), &inputs);
    size_t size = inputs.size;
    const pt_supply_t *kept =
        pt_supplies_keep(supplies, &fetch->job_id, fetch->attempt, msgpack_sbuffer_release(&inputs),
                         size, gateway_now(self));
    if (supplies->bytes > supplies->most && supplies->bytes > size)
        broken(self->world, "%s keeps %zu bytes of inputs", node_name(self->node), supplies->bytes);
    if (supplies->bytes < before + size)
        sight(self->world, SIGHT_INPUTS_DROPPED);
    return kept;
}

static void on_read(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    supplier_t *supplier = &self->supplier;
    const statement_t *answer = event->data;
    if ((uint64_t)event->number != supplier->serial)
        return;
    supplier->serial = 0;
    if (!answer || answer->outcome == DB_AWAY)
        database_hang_up(world, node, BY_SUPPLIER);
    else if (answer->outcome == DB_OK && answer->number)
        send_chunk(self, &supplier->fetch, keep(self, &supplier->fetch));
    else if (answer->outcome == DB_OK)
        send_stop(self, &supplier->fetch);
    go(self);
}

/* From the table, of the attempt that is current and has not ended. */
static void read_inputs(gateway_t *self)
{
    const fetch_t *fetch = &self->supplier.fetch;
    statement_t *ask = statement_new(DB_AWAITS_ENDING, 1);
    ask->count = 1;
    ask->items[0].job = job_find(self->world, &fetch->job_id);
    ask->items[0].attempt = fetch->attempt;
    self->supplier.serial =
        database_ask(self->world, self->node, BY_SUPPLIER, ask, STATEMENT_MS, on_read);
}

static void go(gateway_t *self)
{
    supplier_t *supplier = &self->supplier;
    pt_supplies_drop_unused(&supplier->supplies, gateway_now(self));
    while (!supplier->serial && supplier->queued > 0) {
        supplier->fetch = supplier->queue[0];
        memmove(supplier->queue, supplier->queue + 1, --supplier->queued * sizeof(fetch_t));
        const pt_supply_t *kept = pt_supplies_find(&supplier->supplies, &supplier->fetch.job_id,
                                                   supplier->fetch.attempt, gateway_now(self));
        if (kept)
            send_chunk(self, &supplier->fetch, kept);
        else
            read_inputs(self);
    }
}

void supplier_new(gateway_t *self)
{
    self->supplier.supplies.most = self->world->settings.supply_bytes;
}

void supplier_destroy(gateway_t *self)
{
    pt_supplies_clear(&self->supplier.supplies);
}

void supplier_asked(gateway_t *self, const pt_ticket_t *from, const pt_msg_t *fetch)
{
    supplier_t *supplier = &self->supplier;
    const job_t *job = job_at(self->world, job_find(self->world, &fetch->job_id));
    if (!pt_uuid_equal(&job->sender, &self->instance))
        sight(self->world, SIGHT_INPUTS_BY_ANOTHER);
    if (supplier->queued == FETCHES_MAX || chance(self->world, self->world->settings.fetch_loss))
        return; /* its queue is full */
    supplier->queue[supplier->queued++] =
        (fetch_t){*from, fetch->job_id, fetch->attempt, fetch->offset};
    go(self);
}
