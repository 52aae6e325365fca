/* The worker's agent: anything that a broker may say, and pipelines may do. After each step what it
 * wants done can be read by who gets it, and each job that was started is known until it is over.
 * Bytes: steps, see `actions`. */
#include "saying.h"
#include "worker/agent_inside.h"

#define SLOTS 3 /* of the first type; the second has one more */
#define STEPS_MAX 400

typedef struct {
    pt_agent_t *agent;
    pt_now_t now;
    bool running[SLOTS + 1]; /* the process has a job, as it knows */
    uint8_t session;
    bool exited;
    pt_uuid_t spooled; /* what was given to be written last */
    uint32_t attempt;
} fuzz_t;

/* ---- what it wants done ------------------------------------------------------------------ */

static void check_message(const pt_output_t *output)
{
    pt_msg_t msg;
    CHECK(output->head_size <= PT_FRAME_MAX && output->payload_size <= PT_FRAME_MAX);
    CHECK(pt_msg_decode(&msg, output->head, output->head_size) == NULL);
    CHECK(pt_msg_check_payload(&msg, output->payload, output->payload_size) == NULL);
    if (output->kind == PT_OUT_PUBLISH)
        CHECK(pt_topic_matches(output->topic, output->topic_size, &msg));
    else
        CHECK(msg.verb < PT_STATUS);
    pt_msg_clear(&msg);
}

/* A piece of what is kept, as large as was promised. */
static void check_chunk(const fuzz_t *self, const pt_output_t *output)
{
    pt_msg_t msg;
    const pt_ending_t *ending =
        pt_endings_find(&self->agent->endings, &output->job_id, output->attempt);
    CHECK(ending && !ending->unfinished && output->bytes > 0 && output->bytes <= PT_CHUNK_MAX);
    CHECK(output->offset + output->bytes <= ending->kept);
    CHECK(pt_msg_decode(&msg, output->head, output->head_size) == NULL);
    CHECK(msg.verb == PT_CHUNK && msg.offset == output->offset);
}

static void do_it(fuzz_t *self, const pt_output_t *output)
{
    switch (output->kind) {
    case PT_OUT_SEND:
    case PT_OUT_PUBLISH:
        check_message(output);
        break;
    case PT_OUT_START: /* one job at a time, in a process that is there */
        CHECK(output->slot <= SLOTS && !self->running[output->slot]);
        CHECK(self->agent->slots[output->slot].state == SLOT_BUSY);
        CHECK(pt_msgpack_valid(output->head, output->head_size));
        self->running[output->slot] = true;
        break;
    case PT_OUT_KILL:
        CHECK(output->slot <= SLOTS);
        break;
    case PT_OUT_SPOOL:
        CHECK(output->payload_size > PT_PAYLOAD_MAX && output->payload_size <= PT_LARGE_MAX);
        self->spooled = output->job_id;
        self->attempt = output->attempt;
        break;
    case PT_OUT_UNSPOOL:
        break;
    case PT_OUT_CHUNK:
        check_chunk(self, output);
        break;
    case PT_OUT_CONNECT:
        CHECK(output->broker < 2);
        break;
    case PT_OUT_LOG:
        CHECK(output->text[0]);
        break;
    case PT_OUT_EXIT:
        self->exited = true;
        break;
    }
}

/* ---- the agent in itself ----------------------------------------------------------------- */

static void check_slots(const pt_agent_t *agent)
{
    for (size_t i = 0; i < agent->slot_count; i++)
        for (size_t j = 0; j < i; j++) /* a job is in one slot at most */
            if (agent->slots[i].state == SLOT_BUSY && agent->slots[j].state == SLOT_BUSY)
                CHECK(!pt_uuid_equal(&agent->slots[i].job.job_id, &agent->slots[j].job.job_id));
}

static void check_endings(const pt_agent_t *agent)
{
    const pt_endings_t *endings = &agent->endings;
    size_t bytes = 0;
    CHECK(endings->count + agent->slot_count <= PT_REFS_MAX);
    for (size_t i = 0; i < endings->count; i++) {
        bytes += endings->items[i].head_size + endings->items[i].payload_size +
                 endings->items[i].kept + endings->items[i].log_bytes;
        CHECK(pt_endings_find(endings, &endings->items[i].job_id, endings->items[i].attempt) ==
              &endings->items[i]);
    }
    CHECK(bytes == endings->bytes);
}

static void step(fuzz_t *self, const pt_input_t *input)
{
    if (self->exited)
        return;
    const pt_outputs_t *out = pt_agent_step(self->agent, self->now, input);
    for (size_t i = 0; i < out->count; i++)
        do_it(self, &out->items[i]);
    check_slots(self->agent);
    check_endings(self->agent);
    if (input->kind == PT_IN_TICK && !self->exited) /* or its loop would spin */
        CHECK(pt_agent_deadline(self->agent) > self->now.ms);
}

/* ---- what may happen --------------------------------------------------------------------- */

