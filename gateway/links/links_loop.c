#include "gateway/links/links_inside.h"

#include "gateway/record/fact.h"
#include "proto/program/log.h"
#include "proto/program/process.h"
#include "proto/topic.h"

#define SEND_MAX                                                                                   \
    20000         /* messages that a socket holds; small ones, but for jobs, which credit bounds */
#define TURN 1000 /* messages of one socket before the next one has its turn */
#define TICK_MS (PT_INTERVAL_MS / 4)
#define GRUMBLE_MS 60000

/* ---- sockets ----------------------------------------------------------------------------- */

static const char *const heard[] = {"status.", "result.", "log.", "declare.", "event."};

static const char event_topic[] = "event."; /* one more subscription of the same, by itself */

static void subscribe(broker_t *broker, bool on)
{
    for (size_t i = 0; i < sizeof heard / sizeof *heard; i++) {
        if (on)
            zsock_set_subscribe(broker->sub, heard[i]);
        else
            zsock_set_unsubscribe(broker->sub, heard[i]);
    }
}

static pt_msg_t alive_of(const pt_links_t *self)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_ALIVE);
    msg.instance = self->instance;
    pt_msg_set(&msg, PT_F_INSTANCE);
    return msg;
}

static void close_sockets(broker_t *broker)
{
    zsock_destroy(&broker->dealer);
    zsock_destroy(&broker->sub);
    zsock_destroy(&broker->pub);
}

static zsock_t *new_socket(const pt_links_t *self, int type, int linger_ms)
{
    zsock_t *socket = pt_socket_new(type, linger_ms);
    assert(socket);
    pt_keyring_connect(self->keyring, socket);
    return socket;
}

static void open_sockets(pt_links_t *self, broker_t *broker)
{
    close_sockets(broker);
    broker->dealer = new_socket(self, ZMQ_DEALER, 200);
    broker->sub = new_socket(self, ZMQ_SUB, 0);
    broker->pub = new_socket(self, ZMQ_PUB, 200);
    zsock_set_sndhwm(broker->dealer, SEND_MAX);
    zsock_set_sndhwm(broker->pub, SEND_MAX);
    zsock_set_rcvhwm(broker->sub, SEND_MAX);
    /* What was not there is NULL at once. To ask before each message costs two system calls. */
    zsock_set_rcvtimeo(broker->dealer, 0);
    zsock_set_rcvtimeo(broker->sub, 0);
    if (zsock_connect(broker->dealer, "%s", broker->jobs) ||
        zsock_connect(broker->sub, "%s", broker->events) ||
        zsock_connect(broker->pub, "%s", broker->events_in))
        pt_log(PT_ERROR, "cannot connect to the broker", PT_S("endpoint", broker->jobs));
    char own[PT_TOPIC_MAX];
    pt_msg_t alive = alive_of(self);
    pt_topic_format(own, &alive);
    zsock_set_subscribe(broker->sub, own);
    if (self->hears)
        subscribe(broker, true);
    if (self->hears_ends)
        zsock_set_subscribe(broker->sub, event_topic);
}

static void follow_leadership(pt_links_t *self)
{
    bool leader = atomic_load(&self->leader);
    if (leader == self->hears)
        return;
    self->hears = leader;
    for (int i = 0; i < self->count; i++)
        subscribe(&self->brokers[i], leader);
}

static void follow_listeners(pt_links_t *self)
{
    bool listens = atomic_load(&self->listens);
    if (listens == self->hears_ends)
        return;
    self->hears_ends = listens;
    for (int i = 0; i < self->count; i++) {
        if (listens)
            zsock_set_subscribe(self->brokers[i].sub, event_topic);
        else
            zsock_set_unsubscribe(self->brokers[i].sub, event_topic);
    }
}

/* ---- sending ----------------------------------------------------------------------------- */

static void send_own(broker_t *broker, const pt_msg_t *msg)
{
    msgpack_sbuffer head;
    msgpack_sbuffer_init(&head);
    pt_msg_encode(msg, &head);
    pt_socket_send(broker->dealer, NULL, head.data, head.size, NULL);
    msgpack_sbuffer_destroy(&head);
}

static void send_hello(pt_links_t *self, broker_t *broker)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_HELLO);
    pt_msg_set_text(&msg, PT_F_ROLE, "gateway");
    pt_msg_set_text(&msg, PT_F_MACHINE, self->machine);
    msg.instance = self->instance;
    pt_msg_set(&msg, PT_F_INSTANCE);
    send_own(broker, &msg);
}

