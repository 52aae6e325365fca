/* Large results: they are written somewhere, kept until settled, and read in pieces. */
#include "tests/simulation/worker_inside.h"

#include "proto/chunks.h"

static void on_spooled(world_t *world, node_t *node, event_t *event)
{
    worker_t *self = node->state;
    uint8_t digest[PT_DIGEST_SIZE];
    const pt_ref_t *ref = event->data;
    const kept_t *kept = spool_find(&self->spool, &ref->job_id, ref->attempt);
    (void)world;
    if (kept)
        pt_digest(kept->data, kept->size, digest);
    worker_step(self, &(pt_input_t){.kind = PT_IN_SPOOLED,
                                    .job_id = ref->job_id,
                                    .attempt = ref->attempt,
                                    .digest = kept ? digest : NULL,
                                    .why = kept ? NULL : "the disk is full"});
}

static pt_ref_t *ref_of(const pt_output_t *output)
{
    pt_ref_t *ref = must_alloc(sizeof *ref);
    ref->job_id = output->job_id;
    ref->attempt = output->attempt;
    return ref;
}

void worker_keep(worker_t *self, const pt_output_t *output)
{
    if (!chance(self->world, self->world->settings.spool_fails))
        spool_put(&self->spool, &output->job_id, output->attempt, output->payload,
                  output->payload_size);
    after(self->world, self->node, draw(self->world, 1 * MS, 60 * MS), on_spooled, 0,
          ref_of(output));
}

static void on_unreadable(world_t *world, node_t *node, event_t *event)
{
    const pt_ref_t *ref = event->data;
    (void)world;
    worker_step(node->state, &(pt_input_t){.kind = PT_IN_UNREADABLE,
                                           .job_id = ref->job_id,
                                           .attempt = ref->attempt,
                                           .why = "the file is damaged"});
}

void worker_send_chunk(worker_t *self, const pt_output_t *output)
{
    const kept_t *kept = spool_find(&self->spool, &output->job_id, output->attempt);
    if (!kept || chance(self->world, self->world->settings.spool_fails / 5)) {
        after(self->world, self->node, 0, on_unreadable, 0, ref_of(output));
        return;
    }
    msgpack_sbuffer payload;
    msgpack_packer to;
    msgpack_sbuffer_init(&payload);
    msgpack_packer_init(&to, &payload, msgpack_sbuffer_write);
    msgpack_pack_bin(&to, output->bytes);
    msgpack_pack_bin_body(&to, kept->data + output->offset, output->bytes);
    parcel_t *parcel =
        parcel_new(NULL, 0, output->head, output->head_size, payload.data, payload.size);
    msgpack_sbuffer_destroy(&payload);
    if (!network_up(self->world, self->node, self->broker, parcel))
        self->send_failed = true;
}
