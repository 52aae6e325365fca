/* A gateway and many workers for a real broker, in one thread, so that the broker is what is
 * measured; jobs end the moment they arrive.
 *   broker_load GATEWAYS WORKERS EVENTS_IN COUNT JOBS
 * What a real gateway learns on the event path (that a job has ended) it knows here without. */
#include "proto/message.h"
#include "proto/program/certificate.h"
#include "proto/program/process.h"
#include "proto/topic.h"

#define SLOTS 2
#define TYPE "humanization"
#define PAYLOAD 300
#define BEAT_MS 700
#define PATIENCE_MS 60000 /* for a run */

typedef struct {
    zsock_t *dealer;
    uint8_t session[PT_SESSION_SIZE];
    bool welcome, changed;
    pt_uuid_t instance;
    uint64_t received;
} peer_t;

typedef struct {
    peer_t gateway, *workers;
    zsock_t *pub;
    size_t count;
    uint64_t credit, sent, settled;
    pt_uuid_t org;
    char payload[PAYLOAD];
    int64_t beat_at;
} load_t;

static void post(peer_t *peer, pt_msg_t *msg, const void *payload)
{
    msgpack_sbuffer head;
    msgpack_sbuffer_init(&head);
    if (msg->verb != PT_HELLO) {
        memcpy(msg->session, peer->session, PT_SESSION_SIZE);
        pt_msg_set(msg, PT_F_SESSION);
    }
    pt_msg_encode(msg, &head);
    void *socket = zsock_resolve(peer->dealer);
    zmq_send(socket, head.data, head.size, payload ? ZMQ_SNDMORE : 0);
    if (payload)
        zmq_send(socket, payload, PAYLOAD, 0);
    msgpack_sbuffer_destroy(&head);
    pt_msg_clear(msg);
}

/* Encrypted, if there are keys. */
static zsock_t *open_socket(int type, const char *endpoint, const pt_keyring_t *keyring)
{
    zsock_t *socket = zsock_new(type);
    if (!socket)
        exit(1);
    zsock_set_linger(socket, 0);
    zsock_set_sndhwm(socket, 100000);
    pt_keyring_connect(keyring, socket);
    if (zsock_connect(socket, "%s", endpoint) != 0)
        exit(1);
    return socket;
}

static void open_peer(peer_t *peer, const char *endpoint, const pt_keyring_t *keyring, bool worker,
                      size_t n)
{
    char machine[32];
    pt_msg_t msg;
    peer->dealer = open_socket(ZMQ_DEALER, endpoint, keyring);
    peer->instance = pt_uuid_random();
    snprintf(machine, sizeof machine, "load %zu", n);
    pt_msg_init(&msg, PT_HELLO);
    pt_msg_set_text(&msg, PT_F_ROLE, worker ? "worker" : "gateway");
    pt_msg_set_text(&msg, PT_F_MACHINE, machine);
    msg.instance = peer->instance;
    pt_msg_set(&msg, PT_F_INSTANCE);
    if (worker) {
        pt_counts_set(&msg.slots, TYPE, SLOTS);
        pt_msg_set(&msg, PT_F_SLOTS);
    }
    post(peer, &msg, NULL);
}

static void say_credit(peer_t *worker)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_CREDIT);
    pt_counts_set(&msg.credit, TYPE, worker->received + SLOTS);
    pt_msg_set(&msg, PT_F_CREDIT);
    post(worker, &msg, NULL);
    worker->changed = false;
}

static void say_alive(load_t *self, const peer_t *worker)
{
    char topic[PT_TOPIC_MAX];
    pt_msg_t msg;
    msgpack_sbuffer head;
    msgpack_sbuffer_init(&head);
    pt_msg_init(&msg, PT_ALIVE);
    msg.instance = worker->instance;
    pt_msg_set(&msg, PT_F_INSTANCE);
    pt_msg_encode(&msg, &head);
    zmq_send(zsock_resolve(self->pub), topic, pt_topic_format(topic, &msg), ZMQ_SNDMORE);
    zmq_send(zsock_resolve(self->pub), head.data, head.size, 0);
    msgpack_sbuffer_destroy(&head);
}

static void say_beat(peer_t *peer, bool leader)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_BEAT);
    msg.leader = leader;
    if (leader)
        pt_msg_set(&msg, PT_F_LEADER);
    post(peer, &msg, NULL);
}

static void beat(load_t *self)
{
    if (pt_clock_ms() - self->beat_at < BEAT_MS)
        return;
    self->beat_at = pt_clock_ms();
    if (self->gateway.welcome)
        say_beat(&self->gateway, true);
    for (size_t i = 0; i < self->count; i++) {
        if (self->workers[i].welcome)
            say_beat(&self->workers[i], false);
        say_alive(self, &self->workers[i]);
    }
}

static void settle(load_t *self, const pt_msg_t *job)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_SETTLED);
    msg.job_id = job->job_id;
    msg.attempt = job->attempt;
    pt_msg_set(&msg, PT_F_JOB_ID);
    pt_msg_set(&msg, PT_F_ATTEMPT);
    pt_msg_set_text(&msg, PT_F_OUTCOME, "committed");
    post(&self->gateway, &msg, NULL);
}

