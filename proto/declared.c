#include "proto/declared.h"

#include "proto/value.h"

#include <stdio.h>
#include <string.h>

/* One to six digits; moves behind them. */
static bool take_number(const char **text, const char *end, unsigned *number)
{
    const char *from = *text;
    *number = 0;
    for (; *text < end && **text >= '0' && **text <= '9' && *text - from < 7; (*text)++)
        *number = *number * 10 + (unsigned)(**text - '0');
    return *text > from && *text - from <= 6;
}

bool pt_declared_set_version(pt_declared_t *self, const char *text, size_t size)
{
    const char *end = text + size;
    unsigned part[3];
    for (int i = 0; i < 3; i++) {
        if (i > 0 && (text == end || *text++ != '.'))
            return false;
        if (!take_number(&text, end, &part[i]))
            return false;
    }
    snprintf(self->version, sizeof self->version, "%u.%u.%u", part[0], part[1], part[2]);
    return text == end;
}

static bool read_title(pt_declared_t *self, const pt_value_t *value)
{
    if (value->kind != PT_VALUE_TEXT || value->size == 0 || value->size > PT_TITLE_MAX ||
        !pt_text_valid(value->bytes, value->size))
        return false;
    memcpy(self->title, value->bytes, value->size);
    self->title[value->size] = 0;
    return true;
}

static bool read_version(pt_declared_t *self, const pt_value_t *value)
{
    return value->kind == PT_VALUE_TEXT && pt_declared_set_version(self, value->bytes, value->size);
}

static bool read_schema(pt_declared_t *self, const pt_value_t *value)
{
    self->schema = value->bytes;
    self->schema_size = value->size;
    return value->kind == PT_VALUE_TEXT && value->size > 0 && value->size <= PT_SCHEMA_MAX &&
           pt_text_valid(value->bytes, value->size);
}

static bool read_wants(pt_declared_t *self, pt_span_t at)
{
    pt_value_t list = pt_value_next(&at);
    if (list.kind != PT_VALUE_ARRAY || list.size > PT_TYPES_MAX)
        return false;
    for (self->want_count = 0; self->want_count < list.size; self->want_count++) {
        pt_span_t whole = pt_value_whole(&at);
        pt_value_t type = pt_value_next(&whole);
        if (type.kind != PT_VALUE_TEXT || !pt_job_type_valid(type.bytes, type.size))
            return false;
        memcpy(self->wants[self->want_count], type.bytes, type.size);
        self->wants[self->want_count][type.size] = 0;
    }
    return true;
}

/* What each key must be. */
static const struct {
    const char *name, *fault;
} keys[] = {{"title", "title is no text of 1 to 100 bytes"},
            {"version", "version is no text of three numbers, such as 1.0.0"},
            {"options_schema", "options_schema is no text of 1 to 32,768 bytes"},
            {"wants", "wants is no list of job types"}};
enum { TITLE, VERSION, SCHEMA, WANTS, KEYS };

static bool read_key(pt_declared_t *self, int key, pt_span_t whole)
{
    pt_span_t at = whole;
    pt_value_t value = pt_value_next(&at);
    switch (key) {
    case TITLE:
        return read_title(self, &value);
    case VERSION:
        return read_version(self, &value);
    case SCHEMA:
        return read_schema(self, &value);
    default:
        return read_wants(self, whole);
    }
}

const char *pt_declared_read(pt_declared_t *self, const void *data, size_t size)
{
    pt_span_t at = {data, size};
    memset(self, 0, sizeof *self);
    pt_value_t map = pt_value_next(&at);
    bool has[KEYS] = {[WANTS] = true}; /* which may be missing */
    if (map.kind != PT_VALUE_MAP)
        return "it is no map";
    for (size_t i = 0; i < map.size; i++) {
        pt_span_t first = pt_value_whole(&at), whole = pt_value_whole(&at);
        pt_value_t key = pt_value_next(&first);
        for (int k = 0; k < KEYS; k++) {
            if (!pt_value_is(&key, keys[k].name))
                continue;
            if (!read_key(self, k, whole))
                return keys[k].fault;
            has[k] = true;
        }
    }
    for (int k = 0; k < KEYS; k++)
        if (!has[k])
            return keys[k].fault;
    return NULL;
}

static void pack_text(msgpack_packer *to, const char *text, size_t size)
{
    msgpack_pack_str(to, size);
    msgpack_pack_str_body(to, text, size);
}

void pt_declared_write(const pt_declared_t *self, msgpack_sbuffer *out)
{
    msgpack_packer to;
    msgpack_packer_init(&to, out, msgpack_sbuffer_write);
    msgpack_pack_map(&to, KEYS);
    pack_text(&to, "title", 5);
    pack_text(&to, self->title, strlen(self->title));
    pack_text(&to, "version", 7);
    pack_text(&to, self->version, strlen(self->version));
    pack_text(&to, "options_schema", 14);
    pack_text(&to, self->schema, self->schema_size);
    pack_text(&to, "wants", 5);
    msgpack_pack_array(&to, self->want_count);
    for (size_t i = 0; i < self->want_count; i++)
        pack_text(&to, self->wants[i], strlen(self->wants[i]));
}
