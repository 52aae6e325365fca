#include "broker/broker.h"

#include "broker/check.h"
#include "broker/events.h"
#include "broker/frames.h"
#include "broker/report.h"
#include "broker/scheduler.h"
#include "proto/program/grumble.h"
#include "proto/program/log.h"
#include "proto/program/metrics.h"
#include "proto/program/process.h"

#include <dirent.h>
#include <sys/resource.h>

#define TURN_MAX 1000                /* messages before timers are looked at */
#define SHARE_MAX 32                 /* messages from one socket before the other's */
#define WAIT_MS 100                  /* a scheduler's tick, when nothing comes */
#define ROUTE_SHOWN 16               /* bytes of a routing id in the log */
#define LINGER_MS 500                /* for the last bye */
#define LEAVE_MS 300                 /* between bye and the end of the connections */
#define QUEUE_BYTES (512u * 1048576) /* inputs of jobs that wait */
/* What may wait for one peer to read. To a gateway go small messages only, but one for each job of
   a whole machine that is lost; to a worker go jobs, never more than it has slots. */
#define GATEWAY_QUEUE 65536
#define WORKER_QUEUE 4096

struct pt_broker {
    zsock_t *sockets[PT_SIDES];
    const pt_keyring_t *keyring;
    pt_keys_t *keys; /* these three: NULL without CURVE */
    pt_zap_t *zap;
    pt_subscribers_t *subscribers;
    uint64_t generation; /* of the keys, as the scheduler was told last */
    pt_events_t *events;
    pt_metrics_t *metrics; /* or NULL */
    pt_scheduler_t *scheduler;
    pt_grumble_t *grumble;
    pt_traffic_t traffic;
    msgpack_sbuffer header; /* of the message being sent */
    pt_route_t *lost;       /* peers to whom sending failed, not yet told to the scheduler */
    size_t lost_count, lost_room;
    size_t descriptors, descriptors_max; /* open, a second ago or less; the limit */
    size_t unjudged; /* messages read since all was read, or silence judged, last */
    int64_t second_at;
};

/* ---- sending ----------------------------------------------------------------------------- */

static void note_lost(pt_broker_t *self, const pt_route_t *route)
{
    if (self->lost_count == self->lost_room) {
        self->lost_room = self->lost_room ? 2 * self->lost_room : 64;
        self->lost = realloc(self->lost, self->lost_room * sizeof *self->lost);
        if (!self->lost)
            abort();
    }
    self->lost[self->lost_count++] = *route;
}

static void send_message(void *arg, const pt_route_t *to, const pt_msg_t *msg, void *payload,
                         size_t size)
{
    pt_broker_t *self = arg;
    msgpack_sbuffer_clear(&self->header);
    pt_msg_encode(msg, &self->header);
    if (pt_frames_post(zsock_resolve(self->sockets[to->side]), to, self->header.data,
                       self->header.size, payload, size))
        self->traffic.sent[to->side][msg->verb]++;
    else
        note_lost(self, to);
}

static void step(pt_broker_t *self, const pt_input_t *input)
{
    pt_scheduler_step(self->scheduler, pt_clock_ms(), input);
    while (self->lost_count > 0) { /* telling of one may show that another is lost */
        pt_route_t route = self->lost[--self->lost_count];
        pt_input_t lost = {.kind = PT_IN_LOST, .from = &route};
        pt_scheduler_step(self->scheduler, pt_clock_ms(), &lost);
    }
}

/* ---- reading ----------------------------------------------------------------------------- */

/* ZeroMQ's own ids have 5 bytes; of longer ones, which a peer made up, the beginning is enough. */
static void format_route(char hex[2 * ROUTE_SHOWN + 1], const pt_route_t *route)
{
    hex[0] = 0;
    for (size_t i = 0; i < route->size && i < ROUTE_SHOWN; i++)
        snprintf(hex + 2 * i, 3, "%02x", route->bytes[i]);
}

static void drop(pt_broker_t *self, const pt_route_t *from, const char *key, const char *why)
{
    char peer[2 * ROUTE_SHOWN + 1];
    format_route(peer, from);
    pt_counters_add(&self->traffic.dropped[from->side], why);
    if (pt_grumble(self->grumble, pt_clock_ms(), peer))
        pt_log(PT_WARNING, "a message was dropped; more of this peer are only counted",
               PT_S("socket", from->side == PT_GATEWAYS ? "gateways" : "workers"),
               PT_S("peer", peer), PT_S("key", key), PT_S("reason", why));
}

