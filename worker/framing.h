/* Cuts a stream of msgpack objects into messages, as the bytes come.
 *
 * Each byte is looked at once, however small the pieces in which it arrives, and nothing is
 * allocated for what a head merely promises: memory follows the bytes that are really there.
 */
#ifndef PT_FRAMING_H
#define PT_FRAMING_H

#include "proto/wire.h"

#define PT_MESSAGE_MAX                                                                             \
    (PT_LARGE_MAX + 1024u) /* one message of a pipeline: its result, and the rest */

typedef struct {
    uint8_t *data;               /* owned: bytes from `start` to `size` wait to be taken */
    size_t start, size, room;    /* of data */
    size_t at;                   /* how far the message at `start` was looked at, from there */
    uint64_t left[PT_DEPTH_MAX]; /* objects still to come, a level of nesting each */
    size_t depth;
} pt_framing_t;

void pt_framing_init(pt_framing_t *self);
void pt_framing_clear(pt_framing_t *self);

/* Room for `size` more bytes; say with pt_framing_added how many were written there. */
void *pt_framing_room(pt_framing_t *self, size_t size);
void pt_framing_added(pt_framing_t *self, size_t size);

typedef enum {
    PT_FRAMING_MORE,
    PT_FRAMING_WHOLE,
    PT_FRAMING_BROKEN,
    PT_FRAMING_TOO_LARGE
} pt_framing_result_t;

/* WHOLE: `*message` and `*size` are the next message, good until the next call; it is taken.
   MORE: it is not all there yet. BROKEN: `*why` says why no message can follow any more; TOO_LARGE:
   because there is one above PT_MESSAGE_MAX. */
pt_framing_result_t pt_framing_next(pt_framing_t *self, const void **message, size_t *size,
                                    const char **why);

#endif
