#include "gateway/http/query.h"

#include "gateway/http/problem.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE ((size_t)-1)

static void complain(json_t *errors, const char *name, size_t size, const char *message)
{
    if (json_array_size(errors) >= 20)
        return;
    json_t *parameter = json_stringn(name, size < 100 ? size : 100);
    json_array_append_new(errors,
                          json_pack("{s:o*, s:s}", "parameter", parameter, "message", message));
}

static size_t find(const pt_query_param_t *table, size_t count, const char *name, size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(table[i].name) == size && memcmp(table[i].name, name, size) == 0)
            return i;
    return NONE;
}

/* ---- one value --------------------------------------------------------------------------- */

static bool read_number(const char *text, size_t size, const pt_query_param_t *row, int64_t *value)
{
    char digits[20];
    if (size == 0 || size > 18 || strspn(text, "0123456789") < size)
        return false;
    memcpy(digits, text, size);
    digits[size] = 0;
    *value = strtoll(digits, NULL, 10);
    return *value >= row->min && *value <= row->max;
}

static bool read_word(const char *text, size_t size, const pt_query_param_t *row,
                      const char **value)
{
    for (const char *const *word = row->words; *word; word++)
        if (strlen(*word) == size && memcmp(*word, text, size) == 0) {
            *value = *word;
            return true;
        }
    return false;
}

static bool read_code(const char *text, size_t size, char *code, size_t room)
{
    if (size == 0 || size >= room)
        return false;
    memcpy(code, text, size);
    code[size] = 0;
    for (const char *c = code; *c; c++)
        if (!strchr("_-.", *c) && !isalnum((unsigned char)*c))
            return false;
    return strlen(code) == size;
}

static bool read_value(const pt_request_t *request, const char *text, size_t size,
                       const pt_query_param_t *row, pt_query_value_t *value)
{
    value->given = true;
    switch (row->kind) {
    case PT_QUERY_NUMBER:
        return read_number(text, size, row, &value->number);
    case PT_QUERY_WORD:
        return read_word(text, size, row, &value->word);
    case PT_QUERY_CODE:
        return read_code(text, size, value->code, sizeof value->code);
    case PT_QUERY_UUID:
        return pt_uuid_parse(&value->uuid, text, size);
    default:
        value->given = size > 0; /* as a client's loop sends it the first time */
        return size == 0 || pt_cursor_read(&value->position, &request->caller.org_id, text, size);
    }
}

/* What the value must be, for a person. */
static const char *demand(const pt_query_param_t *row, char message[200])
{
    switch (row->kind) {
    case PT_QUERY_NUMBER:
        snprintf(message, 200, "must be a whole number from %" PRId64 " to %" PRId64, row->min,
                 row->max);
        return message;
    case PT_QUERY_CODE:
        snprintf(message, 200, "must be 1 to %d letters, digits, _, - and .", PT_QUERY_CODE_MAX);
        return message;
    case PT_QUERY_UUID:
        return "must be a UUID";
    case PT_QUERY_CURSOR:
        return "must be the next_cursor of an earlier page";
    default:
        break;
    }
    size_t used = (size_t)snprintf(message, 200, "must be one of");
    for (const char *const *word = row->words; *word && used < 200; word++)
        used += (size_t)snprintf(message + used, 200 - used, "%s%s",
                                 word == row->words ? " " : ", ", *word);
    return message;
}

/* ---- the whole --------------------------------------------------------------------------- */

typedef struct {
    const pt_request_t *request;
    const pt_query_param_t *table;
    size_t count;
    pt_query_value_t *values;
    uint64_t seen;
    json_t *errors;
} reading_t;

static void read_pair(reading_t *self, const char *pair, size_t size)
{
    const char *equals = memchr(pair, '=', size);
    size_t name = equals ? (size_t)(equals - pair) : size;
    size_t row = find(self->table, self->count, pair, name);
    if (row == NONE) {
        complain(self->errors, pair, name, "is not known here");
        return;
    }
    if (self->seen & (UINT64_C(1) << row))
        complain(self->errors, pair, name, "is given more than once");
    self->seen |= UINT64_C(1) << row;
    if (equals && read_value(self->request, equals + 1, size - name - 1, &self->table[row],
                             &self->values[row]))
        return;
    char message[200];
    complain(self->errors, pair, name, demand(&self->table[row], message));
}

bool pt_query_find(const pt_request_t *request, const char *name, char *value, size_t room)
{
    size_t length = strlen(name);
    for (const char *at = request->query ? request->query : ""; *at;) {
        size_t size = strcspn(at, "&");
        if (size > length && at[length] == '=' && memcmp(at, name, length) == 0 &&
            size - length - 1 < room) {
            snprintf(value, room, "%.*s", (int)(size - length - 1), at + length + 1);
            return true;
        }
        at += size + (at[size] == '&');
    }
    return false;
}

bool pt_query_read(const pt_request_t *request, const pt_query_param_t *table, size_t count,
                   pt_query_value_t *values, pt_response_t *response)
{
    reading_t reading = {request, table, count, values, 0, json_array()};
    memset(values, 0, count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i].number = table[i].def;
    for (const char *at = request->query ? request->query : ""; *at;) {
        size_t size = strcspn(at, "&");
        if (size > 0)
            read_pair(&reading, at, size);
        at += size + (at[size] == '&');
    }
    if (json_array_size(reading.errors) == 0) {
        json_decref(reading.errors);
        return true;
    }
    pt_problem(request, response, PT_INVALID_REQUEST, "The query does not fit; see errors.",
               reading.errors);
    return false;
}