/* A peer that is refused for good reason should not have to guess it. */
static void answer_refused(pt_broker_t *self, const pt_route_t *to, const char *why)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_HELLO_AGAIN);
    pt_msg_set_text(&msg, PT_F_REASON, why);
    send_message(self, to, &msg, NULL, 0);
    pt_msg_clear(&msg);
}

/* Why its certificate does not allow that, or NULL; else `right` is the certificate's number. */
static const char *judge(pt_broker_t *self, const pt_route_t *from, zmq_msg_t *header,
                         const pt_msg_t *msg, uint64_t *right)
{
    if (!self->keys)
        return NULL;
    const pt_keyholder_t *holder = pt_keys_hold(self->keys, zmq_msg_gets(header, "User-Id"));
    const char *why =
        holder ? pt_right_job(&holder->right, (pt_side_t)from->side, msg) : PT_NOT_AUTHORISED;
    *right = holder ? holder->number : 0;
    pt_keys_let_go(self->keys);
    if (*right == 0)
        pt_connection_cut(zmq_msg_get(header, ZMQ_SRCFD));
    else if (why && msg->verb == PT_HELLO)
        answer_refused(self, from, why);
    return why;
}

static void on_message(pt_broker_t *self, const pt_route_t *from, pt_frames_t *frames)
{
    pt_msg_t msg;
    uint64_t right = 0;
    pt_bytes_t header = {pt_frames_data(frames, 1), pt_frames_size(frames, 1)};
    pt_bytes_t payload = {pt_frames_data(frames, 2), pt_frames_size(frames, 2)};
    const char *why = frames->more ? "too many frames" : pt_check_job(&msg, header, payload);
    if (!why && (why = judge(self, from, &frames->parts[1], &msg, &right)))
        pt_msg_clear(&msg);
    if (why) {
        const char *key = frames->count > 1 ? zmq_msg_gets(&frames->parts[1], "User-Id") : NULL;
        drop(self, from, key, why);
        return;
    }
    self->traffic.received[from->side][msg.verb]++;
    step(self, &(pt_input_t){.kind = PT_IN_MESSAGE,
                             .from = from,
                             .right = right,
                             .msg = &msg,
                             .payload = payload.data,
                             .size = payload.size});
    pt_msg_clear(&msg);
}

static bool read_one(pt_broker_t *self, pt_side_t side)
{
    pt_frames_t frames;
    if (!pt_frames_read(&frames, zsock_resolve(self->sockets[side])))
        return false;
    pt_route_t from = {.side = (uint8_t)side};
    from.size = (uint8_t)pt_frames_size(&frames, 0); /* at most 255, says ZeroMQ */
    memcpy(from.bytes, pt_frames_data(&frames, 0), from.size);
    on_message(self, &from, &frames);
    pt_frames_clear(&frames);
    return true;
}

static size_t read_some(pt_broker_t *self, pt_side_t side)
{
    size_t n = 0;
    while (n < SHARE_MAX && read_one(self, side))
        n++;
    return n;
}

static void read_alive(pt_broker_t *self)
{
    pt_uuid_t instance;
    void *socket = zsock_resolve(pt_events_alive(self->events));
    while (zmq_recv(socket, &instance, sizeof instance, ZMQ_DONTWAIT) == sizeof instance)
        step(self, &(pt_input_t){.kind = PT_IN_ALIVE, .instance = &instance});
}

/* Whether silence may be judged: all was read; or, when somebody floods a socket, so much that
   everybody had a turn, because a ROUTER reads from its peers in turn. */
static bool read_all(pt_broker_t *self)
{
    size_t read = 0, last = 1;
    while (last > 0 && read < TURN_MAX) {
        last = read_some(self, PT_GATEWAYS) + read_some(self, PT_WORKERS);
        read += last;
    }
    self->unjudged += read;
    bool enough = last == 0 || self->unjudged > TURN_MAX + 2 * self->descriptors;
    if (enough)
        self->unjudged = 0;
    return enough;
}

/* ---- timers ------------------------------------------------------------------------------ */