static void take(load_t *self, peer_t *peer, const pt_msg_t *msg)
{
    if (msg->verb == PT_WELCOME) {
        memcpy(peer->session, msg->session, PT_SESSION_SIZE);
        peer->welcome = true;
        if (peer == &self->gateway)
            say_beat(peer, true);
        else
            say_credit(peer);
    } else if (msg->verb == PT_CREDIT) {
        uint64_t credit = pt_counts_get(&msg->credit, TYPE);
        self->credit = credit > self->credit ? credit : self->credit;
    } else if (msg->verb == PT_JOB) {
        peer->received++;
        peer->changed = true;
        settle(self, msg);
    } else if (msg->verb == PT_SETTLED) {
        self->settled++;
    } else if (msg->verb == PT_HELLO_AGAIN || msg->verb == PT_GONE) {
        fprintf(stderr, "broker_load: the broker says %s: %s\n", pt_verb_name(msg->verb),
                msg->reason);
        exit(1);
    }
}

/* Everything that has come to this peer; how many messages. */
static size_t read_peer(load_t *self, peer_t *peer)
{
    void *socket = zsock_resolve(peer->dealer);
    char head[PT_FRAME_MAX > 8192 ? 8192 : PT_FRAME_MAX], rest[PAYLOAD];
    size_t n = 0;
    int size;
    for (; (size = zmq_recv(socket, head, sizeof head, ZMQ_DONTWAIT)) >= 0; n++) {
        pt_msg_t msg;
        int more;
        size_t more_size = sizeof more;
        zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size);
        if (more)
            zmq_recv(socket, rest, sizeof rest, 0);
        if (pt_msg_decode(&msg, head, (size_t)size))
            exit(1);
        take(self, peer, &msg);
        pt_msg_clear(&msg);
    }
    return n;
}

static size_t read_all(load_t *self)
{
    size_t n = read_peer(self, &self->gateway);
    for (size_t i = 0; i < self->count; i++) {
        n += read_peer(self, &self->workers[i]);
        if (self->workers[i].changed)
            say_credit(&self->workers[i]);
    }
    return n;
}

static void wait_readable(load_t *self)
{
    zmq_pollitem_t *items = zmalloc((self->count + 1) * sizeof *items);
    for (size_t i = 0; i <= self->count; i++) {
        peer_t *peer = i ? &self->workers[i - 1] : &self->gateway;
        items[i] = (zmq_pollitem_t){zsock_resolve(peer->dealer), 0, ZMQ_POLLIN, 0};
    }
    zmq_poll(items, (int)self->count + 1, 50);
    free(items);
}

static void send_jobs(load_t *self, uint64_t jobs)
{
    for (; self->sent < jobs && self->sent < self->credit; self->sent++) {
        pt_msg_t msg;
        pt_msg_init(&msg, PT_JOB);
        uint64_t random = self->sent * 0x9e3779b97f4a7c15u; /* the half that is hashed */
        memcpy(msg.job_id.bytes, &self->sent, sizeof self->sent);
        memcpy(msg.job_id.bytes + 8, &random, sizeof random);
        msg.org_id = self->org;
        msg.attempt = 1;
        pt_msg_set_text(&msg, PT_F_JOB_TYPE, TYPE);
        pt_msg_set(&msg, PT_F_JOB_ID);
        pt_msg_set(&msg, PT_F_ORG_ID);
        pt_msg_set(&msg, PT_F_ATTEMPT);
        post(&self->gateway, &msg, self->payload);
    }
}

/* Until so many jobs are settled, from now. */
static double run(load_t *self, uint64_t jobs)
{
    int64_t began = zclock_usecs();
    int64_t until = pt_clock_ms() + PATIENCE_MS;
    while (self->settled < jobs) {
        if (pt_clock_ms() > until)
            exit(1);
        beat(self);
        send_jobs(self, jobs);
        if (read_all(self) == 0)
            wait_readable(self);
    }
    return (double)(zclock_usecs() - began) / 1e6;
}

int main(int argc, char **argv)
{
    load_t self = {.payload = "\x81\xa1x\xda\x01\x26"}; /* {x: a text of 294 bytes} */
    pt_keyring_t gateway = {0}, worker = {0};
    if (argc != 6 && argc != 8) /* two folders with keys, a gateway's and a worker's, may follow */
        return 2;
    if (argc == 8) {
        pt_keyring_read(&gateway, argv[0], argv[6], "gateway");
        pt_keyring_read(&worker, argv[0], argv[7], "worker");
    }
    zsys_handler_set(NULL);
    zsys_set_max_sockets(0);
    self.count = (size_t)atoi(argv[4]);
    self.workers = zmalloc(self.count * sizeof *self.workers);
    self.org = pt_uuid_random();
    self.pub = open_socket(ZMQ_PUB, argv[3], &worker);
    open_peer(&self.gateway, argv[1], &gateway, false, 0);
    for (size_t i = 0; i < self.count; i++)
        open_peer(&self.workers[i], argv[2], &worker, true, i + 1);
    uint64_t jobs = strtoull(argv[5], NULL, 10), warm = 4 * SLOTS * self.count + 64;
    run(&self, warm); /* everybody is in session, and heard */
    double seconds = run(&self, warm + jobs);
    printf("{\"jobs\": %llu, \"seconds\": %.6f}\n", (unsigned long long)jobs, seconds);
    fflush(stdout);
    _exit(0);
}
