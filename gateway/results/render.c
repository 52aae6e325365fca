#include "gateway/results/render.h"

#include "gateway/results/files.h"
#include "gateway/results/real.h"
#include "proto/value.h"
#include "proto/wire.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A gibibyte is the most that a value in PostgreSQL can have, and what a client gets is built from
   it there. Few results come near: control characters become six times as long. */
#define JSON_MAX (256u * 1024 * 1024)

typedef struct {
    msgpack_sbuffer out;
    size_t most;
    const char *why;
} writer_t;

static void put(writer_t *to, const char *text, size_t size)
{
    if (to->why)
        return;
    if (to->out.size + size > to->most || msgpack_sbuffer_write(&to->out, text, size) != 0)
        to->why = "more than 256 MiB as JSON";
}

static void put_text(writer_t *to, const char *text)
{
    put(to, text, strlen(text));
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

static void write_string(writer_t *to, const pt_value_t *value)
{
    if (!pt_text_valid(value->bytes, value->size)) {
        to->why = "text that is not UTF-8, or has a NUL";
        return;
    }
    put(to, "\"", 1);
    for (size_t i = 0, from = 0; from < value->size && !to->why; from = ++i) {
        char escape[8];
        while (i < value->size && is_plain((unsigned char)value->bytes[i]))
            i++;
        put(to, value->bytes + from, i - from);
        if (i == value->size)
            break;
        bool control = (unsigned char)value->bytes[i] < 0x20;
        put(to, escape,
            (size_t)snprintf(escape, sizeof escape, control ? "\\u%04x" : "\\%c", value->bytes[i]));
    }
    put(to, "\"", 1);
}

static void write_float(writer_t *to, double number)
{
    char text[PT_REAL_TEXT];
    if (!isfinite(number)) {
        to->why = "a number that is not finite";
        return;
    }
    put_text(to, pt_real_text(number, text));
}

static void write_value(writer_t *to, pt_span_t *at);

static void write_array(writer_t *to, pt_span_t *at, size_t count)
{
    put(to, "[", 1);
    for (size_t i = 0; i < count && !to->why; i++) {
        if (i > 0)
            put(to, ",", 1);
        write_value(to, at);
    }
    put(to, "]", 1);
}

static void write_map(writer_t *to, pt_span_t *at, size_t count)
{
    put(to, "{", 1);
    for (size_t i = 0; i < count && !to->why; i++) {
        pt_value_t key = pt_value_next(at);
        if (key.kind != PT_VALUE_TEXT) {
            to->why = "a key that is no text";
            return;
        }
        if (i > 0)
            put(to, ",", 1);
        write_string(to, &key);
        put(to, ":", 1);
        write_value(to, at);
    }
    put(to, "}", 1);
}

/* The next value, with all that is in it; at most PT_DEPTH_MAX deep, as all that is valid. */
static void write_value(writer_t *to, pt_span_t *at)
{
    char text[32];
    pt_value_t value = pt_value_next(at);
    switch (value.kind) {
    case PT_VALUE_NIL:
        put_text(to, "null");
        break;
    case PT_VALUE_BOOL:
        put_text(to, value.yes ? "true" : "false");
        break;
    case PT_VALUE_UINT:
        snprintf(text, sizeof text, "%llu", (unsigned long long)value.number);
        put_text(to, text);
        break;
    case PT_VALUE_NEGATIVE:
        snprintf(text, sizeof text, "%lld", (long long)value.negative);
        put_text(to, text);
        break;
    case PT_VALUE_FLOAT:
        write_float(to, value.real);
        break;
    case PT_VALUE_TEXT:
        write_string(to, &value);
        break;
    case PT_VALUE_ARRAY:
        write_array(to, at, value.size);
        break;
    case PT_VALUE_MAP:
        write_map(to, at, value.size);
        break;
    case PT_VALUE_BIN:
        to->why = "binary data";
        break;
    }
}

/* JSON of one value, NUL-terminated; or NULL and why. `*left` is what it may have, and then what is
   left of that. */
static char *render(pt_span_t value, size_t *left, const char **why)
{
    writer_t to = {.most = *left};
    msgpack_sbuffer_init(&to.out);
    write_value(&to, &value);
    put(&to, "", 1);
    if (to.why) {
        *why = to.why;
        msgpack_sbuffer_destroy(&to.out);
        return NULL;
    }
    *left -= to.out.size;
    return msgpack_sbuffer_release(&to.out);
}

/* The first value under that key; empty if there is none. */
static pt_span_t find(pt_span_t pairs, size_t count, const char *wanted)
{
    for (size_t i = 0; i < count; i++) {
        pt_span_t whole = pt_value_whole(&pairs), value = pt_value_whole(&pairs);
        pt_value_t key = pt_value_next(&whole);
        if (pt_value_is(&key, wanted))
            return value;
    }
    return (pt_span_t){NULL, 0};
}

static bool is_versions(pt_span_t at)
{
    if (at.size == 0)
        return false;
    pt_value_t map = pt_value_next(&at);
    for (size_t i = 0; map.kind == PT_VALUE_MAP && i < map.size; i++) {
        pt_value_whole(&at);
        pt_span_t whole = pt_value_whole(&at);
        if (pt_value_next(&whole).kind != PT_VALUE_TEXT)
            return false;
    }
    return map.kind == PT_VALUE_MAP;
}

static const char *render_parts(pt_span_t payload, pt_rendered_t *rendered)
{
    pt_value_t map = pt_value_next(&payload);
    if (map.kind != PT_VALUE_MAP)
        return "a payload that is no map";
    pt_span_t results = find(payload, map.size, "results");
    pt_span_t versions = find(payload, map.size, "model_versions");
    if (results.size == 0)
        return "no results in the payload";
    if (!is_versions(versions))
        return "model_versions is no map of text to text";
    pt_span_t files = find(payload, map.size, "files");
    const char *why = files.size > 0 ? pt_result_files_check(files) : NULL;
    size_t left = JSON_MAX;
    if (!why)
        rendered->results = render(results, &left, &why);
    if (!why)
        rendered->model_versions = render(versions, &left, &why);
    if (!why && files.size > 0)
        rendered->files = render(files, &left, &why);
    return why;
}

const char *pt_render_result(const void *payload, size_t size, pt_rendered_t *rendered)
{
    memset(rendered, 0, sizeof *rendered);
    if (!pt_msgpack_valid(payload, size))
        return "a payload that is not one msgpack object";
    const char *why = render_parts((pt_span_t){payload, size}, rendered);
    if (why)
        pt_rendered_clear(rendered);
    return why;
}

void pt_render_partial(const void *payload, size_t size, pt_rendered_t *rendered)
{
    const char *why;
    size_t left = JSON_MAX;
    memset(rendered, 0, sizeof *rendered);
    if (size > PT_PARTIAL_MAX || !pt_msgpack_valid(payload, size))
        return;
    pt_span_t whole = {payload, size}, at = whole;
    if (pt_value_next(&at).kind == PT_VALUE_MAP)
        rendered->partial = render(whole, &left, &why);
}

void pt_rendered_clear(pt_rendered_t *self)
{
    free(self->results);
    free(self->model_versions);
    free(self->files);
    free(self->partial);
    memset(self, 0, sizeof *self);
}
