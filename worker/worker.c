#include "worker/worker.h"

#include "proto/program/log.h"
#include "proto/program/process.h"
#include "worker/slots.h"
#include "worker/spool.h"

#include <czmq.h>

#define GOODBYE_MS 500       /* so that what was said last still leaves */
#define MESSAGES_A_TURN 1000 /* so that a flood does not keep us from pipelines and signals */
#define STOPPED_AT_ONCE 130

typedef struct {
    const pt_worker_config_t *config;
    pt_agent_t *agent;
    pt_slots_t *slots;
    pt_spool_t *spool;
    zsock_t *jobs, *events; /* NULL while none could be opened */
    bool send_failed, exiting;
    pt_input_t unreadable; /* to be told after this step; its why is NULL if there is nothing */
    uint64_t dropped;      /* messages that were none */
} worker_t;

static pt_now_t now(void)
{
    return (pt_now_t){pt_clock_ms(), pt_wall_us()};
}

/* ---- what the agent wants ---------------------------------------------------------------- */

static void close_sockets(worker_t *self, int linger_ms)
{
    if (self->jobs)
        zsock_set_linger(self->jobs, linger_ms);
    if (self->events)
        zsock_set_linger(self->events, linger_ms);
    zsock_destroy(&self->jobs);
    zsock_destroy(&self->events);
}

static zsock_t *open_socket(const pt_keyring_t *keyring, int type, const char *endpoint)
{
    zsock_t *socket = pt_socket_new(type, 0);
    if (socket)
        pt_keyring_connect(keyring, socket);
    if (socket && zsock_connect(socket, "%s", endpoint) != 0)
        zsock_destroy(&socket);
    if (!socket)
        pt_log(PT_ERROR, "cannot connect", PT_S("endpoint", endpoint),
               PT_S("why", zmq_strerror(zmq_errno())));
    return socket;
}

static void connect_broker(worker_t *self, const pt_output_t *output)
{
    const char *broker = self->config->brokers[output->broker];
    pt_log(output->warning ? PT_WARNING : PT_INFO, "connecting", PT_S("broker", broker),
           PT_S("why", output->text));
    close_sockets(self, 0);
    self->jobs = open_socket(&self->config->keyring, ZMQ_DEALER, broker);
    self->events =
        open_socket(&self->config->keyring, ZMQ_PUB, self->config->events_in[output->broker]);
}

static zframe_t *payload_of(const pt_output_t *output)
{
    return output->payload ? zframe_new(output->payload, output->payload_size) : NULL;
}

static void send_job_message(worker_t *self, const pt_output_t *output)
{
    if (!self->jobs ||
        !pt_socket_send(self->jobs, NULL, output->head, output->head_size, payload_of(output)))
        self->send_failed = true;
}

/* A piece of what the spool keeps. */
static void send_chunk(worker_t *self, const pt_output_t *output)
{
    static uint8_t bytes[PT_CHUNK_MAX];
    const char *why = pt_spool_read(self->spool, &output->job_id, output->attempt, output->offset,
                                    bytes, output->bytes);
    if (why) {
        self->unreadable = (pt_input_t){.kind = PT_IN_UNREADABLE,
                                        .job_id = output->job_id,
                                        .attempt = output->attempt,
                                        .why = why};
        return;
    }
    msgpack_sbuffer payload;
    msgpack_packer to;
    msgpack_sbuffer_init(&payload);
    msgpack_packer_init(&to, &payload, msgpack_sbuffer_write);
    msgpack_pack_bin(&to, output->bytes);
    msgpack_pack_bin_body(&to, bytes, output->bytes);
    if (!self->jobs || !pt_socket_send(self->jobs, NULL, output->head, output->head_size,
                                       zframe_new(payload.data, payload.size)))
        self->send_failed = true;
    msgpack_sbuffer_destroy(&payload);
}

/* A PUB without a subscriber drops, and says success: endings are published until settled. */
static void publish(worker_t *self, const pt_output_t *output)
{
    if (!self->events)
        return;
    zframe_t *topic = zframe_new(output->topic, output->topic_size);
    pt_socket_send(self->events, topic, output->head, output->head_size, payload_of(output));
    zframe_destroy(&topic);
}

static void carry_out(worker_t *self, pt_output_t *output)
{
    switch (output->kind) {
    case PT_OUT_SEND:
        send_job_message(self, output);
        break;
    case PT_OUT_PUBLISH:
        publish(self, output);
        break;
    case PT_OUT_START:
        pt_slots_job(self->slots, output->slot, output->head, output->head_size);
        break;
    case PT_OUT_KILL:
        pt_slots_kill(self->slots, output->slot);
        break;
    case PT_OUT_SPOOL:
        pt_spool_put(self->spool, &output->job_id, output->attempt, output->payload,
                     output->payload_size);
        output->payload = NULL;
        break;
    case PT_OUT_UNSPOOL:
        pt_spool_drop(self->spool, &output->job_id, output->attempt);
        break;
    case PT_OUT_CHUNK:
        send_chunk(self, output);
        break;
    case PT_OUT_CONNECT:
        connect_broker(self, output);
        break;
    case PT_OUT_LOG:
        pt_log(output->warning ? PT_WARNING : PT_INFO, output->text, PT_N("pid", getpid()));
        break;
    case PT_OUT_EXIT:
        self->exiting = true;
        break;
    }
}

static void step(worker_t *self, const pt_input_t *input)
{
    const pt_outputs_t *outputs = pt_agent_step(self->agent, now(), input);
    self->send_failed = false;
    for (size_t i = 0; i < outputs->count; i++)
        carry_out(self, &outputs->items[i]);
    if (self->send_failed) {
        self->send_failed = false;
        step(self, &(pt_input_t){.kind = PT_IN_SEND_FAILED}); /* which sends nothing */
    }
    if (self->unreadable.why) {
        pt_input_t unreadable = self->unreadable;
        self->unreadable.why = NULL;
        step(self, &unreadable); /* which reads nothing */
    }
}

