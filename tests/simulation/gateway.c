#include "tests/simulation/gateway_inside.h"

#include "proto/chunks.h"
#include "proto/topic.h"
#include "tests/simulation/inputs.h"

#include <stdio.h>

#define TICK_MS (PT_INTERVAL_MS / 4)
#define PING_MS 500
#define PING_ANSWER_MS 1500

/* ---- sending ----------------------------------------------------------------------------- */

static parcel_t *encode(const pt_msg_t *msg, const void *payload, size_t payload_size)
{
    char topic[PT_TOPIC_MAX];
    msgpack_sbuffer head;
    msgpack_sbuffer_init(&head);
    pt_msg_encode(msg, &head);
    parcel_t *parcel =
        parcel_new(topic, pt_topic_format(topic, msg), head.data, head.size, payload, payload_size);
    msgpack_sbuffer_destroy(&head);
    return parcel;
}

/* What must be true by the time it is said, because of what was committed. */
static void check_said(gateway_t *self, const parcel_out_t *out)
{
    world_t *world = self->world;
    const char *type = "";
    if (out->verb == PT_EVENT && (database_event(world, out->org, out->seq, &type) != out->job ||
                                  strcmp(type, out->type) != 0))
        broken(world, "event %llu of organisation %d is published and not committed",
               (unsigned long long)out->seq, out->org);
    if (out->verb == PT_EDGE && out->seq > database_last_seq(world, out->org))
        broken(world, "an edge of organisation %d is ahead of the table", out->org);
    if (out->verb == PT_SETTLED && !database_settled(world, out->job, out->attempt))
        broken(world, "job %d.%u is settled and its ending is not recorded", out->job,
               out->attempt);
    if (out->verb == PT_JOB && !database_handed_out(world, out->job, out->attempt))
        broken(world, "job %d.%u is sent and was not handed out", out->job, out->attempt);
}

static void post(gateway_t *self, parcel_out_t *out)
{
    check_said(self, out);
    parcel_t *parcel = out->parcel;
    const pt_link_t *link = out->ticket.link >= 0 ? &self->links[out->ticket.link] : NULL;
    bool stands = link && link->in_session &&
                  memcmp(link->session, out->ticket.session, PT_SESSION_SIZE) == 0;
    trace(self->world, self->node, "sends %s of job %d.%u %s%s", pt_verb_name(out->verb), out->job,
          out->attempt, out->type, link && !stands ? ", too late for the session" : "");
    if (!link) {
        for (int i = 1; i < BROKERS; i++)
            network_publish(self->world, self->node, i,
                            parcel_new(parcel->bytes, parcel->topic_size, parcel_head(parcel),
                                       parcel->head_size, NULL, 0));
        network_publish(self->world, self->node, 0, parcel);
    } else if (stands && (!out->expires || gateway_now(self) <= out->expires)) {
        network_up(self->world, self->node, out->ticket.link, parcel);
    } else {
        free(parcel);
    }
}

/* One message a step, so that the gateway can die between any two. */
static void on_flush(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    parcel_out_t *out = self->first;
    (void)event;
    self->first = out->next;
    if (!self->first)
        self->last = &self->first;
    post(self, out);
    free(out);
    self->flushing = self->first != NULL;
    if (self->flushing)
        after(world, node, draw(world, 0, 300), on_flush, 0, NULL);
}

static void put(gateway_t *self, parcel_out_t out, const pt_msg_t *msg)
{
    parcel_out_t *copy = must_alloc(sizeof *copy);
    *copy = out;
    copy->verb = msg->verb;
    copy->attempt = msg->attempt;
    copy->job = pt_msg_has(msg, PT_F_JOB_ID) ? job_find(self->world, &msg->job_id) : -1;
    *self->last = copy;
    self->last = &copy->next;
    if (!self->flushing)
        after(self->world, self->node, draw(self->world, 0, 1 * MS), on_flush, 0, NULL);
    self->flushing = true;
}

void links_send(gateway_t *self, const pt_ticket_t *ticket, pt_msg_t *msg, const void *payload,
                size_t payload_size, int64_t expires)
{
    memcpy(msg->session, ticket->session, PT_SESSION_SIZE);
    pt_msg_set(msg, PT_F_SESSION);
    put(self,
        (parcel_out_t){
            .ticket = *ticket, .expires = expires, .parcel = encode(msg, payload, payload_size)},
        msg);
}

