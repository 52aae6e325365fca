#include "worker/agent_inside.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRESS_A_SECOND                                                                          \
    20 /* of each job; all at once too, so that a quick one shows its steps                        \
        */

/* The status of a job that says nothing is repeated so often: a stop that was lost on its way comes
   again as the answer. */
#define REPEAT_MS 30000

/* ---- messages about a job ---------------------------------------------------------------- */

/* The wall clock, but never behind what this job has said before. */
static int64_t job_time(pt_agent_t *self, held_job_t *job)
{
    if (self->now.us > job->last_at)
        job->last_at = self->now.us;
    return job->last_at;
}

static void about(const pt_agent_t *self, const agent_slot_t *slot, pt_verb_t verb,
                  const char *status, pt_msg_t *msg)
{
    const held_job_t *job = &slot->job;
    pt_msg_init(msg, verb);
    msg->job_id = job->job_id;
    msg->org_id = job->org_id;
    msg->attempt = job->attempt;
    msg->at = job->last_at;
    pt_msg_set(msg, PT_F_JOB_ID);
    pt_msg_set(msg, PT_F_ORG_ID);
    pt_msg_set(msg, PT_F_ATTEMPT);
    pt_msg_set(msg, PT_F_AT);
    pt_msg_set_text(msg, PT_F_JOB_TYPE, agent_slot_job_type(self, slot));
    pt_msg_set_text(msg, PT_F_STATUS, status);
}

/* The latest that is known of the job: its start, or its progress. */
static void publish_status(pt_agent_t *self, agent_slot_t *slot)
{
    held_job_t *job = &slot->job;
    pt_msg_t msg;
    job->repeat_due = self->now.ms + REPEAT_MS;
    about(self, slot, PT_STATUS, "running", &msg);
    pt_msg_set_text(&msg, PT_F_TYPE, job->has_progress ? "progress" : "started");
    if (job->has_progress) {
        pt_msg_set_text(&msg, PT_F_STEP, job->step);
        msg.fraction = job->fraction;
        pt_msg_set(&msg, PT_F_FRACTION);
    }
    pt_outputs_publish(&self->out, &msg);
}

void jobs_repeat(pt_agent_t *self)
{
    for (size_t i = 0; i < self->slot_count; i++)
        if (self->slots[i].state == SLOT_BUSY)
            publish_status(self, &self->slots[i]);
}

/* ---- start ------------------------------------------------------------------------------- */

static agent_slot_t *find_slot(pt_agent_t *self, const agent_type_t *type, slot_state_t state)
{
    for (size_t i = 0; i < self->slot_count; i++) {
        agent_slot_t *slot = &self->slots[i];
        if (&self->types[slot->type] == type && slot->state == state)
            return slot;
    }
    return NULL;
}

/* One that is down takes a job too, if no other can: credit for it was given when it was up. */
static agent_slot_t *pick_slot(pt_agent_t *self, const agent_type_t *type)
{
    agent_slot_t *slot = find_slot(self, type, SLOT_FREE);
    return slot ? slot : find_slot(self, type, SLOT_DOWN);
}

/* The slot is for that job; nothing of it has begun. */
static void assign(agent_slot_t *slot, const pt_msg_t *msg)
{
    held_job_t *job = &slot->job;
    pt_transcript_clear(&job->wrote);
    memset(job, 0, sizeof *job);
    job->job_id = msg->job_id;
    job->org_id = msg->org_id;
    job->attempt = msg->attempt;
    job->said_percent = -1;
}

void jobs_start(pt_agent_t *self, agent_slot_t *slot, const void *inputs, size_t size)
{
    held_job_t *job = &slot->job;
    job->started_at = job_time(self, job);
    job->deadline = self->now.ms + self->types[slot->type].what.timeout_ms;
    slot->state = SLOT_BUSY;
    msgpack_sbuffer bytes;
    msgpack_sbuffer_init(&bytes);
    pt_said_job(&bytes, &job->job_id, agent_slot_job_type(self, slot), job->attempt, inputs, size);
    size_t bytes_size = bytes.size;
    pt_outputs_start(&self->out, agent_slot_number(self, slot), msgpack_sbuffer_release(&bytes),
                     bytes_size);
    publish_status(self, slot);
}

