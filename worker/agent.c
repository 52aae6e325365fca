#include "worker/agent_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SETTLING_MS 2000 /* for endings, when the last job of a drain has ended */

static void add_type(pt_agent_t *self, size_t number)
{
    const pt_agent_type_t *type = &self->config.types[number];
    self->types[number].what = *type;
    for (size_t i = 0; i < type->slots && self->slot_count < PT_SLOTS_MAX; i++)
        self->slots[self->slot_count++].type = number;
}

pt_agent_t *pt_agent_new(const pt_agent_config_t *config)
{
    assert(config->brokers > 0 && config->type_count <= PT_TYPES_MAX);
    pt_agent_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->config = *config;
    self->broker = config->first % config->brokers;
    self->interval = PT_INTERVAL_MS;
    for (size_t i = 0; i < config->type_count; i++)
        add_type(self, i);
    declare_configured(self);
    return self;
}

void pt_agent_destroy(pt_agent_t **self_p)
{
    pt_agent_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->slot_count; i++) {
        pt_transcript_clear(&self->slots[i].job.wrote);
        pt_chunks_close(&self->slots[i].inputs);
    }
    for (size_t i = 0; i < self->config.type_count; i++)
        free(self->types[i].declared);
    pt_endings_clear(&self->endings);
    pt_outputs_clear(&self->out);
    free(self);
    *self_p = NULL;
}

/* ---- slots ------------------------------------------------------------------------------- */

bool agent_slot_holds(const agent_slot_t *slot)
{
    return slot->state == SLOT_BUSY || slot->state == SLOT_FETCHING;
}

agent_slot_t *agent_find_job(pt_agent_t *self, const pt_uuid_t *job_id)
{
    for (size_t i = 0; i < self->slot_count; i++) {
        agent_slot_t *slot = &self->slots[i];
        if (agent_slot_holds(slot) && pt_uuid_equal(&slot->job.job_id, job_id))
            return slot;
    }
    return NULL;
}

agent_type_t *agent_find_type(pt_agent_t *self, const char *job_type)
{
    for (size_t i = 0; i < self->config.type_count; i++)
        if (strcmp(self->types[i].what.job_type, job_type) == 0)
            return &self->types[i];
    return NULL;
}

const char *agent_slot_job_type(const pt_agent_t *self, const agent_slot_t *slot)
{
    return self->types[slot->type].what.job_type;
}

size_t agent_slot_number(const pt_agent_t *self, const agent_slot_t *slot)
{
    return (size_t)(slot - self->slots);
}

void agent_stop(pt_agent_t *self, agent_slot_t *slot)
{
    if (slot->state == SLOT_FETCHING) {
        inputs_drop(slot);
        return;
    }
    pt_outputs_kill(&self->out, agent_slot_number(self, slot));
    pt_transcript_clear(&slot->job.wrote);
    slot->state = SLOT_STOPPING;
}

/* ---- credit ------------------------------------------------------------------------------ */

static size_t free_slots(const pt_agent_t *self, size_t type)
{
    size_t n = 0;
    for (size_t i = 0; i < self->slot_count; i++)
        n += self->slots[i].type == type && self->slots[i].state == SLOT_FREE;
    return n;
}

static bool may_give_credit(const pt_agent_t *self)
{
    return self->phase == PHASE_SESSION && !self->leaving &&
           self->endings.count <= 2 * self->slot_count + PT_UNSETTLED_SLACK &&
           self->endings.bytes <= PT_UNSETTLED_BYTES_MAX;
}

/* Once a turn, so that a burst of endings gives one message of credit. */
static void give_credit(pt_agent_t *self)
{
    if (!may_give_credit(self))
        return;
    pt_msg_t msg;
    bool more = false;
    pt_msg_init(&msg, PT_CREDIT);
    for (size_t i = 0; i < self->config.type_count; i++) {
        agent_type_t *type = &self->types[i];
        uint64_t credit = type->received + free_slots(self, i);
        more = more || credit > type->granted;
        type->granted = credit > type->granted ? credit : type->granted;
        if (type->what.slots > 0)
            pt_counts_set(&msg.credit, type->what.job_type, type->granted);
    }
    pt_msg_set(&msg, PT_F_CREDIT);
    if (more)
        session_send(self, &msg);
}

/* ---- shutdown ---------------------------------------------------------------------------- */

static void hand_back(pt_agent_t *self, agent_slot_t *slot)
{
    agent_stop(self, slot);
    session_gone(self, &slot->job.job_id, slot->job.attempt, "worker is shutting down");
}

/* What runs may finish within the grace time; what has not begun does not, and nothing new is
 * taken. */
