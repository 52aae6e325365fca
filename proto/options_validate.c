#include "proto/options_faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUBJECT_MAX 4096 /* bytes of a text that a pattern is tried on */

bool pt_value_has_type(const json_t *value, const char *type)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "object",   [JSON_ARRAY] = "array", [JSON_STRING] = "string",
        [JSON_INTEGER] = "integer", [JSON_REAL] = "number", [JSON_TRUE] = "boolean",
        [JSON_FALSE] = "boolean",   [JSON_NULL] = "null"};
    if (strcmp(type, "number") == 0)
        return json_is_number(value);
    return strcmp(names[json_typeof(value)], type) == 0;
}

/* ---- the value --------------------------------------------------------------------------- */

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

/* "must have at least 2 items, not 1"; a bound that is not there is none. False: there are too
   many, and what they are need not be looked at, which takes time. */
static bool check_size(const json_t *least, const json_t *most, size_t size, const char *what,
                       const pt_place_t *at, pt_faults_t *faults)
{
    if (least && (json_int_t)size < json_integer_value(least))
        pt_fault(faults, at, "must have at least %lld %s, not %zu",
                 (long long)json_integer_value(least), what, size);
    if (most && (json_int_t)size > json_integer_value(most))
        return pt_fault(faults, at, "must have at most %lld %s, not %zu",
                        (long long)json_integer_value(most), what, size);
    return true;
}

static void validate_number(const json_t *schema, const json_t *value, const pt_place_t *at,
                            pt_faults_t *faults)
{
    static const struct {
        const char *keyword, *demand;
        int sign;
        bool equal;
    } bounds[] = {{"minimum", "at least", 1, true},
                  {"maximum", "at most", -1, true},
                  {"exclusiveMinimum", "more than", 1, false},
                  {"exclusiveMaximum", "less than", -1, false}};
    char text[PT_SHOWN_MAX];
    double number = json_number_value(value);
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        const json_t *bound = json_object_get(schema, bounds[i].keyword);
        double above = (number - json_number_value(bound)) * bounds[i].sign;
        if (bound && !(above > 0 || (bounds[i].equal && above == 0)))
            pt_fault(faults, at, "must be %s %s", bounds[i].demand, pt_value_shown(bound, text));
    }
}

bool pt_pattern_compile(const char *pattern, regex_t *expression)
{
    char anchored[PT_PATTERN_MAX + 8];
    snprintf(anchored, sizeof anchored, "^(%s)$", pattern);
    return regcomp(expression, anchored, REG_EXTENDED | REG_NOSUB) == 0;
}

