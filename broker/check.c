#include "broker/check.h"

#include "proto/topic.h"

#include <string.h>

static bool one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

const char *pt_check_job(pt_msg_t *msg, pt_bytes_t header, pt_bytes_t payload)
{
    if (!header.data)
        return "the header is missing";
    const char *why = pt_msg_decode(msg, header.data, header.size);
    if (why)
        return why;
    if (msg->verb >= PT_STATUS)
        why = "a verb of the event path";
    else
        why = pt_msg_check_payload(msg, payload.data, payload.size);
    if (why)
        pt_msg_clear(msg);
    return why;
}

static const char *check_status(const pt_msg_t *msg)
{
    static const char *const types[] = {"started", "progress", NULL};
    return strcmp(msg->status, "running") == 0 && one_of(msg->type, types) ? NULL : "not a status";
}

static const char *check_result(const pt_msg_t *msg, pt_bytes_t payload)
{
    bool large = pt_msg_has(msg, PT_F_SIZE) && pt_msg_has(msg, PT_F_DIGEST);
    if (strcmp(msg->status, "completed") == 0)
        return payload.data || large ? NULL : "the payload is missing";
    if (strcmp(msg->status, "failed") != 0)
        return "not an ending";
    if (large) /* what was reached is small */
        return "a payload where none belongs";
    return payload.size > PT_PARTIAL_MAX ? "the payload is too large" : NULL;
}

static const char *check_recorded(const pt_msg_t *msg)
{
    static const char *const statuses[] = {"pending", "running",  "completed",
                                           "failed",  "canceled", NULL};
    static const char *const types[] = {"created",   "started", "progress", "attempt_lost",
                                        "completed", "failed",  "canceled", NULL};
    return one_of(msg->status, statuses) && one_of(msg->type, types) ? NULL : "not an event";
}

static const char *check_words(const pt_msg_t *msg, pt_bytes_t payload)
{
    switch (msg->verb) {
    case PT_STATUS:
        return check_status(msg);
    case PT_RESULT:
        return check_result(msg, payload);
    case PT_EVENT:
        return check_recorded(msg);
    case PT_LOG:
    case PT_ALIVE:
    case PT_DECLARE:
    case PT_EDGE:
        return NULL;
    default:
        return "a verb of the job sockets";
    }
}

const char *pt_check_event(pt_msg_t *msg, pt_bytes_t topic, pt_bytes_t header, pt_bytes_t payload)
{
    if (!header.data)
        return "the header is missing";
    if (header.size > PT_EVENT_HEADER_MAX)
        return "the header is too large";
    const char *why = pt_msg_decode(msg, header.data, header.size);
    if (why)
        return why;
    why = check_words(msg, payload);
    if (!why)
        why = pt_msg_check_payload(msg, payload.data, payload.size);
    if (!why && !pt_topic_matches(topic.data, topic.size, msg))
        why = "the topic is not the header's";
    if (why)
        pt_msg_clear(msg);
    return why;
}
