#include "gateway/render.h"

#include "proto/wire.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    msgpack_sbuffer out;
    const char *why;
} writer_t;

static void put(writer_t *to, const char *text, size_t size)
{
    msgpack_sbuffer_write(&to->out, text, size);
}

static void put_text(writer_t *to, const char *text)
{
    put(to, text, strlen(text));
}

static void write_string(writer_t *to, const char *text, size_t size)
{
    if (!pt_text_valid(text, size)) {
        to->why = "text that is not UTF-8, or has a NUL";
        return;
    }
    put(to, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        char escape[8];
        if (c == '"' || c == '\\')
            put(to, escape, (size_t)snprintf(escape, sizeof escape, "\\%c", c));
        else if (c < 0x20)
            put(to, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c));
        else
            put(to, text + i, 1);
    }
    put(to, "\"", 1);
}

/* The shortest text that reads back as the same double. */
static void write_float(writer_t *to, double number)
{
    char text[40];
    if (!isfinite(number)) {
        to->why = "a number that is not finite";
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    put_text(to, text);
}

static void write_value(writer_t *to, const msgpack_object *value);

static void write_array(writer_t *to, const msgpack_object_array *array)
{
    put(to, "[", 1);
    for (uint32_t i = 0; i < array->size && !to->why; i++) {
        if (i > 0)
            put(to, ",", 1);
        write_value(to, &array->ptr[i]);
    }
    put(to, "]", 1);
}

static void write_map(writer_t *to, const msgpack_object_map *map)
{
    put(to, "{", 1);
    for (uint32_t i = 0; i < map->size && !to->why; i++) {
        const msgpack_object *key = &map->ptr[i].key;
        if (key->type != MSGPACK_OBJECT_STR) {
            to->why = "a key that is no text";
            return;
        }
        if (i > 0)
            put(to, ",", 1);
        write_string(to, key->via.str.ptr, key->via.str.size);
        put(to, ":", 1);
        write_value(to, &map->ptr[i].val);
    }
    put(to, "}", 1);
}

static void write_value(writer_t *to, const msgpack_object *value)
{
    char text[32];
    switch (value->type) {
    case MSGPACK_OBJECT_NIL:
        put_text(to, "null");
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        put_text(to, value->via.boolean ? "true" : "false");
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        snprintf(text, sizeof text, "%llu", (unsigned long long)value->via.u64);
        put_text(to, text);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        snprintf(text, sizeof text, "%lld", (long long)value->via.i64);
        put_text(to, text);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        write_float(to, value->via.f64);
        break;
    case MSGPACK_OBJECT_STR:
        write_string(to, value->via.str.ptr, value->via.str.size);
        break;
    case MSGPACK_OBJECT_ARRAY:
        write_array(to, &value->via.array);
        break;
    case MSGPACK_OBJECT_MAP:
        write_map(to, &value->via.map);
        break;
    default:
        to->why = "binary data";
        break;
    }
}

/* JSON of one value, NUL-terminated; or NULL and why. */
static char *render(const msgpack_object *value, const char **why)
{
    writer_t to = {.why = NULL};
    msgpack_sbuffer_init(&to.out);
    write_value(&to, value);
    put(&to, "", 1);
    if (to.why) {
        *why = to.why;
        msgpack_sbuffer_destroy(&to.out);
        return NULL;
    }
    return msgpack_sbuffer_release(&to.out);
}

static const msgpack_object *find(const msgpack_object *map, const char *key)
{
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object *k = &map->via.map.ptr[i].key;
        if (k->type == MSGPACK_OBJECT_STR && k->via.str.size == strlen(key) &&
            memcmp(k->via.str.ptr, key, k->via.str.size) == 0)
            return &map->via.map.ptr[i].val;
    }
    return NULL;
}

static bool is_versions(const msgpack_object *value)
{
    if (!value || value->type != MSGPACK_OBJECT_MAP)
        return false;
    for (uint32_t i = 0; i < value->via.map.size; i++)
        if (value->via.map.ptr[i].val.type != MSGPACK_OBJECT_STR)
            return false;
    return true;
}

static const char *render_parts(const msgpack_object *payload, pt_rendered_t *rendered)
{
    if (payload->type != MSGPACK_OBJECT_MAP)
        return "a payload that is no map";
    const msgpack_object *results = find(payload, "results");
    const msgpack_object *versions = find(payload, "model_versions");
    if (!results)
        return "no results in the payload";
    if (!is_versions(versions))
        return "model_versions is no map of text to text";
    const char *why = NULL;
    rendered->results = render(results, &why);
    if (rendered->results)
        rendered->model_versions = render(versions, &why);
    return why;
}

const char *pt_render_result(const void *payload, size_t size, pt_rendered_t *rendered)
{
    memset(rendered, 0, sizeof *rendered);
    if (!pt_msgpack_valid(payload, size))
        return "a payload that is not one msgpack object";
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    const char *why = "a payload that is not one msgpack object";
    if (msgpack_unpack_next(&unpacked, payload, size, NULL) == MSGPACK_UNPACK_SUCCESS)
        why = render_parts(&unpacked.data, rendered);
    msgpack_unpacked_destroy(&unpacked);
    if (why)
        pt_rendered_clear(rendered);
    return why;
}

void pt_rendered_clear(pt_rendered_t *self)
{
    free(self->results);
    free(self->model_versions);
    self->results = self->model_versions = NULL;
}
