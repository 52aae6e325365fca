#include "worker/outputs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pt_outputs_reset(pt_outputs_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->items[i].head);
        free(self->items[i].payload);
    }
    self->count = 0;
}

void pt_outputs_clear(pt_outputs_t *self)
{
    pt_outputs_reset(self);
    free(self->items);
    memset(self, 0, sizeof *self);
}

static pt_output_t *add(pt_outputs_t *self, pt_output_kind_t kind)
{
    if (self->count == self->room) {
        size_t room = self->room ? self->room * 2 : 8;
        pt_output_t *items = realloc(self->items, room * sizeof *items);
        if (!items)
            abort();
        self->items = items;
        self->room = room;
    }
    pt_output_t *output = &self->items[self->count++];
    memset(output, 0, sizeof *output);
    output->kind = kind;
    return output;
}

static void *copy(const void *data, size_t size)
{
    if (size == 0)
        return NULL;
    void *to = malloc(size);
    if (!to)
        abort();
    return memcpy(to, data, size);
}

static pt_output_t *add_message(pt_outputs_t *self, pt_output_kind_t kind, const pt_msg_t *msg)
{
    pt_output_t *output = add(self, kind);
    msgpack_sbuffer bytes;
    msgpack_sbuffer_init(&bytes);
    pt_msg_encode(msg, &bytes);
    output->head_size = bytes.size;
    output->head = msgpack_sbuffer_release(&bytes);
    return output;
}

void pt_outputs_send(pt_outputs_t *self, const pt_msg_t *msg)
{
    add_message(self, PT_OUT_SEND, msg);
}

void pt_outputs_publish(pt_outputs_t *self, const pt_msg_t *msg)
{
    pt_outputs_publish_with(self, msg, NULL, 0);
}

void pt_outputs_publish_with(pt_outputs_t *self, const pt_msg_t *msg, const void *payload,
                             size_t size)
{
    pt_output_t *output = add_message(self, PT_OUT_PUBLISH, msg);
    output->topic_size = pt_topic_format(output->topic, msg);
    output->payload = copy(payload, size);
    output->payload_size = size;
}

void pt_outputs_publish_bytes(pt_outputs_t *self, const char *topic, size_t topic_size,
                              const void *head, size_t head_size, const void *payload,
                              size_t payload_size)
{
    pt_output_t *output = add(self, PT_OUT_PUBLISH);
    memcpy(output->topic, topic, topic_size);
    output->topic_size = topic_size;
    output->head = copy(head, head_size);
    output->head_size = head_size;
    output->payload = copy(payload, payload_size);
    output->payload_size = payload_size;
}

void pt_outputs_start(pt_outputs_t *self, size_t slot, void *job, size_t size)
{
    pt_output_t *output = add(self, PT_OUT_START);
    output->slot = slot;
    output->head = job;
    output->head_size = size;
}

void pt_outputs_kill(pt_outputs_t *self, size_t slot)
{
    add(self, PT_OUT_KILL)->slot = slot;
}

static pt_output_t *about(pt_output_t *output, const pt_uuid_t *job_id, uint32_t attempt)
{
    output->job_id = *job_id;
    output->attempt = attempt;
    return output;
}

void pt_outputs_spool(pt_outputs_t *self, const pt_uuid_t *job_id, uint32_t attempt, void *result,
                      size_t size)
{
    pt_output_t *output = about(add(self, PT_OUT_SPOOL), job_id, attempt);
    output->payload = result;
    output->payload_size = size;
}

void pt_outputs_unspool(pt_outputs_t *self, const pt_uuid_t *job_id, uint32_t attempt)
{
    about(add(self, PT_OUT_UNSPOOL), job_id, attempt);
}

void pt_outputs_chunk(pt_outputs_t *self, const pt_msg_t *msg, size_t bytes)
{
    pt_output_t *output = about(add_message(self, PT_OUT_CHUNK, msg), &msg->job_id, msg->attempt);
    output->offset = msg->offset;
    output->bytes = bytes;
}

void pt_outputs_connect(pt_outputs_t *self, size_t broker, bool warning, const char *why)
{
    pt_output_t *output = add(self, PT_OUT_CONNECT);
    output->broker = broker;
    output->warning = warning;
    snprintf(output->text, sizeof output->text, "%s", why);
}

void pt_outputs_exit(pt_outputs_t *self)
{
    add(self, PT_OUT_EXIT);
}

void pt_outputs_log(pt_outputs_t *self, bool warning, const char *format, ...)
{
    pt_output_t *output = add(self, PT_OUT_LOG);
    output->warning = warning;
    va_list args;
    va_start(args, format);
    vsnprintf(output->text, sizeof output->text, format, args);
    va_end(args);
}