/* Why the job cannot be taken, or NULL. A newer attempt stops the older one either way. */
static const char *refusal(pt_agent_t *self, const pt_msg_t *msg, const agent_type_t *type,
                           agent_slot_t *holder)
{
    if (holder && msg->attempt < holder->job.attempt)
        return "a newer attempt is running here";
    if (holder)
        agent_stop(self, holder);
    if (self->leaving)
        return "worker is shutting down";
    if (type->received > type->granted)
        return "beyond the credit";
    return NULL;
}

void jobs_received(pt_agent_t *self, const pt_msg_t *msg, const void *inputs, size_t size)
{
    agent_type_t *type = agent_find_type(self, msg->job_type);
    if (!type || type->what.slots == 0) {
        session_gone(self, &msg->job_id, msg->attempt, "this worker does not serve the job type");
        return;
    }
    type->received++; /* whatever becomes of it: the broker counts it as sent */
    agent_slot_t *holder = agent_find_job(self, &msg->job_id);
    if ((holder && holder->job.attempt == msg->attempt) ||
        pt_endings_find(&self->endings, &msg->job_id, msg->attempt))
        return; /* a duplicate: still held */
    const char *why = refusal(self, msg, type, holder);
    agent_slot_t *slot = why ? NULL : pick_slot(self, type);
    if (!slot) {
        session_gone(self, &msg->job_id, msg->attempt, why ? why : "no slot is free");
        return;
    }
    assign(slot, msg);
    if (inputs)
        jobs_start(self, slot, inputs, size);
    else
        inputs_begin(self, slot, msg);
}

void jobs_stop(pt_agent_t *self, const pt_uuid_t *job_id, uint32_t attempt)
{
    agent_slot_t *holder = agent_find_job(self, job_id);
    if (holder && holder->job.attempt == attempt)
        agent_stop(self, holder);
    large_settle(self, job_id, attempt);
}

/* ---- endings ----------------------------------------------------------------------------- */

/* The slot's state is the caller's to set. Takes `payload`. */
static void end_job(pt_agent_t *self, agent_slot_t *slot, pt_msg_t *result, void *payload,
                    size_t size)
{
    result->started_at = slot->job.started_at;
    pt_msg_set(result, PT_F_STARTED_AT);
    if (size > PT_PAYLOAD_MAX)
        large_result(self, result, payload, size);
    else
        pt_endings_add(&self->endings, result, payload, size);
    logs_end(self, slot);
    if (self->phase == PHASE_SESSION)
        pt_endings_publish(&self->endings, self->now.ms, &self->out);
}

/* Takes `partial`: what was reached, or NULL. */
static void fail_with(pt_agent_t *self, agent_slot_t *slot, const char *code, bool retry,
                      const char *message, void *partial, size_t size)
{
    char job[PT_UUID_TEXT];
    job_time(self, &slot->job);
    pt_msg_t result;
    about(self, slot, PT_RESULT, "failed", &result);
    pt_msg_set_text(&result, PT_F_CODE, code);
    pt_msg_set_text(&result, PT_F_MESSAGE, message);
    result.retry = retry;
    pt_msg_set(&result, PT_F_RETRY);
    end_job(self, slot, &result, partial, size);
    pt_outputs_log(&self->out, false, "job %s attempt %" PRIu32 " failed: %s: %.700s",
                   pt_uuid_format(&slot->job.job_id, job), slot->job.attempt, code, message);
}

__attribute__((format(printf, 5, 6))) static void fail_job(pt_agent_t *self, agent_slot_t *slot,
                                                           const char *code, bool retry,
                                                           const char *format, ...)
{
    char message[PT_TEXT_MAX + 1];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    fail_with(self, slot, code, retry, message, NULL, 0);
}

/* As the pipeline says. */
static void fail_said(pt_agent_t *self, agent_slot_t *slot, const pt_said_t *said)
{
    void *partial = said->partial ? malloc(said->partial_size) : NULL;
    if (said->partial && !partial)
        abort();
    if (partial)
        memcpy(partial, said->partial, said->partial_size);
    if (said->partial_unfit)
        pt_outputs_log(&self->out, true,
                       "a pipeline of %s says what it reached, but not as a map of "
                       "at most %d bytes: it is left out",
                       agent_slot_job_type(self, slot), PT_PARTIAL_MAX);
    fail_with(self, slot, said->code, said->retry, said->message, partial, said->partial_size);
}

