#include "gateway/query.h"

#include "gateway/problem.h"

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

static size_t find(const pt_query_number_t *table, size_t count, const char *name, size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(table[i].name) == size && memcmp(table[i].name, name, size) == 0)
            return i;
    return NONE;
}

/* Digits only: a number needs no escape, so none is undone. */
static bool read_number(const char *text, size_t size, const pt_query_number_t *row, int64_t *value)
{
    char digits[20];
    if (size == 0 || size > 18 || strspn(text, "0123456789") < size)
        return false;
    memcpy(digits, text, size);
    digits[size] = 0;
    *value = strtoll(digits, NULL, 10);
    return *value >= row->min && *value <= row->max;
}

static void read_pair(const char *pair, size_t size, const pt_query_number_t *table, size_t count,
                      int64_t *values, uint64_t *seen, json_t *errors)
{
    const char *equals = memchr(pair, '=', size);
    size_t name = equals ? (size_t)(equals - pair) : size;
    size_t row = find(table, count, pair, name);
    if (row == NONE) {
        complain(errors, pair, name, "is not known here");
        return;
    }
    if (*seen & (UINT64_C(1) << row))
        complain(errors, pair, name, "is given more than once");
    *seen |= UINT64_C(1) << row;
    if (equals && read_number(equals + 1, size - name - 1, &table[row], &values[row]))
        return;
    char message[100];
    snprintf(message, sizeof message, "must be a whole number from %" PRId64 " to %" PRId64,
             table[row].min, table[row].max);
    complain(errors, pair, name, message);
}

bool pt_query_numbers(const pt_request_t *request, const pt_query_number_t *table, size_t count,
                      int64_t *values, pt_response_t *response)
{
    uint64_t seen = 0;
    json_t *errors = json_array();
    for (size_t i = 0; i < count; i++)
        values[i] = table[i].def;
    for (const char *at = request->query ? request->query : ""; *at;) {
        size_t size = strcspn(at, "&");
        if (size > 0)
            read_pair(at, size, table, count, values, &seen, errors);
        at += size + (at[size] == '&');
    }
    if (json_array_size(errors) == 0) {
        json_decref(errors);
        return true;
    }
    pt_problem(request, response, PT_INVALID_REQUEST, "The query does not fit; see errors.",
               errors);
    return false;
}