void links_about_job(pt_msg_t *msg, pt_verb_t verb, const pt_uuid_t *job_id, uint32_t attempt)
{
    pt_msg_init(msg, verb);
    msg->job_id = *job_id;
    msg->attempt = attempt;
    pt_msg_set(msg, PT_F_JOB_ID);
    pt_msg_set(msg, PT_F_ATTEMPT);
}

static void set_elsewhere(pt_msg_t *msg, const msgpack_sbuffer *inputs)
{
    msg->size = inputs->size;
    pt_digest(inputs->data, inputs->size, msg->digest);
    pt_msg_set(msg, PT_F_SIZE);
    pt_msg_set(msg, PT_F_DIGEST);
}

void links_send_job(gateway_t *self, const pt_ticket_t *ticket, int number, uint32_t attempt,
                    int64_t expires)
{
    job_t *job = job_at(self->world, number);
    pt_msg_t msg;
    msgpack_sbuffer inputs;
    msgpack_sbuffer_init(&inputs);
    inputs_write(self->world, number, &inputs);
    links_about_job(&msg, PT_JOB, &job->id, attempt);
    msg.org_id = org_id(job->org);
    pt_msg_set(&msg, PT_F_ORG_ID);
    pt_msg_set_text(&msg, PT_F_JOB_TYPE, job_types[job->type]);
    msg.priority = (uint64_t)job->priority;
    msg.weight = (uint64_t)self->world->settings.weights[job->org];
    pt_msg_set(&msg, PT_F_PRIORITY);
    pt_msg_set(&msg, PT_F_WEIGHT);
    bool large = inputs.size > PT_PAYLOAD_MAX;
    if (large)
        set_elsewhere(&msg, &inputs);
    job->sender = self->instance;
    links_send(self, ticket, &msg, large ? NULL : inputs.data, large ? 0 : inputs.size, expires);
    msgpack_sbuffer_destroy(&inputs);
}

static void publish(gateway_t *self, const pt_msg_t *msg)
{
    parcel_out_t out = {.ticket.link = -1,
                        .org = org_find(&msg->org_id),
                        .seq = msg->seq,
                        .parcel = encode(msg, NULL, 0)};
    strcpy(out.type, msg->type);
    put(self, out, msg);
}

void links_note_edge(gateway_t *self, int org, uint64_t seq, uint64_t timeline)
{
    pt_uuid_t id = org_id(org);
    pt_edges_note(self->edges, &id, seq, gateway_now(self));
    self->timeline = timeline;
}

static void set_about(gateway_t *self, pt_msg_t *msg, int number, uint64_t seq)
{
    const job_t *job = job_at(self->world, number);
    msg->job_id = job->id;
    msg->org_id = org_id(job->org);
    msg->seq = seq;
    msg->timeline = self->timeline;
    pt_msg_set(msg, PT_F_JOB_ID);
    pt_msg_set(msg, PT_F_ORG_ID);
    pt_msg_set(msg, PT_F_SEQ);
    pt_msg_set(msg, PT_F_TIMELINE);
    pt_msg_set_text(msg, PT_F_JOB_TYPE, job_types[job->type]);
}

void links_announce(gateway_t *self, int job, uint64_t seq, bool waiting, const pt_event_t *event)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_EVENT);
    set_about(self, &msg, job, seq);
    msg.attempt = event->attempt;
    msg.at = event->at;
    msg.waiting = waiting;
    pt_msg_set(&msg, PT_F_ATTEMPT);
    pt_msg_set(&msg, PT_F_AT);
    if (waiting)
        pt_msg_set(&msg, PT_F_WAITING);
    pt_msg_set_text(&msg, PT_F_STATUS, event->status);
    pt_msg_set_text(&msg, PT_F_TYPE, event->type);
    links_note_edge(self, job_at(self->world, job)->org, seq, self->timeline);
    publish(self, &msg);
}

/* ---- sessions, as links_loop.c ----------------------------------------------------------- */

static pt_msg_t alive_of(const gateway_t *self)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_ALIVE);
    msg.instance = self->instance;
    pt_msg_set(&msg, PT_F_INSTANCE);
    return msg;
}

