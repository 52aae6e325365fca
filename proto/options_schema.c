#include "proto/options_faults.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8     /* of a schema in a schema */
#define EXTENT_MAX 2000 /* of a pattern with its repetitions written out: glibc's memory for it */

static const char *const types[] = {"object", "array",   "string", "integer",
                                    "number", "boolean", "null"};
enum { TYPES = sizeof types / sizeof *types };

/* ---- the schema -------------------------------------------------------------------------- */

typedef bool (*keyword_fn)(const json_t *value, const json_t *schema, const pt_place_t *at,
                           int depth, pt_faults_t *faults);

static bool check_schema(const json_t *schema, const pt_place_t *at, int depth,
                         pt_faults_t *faults);

static bool check_type(const json_t *value, const json_t *schema, const pt_place_t *at, int depth,
                       pt_faults_t *faults)
{
    (void)schema, (void)depth;
    for (int i = 0; json_is_string(value) && i < TYPES; i++)
        if (strcmp(types[i], json_string_value(value)) == 0)
            return true;
    return pt_fault(faults, at,
                    "must be one of: object, array, string, integer, number, boolean, null");
}

static bool check_any(const json_t *value, const json_t *schema, const pt_place_t *at, int depth,
                      pt_faults_t *faults)
{
    (void)value, (void)schema, (void)at, (void)depth, (void)faults;
    return true;
}

static bool check_text(const json_t *value, const json_t *schema, const pt_place_t *at, int depth,
                       pt_faults_t *faults)
{
    (void)schema, (void)depth;
    return (json_is_string(value) && *json_string_value(value)) ||
           pt_fault(faults, at, "must be a text that is not empty");
}

static bool check_list(const json_t *value, const json_t *schema, const pt_place_t *at, int depth,
                       pt_faults_t *faults)
{
    (void)schema, (void)depth;
    return json_array_size(value) > 0 || pt_fault(faults, at, "must be a list that is not empty");
}

static bool check_number(const json_t *value, const json_t *schema, const pt_place_t *at, int depth,
                         pt_faults_t *faults)
{
    (void)schema, (void)depth;
    return json_is_number(value) || pt_fault(faults, at, "must be a number");
}

static bool check_count(const json_t *value, const json_t *schema, const pt_place_t *at, int depth,
                        pt_faults_t *faults)
{
    (void)schema, (void)depth;
    return (json_is_integer(value) && json_integer_value(value) >= 0) ||
           pt_fault(faults, at, "must be a whole number from 0");
}

static bool check_flag(const json_t *value, const json_t *schema, const pt_place_t *at, int depth,
                       pt_faults_t *faults)
{
    (void)schema, (void)depth;
    return json_is_boolean(value) || pt_fault(faults, at, "must be true or false");
}

static bool check_closed(const json_t *value, const json_t *schema, const pt_place_t *at, int depth,
                         pt_faults_t *faults)
{
    (void)schema, (void)depth;
    return json_is_false(value) || pt_fault(faults, at, "must be false");
}

static bool check_items(const json_t *value, const json_t *schema, const pt_place_t *at, int depth,
                        pt_faults_t *faults)
{
    (void)schema;
    return check_schema(value, at, depth + 1, faults);
}

static bool check_properties(const json_t *value, const json_t *schema, const pt_place_t *at,
                             int depth, pt_faults_t *faults)
{
    const char *name;
    json_t *property;
    (void)schema;
    if (!json_is_object(value))
        return pt_fault(faults, at, "must be an object of schemas");
    json_object_foreach((json_t *)value, name, property)
    {
        const pt_place_t here = {at, name, 0};
        if (!check_schema(property, &here, depth + 1, faults))
            return false;
    }
    return true;
}