static void send_in_session(broker_t *broker, pt_verb_t verb, bool leader)
{
    pt_msg_t msg;
    pt_msg_init(&msg, verb);
    memcpy(msg.session, broker->session.session, PT_SESSION_SIZE);
    pt_msg_set(&msg, PT_F_SESSION);
    msg.leader = leader;
    if (leader)
        pt_msg_set(&msg, PT_F_LEADER);
    send_own(broker, &msg);
}

/* To itself, by way of the broker: what comes back shows that the event path carries both ways. */
static void send_alive(pt_links_t *self, broker_t *broker)
{
    char topic[PT_TOPIC_MAX];
    msgpack_sbuffer head;
    pt_msg_t msg = alive_of(self);
    size_t size = pt_topic_format(topic, &msg);
    msgpack_sbuffer_init(&head);
    pt_msg_encode(&msg, &head);
    zframe_t *first = zframe_new(topic, size);
    pt_socket_send(broker->pub, first, head.data, head.size, NULL);
    zframe_destroy(&first);
    msgpack_sbuffer_destroy(&head);
}

static zframe_t *payload_of(const pt_parcel_t *parcel)
{
    const char *payload = parcel->bytes + parcel->topic_size + parcel->head_size;
    return parcel->payload_size > 0 ? zframe_new(payload, parcel->payload_size) : NULL;
}

static void publish_parcel(pt_links_t *self, const pt_parcel_t *parcel)
{
    for (int i = 0; i < self->count; i++) {
        zframe_t *topic = zframe_new(parcel->bytes, parcel->topic_size);
        pt_socket_send(self->brokers[i].pub, topic, parcel->bytes + parcel->topic_size,
                       parcel->head_size, NULL);
        zframe_destroy(&topic);
    }
    atomic_fetch_add(&self->published, 1);
}

static void send_parcel(pt_links_t *self, const pt_parcel_t *parcel, int64_t now)
{
    broker_t *broker = &self->brokers[parcel->ticket.link];
    bool stands = broker->session.in_session &&
                  memcmp(broker->session.session, parcel->ticket.session, PT_SESSION_SIZE) == 0;
    if (!stands || (parcel->expires && now > parcel->expires) ||
        !pt_socket_send(broker->dealer, NULL, parcel->bytes, parcel->head_size,
                        payload_of(parcel))) {
        atomic_fetch_add(&self->overflowed, 1);
        if (parcel->verb == PT_JOB)
            pt_links_release(self, &parcel->ticket, parcel->job_type);
        return;
    }
    if (parcel->verb == PT_JOB)
        atomic_fetch_add(&self->jobs_sent, 1);
}

static void send_all(pt_links_t *self)
{
    int64_t now = pt_clock_ms();
    pt_parcel_t *parcel = pt_outbox_take(self->outbox);
    while (parcel) {
        pt_parcel_t *next = parcel->next;
        if (parcel->ticket.link < 0)
            publish_parcel(self, parcel);
        else
            send_parcel(self, parcel, now);
        free(parcel);
        parcel = next;
    }
}

/* ---- sessions ---------------------------------------------------------------------------- */

static void session_opened(pt_links_t *self, int link)
{
    pthread_mutex_lock(&self->lock);
    pt_credit_open(&self->credit, link, self->brokers[link].session.session);
    pthread_mutex_unlock(&self->lock);
    pt_log(PT_INFO, "in session with the broker", PT_S("endpoint", self->brokers[link].jobs));
    send_in_session(&self->brokers[link], PT_BEAT, atomic_load(&self->leader));
    self->sink.brokers(self->sink.context, -1);
}

static void session_lost(pt_links_t *self, int link)
{
    pthread_mutex_lock(&self->lock);
    pt_credit_close(&self->credit, link);
    pthread_mutex_unlock(&self->lock);
    pt_log(PT_WARNING, "the session with the broker ended",
           PT_S("endpoint", self->brokers[link].jobs));
    self->sink.brokers(self->sink.context, link);
}

static void act(pt_links_t *self, int link, unsigned actions)
{
    broker_t *broker = &self->brokers[link];
    if (actions & PT_LINK_LOST)
        session_lost(self, link);
    if (actions & PT_LINK_REOPEN) {
        int64_t quiet_until = broker->session.quiet_until;
        open_sockets(self, broker);
        pt_link_init(&broker->session, pt_clock_ms());
        broker->session.quiet_until = quiet_until;
    }
    if (actions & PT_LINK_OPENED)
        session_opened(self, link);
    if (actions & PT_LINK_SEND_HELLO)
        send_hello(self, broker);
    if (actions & PT_LINK_SEND_BEAT)
        send_in_session(broker, PT_BEAT, atomic_load(&self->leader));
    if (actions & (PT_LINK_SEND_HELLO | PT_LINK_SEND_BEAT | PT_LINK_OPENED))
        send_alive(self, broker);
}

