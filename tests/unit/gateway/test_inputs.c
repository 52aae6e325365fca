/* Inputs from the columns of a row; options are JSON of any kind. */
#include "tests/unit/unit.h"

#include "gateway/dispatch/inputs.h"
#include "gateway/dispatch/transcode.h"
#include "proto/wire.h"

#define CHAINS "[{\"kind\":\"vhh\",\"sequence\":\"EVQ\"}]"

static const pt_inputs_t example = {
    .variant_id = {{9}}, .name = "a", .format = "nanobody", .chains = CHAINS};

static void inputs_are_packed_from_a_row(void **state)
{
    (void)state;
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    assert_null(pt_inputs_pack(&example, &out));
    static const char expected[] =
        "\x84\xaavariant_id\xc4\x10\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xa4name\xa1"
        "a\xa6"
        "format\xa8nanobody\xa6"
        "chains\x91\x82\xa4kind\xa3vhh\xa8sequence\xa3"
        "EVQ";
    assert_int_equal(out.size, sizeof expected - 1);
    assert_memory_equal(out.data, expected, out.size);
    msgpack_sbuffer_destroy(&out);
}

static void options_come_last(void **state)
{
    (void)state;
    msgpack_sbuffer out;
    pt_inputs_t inputs = example;
    inputs.options = "{\"n\": 5}";
    msgpack_sbuffer_init(&out);
    assert_null(pt_inputs_pack(&inputs, &out));
    static const char expected[] = "\xa7options\xdf\0\0\0\x01\xdb\0\0\0\x01n\x05";
    size_t size = sizeof expected - 1;
    assert_int_equal((uint8_t)out.data[0], 0x85);
    assert_memory_equal(out.data + out.size - size, expected, size);
    assert_true(pt_msgpack_valid(out.data, out.size));
    msgpack_sbuffer_destroy(&out);
}

static void earlier_jobs_stand_behind_the_options(void **state)
{
    (void)state;
    msgpack_sbuffer out;
    pt_inputs_t inputs = example;
    inputs.options = "{}";
    inputs.earlier[inputs.earlier_count++] = (pt_earlier_t){
        .job_type = "structure", .job_id = {{7}}, .results = "[1]", .files = "{\"a\": 2}"};
    inputs.earlier[inputs.earlier_count++] =
        (pt_earlier_t){.job_type = "other", .job_id = {{8}}, .results = "true"};
    msgpack_sbuffer_init(&out);
    assert_null(pt_inputs_pack(&inputs, &out));
    static const char expected[] = "\xa7options\xdf\0\0\0\0\xa7"
                                   "earlier\x82\xa9structure\x83\xa6job_id\xc4\x10"
                                   "\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xa7results"
                                   "\xdd\0\0\0\x01\x01\xa5"
                                   "files\xdf\0\0\0\x01\xdb\0\0\0\x01"
                                   "a\x02\xa5other\x83\xa6job_id\xc4\x10"
                                   "\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xa7results\xc3\xa5"
                                   "files\xdf\0\0\0\0";
    size_t size = sizeof expected - 1;
    assert_int_equal((uint8_t)out.data[0], 0x86);
    assert_memory_equal(out.data + out.size - size, expected, size);
    assert_true(pt_msgpack_valid(out.data, out.size));
    msgpack_sbuffer_destroy(&out);
}

static void earlier_results_as_deep_as_a_result_may_be_come_along(void **state)
{
    (void)state;
    msgpack_sbuffer out;
    pt_inputs_t inputs = example;
    char deep[2 * PT_TRANSCODE_DEPTH_MAX + 4] = "";
    memset(deep, '[', PT_TRANSCODE_DEPTH_MAX);
    memset(deep + PT_TRANSCODE_DEPTH_MAX, ']', PT_TRANSCODE_DEPTH_MAX);
    inputs.earlier[inputs.earlier_count++] =
        (pt_earlier_t){.job_type = "structure", .results = deep};
    msgpack_sbuffer_init(&out);
    assert_null(pt_inputs_pack(&inputs, &out));
    memset(deep, '[', PT_TRANSCODE_DEPTH_MAX + 1);
    memset(deep + PT_TRANSCODE_DEPTH_MAX + 1, ']', PT_TRANSCODE_DEPTH_MAX + 1);
    const pt_inputs_fault_t *fault = pt_inputs_pack(&inputs, &out);
    assert_non_null(fault);
    assert_string_equal(fault->code, "invalid_inputs");
    assert_non_null(strstr(fault->message, "earlier"));
    msgpack_sbuffer_destroy(&out);
}

