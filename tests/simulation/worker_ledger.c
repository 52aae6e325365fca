/* What a worker began and was not told to forget: it must name it, and nothing else. */
#include "tests/simulation/worker_inside.h"

lease_t *worker_find_lease(worker_t *self, int job, uint32_t attempt)
{
    for (size_t i = 0; i < self->lease_count; i++)
        if (self->leases[i].job == job && self->leases[i].attempt == attempt)
            return &self->leases[i];
    return NULL;
}

void worker_drop_lease(worker_t *self, lease_t *lease)
{
    if (lease)
        *lease = self->leases[--self->lease_count];
}

void worker_add_lease(worker_t *self, int job, uint32_t attempt)
{
    if (self->lease_count == LEASES_MAX)
        broken(self->world, "%s holds more than %d jobs", node_name(self->node), LEASES_MAX);
    else
        self->leases[self->lease_count++] = (lease_t){.job = job, .attempt = attempt};
}

static bool names(const pt_refs_t *refs, const pt_uuid_t *id, uint32_t attempt)
{
    for (size_t i = 0; i < refs->count; i++)
        if (refs->items[i].attempt == attempt && pt_uuid_equal(&refs->items[i].job_id, id))
            return true;
    return false;
}

/* A hello names what runs and every ending that nobody has settled. */
void worker_check_hello(worker_t *self, const pt_msg_t *hello)
{
    for (size_t i = self->lease_count; i-- > 0;) {
        lease_t *lease = &self->leases[i];
        const pt_uuid_t *id = &job_at(self->world, lease->job)->id;
        bool named = names(lease->ended ? &hello->unsettled : &hello->leases, id, lease->attempt);
        if (lease->unsure && !named)
            worker_drop_lease(self, lease);
        else if (!named)
            broken(self->world, "%s forgot job %d.%u, %s, which nobody settled or stopped",
                   node_name(self->node), lease->job, lease->attempt,
                   lease->ended ? "ended" : "running");
    }
}

void worker_note_published(worker_t *self, const pt_output_t *output)
{
    pt_msg_t msg;
    if (pt_msg_decode(&msg, output->head, output->head_size))
        return;
    if (msg.verb == PT_RESULT) {
        lease_t *lease = worker_find_lease(self, job_find(self->world, &msg.job_id), msg.attempt);
        if (lease)
            lease->ended = true;
        else
            broken(self->world, "%s publishes the ending of what it was told to forget",
                   node_name(self->node));
    }
    if (msg.verb != PT_ALIVE)
        trace(self->world, self->node, "publishes %s %s job %02x%02x.%u", pt_verb_name(msg.verb),
              msg.verb == PT_RESULT ? msg.status : msg.type, msg.job_id.bytes[14],
              msg.job_id.bytes[15], msg.attempt);
    pt_msg_clear(&msg);
}

void worker_note_received(worker_t *self, const pt_msg_t *msg)
{
    if (msg->verb == PT_WELCOME)
        self->in_session = true;
    if (msg->verb == PT_STOP || msg->verb == PT_SETTLED)
        worker_drop_lease(
            self, worker_find_lease(self, job_find(self->world, &msg->job_id), msg->attempt));
}

/* A stopped job is killed at once. */
void worker_check_stopped(worker_t *self, const pt_msg_t *msg)
{
    int job = job_find(self->world, &msg->job_id);
    for (size_t i = 0; msg->verb == PT_STOP && i < self->slot_count; i++)
        if (self->slots[i].busy && self->slots[i].job == job &&
            self->slots[i].attempt == msg->attempt)
            broken(self->world, "%s goes on with job %d.%u, which was stopped",
                   node_name(self->node), job, msg->attempt);
}
