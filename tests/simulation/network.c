#include "tests/simulation/network.h"

#include "tests/simulation/transcripts.h"

#define PEERS (GATEWAYS_MAX + WORKERS_MAX + ORGS_MAX)
#define TOPICS_MAX 8
#define NONE (-1)

/* One TCP connection of a job socket; its number is the routing id. */
typedef struct {
    node_t *peer;
    int broker;
    unsigned broker_generation;
    bool open;
    int64_t noticed_at; /* when it is closed: until then sends seem to succeed */
    int64_t last[2];    /* when the latest message arrives, up and down */
    uint64_t sent;      /* messages up */
} connection_t;

/* A peer's sockets to one broker. */
typedef struct {
    unsigned
        generation; /* of the sockets: one more at each opening; a message of an older is lost */
    bool exists;
    int64_t connection; /* or NONE */
    parcel_t **carried; /* queued for the former connection, goes to the next one */
    size_t carried_count;
    int64_t stalled_until[2], deaf_until, last_up, last_down;
    unsigned broker_generation; /* whose event path it is connected to */
    int64_t pub_ready, sub_ready;
    char topics[TOPICS_MAX][64];
    size_t topic_count;
} link_t;

typedef struct network {
    connection_t *connections;
    size_t count, room;
    link_t links[PEERS][BROKERS];
} network_t;

parcel_t *parcel_new(const char *topic, size_t topic_size, const void *head, size_t head_size,
                     const void *payload, size_t payload_size)
{
    parcel_t *self = malloc(sizeof *self + topic_size + head_size + payload_size);
    if (!self)
        abort();
    *self = (parcel_t){topic_size, head_size, payload_size, payload != NULL, 0};
    if (topic_size > 0)
        memcpy(self->bytes, topic, topic_size);
    memcpy(self->bytes + topic_size, head, head_size);
    if (payload)
        memcpy(self->bytes + topic_size + head_size, payload, payload_size);
    return self;
}

static parcel_t *copy_of(const parcel_t *parcel)
{
    size_t size = sizeof *parcel + parcel->topic_size + parcel->head_size + parcel->payload_size;
    parcel_t *copy = malloc(size);
    if (!copy)
        abort();
    return memcpy(copy, parcel, size);
}

static int number_of(const node_t *peer)
{
    return peer->kind == GATEWAY  ? peer->index
           : peer->kind == WORKER ? GATEWAYS_MAX + peer->index
                                  : GATEWAYS_MAX + WORKERS_MAX + peer->index;
}

static link_t *link_of(world_t *world, const node_t *peer, int broker)
{
    return &world->network->links[number_of(peer)][broker];
}

void network_new(world_t *world)
{
    world->network = must_alloc(sizeof *world->network);
    for (int peer = 0; peer < PEERS; peer++)
        for (int broker = 0; broker < BROKERS; broker++)
            world->network->links[peer][broker].connection = NONE;
}

static void drop_carried(link_t *link)
{
    for (size_t i = 0; i < link->carried_count; i++)
        free(link->carried[i]);
    free(link->carried);
    link->carried = NULL;
    link->carried_count = 0;
}

void network_destroy(world_t *world)
{
    for (int peer = 0; peer < PEERS; peer++)
        for (int broker = 0; broker < BROKERS; broker++)
            drop_carried(&world->network->links[peer][broker]);
    free(world->network->connections);
    free(world->network);
}

/* How long a message takes. */
static int64_t latency(world_t *world)
{
    int64_t us = draw(world, 50, 500);
    if (chance(world, world->settings.slow))
        us += draw(world, 0, world->settings.slow_us);
    return us;
}

/* ---- connections of job sockets ---------------------------------------------------------- */

static void on_up(world_t *world, node_t *broker, event_t *event);

static uint64_t number_in_stream(const event_t *event)
{
    return ((const parcel_t *)event->data)->number;
}

/* Messages wait in the queue with their connection's number; one that has broken loses them, or the
   DEALER keeps those that it had not yet sent. */