void jobs_fail(pt_agent_t *self, agent_slot_t *slot, const char *code, const char *why)
{
    slot->job.started_at = job_time(self, &slot->job);
    fail_job(self, slot, code, true, "%s", why);
}

static void pack_key(msgpack_packer *to, const char *key)
{
    msgpack_pack_str(to, strlen(key));
    msgpack_pack_str_body(to, key, strlen(key));
}

/* {results, model_versions, files}, as the pipeline wrote them. */
static void pack_result(msgpack_sbuffer *to, const pt_said_t *said)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, to, msgpack_sbuffer_write);
    msgpack_pack_map(&packer, said->files ? 3 : 2);
    pack_key(&packer, "results");
    msgpack_sbuffer_write(to, said->results, said->results_size);
    pack_key(&packer, "model_versions");
    msgpack_sbuffer_write(to, said->versions, said->versions_size);
    if (!said->files)
        return;
    pack_key(&packer, "files");
    msgpack_sbuffer_write(to, said->files, said->files_size);
}

static void complete_job(pt_agent_t *self, agent_slot_t *slot, const pt_said_t *said)
{
    size_t raw = said->results_size + said->versions_size + said->files_size;
    msgpack_sbuffer payload;
    msgpack_sbuffer_init(&payload);
    if (raw <= PT_LARGE_MAX)
        pack_result(&payload, said);
    if (raw > PT_LARGE_MAX || payload.size > PT_LARGE_MAX) {
        size_t size = payload.size > raw ? payload.size : raw;
        msgpack_sbuffer_destroy(&payload);
        fail_job(self, slot, "result_too_large", false,
                 "the result has %zu bytes; at most %d can be carried", size, PT_LARGE_MAX);
        return;
    }
    job_time(self, &slot->job);
    pt_msg_t result;
    about(self, slot, PT_RESULT, "completed", &result);
    size_t size = payload.size;
    end_job(self, slot, &result, msgpack_sbuffer_release(&payload), size);
}

/* ---- what the pipeline does -------------------------------------------------------------- */

static void publish_progress(pt_agent_t *self, agent_slot_t *slot)
{
    held_job_t *job = &slot->job;
    job->unsaid = false;
    job->said++;
    job->said_percent = (int)(job->fraction * 100);
    memcpy(job->said_step, job->step, sizeof job->said_step);
    if (self->phase == PHASE_SESSION)
        publish_status(self, slot);
}

/* Opens the next second if the last one is over. */
static bool may_publish_progress(const pt_agent_t *self, held_job_t *job)
{
    if (self->now.ms >= job->window_ends) {
        job->window_ends = self->now.ms + 1000;
        job->said = 0;
    }
    return job->said < PROGRESS_A_SECOND;
}

static void progress(pt_agent_t *self, agent_slot_t *slot, const pt_said_t *said)
{
    held_job_t *job = &slot->job;
    job_time(self, job);
    memcpy(job->step, said->step, sizeof job->step);
    if (said->fraction > job->fraction)
        job->fraction = said->fraction;
    job->has_progress = true;
    job->unsaid =
        strcmp(job->step, job->said_step) != 0 || (int)(job->fraction * 100) != job->said_percent;
    if (job->unsaid && may_publish_progress(self, job))
        publish_progress(self, slot);
}

void jobs_garbage(pt_agent_t *self, agent_slot_t *slot, const char *why, bool too_large)
{
    if (slot->state == SLOT_BUSY)
        fail_job(self, slot, too_large ? "result_too_large" : "pipeline_protocol", !too_large,
                 "the pipeline sent %s", why);
    if (slot->state == SLOT_FETCHING) /* its own job has not begun */
        pt_outputs_kill(&self->out, agent_slot_number(self, slot));
    if (slot->state == SLOT_BUSY || slot->state == SLOT_FREE)
        agent_stop(self, slot);
}

