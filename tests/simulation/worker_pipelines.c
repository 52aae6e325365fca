/* The slots' processes: pipelines that do as their jobs' scripts say. */
#include "tests/simulation/worker_inside.h"

#include "tests/simulation/inputs.h"
#include "tests/simulation/transcripts.h"

#include <stdio.h>

static void on_pipeline(world_t *world, node_t *node, event_t *event);
static void on_died(world_t *world, node_t *node, event_t *event);

/* ---- jobs that begin, and are killed ----------------------------------------------------- */

static void pipeline_later(worker_t *self, size_t slot, int64_t delay)
{
    after(self->world, self->node, delay, on_pipeline,
          (int64_t)(slot | (size_t)self->slots[slot].serial << 8), NULL);
}

/* The bytes that its pipeline reads are those of this job. */
static void check_inputs(worker_t *self, int job, const pt_output_t *output)
{
    if (job >= 0 && !inputs_end_of(self->world, job, output->head, output->head_size))
        broken(self->world, "%s starts job %d with other inputs", node_name(self->node), job);
    if (self->reading->verb == PT_CHUNK)
        sight(self->world, SIGHT_INPUTS_FETCHED);
}

void worker_start_job(worker_t *self, const pt_output_t *output)
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
    worker_add_lease(self, slot->job, slot->attempt);
    if (slot->up) /* else when it is */
        pipeline_later(self, number, job_at(self->world, slot->job)->step_us);
}

static int64_t process_of(const worker_t *self, size_t slot)
{
    return (int64_t)(slot | (size_t)self->slots[slot].process << 8);
}

void worker_kill_slot(worker_t *self, size_t number)
{
    slot_t *slot = &self->slots[number];
    trace(self->world, self->node, "kills slot %zu", number);
    lease_t *lease = slot->busy ? worker_find_lease(self, slot->job, slot->attempt) : NULL;
    if (lease && !self->in_session) { /* nobody could ask for a stop: by its time-out */
        lease->ended = true;
        lease->unsure = self->draining; /* or handed back: its next hello tells */
    }
    if (lease && !lease->ended) /* nobody wants it, or it is handed back */
        worker_drop_lease(self, lease);
    slot->busy = slot->up = false;
    slot->serial++;
    slot->process++;
    after(self->world, self->node, draw(self->world, 1 * MS, 30 * MS), on_died,
          process_of(self, number), NULL);
}

/* ---- what it does ------------------------------------------------------------------------ */

/* The type of a slot: they are numbered through the types that the worker serves. */
static int type_of_slot(const worker_t *self, size_t slot)
{
    int type = 0;
    for (size_t first = 0;; type++) {
        first += worker_slots(self->world, self->node->index, type);
        if (slot < first)
            return type;
    }
}

/* Says what its type is, if the configuration does not. */
static void declare(worker_t *self, size_t slot)
{
    const msgpack_sbuffer *bytes = &self->declares[type_of_slot(self, slot)];
    pt_said_t said = {
        .kind = PT_SAID_DECLARE, .declared = bytes->data, .declared_size = bytes->size};
    if (bytes->size > 0 && !self->by_configuration)
        worker_step(self, &(pt_input_t){.kind = PT_IN_SAID, .slot = slot, .said = &said});
}

static void on_ready(world_t *world, node_t *node, event_t *event)
{
    worker_t *self = node->state;
    size_t number = (size_t)event->number & 255;
    slot_t *slot = &self->slots[number];
    if (event->number != process_of(self, number))
        return;
    slot->up = true;
    trace(world, node, "slot %zu is ready", number);
    worker_step(self, &(pt_input_t){.kind = PT_IN_READY, .slot = number});
    declare(self, number);
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
    worker_step(self, &(pt_input_t){.kind = PT_IN_DIED, .slot = number, .death = &death});
    after(world, node, draw(world, 5 * MS, 200 * MS), on_ready, event->number, NULL);
}

static void end_job(worker_t *self, size_t number)
{
    slot_t *slot = &self->slots[number];
    lease_t *lease = worker_find_lease(self, slot->job, slot->attempt);
    if (lease)
        lease->ended = true;
    slot->busy = false;
    slot->serial++;
}

static void say(worker_t *self, size_t slot, const pt_said_t *said)
{
    if (said->kind != PT_SAID_PROGRESS)
        end_job(self, slot);
    worker_step(self, &(pt_input_t){.kind = PT_IN_SAID, .slot = slot, .said = said});
}

/* To standard error: often little, sometimes more than is kept. */
static void write_log(worker_t *self, size_t number)
{
    const slot_t *slot = &self->slots[number];
    world_t *world = self->world;
    size_t size = (size_t)draw(world, 0, random_chance(&world->random, 50) ? 30000 : 300);
    char *text = must_alloc(size);
    transcript_write(world, slot->job, slot->attempt, text, size);
    worker_step(
        self,
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
    worker_step(self, &(pt_input_t){.kind = PT_IN_DIED, .slot = number, .death = &death});
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
        worker_step(self, &(pt_input_t){
                              .kind = PT_IN_GARBAGE, .slot = number, .why = "what is no message"});
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

void worker_start_slots(worker_t *self)
{
    for (size_t slot = 0; slot < self->slot_count; slot++)
        after(self->world, self->node, draw(self->world, 1 * MS, 300 * MS), on_ready,
              process_of(self, slot), NULL);
}
