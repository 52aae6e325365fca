#include "worker/agent_inside.h"

#include <stdio.h>
#include <string.h>

#define HELLO_RETRY_MS 20  /* while the connection is not there yet */
#define ALIVE_OFTEN_MS 100 /* after a connect, until the broker has subscribed */
#define ALIVE_OFTEN_FOR_MS 2000
#define REFUSALS_MAX 3
#define LONG_SESSION 10 /* intervals after which former refusals are forgotten */
#define INTERVAL_LEAST 10
#define INTERVAL_MOST 60000

/* ---- sockets ----------------------------------------------------------------------------- */

/* Fresh sockets to that broker, and a first hello after `wait`. The jobs in the slots go on. */
static void begin(pt_agent_t *self, size_t broker, int64_t wait, const char *why)
{
    int64_t now = self->now.ms;
    bool lost = self->phase != PHASE_START;
    self->broker = broker;
    self->phase = PHASE_HELLO;
    self->hello_due = now + wait;
    self->hello_ends = now + wait + PT_MISSED_MAX * self->interval;
    self->alive_due = now;
    self->alive_often_until = now + ALIVE_OFTEN_FOR_MS;
    pt_outputs_connect(&self->out, broker, lost, why);
}

static size_t next_broker(const pt_agent_t *self)
{
    return (self->broker + 1) % self->config.brokers;
}

void session_send_failed(pt_agent_t *self)
{
    if (self->phase == PHASE_HELLO)
        self->hello_due = self->now.ms + HELLO_RETRY_MS;
    else if (self->phase == PHASE_SESSION)
        begin(self, self->broker, 0, "the connection to the broker is lost");
}

/* ---- sending ----------------------------------------------------------------------------- */

void session_send(pt_agent_t *self, pt_msg_t *msg)
{
    memcpy(msg->session, self->session, sizeof msg->session);
    pt_msg_set(msg, PT_F_SESSION);
    pt_outputs_send(&self->out, msg);
}

static void say_gone(pt_agent_t *self, const pt_uuid_t *job_id, uint32_t attempt, bool handed_back,
                     const char *why)
{
    if (self->phase != PHASE_SESSION)
        return; /* the next hello does not name it, which says the same */
    pt_msg_t msg;
    pt_msg_init(&msg, PT_GONE);
    msg.job_id = *job_id;
    msg.attempt = attempt;
    msg.certain = true;
    msg.handed_back = handed_back;
    pt_msg_set(&msg, PT_F_JOB_ID);
    pt_msg_set(&msg, PT_F_ATTEMPT);
    pt_msg_set(&msg, PT_F_CERTAIN);
    pt_msg_set(&msg, PT_F_HANDED_BACK);
    pt_msg_set_text(&msg, PT_F_REASON, why);
    session_send(self, &msg);
}

void session_gone(pt_agent_t *self, const pt_uuid_t *job_id, uint32_t attempt, const char *why)
{
    say_gone(self, job_id, attempt, true, why);
}

void session_lost(pt_agent_t *self, const pt_uuid_t *job_id, uint32_t attempt, const char *why)
{
    say_gone(self, job_id, attempt, false, why);
}

void session_bye(pt_agent_t *self, const char *why)
{
    if (self->phase != PHASE_SESSION)
        return;
    pt_msg_t msg;
    pt_msg_init(&msg, PT_BYE);
    pt_msg_set_text(&msg, PT_F_REASON, why);
    session_send(self, &msg);
}

static void name_what_is_held(const pt_agent_t *self, pt_msg_t *hello)
{
    for (size_t i = 0; i < self->slot_count; i++) {
        const agent_slot_t *slot = &self->slots[i];
        if (agent_slot_holds(slot))
            pt_msg_add_ref(hello, PT_F_LEASES, &slot->job.job_id, slot->job.attempt,
                           agent_slot_job_type(self, slot));
    }
    for (size_t i = 0; i < self->endings.count && i < PT_REFS_MAX; i++) {
        const pt_ending_t *ending = &self->endings.items[i];
        pt_msg_add_ref(hello, PT_F_UNSETTLED, &ending->job_id, ending->attempt, ending->job_type);
    }
}

static void say_hello(pt_agent_t *self)
{
    pt_msg_t hello;
    pt_msg_init(&hello, PT_HELLO);
    pt_msg_set_text(&hello, PT_F_ROLE, "worker");
    pt_msg_set_text(&hello, PT_F_MACHINE, self->config.machine);
    hello.instance = self->config.instance;
    pt_msg_set(&hello, PT_F_INSTANCE);
    for (size_t i = 0; i < self->config.type_count; i++)
        if (self->types[i].what.slots > 0)
            pt_counts_set(&hello.slots, self->types[i].what.job_type, self->types[i].what.slots);
    pt_msg_set(&hello, PT_F_SLOTS);
    name_what_is_held(self, &hello);
    pt_outputs_send(&self->out, &hello);
    pt_msg_clear(&hello);
    self->hello_due = self->now.ms + self->interval;
}

static void beat(pt_agent_t *self)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_BEAT);
    session_send(self, &msg);
    self->beat_due = self->now.ms + self->interval;
}