/* ---- what comes in ----------------------------------------------------------------------- */

/* Nonsense is counted; once a minute the log says from where. */
static void drop(pt_links_t *self, int link, const char *reason)
{
    broker_t *broker = &self->brokers[link];
    int64_t now = pt_clock_ms();
    atomic_fetch_add(&self->dropped, 1);
    if (broker->grumbled != 0 && now - broker->grumbled < GRUMBLE_MS)
        return;
    broker->grumbled = now;
    pt_log(PT_WARNING, "a message was dropped; more of this broker are only counted",
           PT_S("endpoint", broker->jobs), PT_S("reason", reason));
}

static void take_slots(pt_links_t *self, int link, const pt_counts_t *slots)
{
    pthread_mutex_lock(&self->lock);
    bool changed = pt_credit_serve(&self->credit, link, slots);
    pthread_mutex_unlock(&self->lock);
    if (changed)
        self->sink.credit(self->sink.context);
}

/* Where an answer to what came from there goes. */
static pt_ticket_t ticket_of(const pt_links_t *self, int link)
{
    pt_ticket_t ticket = {.link = link};
    memcpy(ticket.session, self->brokers[link].session.session, PT_SESSION_SIZE);
    return ticket;
}

static void take_fetch(pt_links_t *self, int link, const pt_msg_t *msg)
{
    pt_ticket_t from = ticket_of(self, link);
    self->sink.fetch(self->sink.context, &from, msg);
}

static void take_job_message(pt_links_t *self, int link, const pt_msg_t *msg, zframe_t *payload)
{
    switch (msg->verb) {
    case PT_CREDIT:
        pthread_mutex_lock(&self->lock);
        bool grew = pt_credit_grant(&self->credit, link, &msg->credit);
        pthread_mutex_unlock(&self->lock);
        if (grew)
            self->sink.credit(self->sink.context);
        break;
    case PT_BEAT:
        if (pt_msg_has(msg, PT_F_SLOTS))
            take_slots(self, link, &msg->slots);
        break;
    case PT_HAVE:
        self->sink.held(self->sink.context, link, msg->round, &msg->jobs);
        break;
    case PT_GONE:
        self->sink.gone(self->sink.context, &msg->job_id, msg->attempt, msg->certain,
                        !msg->handed_back, msg->reason);
        break;
    case PT_FETCH:
        take_fetch(self, link, msg);
        break;
    case PT_CHUNK:
        self->sink.chunk(self->sink.context, msg, zframe_data(payload), zframe_size(payload));
        break;
    default:
        break;
    }
}

/* Why it is no message of a broker, or NULL. */
static const char *read_job_message(pt_msg_t *msg, zframe_t *head, zframe_t *payload)
{
    const char *fault = pt_msg_decode(msg, zframe_data(head), zframe_size(head));
    if (fault)
        return fault;
    fault = pt_msg_check_payload(msg, payload ? zframe_data(payload) : NULL,
                                 payload ? zframe_size(payload) : 0);
    if (fault)
        pt_msg_clear(msg);
    return fault;
}

static void read_dealer(pt_links_t *self, int link)
{
    broker_t *broker = &self->brokers[link];
    for (int i = 0; i < TURN; i++) {
        zmsg_t *parts = zmsg_recv(broker->dealer);
        if (!parts)
            return;
        zframe_t *head = zmsg_first(parts), *payload = zmsg_next(parts);
        pt_msg_t msg;
        unsigned actions = 0;
        const char *fault = read_job_message(&msg, head, payload);
        if (fault) {
            drop(self, link, fault);
        } else {
            if (!pt_link_take(&broker->session, &msg, pt_clock_ms(), &actions))
                drop(self, link, "another session's");
            else if (broker->session.in_session)
                take_job_message(self, link, &msg, payload);
            pt_msg_clear(&msg);
        }
        zmsg_destroy(&parts);
        act(self, link, actions);
        if (actions & PT_LINK_REOPEN)
            return;
    }
}

