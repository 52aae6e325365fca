/* Results become JSON that PostgreSQL takes, or are refused with the reason; array parameters. */
#include "tests/unit/unit.h"

#include "gateway/database/array.h"
#include "gateway/database/pg.h"
#include "gateway/results/files.h"
#include "gateway/results/render.h"
#include "gateway/store/move.h"
#include "proto/wire.h"

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

#define HEAD                                                                                       \
    "\x83\xa7results\x01\xaemodel_versions\x80\xa5"                                                \
    "files"
#define FILE_A                                                                                     \
    "\x82\xaamedia_type\xaatext/plain\xa7"                                                         \
    "content\xa2>a"

static void files_are_a_column_of_their_own(void **state)
{
    (void)state;
    static const char payload[] = HEAD "\x82\xa7"
                                       "a.fasta" FILE_A "\xa1"
                                       "b" FILE_A;
    pt_rendered_t rendered;
    assert_null(pt_render_result(payload, sizeof payload - 1, &rendered));
    assert_string_equal(rendered.results, "1");
    assert_string_equal(rendered.files,
                        "{\"a.fasta\":{\"media_type\":\"text/plain\",\"content\":\">a\"},"
                        "\"b\":{\"media_type\":\"text/plain\",\"content\":\">a\"}}");
    pt_rendered_clear(&rendered);
    assert_null(rendered.files);
}

static void files_that_do_not_fit_are_refused(void **state)
{
    static const char content[] = "a file that is not a media_type and a content as text";
    (void)state;
    REFUSED(HEAD "\x90", "files is no map");
    REFUSED(HEAD "\x81\x01" FILE_A,
            "a file's name that is not 1 to 64 of a-z, A-Z, 0-9, `.`, `_` and `-`");
    REFUSED(HEAD "\x81\xa3"
                 "a/b" FILE_A,
            "a file's name that is not 1 to 64 of a-z, A-Z, 0-9, `.`, `_` and `-`");
    REFUSED(HEAD "\x82\xa1"
                 "a" FILE_A "\xa1"
                 "a" FILE_A,
            "two files with one name");
    REFUSED(HEAD "\x81\xa1"
                 "a\x01",
            content);
    REFUSED(HEAD "\x81\xa1"
                 "a\x82\xaamedia_type\xaatext/plain\xa7"
                 "content\xc4\x01x",
            content);
    REFUSED(HEAD "\x81\xa1"
                 "a\x82\xaamedia_type\xaatext/plain\xa7"
                 "content\xa1\xff",
            content);
    REFUSED(HEAD "\x81\xa1"
                 "a\x82\xaamedia_type\xaatext\nplain\xa7"
                 "content\xa1x",
            content);
    REFUSED(HEAD "\x81\xa1"
                 "a\x81\xa7"
                 "content\xa1x",
            content);
    REFUSED(HEAD "\x81\xa1"
                 "a\x83\xaamedia_type\xaatext/plain\xa7"
                 "content\xa1x\xa1y\x01",
            content);
}

static const char *render_files(size_t count)
{
    msgpack_sbuffer out;
    pt_rendered_t rendered;
    msgpack_sbuffer_init(&out);
    msgpack_sbuffer_write(&out, HEAD, sizeof HEAD - 1);
    msgpack_sbuffer_write(&out, (const char[]){'\xde', 0, (char)count}, 3);
    for (size_t i = 0; i < count; i++) {
        msgpack_sbuffer_write(&out, (const char[]){'\xa1', (char)('a' + i)}, 2);
        msgpack_sbuffer_write(&out, FILE_A, sizeof FILE_A - 1);
    }
    const char *why = pt_render_result(out.data, out.size, &rendered);
    pt_rendered_clear(&rendered);
    msgpack_sbuffer_destroy(&out);
    return why;
}

static void there_are_16_files_at_most(void **state)
{
    (void)state;
    assert_null(render_files(16));
    assert_string_equal(render_files(17), "more than 16 files");
}

static void names_and_media_types_are_what_a_url_and_a_head_can_have(void **state)
{
    static const char *const types[] = {"text/plain", "chemical/x-pdb", "text/plain; charset=utf-8",
                                        "application/vnd.a+json;a=b;c=d"};
    static const char *const not_types[] = {"",
                                            "text",
                                            "text/",
                                            "/plain",
                                            "text/plain;",
                                            "text/plain; a",
                                            "text/plain; a=",
                                            "text/plain\r\nX-A: b",
                                            "text/plain a",
                                            "text/pl\xc3\xa4in",
                                            "a/b/c"};
    char long_name[PT_FILE_NAME_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        assert_true(pt_media_type_valid(types[i], strlen(types[i])));
    for (size_t i = 0; i < sizeof not_types / sizeof *not_types; i++)
        assert_false(pt_media_type_valid(not_types[i], strlen(not_types[i])));
    memset(long_name, '.', sizeof long_name);
    assert_true(pt_file_name_valid(long_name, PT_FILE_NAME_MAX));
    assert_false(pt_file_name_valid(long_name, PT_FILE_NAME_MAX + 1));
    assert_false(pt_file_name_valid("", 0));
    assert_false(pt_file_name_valid(".", 1));
    assert_false(pt_file_name_valid("..", 2));
    assert_true(pt_file_name_valid("a", 1));
    assert_true(pt_file_name_valid("A_1-b.gb", 8));
    assert_false(pt_file_name_valid("a\0b", 3));
}

static char *partial_of(const char *payload, size_t size)
{
    pt_rendered_t rendered;
    pt_render_partial(payload, size, &rendered);
    return rendered.partial;
}
#define PARTIAL(PAYLOAD) partial_of(PAYLOAD, sizeof(PAYLOAD) - 1)

static void what_was_reached_becomes_json_or_is_left_out(void **state)
{
    static char large[PT_PARTIAL_MAX + 1] = "\x81\xa1x\xda";
    (void)state;
    char *text = PARTIAL("\x81\xa7reached\xa9numbering");
    assert_string_equal(text, "{\"reached\":\"numbering\"}");
    free(text);
    assert_null(PARTIAL("\x01"));
    assert_null(PARTIAL("\x81\xa1x"));
    assert_null(PARTIAL("\x81\xa1x\xc4\x01y"));
    assert_null(PARTIAL("\x81\xa1x\xcb\x7f\xf8\0\0\0\0\0\0"));
    for (size_t over = 0; over < 2; over++) {
        size_t length = PT_PARTIAL_MAX - 6 + over;
        large[4] = (char)(length >> 8);
        large[5] = (char)length;
        memset(large + 6, 'x', length);
        text = partial_of(large, 6 + length);
        assert_int_equal(text == NULL, over == 1);
        free(text);
    }
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
        cmocka_unit_test(files_are_a_column_of_their_own),
        cmocka_unit_test(files_that_do_not_fit_are_refused),
        cmocka_unit_test(there_are_16_files_at_most),
        cmocka_unit_test(names_and_media_types_are_what_a_url_and_a_head_can_have),
        cmocka_unit_test(what_was_reached_becomes_json_or_is_left_out),
        cmocka_unit_test(array_parameters_are_quoted),
        cmocka_unit_test(times_are_exact_to_the_microsecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