/* Whose method needs it can say so; the others go on. */
static void an_earlier_result_that_does_not_fit_is_named_and_left_out(void **state)
{
    (void)state;
    msgpack_sbuffer out;
    pt_inputs_t inputs = example;
    char *large = malloc(PT_LARGE_MAX + 1);
    assert_non_null(large);
    memset(large, 'x', PT_LARGE_MAX);
    large[0] = large[PT_LARGE_MAX - 1] = '"'; /* by itself it would fit */
    large[PT_LARGE_MAX] = 0;
    inputs.earlier[inputs.earlier_count++] =
        (pt_earlier_t){.job_type = "structure", .job_id = {{7}}, .results = large};
    inputs.earlier[inputs.earlier_count++] =
        (pt_earlier_t){.job_type = "other", .job_id = {{8}}, .results = "true"};
    msgpack_sbuffer_init(&out);
    assert_null(pt_inputs_pack(&inputs, &out));
    static const char expected[] = "\xa7"
                                   "earlier\x82\xa9structure\x82\xa6job_id\xc4\x10"
                                   "\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xa8left_out\xc3"
                                   "\xa5other\x83\xa6job_id\xc4\x10"
                                   "\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xa7results\xc3\xa5"
                                   "files\xdf\0\0\0\0";
    size_t size = sizeof expected - 1;
    assert_true(out.size < 1000);
    assert_memory_equal(out.data + out.size - size, expected, size);
    assert_true(pt_msgpack_valid(out.data, out.size));
    msgpack_sbuffer_destroy(&out);
    free(large);
}

static void check_fault(const char *chains, const char *options, const char *code)
{
    msgpack_sbuffer out;
    pt_inputs_t inputs = example;
    inputs.chains = chains;
    inputs.options = options;
    msgpack_sbuffer_init(&out);
    const pt_inputs_fault_t *fault = pt_inputs_pack(&inputs, &out);
    assert_non_null(fault);
    assert_string_equal(fault->code, code);
    assert_true(fault->message[0]);
    msgpack_sbuffer_destroy(&out);
}

static void what_no_pipeline_can_read_is_a_fault(void **state)
{
    (void)state;
    check_fault("{}", NULL, "invalid_inputs");
    check_fault("nonsense", NULL, "invalid_inputs");
    check_fault(CHAINS, "[\"\\u0000\"]", "invalid_inputs");
    check_fault(CHAINS, "[1e999]", "invalid_inputs");
}

static void more_than_64_mib_is_a_fault(void **state)
{
    (void)state;
    char *options = malloc(PT_LARGE_MAX + 10);
    assert_non_null(options);
    memset(options, 'x', PT_LARGE_MAX + 2);
    options[0] = options[PT_LARGE_MAX + 1] = '"';
    options[PT_LARGE_MAX + 2] = 0;
    check_fault(CHAINS, options, "inputs_too_large");
    strcpy(options, "[");
    for (size_t i = 1; i < PT_LARGE_MAX - 1; i += 2)
        memcpy(options + i, "1,", 2);
    strcpy(options + PT_LARGE_MAX - 1, "1]"); /* 32 Mi numbers: half as long in msgpack */
    msgpack_sbuffer out;
    pt_inputs_t inputs = example;
    inputs.options = options;
    msgpack_sbuffer_init(&out);
    assert_null(pt_inputs_pack(&inputs, &out));
    assert_true(out.size < PT_LARGE_MAX / 2 + 1000);
    msgpack_sbuffer_destroy(&out);
    free(options);
}

/* ---- JSON as msgpack --------------------------------------------------------------------- */

static void check(const char *json, const char *bytes, size_t size)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    assert_null(pt_transcode(json, 1000, &out));
    assert_int_equal(out.size, size);
    assert_memory_equal(out.data, bytes, size);
    msgpack_sbuffer_destroy(&out);
}
#define CHECK(JSON, BYTES) check(JSON, BYTES, sizeof(BYTES) - 1)

