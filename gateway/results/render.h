/* A result's msgpack as JSON text that PostgreSQL's json type takes for certain. */
#ifndef PT_RENDER_H
#define PT_RENDER_H

#include <msgpack.h>

/* What the tables keep of an ending; owned, released with pt_rendered_clear. */
typedef struct {
    char *results, *model_versions, *files; /* files: NULL if there are none */
    char *partial;                          /* of a failed one; NULL: nothing was said */
} pt_rendered_t;

/* Reads the payload of a completed ending: a map with `results` (any), `model_versions` (a map of
   text to text) and maybe `files` (see files.h). Returns NULL, or what is not acceptable
   about it: bytes that are no msgpack, binary data, a key that is no text, text that is not UTF-8
   or has a NUL, a number that is not finite, more than 256 MiB of text in all. Takes no memory but
   for that text. */
const char *pt_render_result(const void *payload, size_t size, pt_rendered_t *rendered);
/* Reads the payload of a failed ending, a map of at most PT_PARTIAL_MAX bytes. What is not
   acceptable is left out. */
void pt_render_partial(const void *payload, size_t size, pt_rendered_t *rendered);
void pt_rendered_clear(pt_rendered_t *self);

#endif
