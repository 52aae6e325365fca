#include "proto/value.h"

#include "proto/wire.h"

#include <string.h>

static uint64_t take_number(pt_span_t *at, size_t width)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | at->data[i];
    at->data += width;
    at->size -= width;
    return value;
}

static pt_value_t bytes_of(pt_span_t *at, pt_value_kind_t kind, size_t size)
{
    pt_value_t value = {.kind = kind, .bytes = (const char *)at->data, .size = size};
    at->data += size;
    at->size -= size;
    return value;
}

static pt_value_t integer(int64_t number)
{
    if (number < 0)
        return (pt_value_t){.kind = PT_VALUE_NEGATIVE, .negative = number};
    return (pt_value_t){.kind = PT_VALUE_UINT, .number = (uint64_t)number};
}

/* A number of `width` bytes with its sign. */
static pt_value_t signed_of(pt_span_t *at, size_t width)
{
    unsigned unused = (unsigned)(64 - 8 * width);
    return integer((int64_t)(take_number(at, width) << unused) >> unused);
}

static pt_value_t real_of(pt_span_t *at, size_t width)
{
    pt_value_t value = {.kind = PT_VALUE_FLOAT};
    uint64_t bits = take_number(at, width);
    uint32_t half = (uint32_t)bits;
    float single;
    memcpy(&single, &half, sizeof single);
    memcpy(&value.real, &bits, sizeof value.real);
    if (width == 4)
        value.real = (double)single;
    return value;
}

static pt_value_t count_of(pt_value_kind_t kind, uint64_t count)
{
    return (pt_value_t){.kind = kind, .size = (size_t)count};
}

/* After a head from 0xc0 to 0xd3 that is no bin. */
static pt_value_t scalar_of(pt_span_t *at, uint8_t head)
{
    size_t width = (size_t)1 << (head & 3); /* of the number after most of them */
    if (head == 0xc2 || head == 0xc3)
        return (pt_value_t){.kind = PT_VALUE_BOOL, .yes = head == 0xc3};
    if (head == 0xca || head == 0xcb)
        return real_of(at, head == 0xca ? 4 : 8);
    if (head >= 0xcc && head <= 0xcf)
        return (pt_value_t){.kind = PT_VALUE_UINT, .number = take_number(at, width)};
    if (head >= 0xd0 && head <= 0xd3)
        return signed_of(at, width);
    return (pt_value_t){.kind = PT_VALUE_NIL};
}

pt_value_t pt_value_next(pt_span_t *at)
{
    uint8_t head = (uint8_t)take_number(at, 1);
    if (head <= 0x7f || head >= 0xe0)
        return integer((int8_t)head);
    if (head <= 0x8f)
        return count_of(PT_VALUE_MAP, head & 15);
    if (head <= 0x9f)
        return count_of(PT_VALUE_ARRAY, head & 15);
    if (head <= 0xbf)
        return bytes_of(at, PT_VALUE_TEXT, head & 31);
    switch (head) {
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return bytes_of(at, PT_VALUE_BIN, (size_t)take_number(at, (size_t)1 << (head - 0xc4)));
    case 0xd9:
    case 0xda:
    case 0xdb:
        return bytes_of(at, PT_VALUE_TEXT, (size_t)take_number(at, (size_t)1 << (head - 0xd9)));
    case 0xdc:
    case 0xdd:
        return count_of(PT_VALUE_ARRAY, take_number(at, head == 0xdc ? 2 : 4));
    case 0xde:
    case 0xdf:
        return count_of(PT_VALUE_MAP, take_number(at, head == 0xde ? 2 : 4));
    default:
        return scalar_of(at, head);
    }
}

pt_span_t pt_value_whole(pt_span_t *at)
{
    pt_span_t value = {at->data, pt_msgpack_length(at->data, at->size)};
    at->data += value.size;
    at->size -= value.size;
    return value;
}

bool pt_value_is(const pt_value_t *self, const char *text)
{
    return self->kind == PT_VALUE_TEXT && self->size == strlen(text) &&
           memcmp(self->bytes, text, self->size) == 0;
}
