#include "gateway/links/outbox.h"

#include "proto/topic.h"

#include <czmq.h>
#include <sys/eventfd.h>

struct pt_outbox {
    pthread_mutex_t lock;
    pt_parcel_t *first, **last;
    size_t bytes, limit;
    int wake;
};

pt_outbox_t *pt_outbox_new(size_t limit)
{
    pt_outbox_t *self = zmalloc(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    self->last = &self->first;
    self->limit = limit;
    self->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert(self->wake >= 0);
    return self;
}

void pt_outbox_destroy(pt_outbox_t **self_p)
{
    pt_outbox_t *self = *self_p;
    if (!self)
        return;
    for (pt_parcel_t *next, *parcel = self->first; parcel; parcel = next) {
        next = parcel->next;
        free(parcel);
    }
    close(self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

int pt_outbox_descriptor(const pt_outbox_t *self)
{
    return self->wake;
}

static pt_parcel_t *pack(const pt_ticket_t *ticket, const pt_msg_t *msg, const void *payload,
                         size_t payload_size)
{
    char topic[PT_TOPIC_MAX];
    size_t topic_size = pt_topic_format(topic, msg);
    msgpack_sbuffer head;
    msgpack_sbuffer_init(&head);
    pt_msg_encode(msg, &head);
    pt_parcel_t *parcel = zmalloc(sizeof *parcel + topic_size + head.size + payload_size);
    parcel->ticket = *ticket;
    parcel->verb = msg->verb;
    if (msg->verb == PT_JOB)
        pt_job_type_copy(parcel->job_type, msg->job_type);
    parcel->topic_size = topic_size;
    parcel->head_size = head.size;
    parcel->payload_size = payload_size;
    memcpy(parcel->bytes, topic, topic_size);
    memcpy(parcel->bytes + topic_size, head.data, head.size);
    if (payload_size > 0)
        memcpy(parcel->bytes + topic_size + head.size, payload, payload_size);
    msgpack_sbuffer_destroy(&head);
    return parcel;
}

static size_t weight(const pt_parcel_t *parcel)
{
    return sizeof *parcel + parcel->topic_size + parcel->head_size + parcel->payload_size;
}

bool pt_outbox_put(pt_outbox_t *self, const pt_ticket_t *ticket, const pt_msg_t *msg,
                   const void *payload, size_t payload_size, int64_t expires)
{
    pt_parcel_t *parcel = pack(ticket, msg, payload, payload_size);
    parcel->expires = expires;
    pthread_mutex_lock(&self->lock);
    bool fits = self->bytes + weight(parcel) <= self->limit;
    bool was_empty = !self->first;
    if (fits) {
        *self->last = parcel;
        self->last = &parcel->next;
        self->bytes += weight(parcel);
    }
    pthread_mutex_unlock(&self->lock);
    if (!fits)
        free(parcel);
    else if (was_empty)
        eventfd_write(self->wake, 1);
    return fits;
}

pt_parcel_t *pt_outbox_take(pt_outbox_t *self)
{
    eventfd_t value;
    pthread_mutex_lock(&self->lock);
    eventfd_read(self->wake, &value);
    pt_parcel_t *first = self->first;
    self->first = NULL;
    self->last = &self->first;
    self->bytes = 0;
    pthread_mutex_unlock(&self->lock);
    return first;
}
