#include "rig.h"

#include "proto/chunks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t EMPTY_MAP[] = {0x80};

pt_uuid_t rig_id(uint8_t number)
{
    pt_uuid_t id = {{0}};
    id.bytes[0] = number;
    return id;
}

static pt_agent_config_t config_of(size_t slots, size_t brokers, int64_t grace_ms)
{
    pt_agent_config_t config = {
        .machine = "tested", .brokers = brokers, .type_count = 1, .grace_ms = grace_ms};
    config.instance = rig_id(200);
    strcpy(config.types[0].job_type, TYPE);
    config.types[0].slots = slots;
    config.types[0].timeout_ms = 60000;
    config.types[0].limits = (pt_limits_t){.memory = 1 << 30, .cpu = 7};
    return config;
}

static void open_with(rig_t *self, const pt_agent_config_t *config)
{
    memset(self, 0, sizeof *self);
    self->agent = pt_agent_new(config);
    self->now = (pt_now_t){1000000, 1700000000000000};
    self->done = calloc(RIG_OUTPUTS_MAX, sizeof *self->done);
    for (size_t i = 0; i < config->types[0].slots; i++)
        rig_ready(self, i);
}

static void open_config(rig_t *self, size_t slots, size_t brokers, int64_t grace_ms)
{
    const pt_agent_config_t config = config_of(slots, brokers, grace_ms);
    open_with(self, &config);
}

void rig_open_declared(rig_t *self, const void *declared, size_t size)
{
    pt_agent_config_t config = config_of(SLOTS, 1, 0);
    config.type_count = 2;
    strcpy(config.types[1].job_type, "declared_only");
    for (int i = 0; i < 2; i++) {
        config.types[i].declared = declared;
        config.types[i].declared_size = size;
    }
    open_with(self, &config);
}

void rig_open_slots(rig_t *self, size_t slots, size_t brokers)
{
    open_config(self, slots, brokers, 0);
}

void rig_open(rig_t *self)
{
    rig_open_slots(self, SLOTS, 2);
}

void rig_open_session(rig_t *self)
{
    rig_open_grace(self, 0);
}

void rig_open_grace(rig_t *self, int64_t grace_ms)
{
    open_config(self, SLOTS, 2, grace_ms);
    rig_step(self, &(pt_input_t){.kind = PT_IN_TICK});
    rig_welcome(self, 1);
    rig_step(self, &(pt_input_t){.kind = PT_IN_TICK});
}

void rig_forget(rig_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        pt_msg_clear(&self->done[i].msg);
    self->count = 0;
}

void rig_close(rig_t *self)
{
    rig_forget(self);
    pt_agent_destroy(&self->agent);
    free(self->done);
}

static void keep(rig_t *self, const pt_output_t *output)
{
    assert_true(self->count < RIG_OUTPUTS_MAX);
    rig_output_t *done = &self->done[self->count++];
    memset(done, 0, sizeof *done);
    done->kind = output->kind;
    done->slot = output->slot;
    done->broker = output->broker;
    done->payload_size = output->payload_size;
    if (output->payload)
        memcpy(done->payload, output->payload,
               output->payload_size < 64 ? output->payload_size : 64);
    done->bytes = output->bytes;
    done->job = output->job_id.bytes[0];
    done->when = self->now.ms;
    if (output->kind != PT_OUT_SEND && output->kind != PT_OUT_PUBLISH &&
        output->kind != PT_OUT_CHUNK)
        return;
    const char *why = pt_msg_decode(&done->msg, output->head, output->head_size);
    assert_null(why);
    if (output->kind == PT_OUT_PUBLISH)
        assert_true(pt_topic_matches(output->topic, output->topic_size, &done->msg));
}

void rig_step(rig_t *self, const pt_input_t *input)
{
    const pt_outputs_t *outputs = pt_agent_step(self->agent, self->now, input);
    for (size_t i = 0; i < outputs->count; i++)
        keep(self, &outputs->items[i]);
}

static void move_clock(rig_t *self, int64_t ms)
{
    self->now.ms += ms;
    self->now.us += ms * 1000;
}

