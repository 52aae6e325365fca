#include "broker/events.h"

#include "broker/check.h"
#include "broker/frames.h"
#include "broker/table.h"
#include "proto/program/grumble.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#define TURN_MAX 1000 /* messages from one socket before the other is looked at */
#define WAIT_MS 200   /* so that a loop with nothing to do says that it is not behind */
/* A worker that has just connected says alive every 100 ms; telling it so often is no use. */
#define TELL_MS 250
#define TOLD_MAX 8192 /* instances remembered for that */

struct pt_events {
    zactor_t *thread;
    zsock_t *alive;  /* the scheduler's end */
    zsock_t *teller; /* the thread's end */
    zsock_t *in, *out;
    pt_keys_t *keys;               /* or NULL */
    pt_subscribers_t *subscribers; /* or NULL */
    pt_grumble_t *grumble;
    zhashx_t *told; /* instance → told_t, of the thread alone */
    _Atomic int64_t at;
    pt_counters_t passed, dropped;
};

typedef struct {
    pt_uuid_t instance;
    int64_t at;
} told_t;

/* ---- the thread -------------------------------------------------------------------------- */

static void free_told(void **item)
{
    free(*item);
    *item = NULL;
}

static bool told_lately(pt_events_t *self, const pt_uuid_t *instance)
{
    int64_t now = pt_clock_ms();
    told_t *told = zhashx_lookup(self->told, instance);
    if (told && now - told->at < TELL_MS)
        return true;
    if (!told) {
        if (zhashx_size(self->told) >= TOLD_MAX)
            zhashx_purge(self->told);
        told = zmalloc(sizeof *told);
        told->instance = *instance;
        zhashx_insert(self->told, &told->instance, told);
    }
    told->at = now;
    return false;
}

static void tell_alive(pt_events_t *self, const pt_uuid_t *instance)
{
    if (!told_lately(self, instance)) /* if the scheduler is far behind, it is told next time */
        zmq_send(zsock_resolve(self->teller), instance, sizeof *instance, ZMQ_DONTWAIT);
}

static pt_bytes_t part(pt_frames_t *frames, size_t i)
{
    return (pt_bytes_t){pt_frames_data(frames, i), pt_frames_size(frames, i)};
}

/* Why the sender may not publish that, or NULL; cuts off one whose certificate is gone. */
static const char *judge(pt_events_t *self, pt_frames_t *frames, const pt_msg_t *msg)
{
    if (!self->keys)
        return NULL;
    const char *key = zmq_msg_gets(&frames->parts[0], "User-Id");
    const pt_keyholder_t *holder = pt_keys_hold(self->keys, key);
    const char *why = holder ? pt_right_publish(&holder->right, msg) : PT_NOT_AUTHORISED;
    pt_keys_let_go(self->keys);
    if (!holder)
        pt_connection_cut(zmq_msg_get(&frames->parts[0], ZMQ_SRCFD));
    if (why && pt_grumble(self->grumble, pt_clock_ms(), key ? key : ""))
        pt_log(PT_WARNING, "a message was dropped; more of this key are only counted",
               PT_S("socket", "events-in"), PT_S("key", key), PT_S("reason", why));
    return why;
}

static const char *check(pt_events_t *self, pt_frames_t *frames, pt_msg_t *msg)
{
    if (frames->more)
        return "too many frames";
    const char *why = pt_check_event(msg, part(frames, 0), part(frames, 1), part(frames, 2));
    if (!why && (why = judge(self, frames, msg)))
        pt_msg_clear(msg);
    return why;
}

static void relay(pt_events_t *self, pt_frames_t *frames)
{
    pt_msg_t msg;
    const char *why = check(self, frames, &msg);
    if (why) {
        pt_counters_add(&self->dropped, why);
        return;
    }
    pt_counters_add(&self->passed, pt_verb_name(msg.verb));
    if (msg.verb == PT_ALIVE)
        tell_alive(self, &msg.instance);
    pt_frames_send(
        frames, zsock_resolve(self->out)); /* a gateway hears itself, and knows: both ways work */
    pt_msg_clear(&msg);
}

/* Whether everything was read. */
static bool drain_publishers(pt_events_t *self)
{
    pt_frames_t frames;
    for (int i = 0; i < TURN_MAX; i++) {
        if (!pt_frames_read(&frames, zsock_resolve(self->in)))
            return true;
        relay(self, &frames);
        pt_frames_clear(&frames);
    }
    return false;
}

/* Subscriptions, which without certificates the XPUB has heeded by itself, and whatever else a
   subscriber sends. */
static void drain_subscribers(pt_events_t *self)
{
    pt_frames_t frames;
    if (self->subscribers) {
        pt_subscribers_run(self->subscribers, &self->dropped);
        return;
    }
    for (int i = 0; i < TURN_MAX && pt_frames_read(&frames, zsock_resolve(self->out)); i++)
        pt_frames_clear(&frames);
}

static void run(zsock_t *pipe, void *arg)
{
    pt_events_t *self = arg;
    zsock_signal(pipe, 0);
    zmq_pollitem_t items[] = {{zsock_resolve(pipe), 0, ZMQ_POLLIN, 0},
                              {zsock_resolve(self->in), 0, ZMQ_POLLIN, 0},
                              {zsock_resolve(self->out), 0, ZMQ_POLLIN, 0},
                              {NULL, 0, ZMQ_POLLIN, 0}};
    if (self->subscribers)
        items[3].socket = zsock_resolve(pt_subscribers_ends(self->subscribers));
    while (!(items[0].revents & ZMQ_POLLIN)) {
        drain_subscribers(self);
        if (drain_publishers(self))
            atomic_store(&self->at, pt_clock_ms());
        if (zmq_poll(items, self->subscribers ? 4 : 3, WAIT_MS) < 0 && errno != EINTR)
            break;
    }
    zsock_destroy(&self->in); /* where it was used */
    zsock_destroy(&self->out);
    zsock_destroy(&self->teller);
}

/* ---- for the scheduler's thread ---------------------------------------------------------- */

pt_events_t *pt_events_new(zsock_t **in, zsock_t **out, pt_keys_t *keys,
                           pt_subscribers_t *subscribers)
{
    pt_events_t *self = zmalloc(sizeof *self);
    self->in = *in;
    self->out = *out;
    *in = *out = NULL;
    self->keys = keys;
    self->subscribers = subscribers;
    self->grumble = pt_grumble_new();
    self->told = pt_table_by_uuid();
    zhashx_set_destructor(self->told, free_told);
    self->alive = zsys_create_pipe(&self->teller);
    atomic_store(&self->at, pt_clock_ms());
    zmq_send(zsock_resolve(self->in), "\x01", 1, 0); /* everything, for ever */
    self->thread = zactor_new(run, self);
    return self;
}

void pt_events_destroy(pt_events_t **self_p)
{
    pt_events_t *self = *self_p;
    if (!self)
        return;
    zactor_destroy(&self->thread);
    zsock_destroy(&self->alive);
    zhashx_destroy(&self->told);
    pt_grumble_destroy(&self->grumble);
    free(self);
    *self_p = NULL;
}

zsock_t *pt_events_alive(pt_events_t *self)
{
    return self->alive;
}

int64_t pt_events_at(pt_events_t *self)
{
    return atomic_load(&self->at);
}

const pt_counters_t *pt_events_passed(const pt_events_t *self)
{
    return &self->passed;
}

const pt_counters_t *pt_events_dropped(const pt_events_t *self)
{
    return &self->dropped;
}
