#include "broker/zap.h"

#include "proto/program/grumble.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#define ENDPOINT "inproc://zeromq.zap.01"
#define WATCH_MS 1000    /* the folder may have been replaced */
#define QUIET_MS 100     /* at least so long between two readings of the folder */
#define HELD_MS 500      /* how long a connection that is refused waits for that */
#define HELD_MAX 4096    /* connections that wait so; more are refused at once */
#define REQUEST_FRAMES 8 /* after the routing id: what RFC 27 says, with the empty one before */
#define KEY_SIZE 32

/* What RFC 27 asks, as far as it is used. */
typedef struct {
    zframe_t *route; /* to answer it */
    char *sequence, *domain, *address;
    char key[PT_KEY_TEXT]; /* "" unless the mechanism is CURVE */
    int64_t until;         /* of one that is held */
} request_t;

struct pt_zap {
    zactor_t *thread;
    zsock_t *socket;
    pt_keys_t *keys;
    pt_grumble_t *grumble;
    zlistx_t *held; /* of request_t, the oldest first */
    _Atomic uint64_t last;
    pt_counters_t refused;
};

/* ---- requests ---------------------------------------------------------------------------- */

static void free_request(void **item)
{
    request_t *self = *item;
    zframe_destroy(&self->route);
    zstr_free(&self->sequence);
    zstr_free(&self->domain);
    zstr_free(&self->address);
    free(self);
    *item = NULL;
}

static char *text_of(zframe_t *frame)
{
    return frame ? zframe_strdup(frame) : strdup("");
}

/* Empty, version, sequence, domain, address, routing id of the peer, mechanism, credentials. */
static request_t *read_request(zmsg_t *frames)
{
    request_t *self = zmalloc(sizeof *self);
    zframe_t *parts[REQUEST_FRAMES];
    self->route = zmsg_pop(frames);
    for (size_t i = 0; i < REQUEST_FRAMES; i++)
        parts[i] = i == 0 ? zmsg_first(frames) : zmsg_next(frames);
    self->sequence = text_of(parts[2]);
    self->domain = text_of(parts[3]);
    self->address = text_of(parts[4]);
    if (parts[6] && zframe_streq(parts[6], "CURVE") && parts[7] &&
        zframe_size(parts[7]) == KEY_SIZE)
        zmq_z85_encode(self->key, zframe_data(parts[7]), KEY_SIZE);
    return self;
}

/* ---- judging ----------------------------------------------------------------------------- */

static const char *judge(const pt_keyholder_t *holder, const char *domain)
{
    if (!holder)
        return PT_NOT_AUTHORISED;
    for (int door = 0; door < PT_DOORS; door++)
        if (domain && streq(domain, pt_door_name((pt_door_t)door)))
            return pt_right_enter(&holder->right, (pt_door_t)door);
    return "no socket of this broker";
}

/* Why it may not come in, or NULL. `name` is its certificate's file, or "". */
static const char *decide(pt_zap_t *self, const request_t *request, char name[PT_HOLDER_NAME_MAX])
{
    name[0] = 0;
    const pt_keyholder_t *holder = pt_keys_hold(self->keys, request->key);
    const char *why = judge(holder, request->domain);
    if (holder)
        memcpy(name, holder->name, PT_HOLDER_NAME_MAX);
    pt_keys_let_go(self->keys);
    return why;
}

static void note_refused(pt_zap_t *self, const request_t *request, const char *name,
                         const char *why)
{
    pt_counters_add(&self->refused, why);
    if (pt_grumble(self->grumble, pt_clock_ms(), request->key))
        pt_log(PT_WARNING, "a connection was refused; more of this key are only counted",
               PT_S("socket", request->domain), PT_S("address", request->address),
               PT_S("key", request->key), PT_S("certificate", *name ? name : NULL),
               PT_S("reason", why));
}

/* ---- answering --------------------------------------------------------------------------- */