static void validate_string(const json_t *schema, const json_t *value, const pt_place_t *at,
                            pt_faults_t *faults)
{
    const char *text = json_string_value(value);
    const char *pattern = json_string_value(json_object_get(schema, "pattern"));
    regex_t expression;
    if (!check_size(json_object_get(schema, "minLength"), json_object_get(schema, "maxLength"),
                    characters(text), "characters", at, faults) ||
        !pattern)
        return;
    if (strlen(text) > SUBJECT_MAX)
        pt_fault(faults, at, "must have at most %d bytes", SUBJECT_MAX);
    else if (pt_pattern_compile(pattern, &expression)) {
        if (regexec(&expression, text, 0, NULL, 0) != 0)
            pt_fault(faults, at, "must have the form %s", pattern);
        regfree(&expression);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each item as text, sorted: equal ones stand together. */
static bool has_equals(const json_t *list)
{
    size_t count = json_array_size(list);
    char **texts = count > 1 ? calloc(count, sizeof *texts) : NULL;
    bool found = false, whole = texts != NULL;
    for (size_t i = 0; texts && i < count; i++) {
        texts[i] =
            json_dumps(json_array_get(list, i), JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
        whole = whole && texts[i];
    }
    if (whole)
        qsort(texts, count, sizeof *texts, by_text);
    for (size_t i = 1; whole && i < count; i++)
        found = found || strcmp(texts[i - 1], texts[i]) == 0;
    for (size_t i = 0; texts && i < count; i++)
        free(texts[i]);
    free(texts);
    return found;
}

static void validate_array(const json_t *schema, const json_t *value, const pt_place_t *at,
                           pt_faults_t *faults)
{
    const json_t *items = json_object_get(schema, "items");
    if (!check_size(json_object_get(schema, "minItems"), json_object_get(schema, "maxItems"),
                    json_array_size(value), "items", at, faults))
        return;
    if (json_is_true(json_object_get(schema, "uniqueItems")) && has_equals(value))
        pt_fault(faults, at, "must not have the same item twice");
    for (size_t i = 0; items && i < json_array_size(value) && faults->count < faults->room; i++) {
        const pt_place_t here = {at, NULL, i};
        pt_options_faults(items, json_array_get(value, i), &here, faults);
    }
}

static void validate_required(const json_t *schema, const json_t *value, const pt_place_t *at,
                              pt_faults_t *faults)
{
    const json_t *required = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *name = json_string_value(json_array_get(required, i));
        const pt_place_t here = {at, name, 0};
        if (!json_object_get(value, name))
            pt_fault(faults, &here, "is required");
    }
}

/* "must be one of: a, b", as much of it as a message holds. */
static void say_choices(const char *demand, const json_t *choices, const pt_place_t *at,
                        pt_faults_t *faults)
{
    char text[sizeof faults->errors->message - 40] = "", one[PT_SHOWN_MAX];
    size_t used = 0, i;
    for (i = 0; i < json_array_size(choices); i++) {
        const json_t *choice = json_array_get(choices, i);
        const char *word =
            json_string_value(choice) ? json_string_value(choice) : pt_value_shown(choice, one);
        if (used + strlen(word) + 2 >= sizeof text)
            break;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "", word);
    }
    bool all = i == json_array_size(choices);
    pt_fault(faults, at, "%s: %s%s", demand, text, all ? "" : " …");
}

/* Who misspelt it wants to see what there is. */
static void say_unknown(const json_t *properties, const pt_place_t *at, pt_faults_t *faults)
{
    const char *name;
    json_t *property, *names = json_array();
    json_object_foreach((json_t *)properties, name, property)
        json_array_append_new(names, json_string(name));
    if (json_array_size(names) > 0)
        say_choices("is not known here; there are", names, at, faults);
    else
        pt_fault(faults, at, "is not known here");
    json_decref(names);
}

static void validate_object(const json_t *schema, const json_t *value, const pt_place_t *at,
                            pt_faults_t *faults)
{
    const json_t *properties = json_object_get(schema, "properties");
    bool closed = !at->parent || json_is_false(json_object_get(schema, "additionalProperties"));
    const char *name;
    json_t *member;
    validate_required(schema, value, at, faults);
    json_object_foreach((json_t *)value, name, member)
    {
        const json_t *property = json_object_get(properties, name);
        const pt_place_t here = {at, name, 0};
        if (property)
            pt_options_faults(property, member, &here, faults);
        else if (closed)
            say_unknown(properties, &here, faults);
    }
}

static bool is_among(const json_t *choices, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(choices); i++)
        if (json_equal(json_array_get(choices, i), value))
            return true;
    return false;
}

static void validate_choice(const json_t *schema, const json_t *value, const pt_place_t *at,
                            pt_faults_t *faults)
{
    const json_t *choices = json_object_get(schema, "enum"),
                 *only = json_object_get(schema, "const");
    char text[PT_SHOWN_MAX];
    if (choices && !is_among(choices, value))
        say_choices("must be one of", choices, at, faults);
    if (only && !json_equal(only, value))
        pt_fault(faults, at, "must be %s", pt_value_shown(only, text));
}

/* "a list", "an object", as people say it. */
static const char *named(const char *type)
{
    static const char *const names[][2] = {{"object", "an object"}, {"array", "a list"},
                                           {"string", "a text"},    {"integer", "a whole number"},
                                           {"number", "a number"},  {"boolean", "true or false"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], type) == 0)
            return names[i][1];
    return type;
}

size_t pt_options_faults(const json_t *schema, const json_t *value, const pt_place_t *at,
                         pt_faults_t *faults)
{
    const char *type = json_string_value(json_object_get(schema, "type"));
    size_t before = faults->count;
    if (type && !pt_value_has_type(value, type)) {
        pt_fault(faults, at, "must be %s", named(type));
        return faults->count - before;
    }
    validate_choice(schema, value, at, faults);
    if (json_is_object(value))
        validate_object(schema, value, at, faults);
    else if (json_is_array(value))
        validate_array(schema, value, at, faults);
    else if (json_is_string(value))
        validate_string(schema, value, at, faults);
    else if (json_is_number(value))
        validate_number(schema, value, at, faults);
    return faults->count - before;
}

size_t pt_options_validate(const json_t *schema, const json_t *value, pt_options_error_t *errors,
                           size_t room)
{
    const pt_place_t root = {.parent = NULL};
    pt_faults_t faults = {.errors = errors, .room = room};
    return pt_options_faults(schema, value, &root, &faults);
}
