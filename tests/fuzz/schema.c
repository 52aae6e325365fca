/* Schemas of options, and options against them. Bytes: the schema's text, a NUL, the value's. */
#include "fuzz.h"
#include "proto/options_schema.h"
#include "proto/wire.h"

static json_t *read(const char *text, size_t size)
{
    return json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
}

static void check_error(const pt_options_error_t *error)
{
    CHECK(memchr(error->pointer, 0, sizeof error->pointer));
    CHECK(memchr(error->message, 0, sizeof error->message));
    CHECK(*error->message && pt_text_valid(error->message, strlen(error->message)));
    CHECK(pt_text_valid(error->pointer, strlen(error->pointer)));
    CHECK(!*error->pointer || *error->pointer == '/');
    for (const char *c = error->pointer; *c; c++)
        CHECK(*c != '~' || c[1] == '0' || c[1] == '1' || strlen(error->pointer) >= 126);
}

/* Every option by its default is valid, for it was said to be. */
static void check_defaults(const json_t *schema)
{
    pt_options_error_t error;
    const char *name;
    json_t *option, *all = json_object();
    json_object_foreach(json_object_get(schema, "properties"), name, option)
    {
        json_object_set(all, name, json_object_get(option, "default"));
    }
    CHECK(pt_options_validate(schema, all, &error, 1) == 0);
    json_decref(all);
}

static void check_value(const json_t *schema, const json_t *value)
{
    pt_options_error_t errors[PT_OPTIONS_ERRORS_MAX], first;
    size_t count = pt_options_validate(schema, value, errors, PT_OPTIONS_ERRORS_MAX);
    CHECK(count <= PT_OPTIONS_ERRORS_MAX);
    for (size_t i = 0; i < count; i++)
        check_error(&errors[i]);
    CHECK(pt_options_validate(schema, value, &first, 1) == (count > 0));
    CHECK(count == 0 || strcmp(first.message, errors[0].message) == 0);
    CHECK(count > 0 || json_is_object(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *end = memchr(data, 0, size);
    size_t length = end ? (size_t)(end - text) : size;
    pt_options_error_t error;
    json_t *schema = read(text, length), *value = end ? read(end + 1, size - length - 1) : NULL;
    if (!pt_options_schema_check(schema, &error))
        check_error(&error);
    else if (value)
        check_value(schema, value);
    else
        check_defaults(schema);
    json_decref(schema);
    json_decref(value);
    return 0;
}
