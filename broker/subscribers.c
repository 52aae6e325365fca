#include "broker/subscribers.h"

#include "broker/frames.h"
#include "proto/program/grumble.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#define TURN_MAX 1000 /* frames before the other socket is looked at */
#define ENDS "inproc://paratope-subscribers-end"

/* What stands behind a descriptor. */
typedef struct {
    uint64_t connection;  /* the number that the ZAP handler gave it; 0: nobody subscribed yet */
    uint64_t holder;      /* the number of its certificate */
    uint64_t ended;       /* connections up to this number may have ended */
    size_t subscriptions; /* that stand, also refused ones */
} place_t;

/* One frame that an XPUB hands up. */
typedef struct {
    bool subscribe;
    const uint8_t *prefix;
    size_t size;
    int fd;
    uint64_t connection;
    const char *key;
} wish_t;

struct pt_subscribers {
    zsock_t *out, *ends;
    pt_keys_t *keys;
    pt_zap_t *zap;
    pt_grumble_t *grumble;
    pt_counters_t *dropped;
    place_t *places; /* by descriptor */
    size_t room;
    bool shifted; /* until all is read, libzmq takes subscriptions for those of others */
    uint64_t generation;
};

static place_t *place_of(pt_subscribers_t *self, int fd)
{
    size_t need = (size_t)fd + 1;
    if (need > self->room) {
        self->places = realloc(self->places, 2 * need * sizeof *self->places);
        if (!self->places)
            abort();
        memset(self->places + self->room, 0, (2 * need - self->room) * sizeof *self->places);
        self->room = 2 * need;
    }
    return &self->places[fd];
}

/* ---- ends -------------------------------------------------------------------------------- */

/* libzmq says so before it closes the descriptor, and frees its memory after that; who got the
   same descriptor since and already subscribes may be taken for the one that ended. */
static void connection_ended(pt_subscribers_t *self, int fd)
{
    *place_of(self, fd) = (place_t){.ended = pt_zap_last(self->zap)};
}

static void read_ends(pt_subscribers_t *self)
{
    struct __attribute__((packed)) {
        uint16_t event;
        int32_t fd;
    } end;
    char endpoint[256];
    void *socket = zsock_resolve(self->ends);
    while (zmq_recv(socket, &end, sizeof end, ZMQ_DONTWAIT) == sizeof end) {
        zmq_recv(socket, endpoint, sizeof endpoint, ZMQ_DONTWAIT);
        if (end.event == ZMQ_EVENT_DISCONNECTED && end.fd >= 0)
            connection_ended(self, end.fd);
    }
}

static void cut_removed(pt_subscribers_t *self)
{
    uint64_t generation = pt_keys_generation(self->keys);
    if (generation == self->generation)
        return;
    self->generation = generation;
    for (size_t fd = 0; fd < self->room; fd++)
        if (self->places[fd].connection && !pt_keys_stands(self->keys, self->places[fd].holder))
            pt_connection_cut((int)fd);
}

/* ---- wishes ------------------------------------------------------------------------------ */

static void refuse(pt_subscribers_t *self, const wish_t *wish, const char *why, bool cut)
{
    pt_counters_add(self->dropped, why);
    if (pt_grumble(self->grumble, pt_clock_ms(), wish->key ? wish->key : ""))
        pt_log(PT_WARNING, "a subscription was refused; more of this key are only counted",
               PT_S("key", wish->key), PT_S("reason", why));
    if (cut)
        pt_connection_cut(wish->fd);
}

/* The place of a connection that lives; NULL if it may have ended. Then nobody is known to have
   its descriptor, or somebody else, or it is itself one that got it a moment ago. */
static place_t *living(pt_subscribers_t *self, const wish_t *wish)
{
    read_ends(self);
    place_t *place = place_of(self, wish->fd);
    if (wish->connection <= place->ended) {
        if (!place->connection)
            pt_connection_cut(wish->fd); /* if it lives, it connects and subscribes anew */
        return NULL;
    }
    if (wish->connection != place->connection)
        *place = (place_t){.connection = wish->connection, .ended = place->ended};
    return place;
}

