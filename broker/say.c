/* What the scheduler says: each verb's message, filled in and handed to `send`. */
#include "broker/state.h"

static void start(pt_msg_t *msg, pt_verb_t verb, const pt_peer_t *to)
{
    pt_msg_init(msg, verb);
    memcpy(msg->session, to->session, PT_SESSION_SIZE);
    pt_msg_set(msg, PT_F_SESSION);
}

static void set_job(pt_msg_t *msg, const pt_uuid_t *job_id, uint32_t attempt)
{
    msg->job_id = *job_id;
    msg->attempt = attempt;
    pt_msg_set(msg, PT_F_JOB_ID);
    pt_msg_set(msg, PT_F_ATTEMPT);
}

static void send_to(pt_scheduler_t *self, const pt_peer_t *to, const pt_msg_t *msg)
{
    self->config.send(self->config.arg, &to->route, msg, NULL, 0);
}

void pt_say_welcome(pt_scheduler_t *self, pt_peer_t *to)
{
    pt_msg_t msg;
    start(&msg, PT_WELCOME, to);
    msg.instance = self->config.instance;
    msg.max = PT_FRAME_MAX;
    msg.interval = PT_INTERVAL_MS;
    pt_msg_set(&msg, PT_F_INSTANCE);
    pt_msg_set(&msg, PT_F_MAX);
    pt_msg_set(&msg, PT_F_INTERVAL);
    send_to(self, to, &msg);
}

void pt_say_hello_again(pt_scheduler_t *self, const pt_route_t *to, const char *reason)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_HELLO_AGAIN);
    if (reason)
        pt_msg_set_text(&msg, PT_F_REASON, reason);
    self->config.send(self->config.arg, to, &msg, NULL, 0);
}

void pt_say_job(pt_scheduler_t *self, pt_peer_t *to, pt_held_t *held)
{
    pt_msg_t msg;
    start(&msg, PT_JOB, to);
    set_job(&msg, &held->job_id, held->attempt);
    msg.org_id = held->org_id;
    pt_msg_set(&msg, PT_F_ORG_ID);
    pt_msg_set_text(&msg, PT_F_JOB_TYPE, held->type->name);
    if (held->inputs.size) {
        msg.size = held->inputs.size;
        memcpy(msg.digest, held->inputs.digest, PT_DIGEST_SIZE);
        pt_msg_set(&msg, PT_F_SIZE);
        pt_msg_set(&msg, PT_F_DIGEST);
    }
    void *payload = held->payload;
    self->bytes -= held->size;
    held->payload = NULL;
    self->config.send(self->config.arg, &to->route, &msg, payload, held->size);
    held->size = 0;
}

void pt_say_credit(pt_scheduler_t *self, pt_peer_t *to, uint64_t types)
{
    pt_msg_t msg;
    start(&msg, PT_CREDIT, to);
    for (size_t i = 0; i < self->type_count; i++)
        if (types >> i & 1)
            pt_counts_set(&msg.credit, self->types[i]->name, to->accounts[i].given);
    pt_msg_set(&msg, PT_F_CREDIT);
    send_to(self, to, &msg);
}

void pt_say_beat(pt_scheduler_t *self, pt_peer_t *to)
{
    pt_msg_t msg;
    start(&msg, PT_BEAT, to);
    for (size_t i = 0; to->route.side == PT_GATEWAYS && i < self->type_count; i++)
        pt_counts_set(&msg.slots, self->types[i]->name, self->types[i]->slots);
    if (to->route.side == PT_GATEWAYS)
        pt_msg_set(&msg, PT_F_SLOTS);
    send_to(self, to, &msg);
}

void pt_say_stop(pt_scheduler_t *self, pt_peer_t *to, const pt_uuid_t *job_id, uint32_t attempt)
{
    pt_msg_t msg;
    start(&msg, PT_STOP, to);
    set_job(&msg, job_id, attempt);
    send_to(self, to, &msg);
}

void pt_say_settled(pt_scheduler_t *self, pt_peer_t *to, const pt_msg_t *from)
{
    pt_msg_t msg;
    start(&msg, PT_SETTLED, to);
    set_job(&msg, &from->job_id, from->attempt);
    pt_msg_set_text(&msg, PT_F_OUTCOME, from->outcome);
    if (pt_msg_has(from, PT_F_REASON))
        pt_msg_set_text(&msg, PT_F_REASON, from->reason);
    send_to(self, to, &msg);
}

void pt_say_have(pt_scheduler_t *self, pt_peer_t *to, pt_msg_t *answer)
{
    memcpy(answer->session, to->session, PT_SESSION_SIZE);
    pt_msg_set(answer, PT_F_SESSION);
    pt_msg_set(answer, PT_F_ROUND);
    pt_msg_set(answer, PT_F_JOBS);
    send_to(self, to, answer);
}

void pt_say_gone(pt_scheduler_t *self, pt_peer_t *also, const pt_uuid_t *job_id, uint32_t attempt,
                 pt_gone_t how, const char *reason)
{
    pt_peer_t *receivers[] = {self->leader, also != self->leader ? also : NULL};
    for (size_t i = 0; i < 2; i++) {
        if (!receivers[i])
            continue;
        pt_msg_t msg;
        start(&msg, PT_GONE, receivers[i]);
        set_job(&msg, job_id, attempt);
        msg.certain = how != PT_GONE_SILENT;
        pt_msg_set(&msg, PT_F_CERTAIN);
        msg.handed_back = true;
        if (how == PT_GONE_HANDED_BACK)
            pt_msg_set(&msg, PT_F_HANDED_BACK);
        if (reason)
            pt_msg_set_text(&msg, PT_F_REASON, reason);
        send_to(self, receivers[i], &msg);
    }
}

void pt_say_on(pt_scheduler_t *self, pt_peer_t *to, const pt_msg_t *from, const void *payload,
               size_t size)
{
    pt_msg_t msg;
    start(&msg, from->verb, to);
    set_job(&msg, &from->job_id, from->attempt);
    msg.offset = from->offset;
    pt_msg_set(&msg, PT_F_OFFSET);
    void *copy = payload ? malloc(size) : NULL;
    if (payload && !copy)
        return; /* as if it were lost: it is asked for again */
    if (copy)
        memcpy(copy, payload, size);
    self->config.send(self->config.arg, &to->route, &msg, copy, size);
}

void pt_say_bye(pt_scheduler_t *self, pt_peer_t *to, const char *reason)
{
    pt_msg_t msg;
    start(&msg, PT_BYE, to);
    if (reason)
        pt_msg_set_text(&msg, PT_F_REASON, reason);
    send_to(self, to, &msg);
}
