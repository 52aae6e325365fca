#include "worker/agent_inside.h"

#include <stdio.h>
#include <string.h>

/* ---- results: written outside, then fetched in chunks ------------------------------------- */

void large_result(pt_agent_t *self, const pt_msg_t *result, void *payload, size_t size)
{
    pt_endings_add_unfinished(&self->endings, result, size);
    pt_outputs_spool(&self->out, &result->job_id, result->attempt, payload, size);
}

/* What could not be written is no fault of the job: another worker may have room. */
static void set_failed(pt_msg_t *result, size_t size, const char *why)
{
    char message[PT_TEXT_MAX + 1];
    snprintf(message, sizeof message, "the worker cannot keep the result of %zu bytes: %.800s",
             size, why);
    pt_msg_set_text(result, PT_F_STATUS, "failed");
    pt_msg_set_text(result, PT_F_CODE, "spool_failed");
    pt_msg_set_text(result, PT_F_MESSAGE, message);
    result->retry = true;
    pt_msg_set(result, PT_F_RETRY);
}

void large_spooled(pt_agent_t *self, const pt_input_t *input)
{
    const pt_msg_t *unfinished =
        pt_endings_unfinished(&self->endings, &input->job_id, input->attempt);
    if (!unfinished) /* nobody wanted it any more */
        return;
    pt_msg_t result = *unfinished;
    size_t size = pt_endings_find(&self->endings, &input->job_id, input->attempt)->kept;
    if (input->why) {
        set_failed(&result, size, input->why);
        pt_outputs_log(&self->out, true, "a large result could not be kept: %.800s", input->why);
    } else {
        result.size = size;
        memcpy(result.digest, input->digest, sizeof result.digest);
        pt_msg_set(&result, PT_F_SIZE);
        pt_msg_set(&result, PT_F_DIGEST);
    }
    pt_endings_finish(&self->endings, &result, input->why == NULL);
    if (self->phase == PHASE_SESSION)
        pt_endings_publish(&self->endings, self->now.ms, &self->out);
}

void large_settle(pt_agent_t *self, const pt_uuid_t *job_id, uint32_t attempt)
{
    const pt_ending_t *ending = pt_endings_find(&self->endings, job_id, attempt);
    if (ending && ending->kept > 0)
        pt_outputs_unspool(&self->out, job_id, attempt);
    pt_endings_settle(&self->endings, job_id, attempt);
}

/* What was done is lost, and somebody must do it again. */
static void lose(pt_agent_t *self, const pt_uuid_t *job_id, uint32_t attempt, const char *why)
{
    pt_outputs_log(&self->out, true, "a large result is lost: %.800s", why);
    session_lost(self, job_id, attempt, why);
    large_settle(self, job_id, attempt);
}

void large_unreadable(pt_agent_t *self, const pt_input_t *input)
{
    const pt_ending_t *ending = pt_endings_find(&self->endings, &input->job_id, input->attempt);
    if (ending && ending->kept > 0 && self->phase == PHASE_SESSION)
        lose(self, &input->job_id, input->attempt, input->why);
}

static void answer_chunk(pt_agent_t *self, const pt_msg_t *fetch, size_t left)
{
    pt_msg_t chunk;
    pt_msg_init(&chunk, PT_CHUNK);
    chunk.job_id = fetch->job_id;
    chunk.attempt = fetch->attempt;
    chunk.offset = fetch->offset;
    memcpy(chunk.session, self->session, sizeof chunk.session);
    pt_msg_set(&chunk, PT_F_SESSION);
    pt_msg_set(&chunk, PT_F_JOB_ID);
    pt_msg_set(&chunk, PT_F_ATTEMPT);
    pt_msg_set(&chunk, PT_F_OFFSET);
    pt_outputs_chunk(&self->out, &chunk, left < PT_CHUNK_MAX ? left : PT_CHUNK_MAX);
}

void large_fetch(pt_agent_t *self, const pt_msg_t *fetch)
{
    const pt_ending_t *ending = pt_endings_find(&self->endings, &fetch->job_id, fetch->attempt);
    if (!ending && !agent_find_job(self, &fetch->job_id))
        session_lost(self, &fetch->job_id, fetch->attempt, "the worker does not have the result");
    if (!ending || ending->unfinished || fetch->offset >= ending->kept ||
        fetch->offset % PT_CHUNK_MAX != 0)
        return; /* nobody was told that there is such a piece */
    answer_chunk(self, fetch, ending->kept - fetch->offset);
}
