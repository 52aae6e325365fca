#include "worker/framing.h"

#include <stdlib.h>
#include <string.h>

/* A buffer above this is given back once it is empty: one large result is no reason to keep
   64 MiB for as long as the pipeline lives. */
#define KEEP_ROOM (1024 * 1024)

static void begin_message(pt_framing_t *self)
{
    self->at = 0;
    self->depth = 0;
    self->left[0] = 1;
}

void pt_framing_init(pt_framing_t *self)
{
    memset(self, 0, sizeof *self);
    begin_message(self);
}

void pt_framing_clear(pt_framing_t *self)
{
    free(self->data);
    pt_framing_init(self);
}

/* Moves what waits to the front; only when that is less than what was taken, so that each byte is
   moved at most once on average. */
static void compact(pt_framing_t *self)
{
    size_t waiting = self->size - self->start;
    if (waiting == 0 && self->room > KEEP_ROOM) {
        free(self->data);
        self->data = NULL;
        self->room = 0;
    } else if (self->start < waiting) {
        return;
    } else if (waiting > 0) {
        memmove(self->data, self->data + self->start, waiting);
    }
    self->start = 0;
    self->size = waiting;
}

void *pt_framing_room(pt_framing_t *self, size_t size)
{
    compact(self);
    if (self->room - self->size < size) {
        size_t room = self->room * 2 > self->size + size ? self->room * 2 : self->size + size;
        uint8_t *data = realloc(self->data, room);
        if (!data)
            abort();
        self->data = data;
        self->room = room;
    }
    return self->data + self->size;
}

void pt_framing_added(pt_framing_t *self, size_t size)
{
    self->size += size;
}

/* What the first byte of an object says about the rest. */
typedef struct {
    size_t width;       /* bytes of the number that follows the first byte */
    bool bytes;         /* the number, or `inline_count`, counts bytes that follow */
    uint64_t per_count; /* objects inside for each count: 1 in an array, 2 in a map */
    uint64_t inline_count;
    bool ok;
} head_t;

static head_t sized(size_t width)
{
    return (head_t){width, true, 0, 0, true};
}

static head_t container(size_t width, uint64_t per_count, uint64_t inline_count)
{
    return (head_t){width, false, per_count, inline_count, true};
}

static head_t fixed(uint64_t bytes)
{
    return (head_t){0, true, 0, bytes, true};
}

static head_t read_head(uint8_t first)
{
    if (first <= 0x7f || first >= 0xe0)
        return fixed(0);
    if (first <= 0x8f)
        return container(0, 2, first & 15);
    if (first <= 0x9f)
        return container(0, 1, first & 15);
    if (first <= 0xbf)
        return fixed(first & 31);
    /* clang-format off */
    switch (first) {
    case 0xc0: case 0xc2: case 0xc3: return fixed(0);
    case 0xc4: case 0xd9: return sized(1);
    case 0xc5: case 0xda: return sized(2);
    case 0xc6: case 0xdb: return sized(4);
    case 0xcc: case 0xd0: return fixed(1);
    case 0xcd: case 0xd1: return fixed(2);
    case 0xce: case 0xd2: case 0xca: return fixed(4);
    case 0xcf: case 0xd3: case 0xcb: return fixed(8);
    case 0xdc: return container(2, 1, 0);
    case 0xdd: return container(4, 1, 0);
    case 0xde: return container(2, 2, 0);
    case 0xdf: return container(4, 2, 0);
    default: return (head_t){.ok = false}; /* 0xc1 and the extension types */
    }
    /* clang-format on */
}

static uint64_t read_number(const uint8_t *at, size_t width)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | at[i];
    return value;
}

static const char too_large[] = "a message above 64 MiB";

/* Passes over one object's head and scalar body. Returns what is wrong, or NULL; `*more` if its
   head is not all there. */
static const char *pass_object(pt_framing_t *self, bool *more)
{
    const uint8_t *message = self->data + self->start;
    size_t there = self->size - self->start - self->at;
    head_t head = read_head(message[self->at]);
    if (!head.ok)
        return "bytes that are no msgpack of this protocol";
    if (there < 1 + head.width) {
        *more = true;
        return NULL;
    }
    uint64_t count =
        head.width ? read_number(message + self->at + 1, head.width) : head.inline_count;
    uint64_t inside = count * head.per_count;
    self->at += 1 + head.width + (head.bytes ? (size_t)count : 0);
    if (self->at > PT_MESSAGE_MAX || inside > PT_MESSAGE_MAX)
        return too_large;
    self->left[self->depth]--;
    if (inside == 0)
        return NULL;
    if (++self->depth == PT_DEPTH_MAX)
        return "a message that is nested too deep";
    self->left[self->depth] = inside;
    return NULL;
}

static bool complete(pt_framing_t *self)
{
    while (self->left[self->depth] == 0) {
        if (self->depth == 0)
            return true;
        self->depth--;
    }
    return false;
}

pt_framing_result_t pt_framing_next(pt_framing_t *self, const void **message, size_t *size,
                                    const char **why)
{
    bool more = false;
    for (;;) {
        bool whole = complete(self);
        size_t there = self->size - self->start;
        if (more || self->at > there || (!whole && self->at == there))
            return PT_FRAMING_MORE;
        if (whole)
            break;
        *why = pass_object(self, &more);
        if (*why)
            return *why == too_large ? PT_FRAMING_TOO_LARGE : PT_FRAMING_BROKEN;
    }
    *message = self->data + self->start;
    *size = self->at;
    self->start += self->at;
    begin_message(self);
    return PT_FRAMING_WHOLE;
}
