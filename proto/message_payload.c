#include "proto/message.h"

static bool is_map(const uint8_t *head)
{
    return (*head & 0xf0) == 0x80 || *head == 0xde || *head == 0xdf;
}

/* Where the bytes of a msgpack bin or str begin, or 0 if it is the other or neither. */
static size_t body_offset(const uint8_t *head, bool text)
{
    if (text && (*head & 0xe0) == 0xa0)
        return 1;
    uint8_t first = text ? 0xd9 : 0xc4; /* then the ones with lengths of 2 and 4 bytes */
    return *head == first ? 2 : *head == first + 1 ? 3 : *head == first + 2 ? 5 : 0;
}

static const char *check_piece(const void *payload, size_t size, bool text, size_t most)
{
    size_t offset = body_offset(payload, text);
    if (offset == 0)
        return text ? "the payload is no text" : "the payload is no bin";
    if (size == offset || size - offset > most)
        return "the payload is empty or too large";
    return !text || pt_text_valid((const char *)payload + offset, size - offset)
               ? NULL
               : "the payload is no text";
}

/* Large inputs and results are named by size and digest, and fetched. */
static bool is_elsewhere(const pt_msg_t *self)
{
    return pt_msg_has(self, PT_F_SIZE) && pt_msg_has(self, PT_F_DIGEST);
}

const char *pt_msg_check_payload(const pt_msg_t *self, const void *payload, size_t size)
{
    pt_payload_t rule = pt_verb_payload(self->verb);
    if (!payload) {
        bool needed = rule == PT_PAYLOAD_ALWAYS || (self->verb == PT_JOB && !is_elsewhere(self));
        return needed ? "the payload is missing" : NULL;
    }
    if (rule == PT_PAYLOAD_NONE || pt_msg_has(self, PT_F_SIZE))
        return "a payload where none belongs";
    if (!pt_msgpack_valid(payload, size))
        return "the payload is not one msgpack object";
    if (self->verb == PT_CHUNK)
        return check_piece(payload, size, false, PT_CHUNK_MAX);
    if (self->verb == PT_LOG)
        return check_piece(payload, size, true, PT_LOG_PIECE_MAX);
    if (size > PT_PAYLOAD_MAX)
        return "the payload is too large";
    return is_map(payload) ? NULL : "the payload is not a map";
}
