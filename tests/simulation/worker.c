#include "tests/simulation/worker.h"

#include "proto/chunks.h"
#include "tests/simulation/inputs.h"
#include "tests/simulation/network.h"
#include "tests/simulation/spool.h"
#include "tests/simulation/transcripts.h"
#include "worker/agent.h"

#include <stdio.h>

#define SLOTS 8
#define LEASES_MAX 256

/* A slot's process. */
typedef struct {
    bool up, busy;
    int job;
    uint32_t attempt;
    unsigned serial;  /* of its job: what an older one does is void */
    unsigned process; /* of its process: an older one is dead */
    int step;
} slot_t;

/* What it began and has not been told to forget. */
typedef struct {
    int job;
    uint32_t attempt;
    bool ended, unsure;
} lease_t;

typedef struct {
    world_t *world;
    node_t *node;
    pt_agent_t *agent;
    size_t slot_count;
    slot_t slots[SLOTS];
    lease_t leases[LEASES_MAX];
    size_t lease_count;
    spool_t spool;
    int broker;
    bool in_session, draining, send_failed, exiting;
    int64_t tick;            /* when it is planned, µs; the number of the event */
    const pt_msg_t *reading; /* the message that is being handled */
} worker_t;

/* Each worker serves all types, but not alike many. */
size_t worker_slots(const world_t *world, int worker, int type)
{
    size_t kind = (size_t)(worker + type) % 3;
    return world->settings.picky ? kind : kind == 0 ? 2 : 1;
}

/* ---- the ledger -------------------------------------------------------------------------- */

static lease_t *find_lease(worker_t *self, int job, uint32_t attempt)
{
    for (size_t i = 0; i < self->lease_count; i++)
        if (self->leases[i].job == job && self->leases[i].attempt == attempt)
            return &self->leases[i];
    return NULL;
}

static void drop_lease(worker_t *self, lease_t *lease)
{
    if (lease)
        *lease = self->leases[--self->lease_count];
}

static bool names(const pt_refs_t *refs, const pt_uuid_t *id, uint32_t attempt)
{
    for (size_t i = 0; i < refs->count; i++)
        if (refs->items[i].attempt == attempt && pt_uuid_equal(&refs->items[i].job_id, id))
            return true;
    return false;
}

/* A hello names what runs and every ending that nobody has settled. */
static void check_hello(worker_t *self, const pt_msg_t *hello)
{
    for (size_t i = self->lease_count; i-- > 0;) {
        lease_t *lease = &self->leases[i];
        const pt_uuid_t *id = &job_at(self->world, lease->job)->id;
        bool named = names(lease->ended ? &hello->unsettled : &hello->leases, id, lease->attempt);
        if (lease->unsure && !named)
            drop_lease(self, lease);
        else if (!named)
            broken(self->world, "%s forgot job %d.%u, %s, which nobody settled or stopped",
                   node_name(self->node), lease->job, lease->attempt,
                   lease->ended ? "ended" : "running");
    }
}

/* ---- what the agent wants ---------------------------------------------------------------- */

static void plan_tick(worker_t *self, int64_t delay);
static void on_pipeline(world_t *world, node_t *node, event_t *event);
static void step(worker_t *self, const pt_input_t *input);

static void pipeline_later(worker_t *self, size_t slot, int64_t delay)
{
    after(self->world, self->node, delay, on_pipeline,
          (int64_t)(slot | (size_t)self->slots[slot].serial << 8), NULL);
}

