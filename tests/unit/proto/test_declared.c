/* What pipelines declare: read from any msgpack, written as the wire has it. */
#include "tests/unit/unit.h"

#include "proto/declared.h"

#define PUT(TO, TEXT) msgpack_sbuffer_write(TO, TEXT, sizeof(TEXT) - 1)
#define TITLE                                                                                      \
    "\xa5title\xaa"                                                                                \
    "CDR length"
#define VERSION                                                                                    \
    "\xa7version\xa5"                                                                              \
    "1.2.3"
#define SCHEMA "\xaeoptions_schema\xa2{}"
#define WANTS                                                                                      \
    "\xa5wants\x92\xa9structure\xa3"                                                               \
    "a_1"

static const char *read(pt_declared_t *self, const char *bytes, size_t size)
{
    assert_true(pt_msgpack_valid(bytes, size));
    return pt_declared_read(self, bytes, size);
}
#define READ(SELF, BYTES) read(SELF, BYTES, sizeof(BYTES) - 1)

static void what_is_read_is_written_again(void **state)
{
    pt_declared_t first, again;
    msgpack_sbuffer out;
    (void)state;
    assert_null(READ(&first, "\x86\xa1m\xa7"
                             "declare" WANTS SCHEMA "\xa3new\x91\x01" VERSION TITLE));
    assert_string_equal(first.title, "CDR length");
    assert_string_equal(first.version, "1.2.3");
    assert_int_equal(first.want_count, 2);
    assert_string_equal(first.wants[1], "a_1");
    assert_int_equal(first.schema_size, 2);
    assert_memory_equal(first.schema, "{}", 2);
    msgpack_sbuffer_init(&out);
    pt_declared_write(&first, &out);
    assert_int_equal(out.size, sizeof("\x84" TITLE VERSION SCHEMA WANTS) - 1);
    assert_memory_equal(out.data, "\x84" TITLE VERSION SCHEMA WANTS, out.size);
    assert_null(read(&again, out.data, out.size));
    assert_string_equal(again.title, first.title);
    msgpack_sbuffer_destroy(&out);
}

static void wants_may_be_missing_and_nothing_else(void **state)
{
    pt_declared_t self;
    (void)state;
    assert_null(READ(&self, "\x83" TITLE VERSION SCHEMA));
    assert_int_equal(self.want_count, 0);
    assert_non_null(READ(&self, "\x82" TITLE VERSION));
    assert_non_null(READ(&self, "\x82" TITLE SCHEMA));
    assert_non_null(READ(&self, "\x82" VERSION SCHEMA));
    assert_non_null(READ(&self, "\x80"));
    assert_non_null(READ(&self, "\x91\x80"));
}

static void what_does_not_fit_is_named(void **state)
{
    pt_declared_t self;
    (void)state;
    assert_non_null(strstr(READ(&self, "\x83\xa5title\xa0" VERSION SCHEMA), "title"));
    assert_non_null(strstr(READ(&self, "\x83\xa5title\xa1\xff" VERSION SCHEMA), "title"));
    assert_non_null(strstr(READ(&self, "\x83" TITLE VERSION "\xaeoptions_schema\x80"), "schema"));
    assert_non_null(strstr(READ(&self, "\x83" TITLE VERSION "\xaeoptions_schema\xa0"), "schema"));
    assert_non_null(
        strstr(READ(&self, "\x84" TITLE VERSION SCHEMA "\xa5wants\xa9structure"), "wants"));
    assert_non_null(strstr(READ(&self, "\x84" TITLE VERSION SCHEMA "\xa5wants\x91\xa1"
                                       "A"),
                           "wants"));
    assert_non_null(strstr(READ(&self, "\x84" TITLE VERSION SCHEMA "\xa5wants\x91\x01"), "wants"));
    assert_non_null(strstr(READ(&self, "\x83" TITLE SCHEMA "\xa7version\x01"), "version"));
}

static void a_version_is_three_numbers(void **state)
{
    static const char *const good[][2] = {
        {"1.0.0", "1.0.0"}, {"01.002.0", "1.2.0"}, {"999999.0.999999", "999999.0.999999"}};
    static const char *const bad[] = {"",
                                      "1",
                                      "1.0",
                                      "1.0.0.0",
                                      "1..0",
                                      "a.b.c",
                                      "1.0.0 ",
                                      " 1.0.0",
                                      "-1.0.0",
                                      "1.0.",
                                      "1000000.0.0",
                                      "1.0.0\n",
                                      "1.0.99999999999999999999"};
    pt_declared_t self;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(pt_declared_set_version(&self, good[i][0], strlen(good[i][0])));
        assert_string_equal(self.version, good[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(pt_declared_set_version(&self, bad[i], strlen(bad[i])));
    assert_false(pt_declared_set_version(&self, "1.0.0\0", 6));
}

/* A title and a schema of that many bytes. */
static const char *read_sized(size_t title, size_t schema, size_t wants)
{
    static char text[PT_SCHEMA_MAX + 1];
    pt_declared_t self;
    msgpack_sbuffer out;
    msgpack_packer to;
    memset(text, 'x', sizeof text);
    msgpack_sbuffer_init(&out);
    msgpack_packer_init(&to, &out, msgpack_sbuffer_write);
    PUT(&out, "\x84" VERSION "\xa5title");
    msgpack_pack_str(&to, title);
    msgpack_pack_str_body(&to, text, title);
    PUT(&out, "\xaeoptions_schema");
    msgpack_pack_str(&to, schema);
    msgpack_pack_str_body(&to, text, schema);
    PUT(&out, "\xa5wants");
    msgpack_pack_array(&to, wants);
    for (size_t i = 0; i < wants; i++)
        PUT(&out, "\xbf"
                  "0123456789012345678901234567890");
    const char *why = read(&self, out.data, out.size);
    if (!why) {                /* as it goes over the wire */
        msgpack_sbuffer again; /* the schema is borrowed from `out` */
        msgpack_sbuffer_init(&again);
        pt_declared_write(&self, &again);
        assert_true(again.size <= PT_PAYLOAD_MAX);
        msgpack_sbuffer_destroy(&again);
    }
    msgpack_sbuffer_destroy(&out);
    return why;
}

static void the_largest_fits_and_more_does_not(void **state)
{
    (void)state;
    assert_null(read_sized(PT_TITLE_MAX, PT_SCHEMA_MAX, PT_TYPES_MAX));
    assert_non_null(read_sized(PT_TITLE_MAX + 1, 1, 0));
    assert_non_null(read_sized(1, PT_SCHEMA_MAX + 1, 0));
    assert_non_null(read_sized(1, 1, PT_TYPES_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_written_again),
        cmocka_unit_test(wants_may_be_missing_and_nothing_else),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(a_version_is_three_numbers),
        cmocka_unit_test(the_largest_fits_and_more_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
