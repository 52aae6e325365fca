#include "worker/endings.h"

#include <stdlib.h>
#include <string.h>

#define DELAY_FIRST 1000
#define DELAY_DOUBLED_BELOW 16000
#define DELAY_LAST 30000

static void clear_one(pt_ending_t *ending)
{
    free(ending->head);
    free(ending->payload);
    free(ending->unfinished);
    for (size_t i = 0; i < ending->log_count; i++) {
        free(ending->logs[i].head);
        free(ending->logs[i].payload);
    }
    free(ending->logs);
}

void pt_endings_clear(pt_endings_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        clear_one(&self->items[i]);
    free(self->items);
    memset(self, 0, sizeof *self);
}

static pt_ending_t *grow(pt_endings_t *self)
{
    if (self->count == self->room) {
        size_t room = self->room ? self->room * 2 : 8;
        pt_ending_t *items = realloc(self->items, room * sizeof *items);
        if (!items)
            abort();
        self->items = items;
        self->room = room;
    }
    pt_ending_t *ending = &self->items[self->count++];
    memset(ending, 0, sizeof *ending);
    return ending;
}

static pt_ending_t *add(pt_endings_t *self, const pt_msg_t *result)
{
    pt_ending_t *ending = grow(self);
    ending->job_id = result->job_id;
    ending->attempt = result->attempt;
    memcpy(ending->job_type, result->job_type, sizeof ending->job_type);
    ending->topic_size = pt_topic_format(ending->topic, result);
    ending->due = INT64_MAX;
    ending->delay = DELAY_FIRST;
    return ending;
}

static void encode(pt_endings_t *self, pt_ending_t *ending, const pt_msg_t *result)
{
    msgpack_sbuffer head;
    msgpack_sbuffer_init(&head);
    pt_msg_encode(result, &head);
    ending->head_size = head.size;
    ending->head = msgpack_sbuffer_release(&head);
    ending->due = INT64_MIN;
    self->bytes += ending->head_size; /* `head` has given its bytes away */
}

void pt_endings_add(pt_endings_t *self, const pt_msg_t *result, void *payload, size_t size)
{
    pt_ending_t *ending = add(self, result);
    encode(self, ending, result);
    ending->payload = payload;
    ending->payload_size = size;
    self->bytes += size;
}

void pt_endings_add_unfinished(pt_endings_t *self, const pt_msg_t *result, size_t size)
{
    pt_ending_t *ending = add(self, result);
    ending->unfinished = malloc(sizeof *ending->unfinished);
    if (!ending->unfinished)
        abort();
    *ending->unfinished = *result; /* no leases or other lists in it, which would be owned */
    ending->kept = size;
    self->bytes += size;
}

static pt_ending_t *find(const pt_endings_t *self, const pt_uuid_t *job_id, uint32_t attempt)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].attempt == attempt && pt_uuid_equal(&self->items[i].job_id, job_id))
            return &self->items[i];
    return NULL;
}

void pt_endings_add_log(pt_endings_t *self, const pt_msg_t *log, void *payload, size_t size)
{
    pt_ending_t *ending = find(self, &log->job_id, log->attempt);
    pt_ending_log_t *logs = realloc(ending->logs, (ending->log_count + 1) * sizeof *logs);
    if (!logs)
        abort();
    msgpack_sbuffer head;
    msgpack_sbuffer_init(&head);
    pt_msg_encode(log, &head);
    size_t head_size = head.size;
    ending->logs = logs;
    ending->logs[ending->log_count++] =
        (pt_ending_log_t){msgpack_sbuffer_release(&head), payload, head_size, size};
    ending->log_topic_size = pt_topic_format(ending->log_topic, log);
    ending->log_bytes += head_size + size;
    self->bytes += head_size + size;
}

const pt_ending_t *pt_endings_find(const pt_endings_t *self, const pt_uuid_t *job_id,
                                   uint32_t attempt)
{
    return find(self, job_id, attempt);
}

const pt_msg_t *pt_endings_unfinished(const pt_endings_t *self, const pt_uuid_t *job_id,
                                      uint32_t attempt)
{
    const pt_ending_t *ending = find(self, job_id, attempt);
    return ending ? ending->unfinished : NULL;
}

void pt_endings_finish(pt_endings_t *self, const pt_msg_t *result, bool is_kept)
{
    pt_ending_t *ending = find(self, &result->job_id, result->attempt);
    encode(self, ending, result);
    free(ending->unfinished);
    ending->unfinished = NULL;
    if (is_kept)
        return;
    self->bytes -= ending->kept;
    ending->kept = 0;
}

bool pt_endings_settle(pt_endings_t *self, const pt_uuid_t *job_id, uint32_t attempt)
{
    pt_ending_t *ending = find(self, job_id, attempt);
    if (!ending)
        return false;
    self->bytes -= ending->head_size + ending->payload_size + ending->kept + ending->log_bytes;
    clear_one(ending);
    *ending = self->items[--self->count];
    return true;
}

void pt_endings_restart(pt_endings_t *self, int64_t now)
{
    for (size_t i = 0; i < self->count; i++) {
        pt_ending_t *ending = &self->items[i];
        ending->due = ending->unfinished ? INT64_MAX : now;
        ending->delay = DELAY_FIRST;
    }
}

static void publish_one(pt_ending_t *ending, int64_t now, pt_outputs_t *out)
{
    for (size_t i = 0; i < ending->log_count; i++) {
        const pt_ending_log_t *log = &ending->logs[i];
        pt_outputs_publish_bytes(out, ending->log_topic, ending->log_topic_size, log->head,
                                 log->head_size, log->payload, log->payload_size);
    }
    pt_outputs_publish_bytes(out, ending->topic, ending->topic_size, ending->head,
                             ending->head_size, ending->payload, ending->payload_size);
    ending->due = now + ending->delay;
    ending->delay = ending->delay < DELAY_DOUBLED_BELOW ? ending->delay * 2 : DELAY_LAST;
}

void pt_endings_publish(pt_endings_t *self, int64_t now, pt_outputs_t *out)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].due <= now)
            publish_one(&self->items[i], now, out);
}

int64_t pt_endings_due(const pt_endings_t *self)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].due < due)
            due = self->items[i].due;
    return due;
}