void rig_run(rig_t *self, int64_t ms, int64_t beat_ms)
{
    int64_t end = self->now.ms + ms, beat = beat_ms ? self->now.ms + beat_ms : INT64_MAX;
    for (;;) {
        int64_t due = pt_agent_deadline(self->agent);
        due = due < beat ? due : beat;
        if (due > end)
            break;
        if (due > self->now.ms)
            move_clock(self, due - self->now.ms);
        if (self->now.ms >= beat) {
            rig_beat(self);
            beat += beat_ms;
        }
        rig_step(self, &(pt_input_t){.kind = PT_IN_TICK});
    }
    move_clock(self, end - self->now.ms);
    rig_step(self, &(pt_input_t){.kind = PT_IN_TICK});
}

/* ---- the broker -------------------------------------------------------------------------- */

static void say(rig_t *self, pt_msg_t *msg, const void *payload, size_t size)
{
    memcpy(msg->session, self->session, sizeof msg->session);
    pt_msg_set(msg, PT_F_SESSION);
    rig_step(
        self,
        &(pt_input_t){.kind = PT_IN_MESSAGE, .msg = msg, .payload = payload, .payload_size = size});
}

static void say_of_job(rig_t *self, pt_verb_t verb, uint8_t job, uint32_t attempt,
                       const char *job_type, const char *outcome)
{
    pt_msg_t msg;
    pt_msg_init(&msg, verb);
    msg.job_id = rig_id(job);
    msg.org_id = rig_id(100);
    msg.attempt = attempt;
    pt_msg_set_text(&msg, PT_F_JOB_TYPE, job_type);
    pt_msg_set_text(&msg, PT_F_OUTCOME, outcome);
    say(self, &msg, EMPTY_MAP, verb == PT_JOB ? sizeof EMPTY_MAP : 0);
}

void rig_welcome(rig_t *self, uint8_t session)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_WELCOME);
    memset(self->session, session, sizeof self->session);
    msg.max = PT_FRAME_MAX;
    msg.interval = PT_INTERVAL_MS;
    say(self, &msg, NULL, 0);
}

void rig_beat(rig_t *self)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_BEAT);
    say(self, &msg, NULL, 0);
}

void rig_job_of(rig_t *self, uint8_t job, uint32_t attempt, const char *job_type)
{
    say_of_job(self, PT_JOB, job, attempt, job_type, "");
}

void rig_job(rig_t *self, uint8_t job, uint32_t attempt)
{
    rig_job_of(self, job, attempt, TYPE);
}

uint8_t *rig_large_inputs(size_t size)
{
    uint8_t *bytes = calloc(1, size);
    assert_non_null(bytes);
    size_t text = size - 5;
    bytes[0] = 0xdb;
    for (int i = 0; i < 4; i++)
        bytes[1 + i] = (uint8_t)(text >> (24 - 8 * i));
    return bytes;
}

void rig_job_large(rig_t *self, uint8_t job, uint32_t attempt, size_t size)
{
    pt_msg_t msg;
    uint8_t *inputs = rig_large_inputs(size);
    pt_msg_init(&msg, PT_JOB);
    memcpy(msg.session, self->session, sizeof msg.session);
    msg.job_id = rig_id(job);
    msg.org_id = rig_id(100);
    msg.attempt = attempt;
    msg.size = size;
    pt_digest(inputs, size, msg.digest);
    pt_msg_set_text(&msg, PT_F_JOB_TYPE, TYPE);
    rig_step(self, &(pt_input_t){.kind = PT_IN_MESSAGE, .msg = &msg});
    free(inputs);
}

