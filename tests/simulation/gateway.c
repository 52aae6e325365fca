#include "tests/simulation/gateway_inside.h"

#include "proto/topic.h"

#include <stdio.h>

#define TICK_MS (PT_INTERVAL_MS / 4)
#define PING_MS 500
#define PING_ANSWER_MS 1500

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
    network_up(self->world, self->node, broker, links_encode(&msg, NULL, 0));
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
    network_up(self->world, self->node, broker, links_encode(&msg, NULL, 0));
}

static void subscribe(gateway_t *self, int broker, bool on)
{
    static const char *const heard[] = {"status.", "result.", "log.", "declare.", "event."};
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
        network_publish(self->world, self->node, broker, links_encode(&alive, NULL, 0));
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
    else if (msg.verb == PT_DECLARE)
        registrar_take(self, &msg, parcel_payload(parcel), parcel->payload_size);
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
    links_publish(self, &msg);
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
    registrar_set_active(self, leader);
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
           self->committer.count || self->logs.queued || self->logs.taken || self->registrar.queued;
}
