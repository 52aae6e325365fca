#include "gateway/http/json.h"

#include "gateway/http/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define POINTER_MAX 320
#define DEPTH_MAX 16
#define VALUES_MAX 20000 /* a batch has 10,000 variants */

/* jansson goes 2,048 levels deep, one call each, and a thread of civetweb's has a stack of 100 KiB;
   and it makes 45 MB of a 1 MiB body of empty lists. Returns what is too much, or NULL. */
static const char *excess(const char *text, size_t size)
{
    bool quoted = false;
    int depth = 0, values = 1;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{' || c == ',') && ++values > VALUES_MAX)
            return "holds more than 20000 values";
        else if (!quoted && (c == '[' || c == '{') && ++depth > DEPTH_MAX)
            return "is nested more than 16 levels deep";
        else if (!quoted && (c == ']' || c == '}'))
            depth--;
    }
    return NULL;
}

json_t *pt_json_read(const char *text, size_t size, char *reason, size_t reason_size)
{
    json_error_t error;
    const char *too_much = excess(text, size);
    if (too_much) {
        snprintf(reason, reason_size, "The body %s.", too_much);
        return NULL;
    }
    json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!value && size == 0)
        snprintf(reason, reason_size, "The body is empty; it must be a JSON object.");
    else if (!value)
        snprintf(reason, reason_size, "The body is not JSON: %s (line %d, column %d).", error.text,
                 error.line, error.column);
    return value;
}

json_t *pt_json_error(json_t *errors, const char *pointer, const char *format, ...)
{
    if (json_array_size(errors) >= PT_JSON_ERRORS_MAX)
        return NULL;
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    json_t *error = json_pack("{s:s*, s:s*}", "pointer", pointer, "message", message);
    json_array_append_new(errors, error);
    return error;
}

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_NULL:
        return "null";
    default:
        return "a boolean";
    }
}

/* ---- one field --------------------------------------------------------------------------- */

size_t pt_json_characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            return true;
    return false;
}

static void check_text(const char *text, const pt_json_field_t *field, const char *pointer,
                       json_t *errors)
{
    size_t count = pt_json_characters(text);
    if (count < field->min || count > field->max)
        pt_json_error(errors, pointer, "must have %zu to %zu characters, not %zu", field->min,
                      field->max, count);
    else if (has_control(text))
        pt_json_error(errors, pointer, "must not contain control characters");
}

static void check_word(const char *text, const pt_json_field_t *field, const char *pointer,
                       json_t *errors)
{
    char all[256] = "";
    for (const char *const *word = field->words; *word; word++) {
        if (strcmp(*word, text) == 0)
            return;
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "", *word);
    }
    pt_json_error(errors, pointer, "must be one of: %s", all);
}

static void check_string(const char *text, const pt_json_field_t *field, const char *pointer,
                         json_t *errors)
{
    pt_uuid_t ignored;
    if (field->kind == PT_JSON_TEXT)
        check_text(text, field, pointer, errors);
    else if (field->kind == PT_JSON_WORD)
        check_word(text, field, pointer, errors);
    else if (field->kind == PT_JSON_UUID && !pt_uuid_parse(&ignored, text, strlen(text)))
        pt_json_error(errors, pointer,
                      "must be a UUID, such as 00000000-0000-4000-8000-000000000000");
}

static void check_field(const json_t *value, const pt_json_field_t *field, const char *pointer,
                        json_t *errors);