/* One property: a byte of length, the name, four of length, the value. */
static zframe_t *connection_number(uint64_t number)
{
    char text[32];
    size_t name = strlen(PT_ZAP_CONNECTION);
    size_t size = (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    zframe_t *frame = zframe_new(NULL, 1 + name + 4 + size);
    byte *to = zframe_data(frame);
    memset(to, 0, zframe_size(frame));
    to[0] = (byte)name;
    memcpy(to + 1, PT_ZAP_CONNECTION, name);
    to[1 + name + 3] = (byte)size;
    memcpy(to + 1 + name + 4, text, size);
    return frame;
}

/* A refusal has a status that RFC 27 does not know: that closes the connection, and the client
   tries again. After 400 libzmq's clients never do, and a certificate that is authorised later
   would have to wait for their restart; 300 lets the connection stand until the handshake's time is
   over. */
static void answer(pt_zap_t *self, request_t *request, bool admitted)
{
    zmsg_t *reply = zmsg_new();
    zframe_t *metadata =
        admitted ? connection_number(atomic_fetch_add(&self->last, 1) + 1) : zframe_new_empty();
    zmsg_append(reply, &request->route);
    zmsg_addstr(reply, "");
    zmsg_addstr(reply, "1.0");
    zmsg_addstr(reply, request->sequence);
    zmsg_addstr(reply, admitted ? "200" : "");
    zmsg_addstr(reply, "");
    zmsg_addstr(reply, admitted ? request->key : "");
    zmsg_append(reply, &metadata);
    zmsg_send(&reply, self->socket);
}

/* Who is refused is told so a little later, so that a crowd of clients which try again and again
   takes little time; and then perhaps is let in after all. */
static void take(pt_zap_t *self, request_t *request)
{
    char name[PT_HOLDER_NAME_MAX];
    const char *why = decide(self, request, name);
    if (why)
        note_refused(self, request, name, why);
    if (why && zlistx_size(self->held) < HELD_MAX) {
        request->until = pt_clock_ms() + HELD_MS;
        zlistx_add_end(self->held, request);
    } else {
        answer(self, request, !why);
        free_request((void **)&request);
    }
}

static void take_all(pt_zap_t *self)
{
    while (zsock_events(self->socket) & ZMQ_POLLIN) {
        zmsg_t *frames = zmsg_recv(self->socket);
        if (!frames)
            return;
        take(self, read_request(frames));
        zmsg_destroy(&frames);
    }
}

static void end_waits(pt_zap_t *self)
{
    char name[PT_HOLDER_NAME_MAX];
    request_t *request;
    while ((request = zlistx_first(self->held)) && request->until <= pt_clock_ms()) {
        answer(self, request, !decide(self, request, name));
        zlistx_delete(self->held, zlistx_cursor(self->held));
    }
}

/* ---- the thread -------------------------------------------------------------------------- */

static void die(const char *reason)
{
    pt_log(PT_ERROR, "nobody judges certificates any more", PT_S("reason", reason));
    _exit(1);
}

static void run(zsock_t *pipe, void *arg)
{
    pt_zap_t *self = arg;
    int64_t watched = pt_clock_ms();
    zsock_signal(pipe, 0);
    for (;;) {
        bool quiet = pt_clock_ms() - watched < QUIET_MS;
        zmq_pollitem_t items[] = {{zsock_resolve(pipe), 0, ZMQ_POLLIN, 0},
                                  {zsock_resolve(self->socket), 0, ZMQ_POLLIN, 0},
                                  {NULL, pt_keys_descriptor(self->keys), ZMQ_POLLIN, 0}};
        bool soon = quiet || zlistx_size(self->held) > 0;
        if (zmq_poll(items, quiet ? 2 : 3, soon ? QUIET_MS : WATCH_MS) < 0 && errno != EINTR)
            die(zmq_strerror(errno));
        if (items[0].revents)
            return;
        take_all(self);
        end_waits(self);
        if ((!quiet && items[2].revents) || pt_clock_ms() - watched >= WATCH_MS) {
            pt_keys_watch(self->keys);
            watched = pt_clock_ms();
        }
    }
}

/* ---- the beginning and the end ----------------------------------------------------------- */

pt_zap_t *pt_zap_new(pt_keys_t *keys)
{
    pt_zap_t *self = zmalloc(sizeof *self);
    self->keys = keys;
    self->grumble = pt_grumble_new();
    self->held = zlistx_new();
    zlistx_set_destructor(self->held, free_request);
    self->socket = zsock_new(ZMQ_ROUTER);
    if (!self->socket || zsock_bind(self->socket, "%s", ENDPOINT) < 0) {
        pt_log(PT_ERROR, "cannot judge certificates", PT_S("reason", zmq_strerror(errno)));
        pt_zap_destroy(&self);
        return NULL;
    }
    self->thread = zactor_new(run, self);
    return self;
}

void pt_zap_destroy(pt_zap_t **self_p)
{
    pt_zap_t *self = *self_p;
    if (!self)
        return;
    zactor_destroy(&self->thread);
    zsock_destroy(&self->socket);
    zlistx_destroy(&self->held);
    pt_grumble_destroy(&self->grumble);
    free(self);
    *self_p = NULL;
}

uint64_t pt_zap_last(pt_zap_t *self)
{
    return atomic_load(&self->last);
}

const pt_counters_t *pt_zap_refused(const pt_zap_t *self)
{
    return &self->refused;
}
