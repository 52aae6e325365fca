/* The broker's scheduler: anything that peers may say, in any order. After each step it is
 * consistent in itself, says what others can read, gives an attempt to one worker, and loses
 * nothing in silence. Bytes: steps, see `actions`. */
#include "saying.h"
#include "tests/unit/broker/consistent.h"

#define PEERS 6 /* two gateways, then workers */
#define STEPS_MAX 400

typedef struct {
    bool held;
    uint32_t attempt;
    const pt_peer_t *worker;
} known_t;

typedef struct {
    pt_scheduler_t *scheduler;
    int64_t now;
    uint8_t sessions[PEERS][PT_SESSION_SIZE], drawn;
    known_t jobs[JOBS];   /* before the step */
    uint32_t ended[JOBS]; /* in this step: up to this attempt somebody said that it is over */
} fuzz_t;

static pt_route_t route_of(unsigned peer)
{
    pt_route_t route = {.side = peer < 2 ? PT_GATEWAYS : PT_WORKERS, .size = 1};
    route.bytes[0] = (uint8_t)peer;
    return route;
}

static void mark_ended(fuzz_t *self, const pt_uuid_t *job_id, uint32_t attempt)
{
    uint32_t *ended = &self->ended[job_id->bytes[PT_UUID_SIZE - 1] % JOBS];
    *ended = attempt > *ended ? attempt : *ended;
}

/* ---- what it says ------------------------------------------------------------------------ */

static void hear_job(fuzz_t *self, const pt_msg_t *msg)
{
    const known_t *known = &self->jobs[msg->job_id.bytes[PT_UUID_SIZE - 1] % JOBS];
    CHECK(!known->held || known->attempt != msg->attempt || !known->worker);
}

static void hear(void *arg, const pt_route_t *to, const pt_msg_t *msg, void *payload, size_t size)
{
    fuzz_t *self = arg;
    msgpack_sbuffer out;
    pt_msg_t read;
    msgpack_sbuffer_init(&out);
    pt_msg_encode(msg, &out);
    CHECK(out.size <= PT_FRAME_MAX && pt_msg_decode(&read, out.data, out.size) == NULL);
    CHECK(pt_msg_check_payload(&read, payload, size) == NULL);
    pt_msg_clear(&read);
    msgpack_sbuffer_destroy(&out);
    free(payload);
    if (msg->verb == PT_WELCOME)
        memcpy(self->sessions[to->bytes[0]], msg->session, PT_SESSION_SIZE);
    if (msg->verb == PT_GONE)
        mark_ended(self, &msg->job_id, msg->attempt);
    if (msg->verb == PT_JOB)
        hear_job(self, msg);
}

static void draw(void *arg, void *data, size_t size)
{
    fuzz_t *self = arg;
    memset(data, ++self->drawn, size);
}

/* ---- nothing is lost in silence ---------------------------------------------------------- */

static void remember(fuzz_t *self)
{
    memset(self->ended, 0, sizeof self->ended);
    for (unsigned job = 0; job < JOBS; job++) {
        pt_uuid_t id = id_of(job);
        const pt_held_t *held = zhashx_lookup(self->scheduler->jobs, &id);
        self->jobs[job] =
            held ? (known_t){true, held->attempt, held->worker} : (known_t){.held = false};
    }
}

/* Who says so ends attempts: settled and stop their own, refs and jobs all older ones. */
static void mark_said(fuzz_t *self, const pt_msg_t *msg)
{
    const pt_refs_t *lists[] = {&msg->leases, &msg->unsettled, &msg->jobs};
    for (size_t l = 0; l < 3; l++)
        for (size_t i = 0; i < lists[l]->count; i++)
            mark_ended(self, &lists[l]->items[i].job_id, lists[l]->items[i].attempt - 1);
    if (msg->verb == PT_SETTLED || msg->verb == PT_STOP)
        mark_ended(self, &msg->job_id, msg->attempt);
    if (msg->verb == PT_JOB)
        mark_ended(self, &msg->job_id, msg->attempt - 1);
}

static void check_kept(const fuzz_t *self, bool led)
{
    for (unsigned job = 0; led && job < JOBS; job++) {
        pt_uuid_t id = id_of(job);
        const pt_held_t *held = zhashx_lookup(self->scheduler->jobs, &id);
        const known_t *before = &self->jobs[job];
        if (before->held && (!held || held->attempt != before->attempt))
            CHECK(self->ended[job] >= before->attempt);
    }
}

static void step(fuzz_t *self, const pt_input_t *input)
{
    const pt_peer_t *leader = self->scheduler->leader;
    remember(self);
    if (input->kind == PT_IN_MESSAGE)
        mark_said(self, input->msg);
    pt_scheduler_step(self->scheduler, self->now, input);
    check_scheduler(self->scheduler);
    check_kept(self, leader && leader == self->scheduler->leader);
}

/* ---- what may happen --------------------------------------------------------------------- */

static void message(fuzz_t *self, reader_t *reader)
{
    unsigned peer = below(reader, PEERS);
    pt_route_t from = route_of(peer);
    pt_msg_t msg, read;
    say(reader, &msg, peer < 2 ? "gateway" : "worker", self->sessions[peer]);
    if (!over_the_wire(&msg, &read))
        return;
    pt_input_t input = {.kind = PT_IN_MESSAGE, .from = &from, .msg = &read};
    input.payload = payload_of(&read, &input.size);
    step(self, &input);
    pt_msg_clear(&read);
}

static void alive(fuzz_t *self, reader_t *reader)
{
    pt_uuid_t instance = id_of(200 + below(reader, INSTANCES));
    step(self, &(pt_input_t){.kind = PT_IN_ALIVE, .instance = &instance});
}

static void lost(fuzz_t *self, reader_t *reader)
{
    pt_route_t from = route_of(below(reader, PEERS));
    step(self, &(pt_input_t){.kind = PT_IN_LOST, .from = &from});
}

static void pass(fuzz_t *self, reader_t *reader)
{
    unsigned how = next(reader);
    self->now += how * 20;
    step(self, &(pt_input_t){.kind = PT_IN_TICK, .drained = how & 1, .events_at = self->now});
}

static void admit(fuzz_t *self, reader_t *reader)
{
    step(self, &(pt_input_t){.kind = PT_IN_ADMIT, .admit = below(reader, 2) * 10});
}

static void end(fuzz_t *self, reader_t *reader)
{
    (void)reader;
    step(self, &(pt_input_t){.kind = PT_IN_END});
}

typedef void action_t(fuzz_t *self, reader_t *reader);

static action_t *const actions[] = {message, message, message, message, message, message, alive,
                                    alive,   pass,    pass,    lost,    admit,   end};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    fuzz_t self = {.now = 1000000};
    self.scheduler = pt_scheduler_new(
        &(pt_scheduler_config_t){.send = hear, .random = draw, .arg = &self, .max_bytes = 6});
    for (int i = 0; i < STEPS_MAX && reader.left > 0; i++)
        actions[below(&reader, sizeof actions / sizeof *actions)](&self, &reader);
    pt_scheduler_destroy(&self.scheduler);
    return 0;
}