static void check_list(const json_t *list, const pt_json_field_t *field, const char *pointer,
                       json_t *errors)
{
    size_t count = json_array_size(list);
    if (count < field->min || count > field->max) {
        pt_json_error(errors, pointer, "must have %zu to %zu items, not %zu", field->min,
                      field->max, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        static const pt_json_field_t uuid = {.kind = PT_JSON_UUID, .required = true};
        char at[POINTER_MAX];
        snprintf(at, sizeof at, "%.*s/%zu", POINTER_MAX - 22, pointer, i);
        if (field->kind == PT_JSON_UUIDS)
            check_field(json_array_get(list, i), &uuid, at, errors);
        else
            pt_json_check(json_array_get(list, i), field->fields, at, errors);
    }
}

/* What a field's value must be, and whether it is. */
static const char *wanted(const json_t *value, pt_json_kind_t kind, bool *fits)
{
    switch (kind) {
    case PT_JSON_LIST:
    case PT_JSON_UUIDS:
        *fits = json_is_array(value);
        return "a list";
    case PT_JSON_OBJECT:
        *fits = json_is_object(value);
        return "an object";
    default:
        *fits = json_is_string(value);
        return "a string";
    }
}

static void check_field(const json_t *value, const pt_json_field_t *field, const char *pointer,
                        json_t *errors)
{
    bool fits;
    const char *what = wanted(value, field->kind, &fits);
    if (!value) {
        if (field->required)
            pt_json_error(errors, pointer, "is required");
    } else if (!fits)
        pt_json_error(errors, pointer, "must be %s, not %s", what, type_name(value));
    else if (json_is_array(value))
        check_list(value, field, pointer, errors);
    else if (json_is_string(value))
        check_string(json_string_value(value), field, pointer, errors);
}

/* ---- all fields of an object -------------------------------------------------------------- */

/* pointer + "/" + name, with the two escapes of RFC 6901; a long name is cut. */
static void join(char at[POINTER_MAX], const char *pointer, const char *name)
{
    size_t used = (size_t)snprintf(at, POINTER_MAX - 160, "%s", pointer);
    at[used++] = '/';
    for (const char *c = name; *c && used < POINTER_MAX - 4; c++) {
        if (*c == '~' || *c == '/') {
            at[used++] = '~';
            at[used++] = *c == '~' ? '0' : '1';
        } else
            at[used++] = *c;
    }
    at[used] = 0;
    while (!pt_text_valid(at, used))
        at[--used] = 0; /* cut in the middle of a character */
}

static bool is_known(const char *name, const pt_json_field_t *fields)
{
    for (; fields->name; fields++)
        if (strcmp(fields->name, name) == 0)
            return true;
    return false;
}

static void name_unknown(json_t *object, const pt_json_field_t *fields, const char *pointer,
                         json_t *errors)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        char at[POINTER_MAX];
        join(at, pointer, name);
        if (!is_known(name, fields))
            pt_json_error(errors, at, "is not known here");
    }
}

void pt_json_check(json_t *object, const pt_json_field_t *fields, const char *pointer,
                   json_t *errors)
{
    if (!json_is_object(object)) {
        pt_json_error(errors, pointer, "must be an object, not %s", type_name(object));
        return;
    }
    for (const pt_json_field_t *field = fields; field->name; field++) {
        char at[POINTER_MAX];
        join(at, pointer, field->name);
        check_field(json_object_get(object, field->name), field, at, errors);
    }
    name_unknown(object, fields, pointer, errors);
}

/* Where the string that begins there ends. */
static const char *string_end(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        at += *at == '\\';
    return at < end ? at + 1 : end;
}

size_t pt_json_squeeze(char *text, size_t size)
{
    char *to = text;
    for (const char *at = text, *end = text + size; at < end;) {
        const char *next = *at == '"' ? string_end(at, end) : at + 1;
        if (*at != ' ' && *at != '\n' && *at != '\r' && *at != '\t') {
            if (to != at)
                memmove(to, at, (size_t)(next - at));
            to += next - at;
        }
        at = next;
    }
    if (to < text + size)
        *to = 0;
    return (size_t)(to - text);
}

json_t *pt_json_parse(const pt_request_t *request, pt_response_t *response)
{
    char reason[256];
    json_t *body =
        pt_json_read(request->body ? request->body : "", request->body_size, reason, sizeof reason);
    if (!body)
        pt_problem(request, response, PT_INVALID_REQUEST, reason, NULL);
    return body;
}

bool pt_json_fits(const pt_request_t *request, json_t *errors, pt_response_t *response)
{
    if (json_array_size(errors) == 0) {
        json_decref(errors);
        return true;
    }
    pt_problem(request, response, PT_INVALID_REQUEST, "The body does not fit; see errors.", errors);
    return false;
}

json_t *pt_json_judge(const pt_request_t *request, json_t *body, json_t *errors,
                      pt_response_t *response)
{
    if (body && pt_json_fits(request, errors, response))
        return body;
    if (!body)
        json_decref(errors);
    json_decref(body);
    return NULL;
}

json_t *pt_json_body(const pt_request_t *request, const pt_json_field_t *fields,
                     pt_response_t *response)
{
    json_t *body = pt_json_parse(request, response), *errors = json_array();
    if (body)
        pt_json_check(body, fields, "", errors);
    return pt_json_judge(request, body, errors, response);
}

/* ---- text -------------------------------------------------------------------------------- */

char *pt_json_text(const json_t *value)
{
    for (size_t digits = 15;; digits++) { /* 17 are enough for any double */
        char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(digits));
        json_t *again = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
        bool same = json_equal(value, again);
        json_decref(again);
        if (same || !text || digits == 17)
            return text;
        free(text);
    }
}