static void take_queued(world_t *world, int64_t connection, link_t *keeper)
{
    size_t first = SIZE_MAX;
    for (;;) {
        event_t *next = NULL;
        for (size_t i = 0; i < world->queued; i++) {
            event_t *event = &world->queue[i];
            if (event->handler == on_up && event->number == connection && event->data &&
                (!next || number_in_stream(event) < number_in_stream(next)))
                next = event;
        }
        if (!next)
            return;
        bool keep = keeper && (first != SIZE_MAX || random_chance(&world->random, 500));
        if (keep) {
            first = 0;
            keeper->carried =
                realloc(keeper->carried, (keeper->carried_count + 1) * sizeof *keeper->carried);
            keeper->carried[keeper->carried_count++] = next->data;
            world->coverage->carried++;
        } else {
            free(next->data);
        }
        next->data = NULL; /* the event stays, and does nothing */
    }
}

static void on_connect(world_t *world, node_t *peer, event_t *event);

static void connect_later(world_t *world, node_t *peer, int broker, int64_t delay)
{
    link_t *link = link_of(world, peer, broker);
    int64_t *generation = must_alloc(sizeof *generation);
    *generation = link->generation;
    after(world, peer, delay, on_connect, broker, generation);
}

/* The connection is no more; the DEALER lives on and will have another. */
static void break_connection(world_t *world, link_t *link, bool carry)
{
    if (link->connection == NONE)
        return;
    connection_t *connection = &world->network->connections[link->connection];
    connection->open = false;
    connection->noticed_at = world->now + draw(world, 0, 2 * SECOND);
    take_queued(world, link->connection, carry ? link : NULL);
    link->connection = NONE;
}

static connection_t *new_connection(network_t *network)
{
    if (network->count == network->room) {
        network->room = network->room ? 2 * network->room : 32;
        network->connections =
            realloc(network->connections, network->room * sizeof *network->connections);
        if (!network->connections)
            abort();
    }
    return &network->connections[network->count++];
}

static bool reachable(world_t *world, const link_t *link, int broker)
{
    return world->brokers[broker].up && link->stalled_until[0] <= world->now &&
           link->stalled_until[1] <= world->now;
}

static void on_connect(world_t *world, node_t *peer, event_t *event)
{
    int broker = (int)event->number;
    link_t *link = link_of(world, peer, broker);
    if (!link->exists || link->generation != *(int64_t *)event->data || link->connection != NONE)
        return;
    if (!reachable(world, link, broker)) {
        connect_later(world, peer, broker, draw(world, 80 * MS, 300 * MS));
        return;
    }
    link->connection = (int64_t)world->network->count;
    *new_connection(world->network) =
        (connection_t){.peer = peer,
                       .broker = broker,
                       .broker_generation = world->brokers[broker].generation,
                       .open = true};
    trace(world, peer, "connected to %s as %lld", node_name(&world->brokers[broker]),
          (long long)link->connection);
    for (size_t i = 0; i < link->carried_count; i++)
        network_up(world, peer, broker, link->carried[i]);
    link->carried_count = 0;
}

void network_close(world_t *world, node_t *peer, int broker, bool all_sent)
{
    link_t *link = link_of(world, peer, broker);
    if (link->connection != NONE) {
        connection_t *connection = &world->network->connections[link->connection];
        connection->open = false;
        connection->noticed_at = world->now + draw(world, 0, 1 * SECOND);
        if (!all_sent && random_chance(&world->random, 500)) /* else it is on the wire already */
            take_queued(world, link->connection, NULL);
    }
    link->connection = NONE;
    link->exists = false;
    link->generation++;
    link->topic_count = 0;
    drop_carried(link);
}

void network_open(world_t *world, node_t *peer, int broker)
{
    network_close(world, peer, broker, false);
    link_t *link = link_of(world, peer, broker);
    link->exists = true;
    link->broker_generation = 0;
    if (peer->kind != SUBSCRIBER)
        connect_later(world, peer, broker, draw(world, 100, 5 * MS));
}

void network_died(world_t *world, node_t *node)
{
    transcripts_may_be_lost(world);
    if (node->kind != BROKER) {
        for (int broker = 0; broker < BROKERS; broker++)
            network_close(world, node, broker, false);
        return;
    }
    for (size_t i = 0; i < world->network->count; i++) {
        connection_t *connection = &world->network->connections[i];
        if (connection->open && connection->broker == node->index) {
            break_connection(world, link_of(world, connection->peer, node->index), true);
            connect_later(world, connection->peer, node->index, draw(world, 80 * MS, 300 * MS));
        }
    }
}