static bool check_required(const json_t *value, const json_t *schema, const pt_place_t *at,
                           int depth, pt_faults_t *faults)
{
    const json_t *properties = json_object_get(schema, "properties");
    (void)depth;
    if (!json_is_array(value))
        return pt_fault(faults, at, "must be a list of names");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *name = json_array_get(value, i);
        const pt_place_t here = {at, NULL, i};
        if (!json_is_string(name) || !json_object_get(properties, json_string_value(name)))
            return pt_fault(faults, &here, "must be the name of one of the properties");
    }
    return true;
}

/* ---- patterns ---------------------------------------------------------------------------- */

/* How large glibc's tree of a pattern gets: what is repeated stands in it that often, `+` means
 * twice, so that each sign of `a++++` or `(((a+)+)+)+` doubles it. */
typedef struct {
    long sums[PT_PATTERN_MAX + 1]; /* of what stands at each depth of parentheses */
    int depth;
    long last; /* of what a repetition would repeat */
} extent_t;

static void extend(extent_t *self, long size)
{
    self->last = size;
    self->sums[self->depth] += size;
}

static void repeat(extent_t *self, long times)
{
    long more = self->last * (times - 1);
    self->last += more;
    self->sums[self->depth] += more;
}

static void open_group(extent_t *self)
{
    self->sums[++self->depth] = 0;
}

static void close_group(extent_t *self)
{
    if (self->depth > 0)
        extend(self, self->sums[self->depth--] + 1);
}

/* How often "{m,n}" and "{m,}" make it stand there; 1 for what is none. */
static long repetitions(const char *brace)
{
    char *end;
    long low = strtol(brace + 1, &end, 10), high = *end == ',' ? strtol(end + 1, NULL, 10) : low;
    long most = low >= EXTENT_MAX || high >= EXTENT_MAX ? EXTENT_MAX : low > high ? low + 1 : high;
    return most < 1 ? 1 : most;
}

/* The last byte of the bracket expression that begins there; nothing in it repeats or groups. */
static const char *bracket_end(const char *c)
{
    c += c[1] == '^' ? 2 : 1;
    for (const char *first = c; *c && (*c != ']' || c == first); c++) {
        bool named = *c == '[' && c[1] && strchr(".:=", c[1]);
        const char close[] = {c[1], ']', 0}, *end = named ? strstr(c + 2, close) : NULL;
        c = end ? end + 1 : c;
    }
    return *c ? c : c - 1;
}

/* Adds what stands there; returns its last byte. */
static const char *measure(extent_t *self, const char *c)
{
    if (*c == '(')
        open_group(self);
    else if (*c == ')')
        close_group(self);
    else if (*c == '+')
        repeat(self, 2);
    else if (*c == '{')
        repeat(self, repetitions(c));
    else if (*c != '*' && *c != '?')
        extend(self, 1);
    return *c == '[' ? bracket_end(c) : *c == '\\' && c[1] ? c + 1 : c;
}

/* A back reference costs time without bound, a large tree memory. */
static const char *excess(const char *pattern)
{
    extent_t extent = {.last = 1};
    for (const char *c = pattern; *c; c++) {
        if (*c == '\\' && c[1] >= '1' && c[1] <= '9')
            return "must have no back references";
        c = measure(&extent, c);
        if (extent.sums[extent.depth] > EXTENT_MAX)
            return "is longer than 2000 characters with its repetitions written out";
    }
    return NULL;
}