static void send_job_message(worker_t *self, const pt_output_t *output)
{
    pt_msg_t msg;
    if (pt_msg_decode(&msg, output->head, output->head_size)) {
        broken(self->world, "an agent said what is no message");
        return;
    }
    trace(self->world, self->node, "says %s to broker-%d job %02x%02x.%u", pt_verb_name(msg.verb),
          self->broker + 1, msg.job_id.bytes[14], msg.job_id.bytes[15], msg.attempt);
    if (msg.verb == PT_HELLO)
        check_hello(self, &msg);
    if (msg.verb == PT_GONE && strcmp(msg.reason, "beyond the credit") == 0)
        broken(self->world, "%s refuses a job for its own credit", node_name(self->node));
    if (msg.verb == PT_GONE && strcmp(msg.reason, "the inputs do not come") == 0)
        sight(self->world, SIGHT_INPUTS_HANDED_BACK);
    if (msg.verb == PT_GONE) /* handed back, or lost with all that was kept of it */
        drop_lease(self, find_lease(self, job_find(self->world, &msg.job_id), msg.attempt));
    pt_msg_clear(&msg);
    parcel_t *parcel =
        parcel_new(NULL, 0, output->head, output->head_size, output->payload, output->payload_size);
    if (!network_up(self->world, self->node, self->broker, parcel))
        self->send_failed = true;
}

static void note_published(worker_t *self, const pt_output_t *output)
{
    pt_msg_t msg;
    if (pt_msg_decode(&msg, output->head, output->head_size))
        return;
    if (msg.verb == PT_RESULT) {
        lease_t *lease = find_lease(self, job_find(self->world, &msg.job_id), msg.attempt);
        if (lease)
            lease->ended = true;
        else
            broken(self->world, "%s publishes the ending of what it was told to forget",
                   node_name(self->node));
    }
    if (msg.verb != PT_ALIVE)
        trace(self->world, self->node, "publishes %s %s job %02x%02x.%u", pt_verb_name(msg.verb),
              msg.verb == PT_RESULT ? msg.status : msg.type, msg.job_id.bytes[14],
              msg.job_id.bytes[15], msg.attempt);
    pt_msg_clear(&msg);
}

static void publish(worker_t *self, const pt_output_t *output)
{
    note_published(self, output);
    network_publish(self->world, self->node, self->broker,
                    parcel_new(output->topic, output->topic_size, output->head, output->head_size,
                               output->payload, output->payload_size));
}

/* The bytes that its pipeline reads are those of this job. */
static void check_inputs(worker_t *self, int job, const pt_output_t *output)
{
    if (job >= 0 && !inputs_end_of(self->world, job, output->head, output->head_size))
        broken(self->world, "%s starts job %d with other inputs", node_name(self->node), job);
    if (self->reading->verb == PT_CHUNK)
        sight(self->world, SIGHT_INPUTS_FETCHED);
}

static void start_job(worker_t *self, const pt_output_t *output)
{
    size_t number = output->slot;
    slot_t *slot = &self->slots[number];
    const pt_msg_t *msg = self->reading;
    slot->job = job_find(self->world, &msg->job_id);
    slot->attempt = msg->attempt;
    slot->busy = true;
    slot->step = 0;
    slot->serial++;
    job_started(self->world, self->node, slot->job, slot->attempt);
    check_inputs(self, slot->job, output);
    if (self->lease_count == LEASES_MAX)
        broken(self->world, "%s holds more than %d jobs", node_name(self->node), LEASES_MAX);
    else
        self->leases[self->lease_count++] = (lease_t){.job = slot->job, .attempt = slot->attempt};
    if (slot->up) /* else when it is */
        pipeline_later(self, number, job_at(self->world, slot->job)->step_us);
}

static void on_died(world_t *world, node_t *node, event_t *event);

static int64_t process_of(const worker_t *self, size_t slot)
{
    return (int64_t)(slot | (size_t)self->slots[slot].process << 8);
}

static void kill_slot(worker_t *self, size_t number)
{
    slot_t *slot = &self->slots[number];
    trace(self->world, self->node, "kills slot %zu", number);
    lease_t *lease = slot->busy ? find_lease(self, slot->job, slot->attempt) : NULL;
    if (lease && !self->in_session) { /* nobody could ask for a stop: by its time-out */
        lease->ended = true;
        lease->unsure = self->draining; /* or handed back: its next hello tells */
    }
    if (lease && !lease->ended) /* nobody wants it, or it is handed back */
        drop_lease(self, lease);
    slot->busy = slot->up = false;
    slot->serial++;
    slot->process++;
    after(self->world, self->node, draw(self->world, 1 * MS, 30 * MS), on_died,
          process_of(self, number), NULL);
}