static bool is_end(const pt_msg_t *event)
{
    static const char *const ends[] = {"completed", "failed", "canceled"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (strcmp(event->type, ends[i]) == 0)
            return true;
    return false;
}

/* Anybody can send an event, so it is no more than a hint at what the table says. */
static void take_event(pt_links_t *self, const pt_msg_t *msg)
{
    if (is_end(msg))
        self->sink.ended(self->sink.context, &msg->job_id);
    if (!self->hears)
        return;
    pthread_mutex_lock(&self->lock);
    bool is_new = pt_edges_is_new(self->edges, &msg->org_id, msg->seq);
    pthread_mutex_unlock(&self->lock);
    self->sink.event(self->sink.context, msg, is_new);
}

static void take_fact(pt_links_t *self, int link, const pt_msg_t *msg, const zframe_t *payload)
{
    pt_ticket_t from = ticket_of(self, link);
    pt_fact_t fact;
    if (pt_fact_read(&fact, &from, msg, payload))
        self->sink.fact(self->sink.context, &fact);
    else
        drop(self, link, "no status that could be recorded");
}

static void take_log(pt_links_t *self, int link, const pt_msg_t *msg, const zframe_t *payload)
{
    if (!self->sink.log(self->sink.context, msg, payload))
        drop(self, link, "no piece of a log");
}

static void take_declaration(pt_links_t *self, int link, const pt_msg_t *msg,
                             const zframe_t *payload)
{
    if (!self->sink.declare(self->sink.context, msg, payload))
        drop(self, link, "no declaration");
}

static void take_published(pt_links_t *self, int link, zmsg_t *parts)
{
    zframe_t *topic = zmsg_first(parts), *head = zmsg_next(parts), *payload = zmsg_next(parts);
    pt_msg_t msg;
    const char *fault = head ? pt_msg_decode(&msg, zframe_data(head), zframe_size(head))
                             : "a topic without a message";
    if (fault) {
        drop(self, link, fault);
        return;
    }
    if (!pt_topic_matches(zframe_data(topic), zframe_size(topic), &msg))
        drop(self, link, "its topic is another's");
    else if (msg.verb == PT_ALIVE)
        pt_link_echo(&self->brokers[link].session, pt_clock_ms());
    else if (msg.verb == PT_EVENT)
        take_event(self, &msg);
    else if (msg.verb == PT_LOG)
        take_log(self, link, &msg, payload);
    else if (msg.verb == PT_DECLARE)
        take_declaration(self, link, &msg, payload);
    else
        take_fact(self, link, &msg, payload);
    pt_msg_clear(&msg);
}

static void read_sub(pt_links_t *self, int link)
{
    for (int i = 0; i < TURN; i++) {
        zmsg_t *parts = zmsg_recv(self->brokers[link].sub);
        if (!parts)
            return;
        take_published(self, link, parts);
        zmsg_destroy(&parts);
    }
}

/* ---- the loop ---------------------------------------------------------------------------- */

static void say_edge(void *context, const pt_uuid_t *org_id, uint64_t seq)
{
    pt_links_t *self = context;
    pt_links_publish_edge(self, org_id, seq, atomic_load(&self->timeline));
}

static void tick(pt_links_t *self)
{
    int64_t now = pt_clock_ms();
    for (int i = 0; i < self->count; i++)
        act(self, i, pt_link_tick(&self->brokers[i].session, now));
    if (!atomic_load(&self->leader))
        return;
    pthread_mutex_lock(&self->lock);
    pt_edges_due(self->edges, now, say_edge, self);
    pthread_mutex_unlock(&self->lock);
}

static void wait_readable(pt_links_t *self)
{
    zmq_pollitem_t items[1 + 2 * PT_LINKS_MAX];
    items[0] = (zmq_pollitem_t){NULL, pt_outbox_descriptor(self->outbox), ZMQ_POLLIN, 0};
    for (int i = 0; i < self->count; i++) {
        items[1 + 2 * i] =
            (zmq_pollitem_t){zsock_resolve(self->brokers[i].dealer), 0, ZMQ_POLLIN, 0};
        items[2 + 2 * i] = (zmq_pollitem_t){zsock_resolve(self->brokers[i].sub), 0, ZMQ_POLLIN, 0};
    }
    zmq_poll(items, 1 + 2 * self->count, TICK_MS);
}

void *pt_links_run(void *arg)
{
    pt_links_t *self = arg;
    for (int i = 0; i < self->count; i++) {
        open_sockets(self, &self->brokers[i]);
        pt_link_init(&self->brokers[i].session, pt_clock_ms());
    }
    int64_t ticked = 0;
    while (!atomic_load(&self->stop)) {
        wait_readable(self);
        follow_leadership(self);
        follow_listeners(self);
        for (int i = 0; i < self->count; i++) {
            read_dealer(self, i);
            read_sub(self, i);
        }
        send_all(self);
        if (pt_clock_ms() - ticked >= TICK_MS) {
            ticked = pt_clock_ms();
            tick(self);
        }
    }
    send_all(self);
    for (int i = 0; i < self->count; i++) {
        if (self->brokers[i].session.in_session)
            send_in_session(&self->brokers[i], PT_BYE, false);
        close_sockets(&self->brokers[i]);
    }
    return NULL;
}