static bool check_pattern(const json_t *value, const json_t *schema, const pt_place_t *at,
                          int depth, pt_faults_t *faults)
{
    regex_t expression;
    const char *pattern = json_string_value(value);
    (void)schema, (void)depth;
    if (!pattern || !*pattern || strlen(pattern) > PT_PATTERN_MAX)
        return pt_fault(faults, at, "must be a text of 1 to %d bytes", PT_PATTERN_MAX);
    const char *why = excess(pattern);
    if (why)
        return pt_fault(faults, at, "%s", why);
    if (regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return pt_fault(faults, at, "is no POSIX extended regular expression");
    regfree(&expression);
    return true;
}

/* ---- all keywords ------------------------------------------------------------------------ */

/* Which type's values it says something about; NULL: all. */
static const struct {
    const char *name, *type;
    keyword_fn check;
} keywords[] = {{"type", NULL, check_type},
                {"enum", NULL, check_list},
                {"const", NULL, check_any},
                {"title", NULL, check_text},
                {"description", NULL, check_text},
                {"default", NULL, check_any},
                {"examples", NULL, check_list},
                {"properties", "object", check_properties},
                {"required", "object", check_required},
                {"additionalProperties", "object", check_closed},
                {"items", "array", check_items},
                {"minItems", "array", check_count},
                {"maxItems", "array", check_count},
                {"uniqueItems", "array", check_flag},
                {"minimum", "number", check_number},
                {"maximum", "number", check_number},
                {"exclusiveMinimum", "number", check_number},
                {"exclusiveMaximum", "number", check_number},
                {"minLength", "string", check_count},
                {"maxLength", "string", check_count},
                {"pattern", "string", check_pattern}};
enum { KEYWORDS = sizeof keywords / sizeof *keywords };

static bool applies(const char *to, const json_t *schema)
{
    const char *type = json_string_value(json_object_get(schema, "type"));
    return !to || (type && (strcmp(to, type) == 0 ||
                            (strcmp(to, "number") == 0 && strcmp(type, "integer") == 0)));
}

static bool check_keyword(const char *name, const json_t *value, const json_t *schema,
                          const pt_place_t *at, int depth, pt_faults_t *faults)
{
    for (int i = 0; i < KEYWORDS; i++) {
        if (strcmp(keywords[i].name, name) != 0)
            continue;
        if (!applies(keywords[i].type, schema))
            return pt_fault(faults, at, "needs type %s beside it", keywords[i].type);
        return keywords[i].check(value, schema, at, depth, faults);
    }
    return pt_fault(faults, at, "is no keyword that is understood here");
}

static bool check_schema(const json_t *schema, const pt_place_t *at, int depth, pt_faults_t *faults)
{
    const char *name;
    json_t *value;
    if (!json_is_object(schema))
        return pt_fault(faults, at, "must be a schema: an object");
    if (depth > DEPTH_MAX)
        return pt_fault(faults, at, "is nested more than %d schemas deep", DEPTH_MAX);
    json_object_foreach((json_t *)schema, name, value)
    {
        const pt_place_t here = {at, name, 0};
        if (!check_keyword(name, value, schema, &here, depth, faults))
            return false;
    }
    return true;
}

/* Every option says what it is and what it is when nobody asks; and that must be valid. */
static bool check_option(const json_t *option, const pt_place_t *at, pt_faults_t *faults)
{
    const json_t *initial = json_object_get(option, "default");
    if (strcmp(at->name, "variant_id") == 0 || strcmp(at->name, "priority") == 0)
        return pt_fault(faults, at,
                        "must have another name: every job has that beside its options");
    if (!json_object_get(option, "description"))
        return pt_fault(faults, at, "needs a description");
    if (!initial)
        return pt_fault(faults, at, "needs a default");
    const pt_place_t here = {at, "default", 0};
    return pt_options_faults(option, initial, &here, faults) == 0;
}

bool pt_options_schema_check(const json_t *schema, pt_options_error_t *error)
{
    const pt_place_t root = {.parent = NULL}, properties = {&root, "properties", 0};
    pt_faults_t faults = {.errors = error, .room = 1};
    const char *type = json_string_value(json_object_get(schema, "type")), *name;
    json_t *option;
    if (!check_schema(schema, &root, 1, &faults))
        return false;
    if (!type || strcmp(type, "object") != 0)
        return pt_fault(&faults, &root, "must have type object");
    json_object_foreach(json_object_get(schema, "properties"), name, option)
    {
        const pt_place_t here = {&properties, name, 0};
        if (!check_option(option, &here, &faults))
            return false;
    }
    return true;
}