/* ---- large results ----------------------------------------------------------------------- */

static void on_spooled(world_t *world, node_t *node, event_t *event)
{
    worker_t *self = node->state;
    uint8_t digest[PT_DIGEST_SIZE];
    const pt_ref_t *ref = event->data;
    const kept_t *kept = spool_find(&self->spool, &ref->job_id, ref->attempt);
    (void)world;
    if (kept)
        pt_digest(kept->data, kept->size, digest);
    step(self, &(pt_input_t){.kind = PT_IN_SPOOLED,
                             .job_id = ref->job_id,
                             .attempt = ref->attempt,
                             .digest = kept ? digest : NULL,
                             .why = kept ? NULL : "the disk is full"});
}

static pt_ref_t *ref_of(const pt_output_t *output)
{
    pt_ref_t *ref = must_alloc(sizeof *ref);
    ref->job_id = output->job_id;
    ref->attempt = output->attempt;
    return ref;
}

static void keep(worker_t *self, const pt_output_t *output)
{
    if (!chance(self->world, self->world->settings.spool_fails))
        spool_put(&self->spool, &output->job_id, output->attempt, output->payload,
                  output->payload_size);
    after(self->world, self->node, draw(self->world, 1 * MS, 60 * MS), on_spooled, 0,
          ref_of(output));
}

static void on_unreadable(world_t *world, node_t *node, event_t *event)
{
    const pt_ref_t *ref = event->data;
    (void)world;
    step(node->state, &(pt_input_t){.kind = PT_IN_UNREADABLE,
                                    .job_id = ref->job_id,
                                    .attempt = ref->attempt,
                                    .why = "the file is damaged"});
}

static void send_chunk(worker_t *self, const pt_output_t *output)
{
    const kept_t *kept = spool_find(&self->spool, &output->job_id, output->attempt);
    if (!kept || chance(self->world, self->world->settings.spool_fails / 5)) {
        after(self->world, self->node, 0, on_unreadable, 0, ref_of(output));
        return;
    }
    msgpack_sbuffer payload;
    msgpack_packer to;
    msgpack_sbuffer_init(&payload);
    msgpack_packer_init(&to, &payload, msgpack_sbuffer_write);
    msgpack_pack_bin(&to, output->bytes);
    msgpack_pack_bin_body(&to, kept->data + output->offset, output->bytes);
    parcel_t *parcel =
        parcel_new(NULL, 0, output->head, output->head_size, payload.data, payload.size);
    msgpack_sbuffer_destroy(&payload);
    if (!network_up(self->world, self->node, self->broker, parcel))
        self->send_failed = true;
}

static void carry_out(worker_t *self, const pt_output_t *output)
{
    switch (output->kind) {
    case PT_OUT_SEND:
        send_job_message(self, output);
        break;
    case PT_OUT_PUBLISH:
        publish(self, output);
        break;
    case PT_OUT_START:
        start_job(self, output);
        break;
    case PT_OUT_KILL:
        kill_slot(self, output->slot);
        break;
    case PT_OUT_SPOOL:
        keep(self, output);
        break;
    case PT_OUT_UNSPOOL:
        spool_drop(&self->spool, &output->job_id, output->attempt);
        break;
    case PT_OUT_CHUNK:
        send_chunk(self, output);
        break;
    case PT_OUT_CONNECT:
        trace(self->world, self->node, "opens broker-%zu: %s", output->broker + 1, output->text);
        network_close(self->world, self->node, self->broker, false);
        self->broker = (int)output->broker;
        self->in_session = false;
        network_open(self->world, self->node, self->broker);
        break;
    case PT_OUT_EXIT:
        self->exiting = true;
        break;
    default:
        break;
    }
}

static pt_now_t now(const worker_t *self)
{
    return (pt_now_t){local_ms(self->world, self->node), wall_us(self->world, self->node)};
}

