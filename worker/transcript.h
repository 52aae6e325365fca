/* What a pipeline wrote on standard error during one attempt: the first 48 KiB and the last 16 KiB,
 * with the offsets that they have in all of it.
 *
 * It becomes UTF-8 of the same length: each byte that is part of none is a question mark. What is
 * kept is divided into pieces, each whole characters and at most PT_LOG_PIECE_MAX bytes; a piece
 * grows, and is said again with more, until the next one begins.
 */
#ifndef PT_TRANSCRIPT_H
#define PT_TRANSCRIPT_H

#include "proto/wire.h"

#define PT_TRANSCRIPT_TAIL 16384
#define PT_TRANSCRIPT_HEAD (PT_LOG_MAX - PT_TRANSCRIPT_TAIL)
#define PT_TRANSCRIPT_PIECES 16

typedef struct {
    uint64_t offset;
    const char *text; /* borrowed until the next call that changes the transcript */
    size_t size;
} pt_piece_t;

typedef struct {
    char *head, *tail; /* owned, NULL while empty; the tail is a ring */
    size_t head_size;
    uint64_t total;
    bool head_is_full;
    size_t starts[PT_TRANSCRIPT_PIECES]; /* of the head's pieces */
    size_t pieces;                       /* of the head */
    size_t said_pieces, said_size;       /* whole ones, and bytes of the one after them */
    char open[4];                        /* the beginning of a character */
    size_t open_size, open_needs;
} pt_transcript_t;

void pt_transcript_clear(pt_transcript_t *self);
void pt_transcript_add(pt_transcript_t *self, const char *data, size_t size);

/* The next piece of the head that has something unsaid, and counts it as said; false if there is
   none. */
bool pt_transcript_next(pt_transcript_t *self, pt_piece_t *piece);
bool pt_transcript_has_unsaid(const pt_transcript_t *self);

/* No more comes: all pieces, the tail's too; returns how many. Once, and as the last call. */
size_t pt_transcript_end(pt_transcript_t *self, pt_piece_t pieces[PT_TRANSCRIPT_PIECES]);

/* Whether the text of the last 2 KiB is one that a program leaves when memory was refused to it. */
bool pt_transcript_tells_of_memory(const pt_transcript_t *self);

#endif