static void leave(pt_agent_t *self)
{
    if (self->leaving)
        return;
    for (size_t i = 0; i < self->slot_count; i++)
        if (self->slots[i].state == SLOT_FETCHING)
            hand_back(self, &self->slots[i]);
    self->leaving = true;
    self->grace_until = self->now.ms + self->config.grace_ms;
    self->settling_until = self->now.ms + SETTLING_MS;
    pt_endings_restart(&self->endings, self->now.ms);
}

/* Whether a job still runs; when the grace time is over none does. */
static bool works(pt_agent_t *self)
{
    bool any = false;
    for (size_t i = 0; i < self->slot_count; i++) {
        agent_slot_t *slot = &self->slots[i];
        if (slot->state == SLOT_BUSY && self->now.ms >= self->grace_until)
            hand_back(self, slot);
        any = any || slot->state == SLOT_BUSY;
    }
    return any;
}

/* What has ended waits for its settlement, to the end of the grace time and at least a moment: else
   other workers do it again. */
static void finish_leaving(pt_agent_t *self)
{
    if (!self->leaving || self->left)
        return;
    if (works(self)) {
        self->settling_until = self->now.ms + SETTLING_MS;
        return;
    }
    if (self->endings.count > 0 &&
        (self->now.ms < self->settling_until || self->now.ms < self->grace_until))
        return;
    if (self->endings.count > 0)
        pt_outputs_log(&self->out, true, "leaving with %zu endings that nobody settled",
                       self->endings.count);
    session_bye(self, "worker is shutting down");
    pt_outputs_exit(&self->out);
    self->left = true;
}

/* ---- step -------------------------------------------------------------------------------- */

static void tick(pt_agent_t *self)
{
    /* A pause of our own is nobody else's fault: the broker may have been stopped together with us,
       and so may the pipelines. */
    int64_t late = self->now.ms - pt_agent_deadline(self);
    if (self->ticked != 0 && late > self->interval) {
        session_move_deadlines(self, self->now.ms - self->ticked);
        jobs_move_deadlines(self, self->now.ms - self->ticked);
        inputs_move_deadlines(self, self->now.ms - self->ticked);
    }
    self->ticked = self->now.ms;
    session_tick(self);
    jobs_tick(self);
    inputs_tick(self);
    logs_tick(self);
    declare_tick(self);
    if (self->phase == PHASE_SESSION)
        pt_endings_publish(&self->endings, self->now.ms, &self->out);
    give_credit(self);
    finish_leaving(self);
}

static void slot_ready(agent_slot_t *slot)
{
    slot->up = true;
    if (slot->state == SLOT_DOWN)
        slot->state = SLOT_FREE;
}

static void take(pt_agent_t *self, agent_slot_t *slot, const pt_input_t *input)
{
    switch (input->kind) {
    case PT_IN_TICK:
        tick(self);
        break;
    case PT_IN_MESSAGE:
        session_message(self, input->msg, input->payload, input->payload_size);
        break;
    case PT_IN_SEND_FAILED:
        session_send_failed(self);
        break;
    case PT_IN_READY:
        slot_ready(slot);
        break;
    case PT_IN_SAID:
        jobs_said(self, slot, input->said);
        break;
    case PT_IN_GARBAGE:
        jobs_garbage(self, slot, input->why, input->too_large);
        break;
    case PT_IN_STDERR:
        logs_written(self, slot, input->text, input->payload_size);
        break;
    case PT_IN_DIED:
        jobs_died(self, slot, input->death);
        break;
    case PT_IN_SPOOLED:
        large_spooled(self, input);
        break;
    case PT_IN_UNREADABLE:
        large_unreadable(self, input);
        break;
    case PT_IN_SHUTDOWN:
        leave(self);
        break;
    }
}

const pt_outputs_t *pt_agent_step(pt_agent_t *self, pt_now_t now, const pt_input_t *input)
{
    pt_outputs_reset(&self->out);
    self->now = now;
    take(self, &self->slots[input->slot < self->slot_count ? input->slot : 0], input);
    return &self->out;
}

int64_t pt_agent_deadline(const pt_agent_t *self)
{
    if (self->ticked == 0)
        return self->now.ms;
    int64_t due =
        earlier(earlier(session_deadline(self), jobs_deadline(self)), logs_deadline(self));
    due = earlier(due, earlier(inputs_deadline(self), declare_deadline(self)));
    if (self->phase == PHASE_SESSION)
        due = earlier(due, pt_endings_due(&self->endings));
    if (!self->leaving || self->left)
        return due;
    return earlier(due,
                   self->now.ms < self->grace_until ? self->grace_until : self->settling_until);
}
