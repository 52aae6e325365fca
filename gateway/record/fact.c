#include "gateway/record/fact.h"

/* False for a word that is none of the two. */
static bool read_either(const char *word, const char *yes, const char *no, bool *is_yes)
{
    *is_yes = strcmp(word, yes) == 0;
    return *is_yes || strcmp(word, no) == 0;
}

static bool read_kind(pt_said_fact_t *said, const pt_msg_t *msg)
{
    bool progress;
    if (msg->verb == PT_RESULT) {
        said->said = PT_SAID_ENDING;
        return read_either(msg->status, "completed", "failed", &said->completed);
    }
    if (msg->verb != PT_STATUS || !read_either(msg->type, "progress", "started", &progress))
        return false;
    said->said = progress ? PT_SAID_PROGRESS : PT_SAID_STARTED;
    return true;
}

static void read_said(pt_said_fact_t *said, const pt_msg_t *msg)
{
    said->job_id = msg->job_id;
    said->attempt = msg->attempt;
    said->at = msg->at;
    said->started_at = msg->started_at;
    said->fraction = msg->fraction;
    said->retry = msg->retry;
    strcpy(said->step, msg->step);
    strcpy(said->code, msg->code);
    strcpy(said->message, msg->message);
}

bool pt_fact_read(pt_fact_t *self, const pt_ticket_t *from, const pt_msg_t *msg,
                  const zframe_t *payload)
{
    memset(self, 0, sizeof *self);
    if (!read_kind(&self->said, msg))
        return false;
    read_said(&self->said, msg);
    self->from = *from;
    self->org_id = msg->org_id;
    pt_job_type_copy(self->job_type, msg->job_type);
    self->size = msg->size;
    memcpy(self->digest, msg->digest, sizeof self->digest);
    if (payload && msg->verb == PT_RESULT) {
        zframe_t *frame = (zframe_t *)(uintptr_t)payload; /* czmq has no const */
        self->payload_size = zframe_size(frame);
        self->payload = zmalloc(self->payload_size + 1);
        memcpy(self->payload, zframe_data(frame), self->payload_size);
    }
    return true;
}