static void step(worker_t *self, const pt_input_t *input)
{
    const pt_outputs_t *outputs = pt_agent_step(self->agent, now(self), input);
    self->send_failed = false;
    for (size_t i = 0; i < outputs->count; i++)
        carry_out(self, &outputs->items[i]);
    if (self->send_failed) {
        self->send_failed = false;
        step(self, &(pt_input_t){.kind = PT_IN_SEND_FAILED});
    }
    plan_tick(self, input->kind == PT_IN_TICK
                        ? until_local(self->world, self->node, pt_agent_deadline(self->agent))
                        : draw(self->world, 0, 1 * MS));
}

/* ---- its loop ---------------------------------------------------------------------------- */

static void on_exited(world_t *world, node_t *node, event_t *event)
{
    (void)event;
    worker_die(world, node);
}

static void on_tick(world_t *world, node_t *node, event_t *event)
{
    worker_t *self = node->state;
    if (self->tick != event->number) /* one that is earlier was planned since */
        return;
    self->tick = INT64_MAX;
    if (node->unread > 0) { /* it reads before it looks at the clock */
        plan_tick(self, 0);
        return;
    }
    step(self, &(pt_input_t){.kind = PT_IN_TICK});
    if (self->exiting) {
        network_close(world, node, self->broker, true);
        after(world, node, 0, on_exited, 0, NULL);
    }
}

static void plan_tick(worker_t *self, int64_t delay)
{
    int64_t most = SECOND; /* as its loop's poll */
    int64_t at = self->world->now + (delay < most ? delay : most);
    if (at >= self->tick)
        return;
    self->tick = at;
    after(self->world, self->node, at - self->world->now, on_tick, at, NULL);
}

static void note_received(worker_t *self, const pt_msg_t *msg)
{
    if (msg->verb == PT_WELCOME)
        self->in_session = true;
    if (msg->verb == PT_STOP || msg->verb == PT_SETTLED)
        drop_lease(self, find_lease(self, job_find(self->world, &msg->job_id), msg->attempt));
}

/* A stopped job is killed at once. */
static void check_stopped(worker_t *self, const pt_msg_t *msg)
{
    int job = job_find(self->world, &msg->job_id);
    for (size_t i = 0; msg->verb == PT_STOP && i < self->slot_count; i++)
        if (self->slots[i].busy && self->slots[i].job == job &&
            self->slots[i].attempt == msg->attempt)
            broken(self->world, "%s goes on with job %d.%u, which was stopped",
                   node_name(self->node), job, msg->attempt);
}

void worker_receives(world_t *world, node_t *node, int broker, const parcel_t *parcel)
{
    worker_t *self = node->state;
    pt_msg_t msg;
    const char *why = pt_msg_decode(&msg, parcel_head(parcel), parcel->head_size);
    if (why) {
        broken(world, "a message that is none came to %s: %s", node_name(node), why);
        return;
    }
    world->coverage->verbs[AT_WORKER][msg.verb]++;
    trace(world, node, "gets %s from broker-%d job %02x%02x.%u", pt_verb_name(msg.verb), broker + 1,
          msg.job_id.bytes[14], msg.job_id.bytes[15], msg.attempt);
    self->reading = &msg;
    note_received(self, &msg);
    step(self, &(pt_input_t){.kind = PT_IN_MESSAGE,
                             .msg = &msg,
                             .payload = parcel_payload(parcel),
                             .payload_size = parcel->payload_size});
    self->reading = NULL;
    check_stopped(self, &msg);
    pt_msg_clear(&msg);
}

/* ---- pipelines --------------------------------------------------------------------------- */

static void on_ready(world_t *world, node_t *node, event_t *event)
{
    worker_t *self = node->state;
    size_t number = (size_t)event->number & 255;
    slot_t *slot = &self->slots[number];
    if (event->number != process_of(self, number))
        return;
    slot->up = true;
    trace(world, node, "slot %zu is ready", number);
    step(self, &(pt_input_t){.kind = PT_IN_READY, .slot = number});
    if (slot->busy && slot->up)
        pipeline_later(self, number, job_at(world, slot->job)->step_us);
}

