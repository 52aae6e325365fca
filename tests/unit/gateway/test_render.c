/* Results become JSON that PostgreSQL takes, or are refused with the reason; array parameters. */
#include "tests/unit/unit.h"

#include "gateway/pg.h"
#include "gateway/render.h"
#include "gateway/store.h"

static void a_result_becomes_json(void **state)
{
    (void)state;
    static const char payload[] = "\x82\xa7results\x93\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a\xff"
                                  "\x81\xa3k\"y\xa2\n\\\xaemodel_versions\x81\xa1m\xa3"
                                  "1.0";
    pt_rendered_t rendered;
    assert_null(pt_render_result(payload, sizeof payload - 1, &rendered));
    assert_string_equal(rendered.results, "[0.1,-1,{\"k\\\"y\":\"\\u000a\\\\\"}]");
    assert_string_equal(rendered.model_versions, "{\"m\":\"1.0\"}");
    pt_rendered_clear(&rendered);
}

static void check_refused(const char *payload, size_t size, const char *reason)
{
    pt_rendered_t rendered;
    const char *why = pt_render_result(payload, size, &rendered);
    assert_non_null(why);
    assert_string_equal(why, reason);
    assert_null(rendered.results);
}

#define REFUSED(PAYLOAD, REASON) check_refused(PAYLOAD, sizeof PAYLOAD - 1, REASON)

static void what_cannot_be_stored_is_refused(void **state)
{
    (void)state;
    REFUSED("", "a payload that is not one msgpack object");
    REFUSED("\x93\x01\x02", "a payload that is not one msgpack object");
    REFUSED("\x93\x01\x02\x03", "a payload that is no map");
    REFUSED("\x80", "no results in the payload");
    REFUSED("\x81\xa7results\xc0", "model_versions is no map of text to text");
    REFUSED("\x82\xa7results\xc0\xaemodel_versions\x81\xa1m\x01",
            "model_versions is no map of text to text");
    REFUSED("\x82\xa7results\xcb\x7f\xf0\0\0\0\0\0\0\xaemodel_versions\x80",
            "a number that is not finite");
    REFUSED("\x82\xa7results\xa1\0\xaemodel_versions\x80", "text that is not UTF-8, or has a NUL");
    REFUSED("\x82\xa7results\xa2\xc3\x28\xaemodel_versions\x80",
            "text that is not UTF-8, or has a NUL");
    REFUSED("\x82\xa7results\xc4\x01x\xaemodel_versions\x80", "binary data");
    REFUSED("\x82\xa7results\x81\x01\x01\xaemodel_versions\x80", "a key that is no text");
}

static void array_parameters_are_quoted(void **state)
{
    (void)state;
    pt_array_t array = {0};
    assert_string_equal(pt_array_end(&array), "{}");
    pt_array_clear(&array);
    pt_array_text(&array, "a \"b\" \\ {c,d}");
    pt_array_text(&array, NULL);
    pt_array_text(&array, "NULL");
    pt_array_int(&array, -5);
    assert_string_equal(pt_array_end(&array), "{\"a \\\"b\\\" \\\\ {c,d}\",NULL,\"NULL\",-5}");
    pt_array_clear(&array);
}

static void times_are_exact_to_the_microsecond(void **state)
{
    (void)state;
    char text[PT_TIME_TEXT];
    assert_string_equal(pt_time_format(1795500000000001, text), "2026-11-24 06:00:00.000001+00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_becomes_json),
        cmocka_unit_test(what_cannot_be_stored_is_refused),
        cmocka_unit_test(array_parameters_are_quoted),
        cmocka_unit_test(times_are_exact_to_the_microsecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