void rig_chunk(rig_t *self, uint8_t job, uint32_t attempt, size_t size, uint64_t offset,
               bool damaged)
{
    pt_msg_t msg;
    msgpack_sbuffer payload;
    msgpack_packer to;
    uint8_t *inputs = rig_large_inputs(size);
    size_t part = size - offset < PT_CHUNK_MAX ? size - offset : PT_CHUNK_MAX;
    inputs[offset + part - 1] ^= damaged;
    pt_msg_init(&msg, PT_CHUNK);
    memcpy(msg.session, self->session, sizeof msg.session);
    msg.job_id = rig_id(job);
    msg.attempt = attempt;
    msg.offset = offset;
    msgpack_sbuffer_init(&payload);
    msgpack_packer_init(&to, &payload, msgpack_sbuffer_write);
    msgpack_pack_bin(&to, part);
    msgpack_pack_bin_body(&to, inputs + offset, part);
    rig_step(self, &(pt_input_t){.kind = PT_IN_MESSAGE,
                                 .msg = &msg,
                                 .payload = payload.data,
                                 .payload_size = payload.size});
    msgpack_sbuffer_destroy(&payload);
    free(inputs);
}

void rig_stop(rig_t *self, uint8_t job, uint32_t attempt)
{
    say_of_job(self, PT_STOP, job, attempt, TYPE, "");
}

void rig_settle(rig_t *self, uint8_t job, uint32_t attempt, const char *outcome)
{
    say_of_job(self, PT_SETTLED, job, attempt, TYPE, outcome);
}

void rig_hello_again(rig_t *self, const char *reason)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_HELLO_AGAIN);
    if (reason)
        pt_msg_set_text(&msg, PT_F_REASON, reason);
    rig_step(self, &(pt_input_t){.kind = PT_IN_MESSAGE, .msg = &msg});
}

void rig_bye(rig_t *self)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_BYE);
    say(self, &msg, NULL, 0);
}

/* ---- the pipelines ----------------------------------------------------------------------- */

static void said(rig_t *self, size_t slot, const pt_said_t *what)
{
    rig_step(self, &(pt_input_t){.kind = PT_IN_SAID, .slot = slot, .said = what});
}

void rig_declare(rig_t *self, size_t slot, const void *bytes, size_t size)
{
    said(self, slot,
         &(pt_said_t){.kind = PT_SAID_DECLARE, .declared = bytes, .declared_size = size});
}

void rig_result_with(rig_t *self, size_t slot, const void *files, size_t size)
{
    said(self, slot,
         &(pt_said_t){.kind = PT_SAID_RESULT,
                      .results = EMPTY_MAP,
                      .results_size = sizeof EMPTY_MAP,
                      .versions = EMPTY_MAP,
                      .versions_size = sizeof EMPTY_MAP,
                      .files = files,
                      .files_size = size});
}

void rig_progress(rig_t *self, size_t slot, const char *step, double fraction)
{
    pt_said_t what = {.kind = PT_SAID_PROGRESS, .fraction = fraction};
    snprintf(what.step, sizeof what.step, "%s", step);
    said(self, slot, &what);
}

void rig_stderr(rig_t *self, size_t slot, const char *text)
{
    rig_step(self,
             &(pt_input_t){
                 .kind = PT_IN_STDERR, .slot = slot, .text = text, .payload_size = strlen(text)});
}

/* A text whose msgpack object has `size` bytes; above 65,535 + 5 that is a str 32. */
void rig_result(rig_t *self, size_t slot, size_t size)
{
    assert_true(size > 5);
    uint8_t *results = malloc(size);
    memset(results, 'x', size);
    size_t text = size - 5;
    results[0] = 0xdb;
    for (int i = 0; i < 4; i++)
        results[1 + i] = (uint8_t)(text >> (24 - 8 * i));
    said(self, slot,
         &(pt_said_t){.kind = PT_SAID_RESULT,
                      .results = results,
                      .results_size = size,
                      .versions = EMPTY_MAP,
                      .versions_size = sizeof EMPTY_MAP});
    free(results);
}

void rig_spooled(rig_t *self, uint8_t job, uint32_t attempt, const char *why)
{
    uint8_t digest[PT_DIGEST_SIZE];
    memset(digest, 9, sizeof digest);
    rig_step(self, &(pt_input_t){.kind = PT_IN_SPOOLED,
                                 .job_id = rig_id(job),
                                 .attempt = attempt,
                                 .digest = why ? NULL : digest,
                                 .why = why});
}