/* ---- what comes in ----------------------------------------------------------------------- */

static void on_slot(void *context, const pt_input_t *input)
{
    step(context, input);
}

static void on_spooled(void *context, const pt_uuid_t *job_id, uint32_t attempt,
                       const uint8_t *digest, const char *why)
{
    step(context, &(pt_input_t){.kind = PT_IN_SPOOLED,
                                .job_id = *job_id,
                                .attempt = attempt,
                                .digest = digest,
                                .why = why});
}

/* Why the message is none, or NULL once the agent has it. */
static const char *read_message(worker_t *self, zmsg_t *parts)
{
    zframe_t *head = zmsg_first(parts), *payload = zmsg_next(parts);
    if (zmsg_size(parts) > 2)
        return "more than a header and a payload";
    pt_msg_t msg;
    const char *why = pt_msg_decode(&msg, zframe_data(head), zframe_size(head));
    if (why)
        return why;
    why = pt_msg_check_payload(&msg, payload ? zframe_data(payload) : NULL,
                               payload ? zframe_size(payload) : 0);
    if (!why)
        step(self, &(pt_input_t){.kind = PT_IN_MESSAGE,
                                 .msg = &msg,
                                 .payload = payload ? zframe_data(payload) : NULL,
                                 .payload_size = payload ? zframe_size(payload) : 0});
    pt_msg_clear(&msg);
    return why;
}

/* Said for the 1st, 2nd, 4th, 8th … time: a flood must not fill the disk. */
static void count_dropped(worker_t *self, const char *why)
{
    self->dropped++;
    if ((self->dropped & (self->dropped - 1)) == 0)
        pt_log(PT_WARNING, "dropped what is no message", PT_S("why", why),
               PT_N("dropped", self->dropped));
}

/* The agent may replace the socket at any message; what was in the old one is gone with it. */
static void read_messages(worker_t *self)
{
    for (int i = 0; i < MESSAGES_A_TURN && self->jobs && !self->exiting; i++) {
        if (!(zsock_events(self->jobs) & ZMQ_POLLIN))
            return;
        zmsg_t *parts = zmsg_recv(self->jobs);
        if (!parts)
            return;
        const char *why = read_message(self, parts);
        if (why)
            count_dropped(self, why);
        zmsg_destroy(&parts);
    }
}

/* True when a second signal says: at once. */
static bool read_signals(worker_t *self, int *seen)
{
    int count = pt_process_signals(self->config->signals);
    if (count > 0 && *seen == 0) {
        pt_log(PT_INFO, "shutting down", PT_N("pid", getpid()));
        pt_slots_retire(self->slots);
        step(self, &(pt_input_t){.kind = PT_IN_SHUTDOWN});
    }
    *seen = count;
    return count > 1;
}

/* ---- the loop ---------------------------------------------------------------------------- */

static long time_left(const worker_t *self)
{
    int64_t due = pt_agent_deadline(self->agent), slots = pt_slots_deadline(self->slots);
    int64_t left = (slots < due ? slots : due) - pt_clock_ms();
    return left < 0 || pt_spool_busy(self->spool) ? 0
           : left > PT_INTERVAL_MS                ? PT_INTERVAL_MS
                                                  : (long)left;
}

static void wait_for_something(const worker_t *self)
{
    zmq_pollitem_t items[] = {
        {.fd = self->config->signals, .events = ZMQ_POLLIN},
        {.fd = pt_slots_descriptor(self->slots), .events = ZMQ_POLLIN},
        {.socket = self->jobs ? zsock_resolve(self->jobs) : NULL, .events = ZMQ_POLLIN},
    };
    zmq_poll(items, self->jobs ? 3 : 2, time_left(self));
}

/* Everything readable is read before time is judged. */
static int serve(worker_t *self)
{
    int seen = 0;
    while (!self->exiting) {
        wait_for_something(self);
        if (read_signals(self, &seen))
            return STOPPED_AT_ONCE;
        read_messages(self);
        pt_slots_run(self->slots, pt_clock_ms());
        pt_spool_run(self->spool);
        step(self, &(pt_input_t){.kind = PT_IN_TICK});
    }
    return 0;
}

static void add_slots(worker_t *self)
{
    size_t slot = 0;
    for (size_t type = 0; type < self->config->agent.type_count; type++)
        for (size_t i = 0; i < self->config->agent.types[type].slots; i++, slot++)
            pt_slots_add(self->slots, self->config->agent.types[type].job_type,
                         self->config->programs[type], self->config->arguments[type],
                         &self->config->agent.types[type].limits);
}

int pt_worker_run(const pt_worker_config_t *config)
{
    worker_t self = {.config = config};
    self.slots = pt_slots_new(config->keeper, config->cgroup.path, on_slot, &self);
    if (!self.slots) {
        pt_log(PT_ERROR, "no descriptor for the pipelines", PT_N("error", errno));
        return 1;
    }
    self.spool = pt_spool_new(config->spool, on_spooled, &self);
    if (!self.spool) {
        pt_slots_destroy(&self.slots);
        return 1;
    }
    self.agent = pt_agent_new(&config->agent);
    add_slots(&self);
    int status = serve(&self);
    pt_slots_destroy(&self.slots);
    close_sockets(&self, status == 0 ? GOODBYE_MS : 0);
    pt_agent_destroy(&self.agent);
    pt_spool_destroy(&self.spool);
    return status;
}