static void message(fuzz_t *self, reader_t *reader)
{
    uint8_t session[PT_SESSION_SIZE];
    pt_msg_t msg, read;
    unsigned which = next(reader);
    if (which == 255)
        self->session++;
    memset(session, self->session, sizeof session);
    say(reader, &msg, "worker", session);
    if (!over_the_wire(&msg, &read))
        return;
    pt_input_t input = {.kind = PT_IN_MESSAGE, .msg = &read};
    input.payload = payload_of(&read, &input.payload_size);
    step(self, &input);
    pt_msg_clear(&read);
}

static void pass(fuzz_t *self, reader_t *reader)
{
    int64_t ms = next(reader) * 20;
    self->now.ms += ms;
    self->now.us += below(reader, 2) ? ms * 1000 : -ms * 1000; /* the wall clock may go back */
    step(self, &(pt_input_t){.kind = PT_IN_TICK});
}

/* Only a pipeline that has a job says anything, and after its ending no more of that job. */
static void said(fuzz_t *self, reader_t *reader)
{
    static const uint8_t versions[] = {0x80};
    static const uint8_t nothing[] = {0xc0};
    static const uint8_t large[5 + 70000] = {0xc6, 0, 70000 >> 16, 70000 >> 8 & 0xff, 70000 & 0xff};
    size_t slot = below(reader, SLOTS + 1);
    pt_said_t what = {.kind = (pt_said_kind_t)below(reader, PT_SAID_ERROR + 1),
                      .step = "a step",
                      .fraction = below(reader, 101) / 100.0,
                      .results = nothing,
                      .results_size = sizeof nothing,
                      .versions = versions,
                      .versions_size = sizeof versions,
                      .code = "a_code",
                      .message = "a message"};
    what.retry = below(reader, 2);
    if (what.retry) {
        what.results = large;
        what.results_size = sizeof large;
    }
    if (self->agent->slots[slot].state == SLOT_DOWN)
        return;
    if (what.kind != PT_SAID_PROGRESS)
        self->running[slot] = false;
    step(self, &(pt_input_t){.kind = PT_IN_SAID, .slot = slot, .said = &what});
}

static void garbage(fuzz_t *self, reader_t *reader)
{
    size_t slot = below(reader, SLOTS + 1);
    if (self->agent->slots[slot].state != SLOT_DOWN)
        step(self, &(pt_input_t){.kind = PT_IN_GARBAGE, .slot = slot, .why = "garbage"});
}

static void died(fuzz_t *self, reader_t *reader)
{
    size_t slot = below(reader, SLOTS + 1);
    unsigned how = below(reader, 4);
    pt_death_t death = {.signal = how == 1 ? 9 : 0, .status = how == 2, .oom = how == 1};
    death.why = how == 3 ? "it could not be started" : NULL;
    self->running[slot] = false;
    step(self, &(pt_input_t){.kind = PT_IN_DIED, .slot = slot, .death = &death});
}

static void ready(fuzz_t *self, reader_t *reader)
{
    size_t slot = below(reader, SLOTS + 1);
    if (self->agent->slots[slot].state == SLOT_DOWN)
        step(self, &(pt_input_t){.kind = PT_IN_READY, .slot = slot});
}

static void spooled(fuzz_t *self, reader_t *reader)
{
    static const uint8_t digest[PT_DIGEST_SIZE];
    pt_input_t input = {.kind = PT_IN_SPOOLED, .digest = digest};
    input.job_id = self->spooled;
    input.attempt = self->attempt;
    input.why = below(reader, 4) ? NULL : "the disk is full";
    step(self, &input);
}

static void unreadable(fuzz_t *self, reader_t *reader)
{
    pt_input_t input = {.kind = PT_IN_UNREADABLE, .why = "the disk is broken"};
    input.job_id = id_of(below(reader, JOBS));
    input.attempt = 1 + below(reader, 3);
    step(self, &input);
}

static void send_failed(fuzz_t *self, reader_t *reader)
{
    (void)reader;
    step(self, &(pt_input_t){.kind = PT_IN_SEND_FAILED});
}

static void shut_down(fuzz_t *self, reader_t *reader)
{
    if (next(reader) < 16)
        step(self, &(pt_input_t){.kind = PT_IN_SHUTDOWN});
}

typedef void action_t(fuzz_t *self, reader_t *reader);

static action_t *const actions[] = {message,   message, message, message,   pass, pass,
                                    pass,      said,    said,    garbage,   died, send_failed,
                                    shut_down, ready,   spooled, unreadable};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    pt_agent_config_t config = {
        .machine = "fuzz", .brokers = 2, .type_count = TYPES, .grace_ms = 1000};
    config.instance = id_of(200);
    for (unsigned type = 0; type < TYPES; type++) {
        strcpy(config.types[type].job_type, type_of(type));
        config.types[type].slots = type == 0 ? SLOTS : 1;
        config.types[type].timeout_ms = 2000;
    }
    fuzz_t self = {.agent = pt_agent_new(&config), .now = {1000000, 1700000000000000}};
    for (size_t slot = 0; slot <= SLOTS; slot++)
        step(&self, &(pt_input_t){.kind = PT_IN_READY, .slot = slot});
    for (int i = 0; i < STEPS_MAX && reader.left > 0; i++)
        actions[below(&reader, sizeof actions / sizeof *actions)](&self, &reader);
    pt_agent_destroy(&self.agent);
    return 0;
}
