/* A result's msgpack as JSON text that PostgreSQL's json type takes for certain. */
#ifndef PT_RENDER_H
#define PT_RENDER_H

#include <msgpack.h>

/* The two columns of a result; owned, released with pt_rendered_clear. */
typedef struct {
    char *results, *model_versions;
} pt_rendered_t;

/* Reads the payload of a completed ending: a map with `results` (any) and `model_versions` (a map
   of text to text). Returns NULL, or what is not acceptable about it: bytes that are no msgpack,
   binary data, a key that is no text, text that is not UTF-8 or has a NUL, a number that is not
   finite, more than 256 MiB of text. Takes no memory but for that text. */
const char *pt_render_result(const void *payload, size_t size, pt_rendered_t *rendered);
void pt_rendered_clear(pt_rendered_t *self);

#endif
