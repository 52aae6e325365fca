#include "worker/transcript.h"

#include <stdlib.h>
#include <string.h>

#define LAST 2048

void pt_transcript_clear(pt_transcript_t *self)
{
    free(self->head);
    free(self->tail);
    memset(self, 0, sizeof *self);
}

static char *need(char **room, size_t size)
{
    if (!*room && !(*room = malloc(size)))
        abort();
    return *room;
}

/* ---- one character ----------------------------------------------------------------------- */

static size_t piece_end(const pt_transcript_t *self, size_t piece)
{
    return piece + 1 < self->pieces ? self->starts[piece + 1] : self->head_size;
}

static void add_to_head(pt_transcript_t *self, const char *bytes, size_t size)
{
    if (self->pieces == 0 ||
        self->head_size - self->starts[self->pieces - 1] + size > PT_LOG_PIECE_MAX)
        self->starts[self->pieces++] = self->head_size;
    memcpy(need(&self->head, PT_TRANSCRIPT_HEAD) + self->head_size, bytes, size);
    self->head_size += size;
}

/* Where a byte behind the head stands in the ring, which begins with the first of them. */
static size_t tail_at(const pt_transcript_t *self, uint64_t offset)
{
    return (size_t)((offset - self->head_size) % PT_TRANSCRIPT_TAIL);
}

static void add_character(pt_transcript_t *self, const char *bytes, size_t size)
{
    self->head_is_full = self->head_is_full || self->head_size + size > PT_TRANSCRIPT_HEAD;
    if (!self->head_is_full)
        add_to_head(self, bytes, size);
    else
        for (size_t i = 0; i < size; i++)
            need(&self->tail, PT_TRANSCRIPT_TAIL)[tail_at(self, self->total + i)] = bytes[i];
    self->total += size;
}

/* ---- UTF-8 ------------------------------------------------------------------------------- */

static void replace_open(pt_transcript_t *self)
{
    for (size_t i = 0; i < self->open_size; i++)
        add_character(self, "?", 1);
    self->open_size = 0;
}

static size_t length_by_lead(unsigned char lead)
{
    return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
}

static void begin_character(pt_transcript_t *self, char byte)
{
    self->open[0] = byte;
    self->open_size = 1;
    self->open_needs = length_by_lead((unsigned char)byte);
}

/* A whole one counts, if it is one: PostgreSQL takes no NUL. */
static void finish_character(pt_transcript_t *self)
{
    if (self->open_size < self->open_needs)
        return;
    if (!pt_text_valid(self->open, self->open_size)) {
        replace_open(self);
        return;
    }
    add_character(self, self->open, self->open_size);
    self->open_size = 0;
}

void pt_transcript_add(pt_transcript_t *self, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bool continues = ((unsigned char)data[i] & 0xc0) == 0x80;
        if (self->open_size > 0 && !continues)
            replace_open(self);
        if (self->open_size > 0)
            self->open[self->open_size++] = data[i];
        else
            begin_character(self, data[i]);
        finish_character(self);
    }
}

/* ---- pieces ------------------------------------------------------------------------------ */

static pt_piece_t head_piece(const pt_transcript_t *self, size_t piece)
{
    size_t start = self->starts[piece];
    return (pt_piece_t){start, self->head + start, piece_end(self, piece) - start};
}

bool pt_transcript_has_unsaid(const pt_transcript_t *self)
{
    return self->said_pieces < self->pieces &&
           self->starts[self->said_pieces] + self->said_size < self->head_size;
}

bool pt_transcript_next(pt_transcript_t *self, pt_piece_t *piece)
{
    if (!pt_transcript_has_unsaid(self))
        return false;
    if (head_piece(self, self->said_pieces).size == self->said_size) {
        self->said_pieces++;
        self->said_size = 0;
    }
    *piece = head_piece(self, self->said_pieces);
    self->said_size = piece->size;
    return true;
}

static void reverse(char *from, char *to)
{
    while (from < --to) {
        char byte = *from;
        *from++ = *to;
        *to = byte;
    }
}

/* Turns the ring so that it begins with its oldest byte; returns how many there are. */
static size_t straighten_tail(pt_transcript_t *self)
{
    uint64_t size = self->total - self->head_size;
    if (size <= PT_TRANSCRIPT_TAIL)
        return (size_t)size;
    char *oldest = self->tail + tail_at(self, self->total), *end = self->tail + PT_TRANSCRIPT_TAIL;
    reverse(self->tail, oldest);
    reverse(oldest, end);
    reverse(self->tail, end);
    return PT_TRANSCRIPT_TAIL;
}

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static size_t cut_tail(pt_transcript_t *self, pt_piece_t *pieces)
{
    size_t size = straighten_tail(self), at = 0, count = 0;
    while (at < size && continues(self->tail[at])) /* its beginning was overwritten */
        at++;
    while (at < size) {
        size_t end = size - at > PT_LOG_PIECE_MAX ? at + PT_LOG_PIECE_MAX : size;
        while (end < size && continues(self->tail[end]))
            end--;
        pieces[count++] = (pt_piece_t){self->total - size + at, self->tail + at, end - at};
        at = end;
    }
    return count;
}

size_t pt_transcript_end(pt_transcript_t *self, pt_piece_t pieces[PT_TRANSCRIPT_PIECES])
{
    replace_open(self);
    for (size_t i = 0; i < self->pieces; i++)
        pieces[i] = head_piece(self, i);
    return self->pieces + (self->tail ? cut_tail(self, pieces + self->pieces) : 0);
}

/* ---- what it tells ----------------------------------------------------------------------- */

static char at_end(const pt_transcript_t *self, size_t back)
{
    uint64_t at = self->total - back;
    return at < self->head_size ? self->head[at] : self->tail[tail_at(self, at)];
}

bool pt_transcript_tells_of_memory(const pt_transcript_t *self)
{
    static const char *const words[] = {
        "MemoryError",   "std::bad_alloc", "Cannot allocate memory", "OutOfMemory",
        "out of memory", "Out of memory",  "memory allocation"};
    char last[LAST + 1];
    size_t size = self->total < LAST ? (size_t)self->total : LAST;
    for (size_t i = 0; i < size; i++)
        last[i] = at_end(self, size - i);
    last[size] = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(last, words[i]))
            return true;
    return false;
}