static void publish_alive(pt_agent_t *self)
{
    pt_msg_t msg;
    int64_t now = self->now.ms;
    pt_msg_init(&msg, PT_ALIVE);
    msg.instance = self->config.instance;
    pt_msg_set(&msg, PT_F_INSTANCE);
    pt_outputs_publish(&self->out, &msg);
    self->alive_due = now + (now < self->alive_often_until ? ALIVE_OFTEN_MS : self->interval);
}

/* ---- what the broker says ---------------------------------------------------------------- */

static int64_t bounded_interval(uint64_t ms)
{
    return ms < INTERVAL_LEAST ? INTERVAL_LEAST : ms > INTERVAL_MOST ? INTERVAL_MOST : (int64_t)ms;
}

static void welcome(pt_agent_t *self, const pt_msg_t *msg)
{
    self->phase = PHASE_SESSION;
    memcpy(self->session, msg->session, sizeof self->session);
    self->interval = bounded_interval(msg->interval);
    self->heard = self->welcomed = self->beat_due = self->now.ms;
    for (size_t i = 0; i < self->config.type_count; i++)
        self->types[i].received = self->types[i].granted = 0;
    pt_outputs_log(&self->out, false, "in session with broker %zu", self->broker + 1);
    jobs_repeat(self);
    inputs_resume(self);
    declare_restart(self);
    pt_endings_restart(&self->endings, self->now.ms);
    pt_endings_publish(&self->endings, self->now.ms, &self->out);
}

/* A broker that refuses again and again (full, or deaf on the event path) is left for the next. */
static void refused(pt_agent_t *self, const pt_msg_t *msg)
{
    char why[PT_TEXT_MAX + 1];
    bool at_once = self->phase == PHASE_SESSION && !pt_msg_has(msg, PT_F_REASON);
    size_t broker = self->broker;
    if (++self->refusals >= REFUSALS_MAX) {
        self->refusals = 0;
        broker = next_broker(self);
    }
    snprintf(why, sizeof why, "the broker asked for a new hello: %.900s",
             pt_msg_has(msg, PT_F_REASON) ? msg->reason : "it does not know this session");
    begin(self, broker, at_once ? 0 : self->interval, why);
}

static void farewell(pt_agent_t *self, const pt_msg_t *msg)
{
    char why[PT_TEXT_MAX + 1];
    snprintf(why, sizeof why, "the broker said bye: %.900s",
             pt_msg_has(msg, PT_F_REASON) ? msg->reason : "without a reason");
    begin(self, next_broker(self), 0, why);
}

static void in_session(pt_agent_t *self, const pt_msg_t *msg, const void *payload, size_t size)
{
    switch (msg->verb) {
    case PT_JOB:
        jobs_received(self, msg, payload, size);
        break;
    case PT_STOP:
        jobs_stop(self, &msg->job_id, msg->attempt);
        break;
    case PT_SETTLED:
        large_settle(self, &msg->job_id, msg->attempt);
        break;
    case PT_FETCH:
        large_fetch(self, msg);
        break;
    case PT_CHUNK:
        inputs_chunk(self, msg, payload, size);
        break;
    case PT_BYE:
        farewell(self, msg);
        break;
    default:
        break; /* a beat; reserved; or nothing that a broker says to a worker */
    }
}

void session_message(pt_agent_t *self, const pt_msg_t *msg, const void *payload, size_t size)
{
    if (self->phase == PHASE_START)
        return;
    if (msg->verb == PT_HELLO_AGAIN) {
        refused(self, msg);
    } else if (self->phase == PHASE_HELLO) {
        if (msg->verb == PT_WELCOME)
            welcome(self, msg);
    } else if (memcmp(msg->session, self->session, sizeof self->session) == 0) {
        self->heard = self->now.ms;
        in_session(self, msg, payload, size);
    }
}

/* ---- time -------------------------------------------------------------------------------- */

static void tick_session(pt_agent_t *self)
{
    if (self->now.ms - self->heard >= PT_MISSED_MAX * self->interval) {
        begin(self, next_broker(self), 0, "the broker is silent");
        return;
    }
    if (self->now.ms - self->welcomed >= LONG_SESSION * self->interval)
        self->refusals = 0;
    if (self->now.ms >= self->beat_due)
        beat(self);
}

void session_tick(pt_agent_t *self)
{
    int64_t now = self->now.ms;
    if (self->phase == PHASE_START)
        begin(self, self->broker, 0, "start");
    else if (self->phase == PHASE_SESSION)
        tick_session(self);
    else if (now >= self->hello_ends)
        begin(self, next_broker(self), 0, "no answer to hello");
    if (self->phase == PHASE_HELLO && now >= self->hello_due)
        say_hello(self);
    if (now >= self->alive_due)
        publish_alive(self);
}

void session_move_deadlines(pt_agent_t *self, int64_t by)
{
    self->heard += by;
    self->hello_ends += by;
}

int64_t session_deadline(const pt_agent_t *self)
{
    if (self->phase == PHASE_SESSION)
        return earlier(earlier(self->beat_due, self->alive_due),
                       self->heard + PT_MISSED_MAX * self->interval);
    return earlier(earlier(self->hello_due, self->hello_ends), self->alive_due);
}
