#include "tests/simulation/broker_queue.h"

/* A worker has it, or somebody knows of a newer attempt. */
static void adopted(broker_queue_t *self, const world_t *world, const pt_refs_t *refs)
{
    for (size_t i = 0; i < refs->count; i++) {
        int job = job_find(world, &refs->items[i].job_id);
        if (job < 0 || self->waiting[job] > refs->items[i].attempt)
            continue;
        self->waiting[job] = 0;
        self->given[job] = refs->items[i].attempt;
    }
}

static void asked_for(broker_queue_t *self, const world_t *world, const pt_refs_t *refs)
{
    for (size_t i = 0; i < refs->count; i++) {
        int job = job_find(world, &refs->items[i].job_id);
        if (job >= 0 && self->waiting[job] < refs->items[i].attempt)
            self->waiting[job] = 0;
    }
}

void broker_queue_receives(broker_queue_t *self, const world_t *world, const pt_msg_t *msg)
{
    int job = pt_msg_has(msg, PT_F_JOB_ID) ? job_find(world, &msg->job_id) : -1;
    self->latest = job;
    if (msg->verb == PT_HELLO) {
        adopted(self, world, &msg->leases);
        adopted(self, world, &msg->unsettled);
    } else if (msg->verb == PT_HAVE) {
        asked_for(self, world, &msg->jobs);
    } else if (job >= 0 && msg->verb == PT_JOB && msg->attempt > self->given[job]) {
        self->waiting[job] = msg->attempt;
    } else if (job >= 0 && (msg->verb == PT_STOP || msg->verb == PT_SETTLED) &&
               self->waiting[job] == msg->attempt) {
        self->waiting[job] = 0;
    }
}

static void check_class(const broker_queue_t *self, world_t *world, int job)
{
    const job_t *given = job_at(world, job);
    for (int i = 0; i < world->settings.jobs; i++) {
        const job_t *other = job_at(world, i);
        if (!self->waiting[i] || other->org != given->org || other->type != given->type)
            continue;
        if (other->priority < given->priority)
            broken(world, "job %d is given to a worker before job %d, whose class is better", job,
                   i);
        if (other->priority > given->priority)
            sight(world, SIGHT_CLASS_FIRST);
    }
}

void broker_queue_says(broker_queue_t *self, world_t *world, const pt_msg_t *msg)
{
    int job = pt_msg_has(msg, PT_F_JOB_ID) ? job_find(world, &msg->job_id) : -1;
    if (msg->verb == PT_HELLO_AGAIN && self->latest >= 0) /* of no session: it was not taken */
        self->waiting[self->latest] = 0;
    if (job < 0 || (msg->verb != PT_JOB && msg->verb != PT_GONE))
        return;
    if (self->waiting[job] <= msg->attempt)
        self->waiting[job] = 0;
    if (msg->verb == PT_JOB) {
        self->given[job] = msg->attempt;
        check_class(self, world, job);
    }
}