static void say_hello(gateway_t *self, int broker)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_HELLO);
    pt_msg_set_text(&msg, PT_F_ROLE, "gateway");
    pt_msg_set_text(&msg, PT_F_MACHINE, node_name(self->node));
    msg.instance = self->instance;
    pt_msg_set(&msg, PT_F_INSTANCE);
    network_up(self->world, self->node, broker, encode(&msg, NULL, 0));
}

static void say_in_session(gateway_t *self, int broker, pt_verb_t verb)
{
    pt_msg_t msg;
    pt_msg_init(&msg, verb);
    memcpy(msg.session, self->links[broker].session, PT_SESSION_SIZE);
    pt_msg_set(&msg, PT_F_SESSION);
    msg.leader = self->leader && verb == PT_BEAT;
    if (msg.leader)
        pt_msg_set(&msg, PT_F_LEADER);
    network_up(self->world, self->node, broker, encode(&msg, NULL, 0));
}

static void subscribe(gateway_t *self, int broker, bool on)
{
    static const char *const heard[] = {"status.", "result.", "log.", "event."};
    for (size_t i = 0; i < sizeof heard / sizeof *heard; i++)
        network_subscribe(self->world, self->node, broker, heard[i], on);
}

static void open_sockets(gateway_t *self, int broker)
{
    char own[PT_TOPIC_MAX];
    pt_msg_t alive = alive_of(self);
    pt_topic_format(own, &alive);
    network_open(self->world, self->node, broker);
    network_subscribe(self->world, self->node, broker, own, true);
    if (self->hears)
        subscribe(self, broker, true);
}

static void reopen(gateway_t *self, int broker)
{
    pt_link_t *link = &self->links[broker];
    int64_t quiet_until = link->quiet_until;
    open_sockets(self, broker);
    pt_link_init(link, gateway_now(self));
    link->quiet_until = quiet_until;
}

static void opened(gateway_t *self, int broker)
{
    pt_credit_open(&self->credit, broker, self->links[broker].session);
    say_in_session(self, broker, PT_BEAT);
    sweep_brokers(self, -1);
}

static void act(gateway_t *self, int broker, unsigned actions)
{
    if (actions & PT_LINK_LOST) {
        pt_credit_close(&self->credit, broker);
        sweep_brokers(self, broker);
    }
    if (actions & PT_LINK_REOPEN)
        reopen(self, broker);
    if (actions & PT_LINK_OPENED)
        opened(self, broker);
    if (actions & PT_LINK_SEND_HELLO)
        say_hello(self, broker);
    if (actions & PT_LINK_SEND_BEAT)
        say_in_session(self, broker, PT_BEAT);
    if (actions & (PT_LINK_SEND_HELLO | PT_LINK_SEND_BEAT | PT_LINK_OPENED)) {
        pt_msg_t alive = alive_of(self);
        network_publish(self->world, self->node, broker, encode(&alive, NULL, 0));
    }
}

/* ---- what comes in ----------------------------------------------------------------------- */

static void take_job_message(gateway_t *self, int broker, const pt_msg_t *msg,
                             const parcel_t *parcel)
{
    pt_ticket_t from = {.link = broker};
    memcpy(from.session, self->links[broker].session, PT_SESSION_SIZE);
    switch (msg->verb) {
    case PT_BEAT:
        if (pt_msg_has(msg, PT_F_SLOTS) && pt_credit_serve(&self->credit, broker, &msg->slots))
            sweep_credit(self);
        break;
    case PT_CREDIT:
        if (pt_credit_grant(&self->credit, broker, &msg->credit))
            sweep_credit(self);
        break;
    case PT_HAVE:
        sweep_held(self, broker, msg->round, &msg->jobs);
        break;
    case PT_CHUNK:
        fetcher_chunk(self, msg, parcel_payload(parcel), parcel->payload_size);
        break;
    case PT_FETCH:
        supplier_asked(self, &from, msg);
        break;
    case PT_GONE:
        fetcher_forget(self, &msg->job_id, msg->attempt);
        sweep_gone(self, &msg->job_id, msg->attempt, msg->certain, !msg->handed_back);
        break;
    default:
        break;
    }
}

