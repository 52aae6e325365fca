/* Messages on their way from any thread to the links' thread, bounded by bytes. */
#ifndef PT_OUTBOX_H
#define PT_OUTBOX_H

#include "gateway/links/credit.h"

#include <msgpack.h>

typedef struct pt_parcel pt_parcel_t;
struct pt_parcel {
    pt_parcel_t *next;
    pt_ticket_t ticket; /* link -1: publish at all */
    pt_verb_t verb;
    char job_type[PT_TYPE_MAX]; /* of a job: whose credit it has */
    int64_t expires;            /* clock ms, 0: never */
    size_t topic_size, head_size, payload_size;
    char bytes[]; /* topic, head, payload */
};

typedef struct pt_outbox pt_outbox_t;

/* `limit` in bytes. */
pt_outbox_t *pt_outbox_new(size_t limit);
void pt_outbox_destroy(pt_outbox_t **self);

/* Readable while something waits. */
int pt_outbox_descriptor(const pt_outbox_t *self);

/* Encodes and queues; false if it was full. The topic is the message's own, if it has one. */
bool pt_outbox_put(pt_outbox_t *self, const pt_ticket_t *ticket, const pt_msg_t *msg,
                   const void *payload, size_t payload_size, int64_t expires);

/* Everything that waits, oldest first; the caller frees each. */
pt_parcel_t *pt_outbox_take(pt_outbox_t *self);

#endif