static void every_kind_of_value(void **state)
{
    (void)state;
    CHECK(" null ", "\xc0");
    CHECK("true", "\xc3");
    CHECK("false", "\xc2");
    CHECK("0", "\x00");
    CHECK("-1", "\xff");
    CHECK("18446744073709551615", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
    CHECK("-9223372036854775808", "\xd3\x80\0\0\0\0\0\0\0");
    CHECK("18446744073709551616", "\xcb\x43\xf0\0\0\0\0\0\0"); /* 2^64 */
    CHECK("1.5", "\xcb\x3f\xf8\0\0\0\0\0\0");
    CHECK("1e3", "\xcb\x40\x8f\x40\0\0\0\0\0");
    CHECK("[]", "\xdd\0\0\0\0");
    CHECK("{ }", "\xdf\0\0\0\0");
    CHECK("[1 , [2]]", "\xdd\0\0\0\x02\x01\xdd\0\0\0\x01\x02");
    CHECK("{\"a\" : 1, \"b\":{}}", "\xdf\0\0\0\x02\xdb\0\0\0\x01"
                                   "a\x01\xdb\0\0\0\x01"
                                   "b\xdf\0\0\0\0");
}

static void text_and_its_escapes(void **state)
{
    (void)state;
    CHECK("\"\"", "\xdb\0\0\0\0");
    CHECK("\" a \"", "\xdb\0\0\0\x03 a ");
    CHECK("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\xdb\0\0\0\x08\"\\/\b\f\n\r\t");
    CHECK("\"\\u0041\\u00e9\\u20AC\"", "\xdb\0\0\0\x06"
                                       "A\xc3\xa9\xe2\x82\xac");
    CHECK("\"\\ud83d\\ude00\"", "\xdb\0\0\0\x04\xf0\x9f\x98\x80");
}

static void what_is_no_json_or_no_text(void **state)
{
    static const char *const bad[] = {"",
                                      "x",
                                      "[",
                                      "[1",
                                      "[1,]",
                                      "{\"a\"}",
                                      "{1:2}",
                                      "\"a",
                                      "1 2",
                                      "-",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\u0000\"",
                                      "\"\\ud800\"",
                                      "\"\\udc00\"",
                                      "\"\\ud800\\u0041\"",
                                      "nul",
                                      "1-2",
                                      "\"\xff\""};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        msgpack_sbuffer out;
        msgpack_sbuffer_init(&out);
        if (!pt_transcode(bad[i], 1000, &out))
            fail_msg("taken: %s", bad[i]);
        msgpack_sbuffer_destroy(&out);
    }
}

static void nesting_and_length_are_bounded(void **state)
{
    (void)state;
    char text[2 * PT_TRANSCODE_DEPTH_MAX + 3];
    for (int depth = PT_TRANSCODE_DEPTH_MAX; depth <= PT_TRANSCODE_DEPTH_MAX + 1; depth++) {
        msgpack_sbuffer out;
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = 0;
        msgpack_sbuffer_init(&out);
        assert_int_equal(pt_transcode(text, 1000, &out) == NULL, depth == PT_TRANSCODE_DEPTH_MAX);
        msgpack_sbuffer_destroy(&out);
    }
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    assert_ptr_equal(pt_transcode("[1,2,3]", 7, &out), pt_transcode_too_long);
    msgpack_sbuffer_clear(&out);
    assert_null(pt_transcode("[1,2,3]", 8, &out));
    msgpack_sbuffer_destroy(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_are_packed_from_a_row),
        cmocka_unit_test(options_come_last),
        cmocka_unit_test(earlier_jobs_stand_behind_the_options),
        cmocka_unit_test(an_earlier_result_that_does_not_fit_is_named_and_left_out),
        cmocka_unit_test(earlier_results_as_deep_as_a_result_may_be_come_along),
        cmocka_unit_test(what_no_pipeline_can_read_is_a_fault),
        cmocka_unit_test(more_than_64_mib_is_a_fault),
        cmocka_unit_test(every_kind_of_value),
        cmocka_unit_test(text_and_its_escapes),
        cmocka_unit_test(what_is_no_json_or_no_text),
        cmocka_unit_test(nesting_and_length_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
