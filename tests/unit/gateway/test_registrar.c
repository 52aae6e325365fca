/* Which declarations are acceptable. */
#include "tests/unit/unit.h"

#include "gateway/record/registrar.h"

static bool check(const char *schema, char why[PT_REGISTRAR_WHY])
{
    pt_declared_t said = {.title = "T", .version = "1.0.0"}, read;
    msgpack_sbuffer out;
    said.schema = schema;
    said.schema_size = strlen(schema);
    msgpack_sbuffer_init(&out);
    pt_declared_write(&said, &out);
    bool taken = pt_registrar_check(&read, out.data, out.size, why);
    msgpack_sbuffer_destroy(&out);
    return taken;
}

static void a_schema_of_options_is_taken(void **state)
{
    char why[PT_REGISTRAR_WHY];
    (void)state;
    assert_true(check("{\"type\": \"object\", \"properties\": {\"n\": {\"type\": \"integer\","
                      "\"default\": 1, \"description\": \"How many.\"}},"
                      "\"additionalProperties\": false}",
                      why));
}

static void what_is_none_is_refused_with_the_reason(void **state)
{
    char why[PT_REGISTRAR_WHY];
    (void)state;
    assert_false(check("{", why));
    assert_non_null(strstr(why, "no JSON"));
    assert_false(check("{\"type\": \"object\", \"type\": \"object\"}", why));
    assert_non_null(strstr(why, "no JSON"));
    assert_false(check("[]", why));
    assert_non_null(strstr(why, "not understood"));
    assert_false(check("{\"type\": \"object\", \"oneOf\": []}", why));
    assert_non_null(strstr(why, "oneOf"));
    assert_false(check("{\"type\": \"string\"}", why));
    pt_declared_t read;
    assert_false(pt_registrar_check(&read, "\x80", 1, why));
    assert_non_null(strstr(why, "title"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_of_options_is_taken),
        cmocka_unit_test(what_is_none_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