static void on_died(world_t *world, node_t *node, event_t *event)
{
    worker_t *self = node->state;
    size_t number = (size_t)event->number & 255;
    if (event->number != process_of(self, number))
        return;
    pt_death_t death = {.signal = 9};
    trace(world, node, "slot %zu is dead", number);
    step(self, &(pt_input_t){.kind = PT_IN_DIED, .slot = number, .death = &death});
    after(world, node, draw(world, 5 * MS, 200 * MS), on_ready, event->number, NULL);
}

static void end_job(worker_t *self, size_t number)
{
    slot_t *slot = &self->slots[number];
    lease_t *lease = find_lease(self, slot->job, slot->attempt);
    if (lease)
        lease->ended = true;
    slot->busy = false;
    slot->serial++;
}

static void say(worker_t *self, size_t slot, const pt_said_t *said)
{
    if (said->kind != PT_SAID_PROGRESS)
        end_job(self, slot);
    step(self, &(pt_input_t){.kind = PT_IN_SAID, .slot = slot, .said = said});
}

/* To standard error: often little, sometimes more than is kept. */
static void write_log(worker_t *self, size_t number)
{
    const slot_t *slot = &self->slots[number];
    world_t *world = self->world;
    size_t size = (size_t)draw(world, 0, random_chance(&world->random, 50) ? 30000 : 300);
    char *text = must_alloc(size);
    transcript_write(world, slot->job, slot->attempt, text, size);
    step(self,
         &(pt_input_t){.kind = PT_IN_STDERR, .slot = number, .text = text, .payload_size = size});
    free(text);
}

static void say_progress(worker_t *self, size_t number, const job_t *job)
{
    slot_t *slot = &self->slots[number];
    pt_said_t said = {.kind = PT_SAID_PROGRESS};
    slot->step++;
    said.fraction = (double)slot->step / (job->steps + 1);
    snprintf(said.step, sizeof said.step, "step %d", slot->step);
    pipeline_later(self, number, job->step_us);
    say(self, number, &said);
}

static void say_large_result(worker_t *self, size_t number, size_t size)
{
    msgpack_sbuffer results;
    msgpack_packer to;
    char *bytes = must_alloc(size);
    memset(bytes, self->slots[number].job, size);
    msgpack_sbuffer_init(&results);
    msgpack_packer_init(&to, &results, msgpack_sbuffer_write);
    msgpack_pack_bin(&to, size);
    msgpack_pack_bin_body(&to, bytes, size);
    free(bytes);
    pt_said_t said = {.kind = PT_SAID_RESULT,
                      .results = results.data,
                      .results_size = results.size,
                      .versions = "\x80",
                      .versions_size = 1};
    say(self, number, &said);
    msgpack_sbuffer_destroy(&results);
}

static void say_result(worker_t *self, size_t number)
{
    size_t large = job_at(self->world, self->slots[number].job)->large;
    if (large > 0) {
        say_large_result(self, number, large);
        return;
    }
    pt_said_t said = {.kind = PT_SAID_RESULT,
                      .results = "\x80",
                      .results_size = 1,
                      .versions = "\x80",
                      .versions_size = 1};
    say(self, number, &said);
}

static void say_error(worker_t *self, size_t number, bool retry)
{
    pt_said_t said = {.kind = PT_SAID_ERROR, .code = "script", .retry = retry};
    strcpy(said.message, "as its script says");
    say(self, number, &said);
}

static void crash(worker_t *self, size_t number)
{
    pt_death_t death = {.signal = 11};
    trace(self->world, self->node, "slot %zu crashes", number);
    end_job(self, number);
    self->slots[number].up = false;
    self->slots[number].process++;
    after(self->world, self->node, draw(self->world, 5 * MS, 200 * MS), on_ready,
          process_of(self, number), NULL);
    step(self, &(pt_input_t){.kind = PT_IN_DIED, .slot = number, .death = &death});
}