void gateway_receives(world_t *world, node_t *node, int broker, const parcel_t *parcel)
{
    gateway_t *self = node->state;
    pt_msg_t msg;
    unsigned actions = 0;
    const char *why = pt_msg_decode(&msg, parcel_head(parcel), parcel->head_size);
    if (why) {
        broken(world, "a message that is none came to %s: %s", node_name(node), why);
        return;
    }
    world->coverage->verbs[AT_GATEWAY][msg.verb]++;
    if (pt_link_take(&self->links[broker], &msg, gateway_now(self), &actions) &&
        self->links[broker].in_session)
        take_job_message(self, broker, &msg, parcel);
    pt_msg_clear(&msg);
    act(self, broker, actions);
}

static void take_fact(gateway_t *self, int broker, const pt_msg_t *msg, const parcel_t *parcel)
{
    pt_ticket_t from = {.link = broker};
    pt_fact_t fact;
    memcpy(from.session, self->links[broker].session, PT_SESSION_SIZE);
    zframe_t *payload =
        parcel->has_payload ? zframe_new(parcel_payload(parcel), parcel->payload_size) : NULL;
    if (!pt_fact_read(&fact, &from, msg, payload))
        broken(self->world, "what a worker said is no fact");
    else if (fact.size > 0 && !fact.payload)
        fetcher_take(self, &fact);
    else
        recorder_take(self, &fact);
    zframe_destroy(&payload);
}

void gateway_hears(world_t *world, node_t *node, int broker, const parcel_t *parcel)
{
    gateway_t *self = node->state;
    pt_msg_t msg;
    if (pt_msg_decode(&msg, parcel_head(parcel), parcel->head_size))
        return;
    world->coverage->verbs[AT_GATEWAY][msg.verb]++;
    if (msg.verb == PT_ALIVE)
        pt_link_echo(&self->links[broker], gateway_now(self));
    else if (msg.verb == PT_LOG)
        logs_take(self, &msg, parcel_payload(parcel), parcel->payload_size);
    else if (msg.verb == PT_EVENT)
        sweep_event(self, &msg, pt_edges_is_new(self->edges, &msg.org_id, msg.seq));
    else
        take_fact(self, broker, &msg, parcel);
    pt_msg_clear(&msg);
}

/* ---- time -------------------------------------------------------------------------------- */

static void say_edge(void *context, const pt_uuid_t *org, uint64_t seq)
{
    gateway_t *self = context;
    pt_msg_t msg;
    pt_msg_init(&msg, PT_EDGE);
    msg.org_id = *org;
    msg.seq = seq;
    msg.timeline = self->timeline;
    pt_msg_set(&msg, PT_F_ORG_ID);
    pt_msg_set(&msg, PT_F_SEQ);
    pt_msg_set(&msg, PT_F_TIMELINE);
    publish(self, &msg);
}

static void on_tick(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    (void)event;
    if (node->unread > 0) { /* it reads before it looks at the clock */
        after(world, node, 0, on_tick, 0, NULL);
        return;
    }
    for (int i = 0; i < BROKERS; i++)
        act(self, i, pt_link_tick(&self->links[i], gateway_now(self)));
    if (self->leader)
        pt_edges_due(self->edges, gateway_now(self), say_edge, self);
    after(world, node, TICK_MS * MS, on_tick, 0, NULL);
}

/* ---- leadership, as control.c ------------------------------------------------------------ */

static void set_leader(gateway_t *self, bool leader)
{
    if (self->leader == leader)
        return;
    trace(self->world, self->node, leader ? "leads" : "leads no longer");
    self->leader = self->hears = leader;
    recorder_set_active(self, leader);
    fetcher_set_active(self, leader);
    logs_set_active(self, leader);
    sweep_set_active(self, leader);
    for (int i = 0; i < BROKERS; i++)
        subscribe(self, i, leader);
}

static void on_ping_answered(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    const statement_t *answer = event->data;
    if ((uint64_t)event->number != self->control_serial || self->draining)
        return;
    self->control_serial = 0;
    if (answer && answer->outcome == DB_OK) {
        set_leader(self, answer->number);
    } else {
        set_leader(self, false);
        database_hang_up(world, node, BY_CONTROL);
    }
}

static void on_ping(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    (void)event;
    if (!self->control_serial && !self->draining)
        self->control_serial = database_ask(world, node, BY_CONTROL, statement_new(DB_LEAD, 0),
                                            PING_ANSWER_MS, on_ping_answered);
    after(world, node, PING_MS * MS, on_ping, 0, NULL);
}

/* ---- requests ---------------------------------------------------------------------------- */