void jobs_said(pt_agent_t *self, agent_slot_t *slot, const pt_said_t *said)
{
    if (said->kind == PT_SAID_DECLARE) {
        declare_heard(self, slot, said);
        return;
    }
    if (slot->state == SLOT_FREE || slot->state == SLOT_FETCHING) {
        pt_outputs_log(&self->out, true, "a pipeline of %s spoke without a job",
                       agent_slot_job_type(self, slot));
        jobs_garbage(self, slot, NULL, false);
    }
    if (slot->state != SLOT_BUSY)
        return;
    if (said->kind == PT_SAID_PROGRESS) {
        progress(self, slot, said);
        return;
    }
    slot->state = SLOT_FREE;
    if (said->kind == PT_SAID_RESULT)
        complete_job(self, slot, said);
    else
        fail_said(self, slot, said);
}

/* Of the job type, or, for memory, of the machine or of what the agent runs in. */
static void fail_at_limit(pt_agent_t *self, agent_slot_t *slot, const pt_death_t *death)
{
    const pt_limits_t *limits = &self->types[slot->type].what.limits;
    if (death->cpu)
        fail_job(self, slot, "cpu_limit", true,
                 "the pipeline used more than the %" PRId64 " s of CPU time that a job may",
                 limits->cpu);
    else if (limits->memory)
        fail_job(self, slot, "out_of_memory", true,
                 "the pipeline ran out of memory: it may use %" PRId64 " MiB",
                 limits->memory >> 20);
    else
        fail_job(self, slot, "out_of_memory", true,
                 "the pipeline ran out of memory: it was killed by signal %d (%s)", death->signal,
                 strsignal(death->signal));
}

/* RLIMIT_DATA only refuses, and nobody says so but the program itself. */
static bool was_refused_memory(const pt_agent_t *self, const agent_slot_t *slot)
{
    return self->types[slot->type].what.limits.memory > 0 &&
           pt_transcript_tells_of_memory(&slot->job.wrote);
}

static void fail_dead(pt_agent_t *self, agent_slot_t *slot, const pt_death_t *death)
{
    if (death->why)
        fail_job(self, slot, "died_start", true, "the pipeline cannot be started: %s", death->why);
    else if (death->oom || death->cpu || was_refused_memory(self, slot))
        fail_at_limit(self, slot, death);
    else if (death->signal)
        fail_job(self, slot, "died_signal", true, "the pipeline was killed by signal %d (%s)%s",
                 death->signal, strsignal(death->signal),
                 death->signal == 9 ? "; out of memory?" : "");
    else
        fail_job(self, slot, "died_exit", true,
                 "the pipeline exited with status %d before the job's end", death->status);
}

void jobs_died(pt_agent_t *self, agent_slot_t *slot, const pt_death_t *death)
{
    slot->up = false;
    if (slot->state == SLOT_FETCHING)
        return;
    if (slot->state == SLOT_BUSY)
        fail_dead(self, slot, death);
    slot->state = SLOT_DOWN;
}

/* ---- time -------------------------------------------------------------------------------- */

static void tick_job(pt_agent_t *self, agent_slot_t *slot)
{
    held_job_t *job = &slot->job;
    if (self->now.ms >= job->deadline) {
        fail_job(self, slot, "timed_out", true, "no result within %" PRId64 " s",
                 self->types[slot->type].what.timeout_ms / 1000);
        agent_stop(self, slot);
    } else if (job->unsaid && may_publish_progress(self, job)) {
        publish_progress(self, slot);
    } else if (self->phase == PHASE_SESSION && self->now.ms >= job->repeat_due) {
        publish_status(self, slot);
    }
}

void jobs_tick(pt_agent_t *self)
{
    for (size_t i = 0; i < self->slot_count; i++)
        if (self->slots[i].state == SLOT_BUSY)
            tick_job(self, &self->slots[i]);
}

void jobs_move_deadlines(pt_agent_t *self, int64_t by)
{
    for (size_t i = 0; i < self->slot_count; i++)
        if (self->slots[i].state == SLOT_BUSY)
            self->slots[i].job.deadline += by;
}

int64_t jobs_deadline(const pt_agent_t *self)
{
    int64_t due = NEVER;
    for (size_t i = 0; i < self->slot_count; i++) {
        const agent_slot_t *slot = &self->slots[i];
        if (slot->state != SLOT_BUSY)
            continue;
        due = earlier(due, slot->job.deadline);
        if (slot->job.unsaid)
            due = earlier(due, slot->job.window_ends);
        if (self->phase == PHASE_SESSION)
            due = earlier(due, slot->job.repeat_due);
    }
    return due;
}
