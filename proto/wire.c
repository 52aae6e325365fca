#include "proto/wire.h"

#include <string.h>

typedef struct {
    const uint8_t *at, *end;
    bool ok;
} reader_t;

static uint64_t take_uint(reader_t *in, size_t width)
{
    if ((size_t)(in->end - in->at) < width) {
        in->ok = false;
        return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | *in->at++;
    return value;
}

static void skip(reader_t *in, uint64_t bytes)
{
    if ((uint64_t)(in->end - in->at) < bytes)
        in->ok = false;
    else
        in->at += bytes;
}

/* What follows the heads from 0xc0 on; all zero: nothing. */
typedef struct {
    uint8_t fixed;      /* bytes */
    uint8_t size;       /* or the width of a number that says how many bytes */
    uint8_t count, per; /* or of one that says how many times `per` objects */
    bool unknown;       /* 0xc1 and the extension types, which this protocol does not use */
} body_t;

static const body_t bodies[0x20] = {
    [0x01] = {.unknown = true},
    [0x04] = {.size = 1},
    [0x05] = {.size = 2},
    [0x06] = {.size = 4},
    [0x07] = {.unknown = true},
    [0x08] = {.unknown = true},
    [0x09] = {.unknown = true},
    [0x0a] = {.fixed = 4},
    [0x0b] = {.fixed = 8},
    [0x0c] = {.fixed = 1},
    [0x0d] = {.fixed = 2},
    [0x0e] = {.fixed = 4},
    [0x0f] = {.fixed = 8},
    [0x10] = {.fixed = 1},
    [0x11] = {.fixed = 2},
    [0x12] = {.fixed = 4},
    [0x13] = {.fixed = 8},
    [0x14] = {.unknown = true},
    [0x15] = {.unknown = true},
    [0x16] = {.unknown = true},
    [0x17] = {.unknown = true},
    [0x18] = {.unknown = true},
    [0x19] = {.size = 1},
    [0x1a] = {.size = 2},
    [0x1b] = {.size = 4},
    [0x1c] = {.count = 2, .per = 1},
    [0x1d] = {.count = 4, .per = 1},
    [0x1e] = {.count = 2, .per = 2},
    [0x1f] = {.count = 4, .per = 2},
};

/* Reads one head and its scalar body; returns how many objects follow inside it. */
static uint64_t take_head(reader_t *in)
{
    uint8_t head = (uint8_t)take_uint(in, 1);
    if (!in->ok || head <= 0x7f || head >= 0xe0)
        return 0;
    if (head <= 0x8f)
        return 2u * (head & 15);
    if (head <= 0x9f)
        return head & 15;
    if (head <= 0xbf) {
        skip(in, head & 31);
        return 0;
    }
    const body_t *body = &bodies[head - 0xc0];
    in->ok = !body->unknown;
    skip(in, body->size ? take_uint(in, body->size) : body->fixed);
    return body->count ? body->per * take_uint(in, body->count) : 0;
}

size_t pt_msgpack_length(const void *data, size_t size)
{
    reader_t in = {data, (const uint8_t *)data + size, true};
    uint64_t left[PT_DEPTH_MAX];
    size_t depth = 0;
    left[0] = 1;
    for (;;) {
        while (left[depth] == 0) {
            if (depth == 0)
                return (size_t)(in.at - (const uint8_t *)data);
            depth--;
        }
        left[depth]--;
        uint64_t inside = take_head(&in);
        if (!in.ok || inside > (uint64_t)(in.end - in.at))
            return 0;
        if (inside > 0) {
            if (++depth == PT_DEPTH_MAX)
                return 0;
            left[depth] = inside;
        }
    }
}

bool pt_msgpack_valid(const void *data, size_t size)
{
    return size > 0 && pt_msgpack_length(data, size) == size;
}

/* The length of the UTF-8 sequence at `at`, 0 if it is none (RFC 3629, section 4). */
static size_t utf8_length(const uint8_t *at, size_t size)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t length;
    if (at[0] >= 0x01 && at[0] <= 0x7f)
        return 1;
    if (at[0] >= 0xc2 && at[0] <= 0xdf)
        length = 2;
    else if ((at[0] & 0xf0) == 0xe0)
        length = 3;
    else if (at[0] >= 0xf0 && at[0] <= 0xf4)
        length = 4;
    else
        return 0;
    if (at[0] == 0xe0)
        low = 0xa0;
    if (at[0] == 0xed)
        high = 0x9f;
    if (at[0] == 0xf0)
        low = 0x90;
    if (at[0] == 0xf4)
        high = 0x8f;
    if (size < length || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

bool pt_text_valid(const char *text, size_t size)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + size;
    while (at < end) {
        size_t length = utf8_length(at, (size_t)(end - at));
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

bool pt_job_type_valid(const char *text, size_t size)
{
    if (size == 0 || size >= PT_TYPE_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

void pt_job_type_copy(char to[PT_TYPE_MAX], const char *from)
{
    size_t size = strnlen(from, PT_TYPE_MAX - 1);
    memcpy(to, from, size);
    to[size] = 0;
}
