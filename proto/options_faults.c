#include "proto/options_faults.h"

#include "proto/wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUOTED_MAX 40 /* bytes of a value in a message */

/* ---- where something stands -------------------------------------------------------------- */

/* A text that was cut in the middle of a character loses the rest of it. */
static void trim(char *text)
{
    size_t size = strlen(text);
    while (size > 0 && !pt_text_valid(text, size))
        text[--size] = 0;
}

typedef struct {
    char *text;
    size_t room, used;
} writer_t;

/* All of it, or false and nothing. */
static bool put(writer_t *to, const char *piece)
{
    size_t size = strlen(piece);
    if (to->used + size >= to->room)
        return false;
    memcpy(to->text + to->used, piece, size + 1);
    to->used += size;
    return true;
}

/* "/" and the name with the two escapes of RFC 6901; without room, no more. */
static bool put_name(writer_t *to, const char *name)
{
    if (!put(to, "/"))
        return false;
    for (; *name; name++) {
        const char one[] = {*name, 0};
        if (!put(to, *name == '~' ? "~0" : *name == '/' ? "~1" : one))
            return false;
    }
    return true;
}

static bool put_place(writer_t *to, const pt_place_t *at)
{
    char number[24];
    if (!at->parent)
        return true;
    snprintf(number, sizeof number, "%zu", at->index);
    return put_place(to, at->parent) && put_name(to, at->name ? at->name : number);
}

/* ---- faults ------------------------------------------------------------------------------ */

bool pt_fault(pt_faults_t *self, const pt_place_t *at, const char *format, ...)
{
    if (self->count >= self->room)
        return false;
    pt_options_error_t *error = &self->errors[self->count++];
    writer_t to = {.text = error->pointer, .room = sizeof error->pointer};
    va_list args;
    *error->pointer = 0;
    put_place(&to, at);
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    trim(error->pointer);
    trim(error->message);
    return false;
}

const char *pt_value_shown(const json_t *value, char text[PT_SHOWN_MAX])
{
    char *whole = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    snprintf(text, QUOTED_MAX + 1, "%s", whole ? whole : "");
    trim(text);
    if (whole && strlen(whole) > QUOTED_MAX)
        snprintf(text + strlen(text), PT_SHOWN_MAX - strlen(text), "…");
    free(whole);
    return text;
}