void network_break(world_t *world, node_t *peer, int broker)
{
    link_t *link = link_of(world, peer, broker);
    link->broker_generation = 0; /* the event path too */
    if (link->connection == NONE)
        return;
    trace(world, peer, "its connection to %s breaks", node_name(&world->brokers[broker]));
    break_connection(world, link, true);
    connect_later(world, peer, broker, draw(world, 80 * MS, 300 * MS));
}

void network_stall(world_t *world, node_t *peer, int broker, bool up, bool down, int64_t us)
{
    link_t *link = link_of(world, peer, broker);
    for (int way = 0; way < 2;
         way++) /* never shorter than before: what is held up keeps its order */
        if ((way == 0 ? up : down) && link->stalled_until[way] < world->now + us)
            link->stalled_until[way] = world->now + us;
}

void network_deafen(world_t *world, node_t *peer, int broker, int64_t us)
{
    link_of(world, peer, broker)->deaf_until = world->now + us;
}

void network_heal(world_t *world)
{
    for (int peer = 0; peer < PEERS; peer++)
        for (int broker = 0; broker < BROKERS; broker++)
            world->network->links[peer][broker].deaf_until = 0;
}

/* ---- messages of job sockets ------------------------------------------------------------- */

/* After what was sent before it; a stalled link delivers when it goes on. */
static int64_t arrival(world_t *world, int64_t *last)
{
    int64_t at = world->now + latency(world);
    *last = at > *last ? at : *last;
    return *last;
}

/* Still on its way when the link stalls: it comes later, and so does all behind it, in order. */
static bool held_up(world_t *world, node_t *to, event_t *event, link_t *link, int way)
{
    if (link->stalled_until[way] <= world->now)
        return false;
    message_at(world, to, link->stalled_until[way], event->handler, event->number, event->data);
    event->data = NULL;
    return true;
}

static void on_up(world_t *world, node_t *broker, event_t *event)
{
    if (!event->data) /* its connection broke */
        return;
    connection_t *connection = &world->network->connections[event->number];
    link_t *link = link_of(world, connection->peer, broker->index);
    if (connection->broker_generation == broker->generation &&
        !held_up(world, broker, event, link, 0))
        broker_receives(world, broker, event->number, event->data);
}

bool network_up(world_t *world, node_t *peer, int broker, parcel_t *parcel)
{
    link_t *link = link_of(world, peer, broker);
    if (!link->exists || link->connection == NONE) {
        free(parcel);
        return false;
    }
    connection_t *connection = &world->network->connections[link->connection];
    parcel->number = ++connection->sent;
    message_at(world, &world->brokers[broker], arrival(world, &connection->last[0]), on_up,
               link->connection, parcel);
    return true;
}

static void on_down(world_t *world, node_t *peer, event_t *event)
{
    connection_t *connection = &world->network->connections[event->number];
    link_t *link = link_of(world, peer, connection->broker);
    if (link->connection != event->number || held_up(world, peer, event, link, 1))
        return;
    if (peer->kind == GATEWAY)
        gateway_receives(world, peer, connection->broker, event->data);
    else
        worker_receives(world, peer, connection->broker, event->data);
}

bool network_down(world_t *world, int64_t route, parcel_t *parcel)
{
    connection_t *connection = &world->network->connections[route];
    bool gone = !connection->open && connection->noticed_at <= world->now;
    if (connection->open && chance(world, world->settings.send_fails)) {
        world->coverage
            ->send_failed++; /* it reads too slowly: EAGAIN, and the message is dropped */
        gone = true;
    }
    if (gone || !connection->open) {
        free(parcel);
        return !gone;
    }
    message_at(world, connection->peer, arrival(world, &connection->last[1]), on_down, route,
               parcel);
    return true;
}

bool network_is_gateway(const world_t *world, int64_t route)
{
    return world->network->connections[route].peer->kind == GATEWAY;
}

/* ---- the event path ---------------------------------------------------------------------- */

/* The subscriptions take their time to come, each time that somebody is new. */
static bool path_ready(world_t *world, link_t *link, int broker, const int64_t *ready)
{
    node_t *node = &world->brokers[broker];
    if (!link->exists || !node->up)
        return false;
    if (link->broker_generation != node->generation) {
        link->broker_generation = node->generation;
        link->pub_ready = world->now + draw(world, 1 * MS, 300 * MS);
        link->sub_ready = world->now + draw(world, 1 * MS, 300 * MS);
    }
    return *ready <= world->now && link->deaf_until <= world->now;
}