void rig_unreadable(rig_t *self, uint8_t job, uint32_t attempt, const char *why)
{
    rig_step(self,
             &(pt_input_t){
                 .kind = PT_IN_UNREADABLE, .job_id = rig_id(job), .attempt = attempt, .why = why});
}

void rig_fetch(rig_t *self, uint8_t job, uint32_t attempt, uint64_t offset)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_FETCH);
    memcpy(msg.session, self->session, sizeof msg.session);
    msg.job_id = rig_id(job);
    msg.attempt = attempt;
    msg.offset = offset;
    rig_step(self, &(pt_input_t){.kind = PT_IN_MESSAGE, .msg = &msg});
}

void rig_error(rig_t *self, size_t slot, const char *code, bool retry)
{
    pt_said_t what = {.kind = PT_SAID_ERROR, .retry = retry, .message = "the reason"};
    snprintf(what.code, sizeof what.code, "%s", code);
    said(self, slot, &what);
}

void rig_error_with(rig_t *self, size_t slot, const char *code, const void *partial, size_t size)
{
    pt_said_t what = {
        .kind = PT_SAID_ERROR, .message = "the reason", .partial = partial, .partial_size = size};
    snprintf(what.code, sizeof what.code, "%s", code);
    said(self, slot, &what);
}

void rig_died(rig_t *self, size_t slot, pt_death_t death)
{
    rig_step(self, &(pt_input_t){.kind = PT_IN_DIED, .slot = slot, .death = &death});
}

void rig_ready(rig_t *self, size_t slot)
{
    rig_step(self, &(pt_input_t){.kind = PT_IN_READY, .slot = slot});
}

void rig_shutdown(rig_t *self)
{
    rig_step(self, &(pt_input_t){.kind = PT_IN_SHUTDOWN});
}

/* ---- what was done ----------------------------------------------------------------------- */

static bool is_message(const rig_output_t *output)
{
    return output->kind == PT_OUT_SEND || output->kind == PT_OUT_PUBLISH;
}

static const rig_output_t *find(const rig_t *self, bool by_verb, int what, size_t n, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < self->count; i++) {
        const rig_output_t *output = &self->done[i];
        bool fits = by_verb ? is_message(output) && (int)output->msg.verb == what
                            : (int)output->kind == what;
        if (fits && (*count)++ == n)
            return output;
    }
    return NULL;
}

size_t rig_count(const rig_t *self, pt_output_kind_t kind)
{
    size_t count;
    find(self, false, (int)kind, SIZE_MAX, &count);
    return count;
}

size_t rig_count_verb(const rig_t *self, pt_verb_t verb)
{
    size_t count;
    find(self, true, (int)verb, SIZE_MAX, &count);
    return count;
}

const rig_output_t *rig_nth(const rig_t *self, pt_output_kind_t kind, size_t n)
{
    size_t count;
    const rig_output_t *output = find(self, false, (int)kind, n, &count);
    assert_non_null(output);
    return output;
}

const rig_output_t *rig_nth_verb(const rig_t *self, pt_verb_t verb, size_t n)
{
    size_t count;
    const rig_output_t *output = find(self, true, (int)verb, n, &count);
    assert_non_null(output);
    return output;
}

const pt_msg_t *rig_last(const rig_t *self, pt_verb_t verb)
{
    return &rig_nth_verb(self, verb, rig_count_verb(self, verb) - 1)->msg;
}

uint64_t rig_credit(const rig_t *self)
{
    size_t count = rig_count_verb(self, PT_CREDIT);
    return count ? pt_counts_get(&rig_last(self, PT_CREDIT)->credit, TYPE) : 0;
}

void rig_open_job(rig_t *self, uint32_t attempt)
{
    rig_open_session(self);
    rig_job(self, 1, attempt);
    rig_forget(self);
}

void rig_tick(rig_t *self)
{
    rig_step(self, &(pt_input_t){.kind = PT_IN_TICK});
}

const pt_msg_t *rig_ending(const rig_t *self)
{
    assert_int_equal(rig_count_verb(self, PT_RESULT), 1);
    return rig_last(self, PT_RESULT);
}