/* Why not, or NULL. Whose certificate it is goes to its place. */
static const char *judge(pt_subscribers_t *self, const wish_t *wish, place_t *place)
{
    const char *why = PT_NOT_AUTHORISED;
    const pt_keyholder_t *holder = pt_keys_hold(self->keys, wish->key);
    place->holder = holder ? holder->number : 0;
    if (holder)
        why = pt_right_subscribe(&holder->right, wish->prefix, wish->size);
    pt_keys_let_go(self->keys);
    return why;
}

/* Nothing between reading a wish and this may call into the XPUB: it remembers one connection. */
static void enter(pt_subscribers_t *self, const wish_t *wish)
{
    zmq_setsockopt(zsock_resolve(self->out), wish->subscribe ? ZMQ_SUBSCRIBE : ZMQ_UNSUBSCRIBE,
                   wish->prefix, wish->size);
}

static void subscribe(pt_subscribers_t *self, const wish_t *wish, place_t *place)
{
    const char *why = judge(self, wish, place);
    bool many = ++place->subscriptions > PT_SUBSCRIPTIONS_MAX;
    if (many)
        why = "too many subscriptions";
    if (why)
        refuse(self, wish, why, many || place->holder == 0);
    else
        enter(self, wish);
}

static void decide(pt_subscribers_t *self, const wish_t *wish)
{
    place_t *place;
    if (self->shifted) {
        refuse(self, wish, "it came with what was no subscription", true);
    } else if ((place = living(self, wish)) && wish->subscribe) {
        subscribe(self, wish, place);
    } else if (place) {
        place->subscriptions -= place->subscriptions > 0;
        enter(self, wish);
    }
}

/* Subscriptions begin with a byte 1 or 0; those without a connection are libzmq's own, for one that
   has ended. */
static void take(pt_subscribers_t *self, zmq_msg_t *frame)
{
    const uint8_t *data = zmq_msg_data(frame);
    size_t size = zmq_msg_size(frame);
    const char *number = zmq_msg_gets(frame, PT_ZAP_CONNECTION);
    wish_t wish = {.fd = zmq_msg_get(frame, ZMQ_SRCFD),
                   .connection = number ? strtoull(number, NULL, 10) : 0,
                   .key = zmq_msg_gets(frame, "User-Id")};
    if (size == 0 || data[0] > 1) {
        self->shifted = true;
        refuse(self, &wish, "not a subscription", true);
    } else if (wish.fd >= 0) {
        wish.subscribe = data[0] == 1;
        wish.prefix = data + 1;
        wish.size = size - 1;
        decide(self, &wish);
    }
}

void pt_subscribers_run(pt_subscribers_t *self, pt_counters_t *dropped)
{
    self->dropped = dropped;
    zmq_msg_t frame;
    int n = 0;
    zmq_msg_init(&frame);
    for (; n < TURN_MAX && zmq_msg_recv(&frame, zsock_resolve(self->out), ZMQ_DONTWAIT) >= 0; n++)
        take(self, &frame);
    zmq_msg_close(&frame);
    if (n < TURN_MAX)
        self->shifted = false;
    read_ends(self);
    cut_removed(self);
}

/* ---- the beginning and the end ----------------------------------------------------------- */

zsock_t *pt_subscribers_ends(pt_subscribers_t *self)
{
    return self->ends;
}

pt_subscribers_t *pt_subscribers_new(zsock_t *out, pt_keys_t *keys, pt_zap_t *zap)
{
    int manual = 1;
    pt_subscribers_t *self = zmalloc(sizeof *self);
    self->out = out;
    self->keys = keys;
    self->zap = zap;
    self->grumble = pt_grumble_new();
    self->generation = pt_keys_generation(keys);
    self->ends = zsock_new(ZMQ_PAIR);
    zsock_set_rcvhwm(self->ends, 0); /* who tells us is the I/O thread, which must not wait */
    if (zmq_setsockopt(zsock_resolve(out), ZMQ_XPUB_MANUAL, &manual, sizeof manual) != 0 ||
        zmq_socket_monitor(zsock_resolve(out), ENDS, ZMQ_EVENT_DISCONNECTED) != 0 ||
        zsock_connect(self->ends, "%s", ENDS) != 0)
        pt_subscribers_destroy(&self);
    return self;
}

void pt_subscribers_destroy(pt_subscribers_t **self_p)
{
    pt_subscribers_t *self = *self_p;
    if (!self)
        return;
    zsock_destroy(&self->ends);
    pt_grumble_destroy(&self->grumble);
    free(self->places);
    free(self);
    *self_p = NULL;
}