static bool lost(world_t *world)
{
    bool is_lost = chance(world, world->settings.event_loss);
    world->coverage->event_lost += is_lost;
    return is_lost;
}

static bool is_log(const parcel_t *parcel)
{
    return parcel->topic_size > 4 && memcmp(parcel->bytes, "log.", 4) == 0;
}

/* What is dropped may be a piece of a log, which nobody says again. */
static void note_dropped(world_t *world, const parcel_t *parcel)
{
    pt_msg_t msg;
    if (!is_log(parcel) || pt_msg_decode(&msg, parcel_head(parcel), parcel->head_size))
        return;
    job_at(world, job_find(world, &msg.job_id))->log_lost = true;
    pt_msg_clear(&msg);
}

static void on_published(world_t *world, node_t *broker, event_t *event)
{
    broker_hears(world, broker, event->data);
}

void network_publish(world_t *world, node_t *peer, int broker, parcel_t *parcel)
{
    link_t *link = link_of(world, peer, broker);
    if (!path_ready(world, link, broker, &link->pub_ready) || lost(world)) {
        note_dropped(world, parcel);
        free(parcel);
        return;
    }
    if (chance(world, world->settings.event_twice)) {
        world->coverage->event_twice++;
        message_at(world, &world->brokers[broker], arrival(world, &link->last_up), on_published, 0,
                   copy_of(parcel));
    }
    int64_t at = arrival(world, &link->last_up);
    if (link->stalled_until[0] > at)
        at = link->last_up = link->stalled_until[0];
    message_at(world, &world->brokers[broker], at, on_published, 0, parcel);
}

static void on_relayed(world_t *world, node_t *peer, event_t *event)
{
    link_t *link = link_of(world, peer, (int)event->number);
    if (!link->exists) {
        note_dropped(world, event->data);
        return;
    }
    if (peer->kind == GATEWAY)
        gateway_hears(world, peer, (int)event->number, event->data);
    else
        subscriber_hears(world, peer, event->data);
}

static bool wants(const link_t *link, const parcel_t *parcel)
{
    for (size_t i = 0; i < link->topic_count; i++) {
        size_t size = strlen(link->topics[i]);
        if (size <= parcel->topic_size && memcmp(link->topics[i], parcel->bytes, size) == 0)
            return true;
    }
    return false;
}

/* False: it does not want it, or it is lost. */
static bool relay_to(world_t *world, node_t *peer, int broker, const parcel_t *parcel)
{
    link_t *link = link_of(world, peer, broker);
    if (!peer->up || !wants(link, parcel) || !path_ready(world, link, broker, &link->sub_ready) ||
        lost(world))
        return false;
    int64_t at = arrival(world, &link->last_down);
    if (link->stalled_until[1] > at)
        at = link->last_down = link->stalled_until[1];
    message_at(world, peer, at, on_relayed, broker, copy_of(parcel));
    return true;
}

void network_relay(world_t *world, int broker, const parcel_t *parcel)
{
    bool heard = false;
    for (int i = 0; i < world->settings.gateways; i++)
        heard |= relay_to(world, &world->gateways[i], broker, parcel);
    if (!heard)
        note_dropped(world, parcel);
    for (int i = 0; i < world->settings.orgs; i++)
        relay_to(world, &world->subscribers[i], broker, parcel);
}

static size_t find_topic(const link_t *link, const char *topics)
{
    size_t i = 0;
    while (i < link->topic_count && strcmp(link->topics[i], topics) != 0)
        i++;
    return i;
}

void network_subscribe(world_t *world, node_t *peer, int broker, const char *topics, bool on)
{
    link_t *link = link_of(world, peer, broker);
    size_t i = find_topic(link, topics);
    if (!on && i < link->topic_count)
        memmove(link->topics[i], link->topics[i + 1],
                (--link->topic_count - i) * sizeof *link->topics);
    if (!on || i < link->topic_count || i == TOPICS_MAX)
        return;
    strcpy(link->topics[link->topic_count++], topics);
    int64_t ready = world->now + draw(world, 1 * MS, 100 * MS);
    link->sub_ready = ready > link->sub_ready ? ready : link->sub_ready;
}