void gateway_submit(world_t *world, node_t *node, event_t *event)
{
    (void)world;
    committer_submit(node->state, (int)event->number);
}

/* Recorded first, then whoever may hold it is told. */
static void on_canceled(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    const statement_t *answer = event->data;
    if (!answer || answer->outcome != DB_OK || !answer->items[0].changed)
        return;
    const item_t *item = &answer->items[0];
    self->timeline = answer->timeline;
    links_announce(self, item->job, item->seq, false, &item->event);
    for (int i = 0; i < BROKERS; i++) {
        pt_ticket_t ticket = {.link = i};
        pt_msg_t msg;
        memcpy(ticket.session, self->links[i].session, PT_SESSION_SIZE);
        pt_msg_init(&msg, PT_STOP);
        msg.job_id = job_at(world, item->job)->id;
        msg.attempt = item->attempt;
        pt_msg_set(&msg, PT_F_JOB_ID);
        pt_msg_set(&msg, PT_F_ATTEMPT);
        if (self->links[i].in_session)
            links_send(self, &ticket, &msg, NULL, 0, 0);
    }
}

void gateway_cancel(world_t *world, node_t *node, event_t *event)
{
    statement_t *ask = statement_new(DB_CANCEL, 1);
    ask->count = 1;
    ask->items[0].job = (int)event->number;
    job_at(world, ask->items[0].job)->cancel_asked = true;
    database_ask(world, node, BY_REQUEST, ask, 3000, on_canceled);
}

/* ---- its life ---------------------------------------------------------------------------- */

void gateway_start(world_t *world, node_t *node)
{
    gateway_t *self = must_alloc(sizeof *self);
    node->up = true;
    node->generation++;
    node->unread = 0;
    node->state = self;
    self->world = world;
    self->node = node;
    self->instance = make_id(world, 0);
    self->edges = pt_edges_new();
    self->last = &self->first;
    sweep_new(self);
    fetcher_new(self);
    supplier_new(self);
    trace(world, node, "starts");
    for (int i = 0; i < BROKERS; i++) {
        open_sockets(self, i);
        pt_link_init(&self->links[i], gateway_now(self));
    }
    after(world, node, draw(world, 0, TICK_MS * MS), on_tick, 0, NULL);
    after(world, node, draw(world, 0, PING_MS * MS), on_ping, 0, NULL);
}

void gateway_die(world_t *world, node_t *node)
{
    gateway_t *self = node->state;
    trace(world, node, "dies");
    node->up = false;
    node->state = NULL;
    for (int thread = 0; thread < THREADS; thread++)
        database_hang_up(world, node, (thread_t)thread);
    while (self->first) {
        parcel_out_t *next = self->first->next;
        free(self->first->parcel);
        free(self->first);
        self->first = next;
    }
    recorder_clear(self);
    fetcher_destroy(self);
    supplier_destroy(self);
    logs_clear(self);
    pt_edges_destroy(&self->edges);
    sweep_destroy(self);
    free(self);
    network_died(world, node);
}

static void on_end(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    (void)event;
    for (int i = 0; i < BROKERS; i++) {
        if (self->links[i].in_session)
            say_in_session(self, i, PT_BYE);
        network_close(world, node, i, true);
    }
    gateway_die(world, node);
}

void gateway_drain(world_t *world, node_t *node)
{
    gateway_t *self = node->state;
    trace(world, node, "drains");
    self->draining = true;
    set_leader(self, false);
    database_hang_up(world, node, BY_CONTROL);
    after(world, node, draw(world, 0, 200 * MS), on_end, 0, NULL);
}

point_t gateway_point(const world_t *world, const node_t *node)
{
    const gateway_t *self = node->state;
    point_t point = POINT_IDLE;
    for (const parcel_out_t *out = self->first; out; out = out->next) {
        if (out->verb == PT_EVENT)
            return POINT_UNPUBLISHED;
        if (out->verb == PT_SETTLED || out->verb == PT_STOP)
            point = POINT_UNSETTLED_YET;
    }
    return point != POINT_IDLE ? point : database_point(world, node);
}

bool gateway_busy(const node_t *node)
{
    const gateway_t *self = node->state;
    return self->first || self->recorder.queued || self->recorder.count || self->committer.queued ||
           self->committer.count || self->logs.queued || self->logs.taken;
}
