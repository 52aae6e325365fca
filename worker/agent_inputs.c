/* Inputs that do not fit into a message: the slot is taken, they are fetched from the gateway, then
 * the job starts. Until then nothing is said of it.
 */
#include "worker/agent_inside.h"

#include <string.h>

/* Without a piece for so long the job is handed back: another path may be better. */
#define PATIENCE_MS 60000

static void send_fetch(pt_agent_t *self, const held_job_t *job, uint64_t offset)
{
    pt_msg_t fetch;
    pt_msg_init(&fetch, PT_FETCH);
    fetch.job_id = job->job_id;
    fetch.attempt = job->attempt;
    fetch.offset = offset;
    pt_msg_set(&fetch, PT_F_JOB_ID);
    pt_msg_set(&fetch, PT_F_ATTEMPT);
    pt_msg_set(&fetch, PT_F_OFFSET);
    session_send(self, &fetch);
}

static void ask(pt_agent_t *self, agent_slot_t *slot)
{
    uint64_t offsets[PT_CHUNKS_UNDER_WAY];
    if (self->phase != PHASE_SESSION)
        return;
    size_t count = pt_chunks_ask(&slot->inputs, self->now.ms, offsets);
    for (size_t i = 0; i < count; i++)
        send_fetch(self, &slot->job, offsets[i]);
}

void inputs_begin(pt_agent_t *self, agent_slot_t *slot, const pt_msg_t *job)
{
    if (!pt_chunks_open(&slot->inputs, job->size, job->digest, self->now.ms)) {
        session_gone(self, &job->job_id, job->attempt, "no memory for the inputs");
        return; /* the slot stays what it was */
    }
    slot->state = SLOT_FETCHING;
    ask(self, slot);
}

void inputs_drop(agent_slot_t *slot)
{
    pt_chunks_close(&slot->inputs);
    slot->state = slot->up ? SLOT_FREE : SLOT_DOWN;
}

static void hand_back(pt_agent_t *self, agent_slot_t *slot, const char *why)
{
    inputs_drop(slot);
    session_gone(self, &slot->job.job_id, slot->job.attempt, why);
}

/* They are there, or are not what they should be. */
static void arrived(pt_agent_t *self, agent_slot_t *slot, bool right)
{
    pt_chunks_t inputs = slot->inputs;
    memset(&slot->inputs, 0, sizeof slot->inputs);
    slot->state = slot->up ? SLOT_FREE : SLOT_DOWN;
    if (right && pt_msgpack_valid(inputs.data, inputs.size))
        jobs_start(self, slot, inputs.data, inputs.size);
    else
        jobs_fail(self, slot, "inputs_damaged", "the inputs are not what their digest says");
    pt_chunks_close(&inputs);
}

void inputs_chunk(pt_agent_t *self, const pt_msg_t *chunk, const void *payload, size_t size)
{
    agent_slot_t *slot = agent_find_job(self, &chunk->job_id);
    if (!slot || slot->state != SLOT_FETCHING || slot->job.attempt != chunk->attempt)
        return;
    switch (pt_chunks_take(&slot->inputs, self->now.ms, chunk->offset, payload, size)) {
    case PT_CHUNKS_MORE:
        ask(self, slot);
        break;
    case PT_CHUNKS_WHOLE:
        arrived(self, slot, true);
        break;
    case PT_CHUNKS_WRONG:
        arrived(self, slot, false);
        break;
    }
}

void inputs_resume(pt_agent_t *self)
{
    for (size_t i = 0; i < self->slot_count; i++) {
        agent_slot_t *slot = &self->slots[i];
        if (slot->state != SLOT_FETCHING)
            continue;
        pt_chunks_forget_asked(&slot->inputs);
        ask(self, slot);
    }
}

void inputs_tick(pt_agent_t *self)
{
    for (size_t i = 0; i < self->slot_count; i++) {
        agent_slot_t *slot = &self->slots[i];
        if (slot->state != SLOT_FETCHING)
            continue;
        if (self->now.ms - slot->inputs.heard >= PATIENCE_MS)
            hand_back(self, slot, "the inputs do not come");
        else
            ask(self, slot);
    }
}

void inputs_move_deadlines(pt_agent_t *self, int64_t by)
{
    for (size_t i = 0; i < self->slot_count; i++)
        if (self->slots[i].state == SLOT_FETCHING)
            self->slots[i].inputs.heard += by;
}

int64_t inputs_deadline(const pt_agent_t *self)
{
    int64_t due = NEVER;
    for (size_t i = 0; i < self->slot_count; i++) {
        const agent_slot_t *slot = &self->slots[i];
        if (slot->state != SLOT_FETCHING)
            continue;
        due = earlier(due, slot->inputs.heard + PATIENCE_MS);
        if (self->phase == PHASE_SESSION)
            due = earlier(due, pt_chunks_due(&slot->inputs));
    }
    return due;
}