/* The last that it does with this job. */
static void finish(worker_t *self, size_t number, job_t *job)
{
    bool bad = job->bad_tries > 0;
    job->bad_tries -= bad && job->bad_tries < BAD_ALWAYS;
    if (job->script == SCRIPT_FAILS && bad)
        say_error(self, number, false);
    else if (job->script == SCRIPT_RETRIES && bad)
        say_error(self, number, true);
    else if (job->script == SCRIPT_CRASHES && bad)
        crash(self, number);
    else if (job->script == SCRIPT_GARBAGE && bad)
        step(self,
             &(pt_input_t){.kind = PT_IN_GARBAGE, .slot = number, .why = "what is no message"});
    else if (job->script != SCRIPT_HANGS || !bad)
        say_result(self, number);
}

static void on_pipeline(world_t *world, node_t *node, event_t *event)
{
    worker_t *self = node->state;
    size_t number = (size_t)event->number & 255;
    slot_t *slot = &self->slots[number];
    if (slot->serial != (unsigned)(event->number >> 8) || !slot->up || !slot->busy)
        return;
    job_t *job = job_at(world, slot->job);
    if (job->writes)
        write_log(self, number);
    if (slot->step < job->steps)
        say_progress(self, number, job);
    else
        finish(self, number, job);
}

/* ---- its life ---------------------------------------------------------------------------- */

static pt_agent_config_t config_of(world_t *world, const node_t *node)
{
    pt_agent_config_t config = {.brokers = BROKERS};
    snprintf(config.machine, sizeof config.machine, "machine-%d", node->index);
    config.instance = make_id(world, 0);
    config.grace_ms = draw(world, 0, 1) * draw(world, 0, 6000);
    config.first = (size_t)draw(world, 0, BROKERS - 1);
    for (int type = 0; type < world->settings.types; type++) {
        pt_agent_type_t *served = &config.types[config.type_count];
        strcpy(served->job_type, job_types[type]);
        served->slots = worker_slots(world, node->index, type);
        served->timeout_ms = 4000;
        config.type_count += served->slots > 0;
    }
    return config;
}

void worker_start(world_t *world, node_t *node)
{
    worker_t *self = must_alloc(sizeof *self);
    node->up = true;
    node->generation++;
    node->unread = 0;
    node->state = self;
    self->world = world;
    self->node = node;
    self->tick = INT64_MAX;
    pt_agent_config_t config = config_of(world, node);
    self->agent = pt_agent_new(&config);
    for (size_t type = 0; type < config.type_count; type++)
        self->slot_count += config.types[type].slots;
    trace(world, node, "starts");
    for (size_t slot = 0; slot < self->slot_count; slot++)
        after(world, node, draw(world, 1 * MS, 300 * MS), on_ready, process_of(self, slot), NULL);
    plan_tick(self, 0);
}

void worker_die(world_t *world, node_t *node)
{
    worker_t *self = node->state;
    trace(world, node, "dies");
    node->up = false;
    node->state = NULL;
    pt_agent_destroy(&self->agent);
    spool_clear(&self->spool);
    free(self);
    network_died(world, node);
}

void worker_drain(world_t *world, node_t *node)
{
    trace(world, node, "drains");
    ((worker_t *)node->state)->draining = true;
    step(node->state, &(pt_input_t){.kind = PT_IN_SHUTDOWN});
}

size_t worker_holds(const node_t *node)
{
    const worker_t *self = node->state;
    return self->lease_count + self->spool.count;
}

point_t worker_point(const node_t *node)
{
    const worker_t *self = node->state;
    if (!self->in_session)
        return POINT_IN_HELLO;
    for (size_t i = 0; i < self->lease_count; i++)
        if (self->leases[i].ended)
            return POINT_UNSETTLED;
    return self->lease_count > 0 ? POINT_RUNNING : POINT_IDLE;
}
