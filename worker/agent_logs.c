#include "worker/agent_inside.h"

#define PIECE_EVERY_MS 500 /* of each job, while it runs */

static void pack(msgpack_sbuffer *to, const pt_piece_t *piece)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, to, msgpack_sbuffer_write);
    msgpack_pack_str(&packer, piece->size);
    msgpack_pack_str_body(&packer, piece->text, piece->size);
}

static void about(const pt_agent_t *self, const agent_slot_t *slot, uint64_t offset, pt_msg_t *msg)
{
    pt_msg_init(msg, PT_LOG);
    msg->job_id = slot->job.job_id;
    msg->org_id = slot->job.org_id;
    msg->attempt = slot->job.attempt;
    msg->at = self->now.us;
    msg->offset = offset;
    pt_msg_set(msg, PT_F_JOB_ID);
    pt_msg_set(msg, PT_F_ORG_ID);
    pt_msg_set(msg, PT_F_ATTEMPT);
    pt_msg_set(msg, PT_F_AT);
    pt_msg_set(msg, PT_F_OFFSET);
    pt_msg_set_text(msg, PT_F_JOB_TYPE, agent_slot_job_type(self, slot));
}

void logs_written(pt_agent_t *self, agent_slot_t *slot, const char *text, size_t size)
{
    (void)self;
    if (slot->state == SLOT_BUSY)
        pt_transcript_add(&slot->job.wrote, text, size);
}

static void publish_next(pt_agent_t *self, agent_slot_t *slot)
{
    pt_piece_t piece;
    if (self->now.ms < slot->job.log_due || !pt_transcript_next(&slot->job.wrote, &piece))
        return;
    pt_msg_t msg;
    msgpack_sbuffer payload;
    msgpack_sbuffer_init(&payload);
    about(self, slot, piece.offset, &msg);
    pack(&payload, &piece);
    pt_outputs_publish_with(&self->out, &msg, payload.data, payload.size);
    msgpack_sbuffer_destroy(&payload);
    slot->job.log_due = self->now.ms + PIECE_EVERY_MS;
}

void logs_tick(pt_agent_t *self)
{
    for (size_t i = 0; self->phase == PHASE_SESSION && i < self->slot_count; i++)
        if (self->slots[i].state == SLOT_BUSY)
            publish_next(self, &self->slots[i]);
}

int64_t logs_deadline(const pt_agent_t *self)
{
    int64_t due = NEVER;
    for (size_t i = 0; self->phase == PHASE_SESSION && i < self->slot_count; i++) {
        const agent_slot_t *slot = &self->slots[i];
        if (slot->state == SLOT_BUSY && pt_transcript_has_unsaid(&slot->job.wrote))
            due = earlier(due, slot->job.log_due);
    }
    return due;
}

void logs_end(pt_agent_t *self, agent_slot_t *slot)
{
    pt_piece_t pieces[PT_TRANSCRIPT_PIECES];
    size_t count = pt_transcript_end(&slot->job.wrote, pieces);
    for (size_t i = 0; i < count; i++) {
        pt_msg_t msg;
        msgpack_sbuffer payload;
        msgpack_sbuffer_init(&payload);
        about(self, slot, pieces[i].offset, &msg);
        pack(&payload, &pieces[i]);
        size_t size = payload.size;
        pt_endings_add_log(&self->endings, &msg, msgpack_sbuffer_release(&payload), size);
    }
    pt_transcript_clear(&slot->job.wrote);
}