static size_t count_descriptors(void)
{
    size_t n = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return 0;
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

/* At 80 % of the descriptors nobody new is welcome: with none left ZeroMQ would spin. */
static void admit(pt_broker_t *self)
{
    struct rlimit limit;
    self->descriptors = count_descriptors();
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    self->descriptors_max = (size_t)limit.rlim_cur;
    size_t most = self->descriptors_max / 5 * 4;
    size_t more = most > self->descriptors ? most - self->descriptors : 0;
    if (more == 0 && pt_grumble(self->grumble, self->second_at, "descriptors"))
        pt_log(PT_WARNING, "four fifths of the descriptors are open: newcomers are refused",
               PT_N("open", (int64_t)self->descriptors),
               PT_N("limit", (int64_t)self->descriptors_max));
    step(self, &(pt_input_t){.kind = PT_IN_ADMIT, .admit = more});
}

static void report(void *arg, FILE *to)
{
    pt_broker_t *self = arg;
    pt_scheduler_stats_t stats;
    pt_scheduler_stats(self->scheduler, &stats);
    pt_report(to, &stats, &self->traffic, self->events);
    pt_report_descriptors(to, self->descriptors, self->descriptors_max);
    if (self->zap)
        pt_report_keys(to, pt_keys_count(self->keys), pt_zap_refused(self->zap));
}

static void each_second(pt_broker_t *self)
{
    int64_t now = pt_clock_ms();
    if (now - self->second_at < 1000)
        return;
    self->second_at = now;
    admit(self);
    if (self->metrics)
        pt_metrics_serve(self->metrics, report, self);
}

static bool right_stands(void *arg, uint64_t right)
{
    return pt_keys_stands(arg, right);
}

/* Whose certificate is gone, or says something else now, has no session any more. */
static void follow_keys(pt_broker_t *self)
{
    if (!self->keys || pt_keys_generation(self->keys) == self->generation)
        return;
    self->generation = pt_keys_generation(self->keys);
    step(self, &(pt_input_t){.kind = PT_IN_RIGHTS, .stands = right_stands, .arg = self->keys});
}

/* ---- the loop ---------------------------------------------------------------------------- */

/* One turn: everything that can be read, then timers. Returns whether all was read. */
static bool turn(pt_broker_t *self)
{
    int64_t events_at = pt_events_at(self->events); /* before its messages are read */
    follow_keys(self);
    bool drained = read_all(self);
    read_alive(self);
    step(self, &(pt_input_t){.kind = PT_IN_TICK, .drained = drained, .events_at = events_at});
    each_second(self);
    return drained;
}

/* What a peer has not read when its connection ends is thrown away by its own ZeroMQ: gone and bye
   have a moment to be read. A second signal ends it. */
static void take_leave(pt_broker_t *self, int signals)
{
    pt_scheduler_stats_t stats;
    step(self, &(pt_input_t){.kind = PT_IN_END});
    pt_scheduler_stats(self->scheduler, &stats);
    zmq_pollitem_t item = {NULL, signals, ZMQ_POLLIN, 0};
    if (stats.gateways + stats.workers > 0)
        zmq_poll(&item, 1, LEAVE_MS);
}

void pt_broker_run(pt_broker_t *self, int signals)
{
    zmq_pollitem_t items[] = {
        {zsock_resolve(self->sockets[PT_GATEWAYS]), 0, ZMQ_POLLIN, 0},
        {zsock_resolve(self->sockets[PT_WORKERS]), 0, ZMQ_POLLIN, 0},
        {zsock_resolve(pt_events_alive(self->events)), 0, ZMQ_POLLIN, 0},
        {NULL, signals, ZMQ_POLLIN, 0},
        {self->metrics ? zsock_resolve(pt_metrics_socket(self->metrics)) : NULL,
         self->metrics ? 0 : signals, ZMQ_POLLIN, 0},
    };
    while (pt_process_signals(signals) == 0) {
        bool drained = turn(self);
        if (zmq_poll(items, 5, drained ? WAIT_MS : 0) < 0 && errno != EINTR)
            break;
        if (self->metrics && items[4].revents)
            pt_metrics_serve(self->metrics, report, self);
    }
    take_leave(self, signals);
}

/* ---- the beginning and the end ----------------------------------------------------------- */

/* What must be so before the first peer connects. */
static bool prepare(pt_broker_t *self, zsock_t *socket, int queue, pt_door_t door)
{
    zsock_set_sndhwm(socket, queue);
    if (door == PT_DOOR_EVENTS) /* nothing but subscriptions comes in here */
        zsock_set_maxmsgsize(socket, PT_SUBSCRIPTION_MAX);
    pt_keyring_serve(self->keyring, socket, pt_door_name(door));
    if (door == PT_DOOR_EVENTS && self->keys)
        self->subscribers = pt_subscribers_new(socket, self->keys, self->zap);
    return door != PT_DOOR_EVENTS || !self->keys || self->subscribers;
}

static zsock_t *listen_on(pt_broker_t *self, int type, const char *endpoint, int queue,
                          pt_door_t door)
{
    zsock_t *socket = pt_socket_new(type, LINGER_MS);
    if (socket && prepare(self, socket, queue, door) && zsock_bind(socket, "%s", endpoint) >= 0)
        return socket;
    pt_log(PT_ERROR, "cannot listen", PT_S("endpoint", endpoint),
           PT_S("reason", zmq_strerror(errno)));
    zsock_destroy(&socket);
    return NULL;
}

static bool listen_for_events(pt_broker_t *self, const pt_broker_endpoints_t *endpoints)
{
    zsock_t *in =
        listen_on(self, ZMQ_XSUB, endpoints->events_in, PT_EVENTS_QUEUE, PT_DOOR_EVENTS_IN);
    zsock_t *out =
        in ? listen_on(self, ZMQ_XPUB, endpoints->events, PT_EVENTS_QUEUE, PT_DOOR_EVENTS) : NULL;
    if (out)
        self->events = pt_events_new(&in, &out, self->keys, self->subscribers);
    else
        zsock_destroy(&in);
    return self->events != NULL;
}

static bool listen_for_metrics(pt_broker_t *self, const char *host_port)
{
    if (!host_port)
        return true;
    self->metrics = pt_metrics_new(host_port);
    if (!self->metrics)
        pt_log(PT_ERROR, "cannot listen", PT_S("endpoint", host_port),
               PT_S("reason", zmq_strerror(errno)));
    return self->metrics != NULL;
}

/* Before anything listens: without somebody who judges, CURVE lets everybody in. */
static bool judge_certificates(pt_broker_t *self, const pt_broker_endpoints_t *endpoints)
{
    self->keyring = endpoints->keyring;
    if (!pt_keyring_has(self->keyring))
        return true;
    self->keys = pt_keys_new(endpoints->authorised);
    self->zap = self->keys ? pt_zap_new(self->keys) : NULL;
    return self->zap != NULL;
}

static bool listen_everywhere(pt_broker_t *self, const pt_broker_endpoints_t *endpoints)
{
    self->sockets[PT_GATEWAYS] =
        listen_on(self, ZMQ_ROUTER, endpoints->gateways, GATEWAY_QUEUE, PT_DOOR_GATEWAYS);
    if (!self->sockets[PT_GATEWAYS])
        return false;
    self->sockets[PT_WORKERS] =
        listen_on(self, ZMQ_ROUTER, endpoints->workers, WORKER_QUEUE, PT_DOOR_WORKERS);
    return self->sockets[PT_WORKERS] && listen_for_events(self, endpoints) &&
           listen_for_metrics(self, endpoints->metrics);
}

static void draw_random(void *arg, void *data, size_t size)
{
    (void)arg;
    pt_random(data, size);
}

pt_broker_t *pt_broker_new(const pt_broker_endpoints_t *endpoints)
{
    pt_broker_t *self = zmalloc(sizeof *self);
    msgpack_sbuffer_init(&self->header);
    self->grumble = pt_grumble_new();
    self->scheduler = pt_scheduler_new(&(pt_scheduler_config_t){.send = send_message,
                                                                .random = draw_random,
                                                                .arg = self,
                                                                .instance = pt_uuid_random(),
                                                                .max_bytes = QUEUE_BYTES});
    if (!judge_certificates(self, endpoints) || !listen_everywhere(self, endpoints))
        pt_broker_destroy(&self);
    return self;
}

void pt_broker_destroy(pt_broker_t **self_p)
{
    pt_broker_t *self = *self_p;
    if (!self)
        return;
    pt_scheduler_destroy(&self->scheduler);
    pt_events_destroy(&self->events);
    pt_metrics_destroy(&self->metrics);
    for (int side = 0; side < PT_SIDES; side++)
        zsock_destroy(&self->sockets[side]);
    pt_subscribers_destroy(&self->subscribers);
    pt_zap_destroy(&self->zap);
    pt_keys_destroy(&self->keys);
    pt_grumble_destroy(&self->grumble);
    msgpack_sbuffer_destroy(&self->header);
    free(self->lost);
    free(self);
    *self_p = NULL;
}
