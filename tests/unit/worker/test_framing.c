/* Messages of a pipeline: cut out of its bytes, and read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these before it */
#include <cmocka.h>

#include "worker/framing.h"
#include "worker/said.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void add(pt_framing_t *framing, const void *data, size_t size)
{
    memcpy(pt_framing_room(framing, size), data, size);
    pt_framing_added(framing, size);
}

static pt_framing_result_t next(pt_framing_t *framing, size_t *size, const char **why)
{
    const void *message;
    *why = NULL;
    return pt_framing_next(framing, &message, size, why);
}

/* One object of each kind of head, all in an array. */
static void pack_everything(msgpack_sbuffer *out)
{
    msgpack_packer to;
    static char text[70000];
    static const size_t sizes[] = {0, 5, 31, 32, 255, 256, 65535, 65536};
    msgpack_packer_init(&to, out, msgpack_sbuffer_write);
    msgpack_pack_array(&to, 8 * 2 + 14);
    for (size_t i = 0; i < 8; i++) {
        msgpack_pack_str(&to, sizes[i]);
        msgpack_pack_str_body(&to, text, sizes[i]);
        msgpack_pack_bin(&to, sizes[i]);
        msgpack_pack_bin_body(&to, text, sizes[i]);
    }
    msgpack_pack_nil(&to);
    msgpack_pack_true(&to);
    msgpack_pack_false(&to);
    msgpack_pack_int64(&to, -1);
    msgpack_pack_int64(&to, -100);
    msgpack_pack_int64(&to, -30000);
    msgpack_pack_int64(&to, INT32_MIN);
    msgpack_pack_int64(&to, INT64_MIN);
    msgpack_pack_uint64(&to, 200);
    msgpack_pack_uint64(&to, 60000);
    msgpack_pack_uint64(&to, UINT64_MAX);
    msgpack_pack_float(&to, 1.5f);
    msgpack_pack_double(&to, 1.5);
    msgpack_pack_map(&to, 1);
    msgpack_pack_array(&to, 0);
    msgpack_pack_map(&to, 0);
}

static void messages_come_whole_however_they_are_cut(void **state)
{
    msgpack_sbuffer one;
    (void)state;
    msgpack_sbuffer_init(&one);
    pack_everything(&one);
    msgpack_sbuffer_write(&one, "\x01\x80", 2); /* and two more messages */
    static const size_t pieces[] = {1, 2, 3, 7, 1000, 65536, 1000000};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        pt_framing_t framing;
        pt_framing_init(&framing);
        size_t sizes[3] = {0}, found = 0, size;
        const char *why;
        for (size_t at = 0; at < one.size; at += pieces[p]) {
            add(&framing, one.data + at, one.size - at < pieces[p] ? one.size - at : pieces[p]);
            while (next(&framing, &size, &why) == PT_FRAMING_WHOLE)
                sizes[found++] = size;
            assert_null(why);
        }
        assert_int_equal(found, 3);
        assert_int_equal(sizes[0], one.size - 2);
        assert_int_equal(sizes[1] + sizes[2], 2);
        pt_framing_clear(&framing);
    }
    msgpack_sbuffer_destroy(&one);
}

static void a_head_that_promises_much_allocates_nothing(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        pt_framing_result_t result;
    } cases[] = {
        {"\xdd\xff\xff\xff\xff", 5, PT_FRAMING_TOO_LARGE},
        {"\xdf\xff\xff\xff\xff", 5, PT_FRAMING_TOO_LARGE},
        {"\xdb\xff\xff\xff\xff", 5, PT_FRAMING_TOO_LARGE},
        {"\xdd\x02\x00\x00\x00", 5, PT_FRAMING_MORE},
        {"\xdb\x04\x00\x03\xfb", 5, PT_FRAMING_MORE},
        {"\xdb\x04\x00\x03\xfc", 5, PT_FRAMING_TOO_LARGE},
        {"\xc1", 1, PT_FRAMING_BROKEN},
        {"\xd4\x01\x01", 3, PT_FRAMING_BROKEN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pt_framing_t framing;
        size_t size;
        const char *why;
        pt_framing_init(&framing);
        add(&framing, cases[i].bytes, cases[i].size);
        assert_int_equal(next(&framing, &size, &why), cases[i].result);
        assert_int_equal(why != NULL, cases[i].result != PT_FRAMING_MORE);
        assert_true(framing.room < 100);
        pt_framing_clear(&framing);
    }
}

static void nesting_has_the_same_limit_as_on_the_wire(void **state)
{
    (void)state;
    for (size_t depth = 1; depth < 40; depth++) {
        uint8_t nested[41];
        memset(nested, 0x91, sizeof nested);
        nested[depth] = 0x01;
        pt_framing_t framing;
        size_t size;
        const char *why;
        pt_framing_init(&framing);
        add(&framing, nested, depth + 1);
        bool fits = pt_msgpack_valid(nested, depth + 1);
        assert_int_equal(next(&framing, &size, &why), fits ? PT_FRAMING_WHOLE : PT_FRAMING_BROKEN);
        pt_framing_clear(&framing);
    }
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* 32 million numbers in pieces of a pipe: a second look at what was there would take hours. */
static void cost_grows_with_the_bytes_and_not_with_their_square(void **state)
{
    static uint8_t zeros[4096];
    pt_framing_t framing;
    size_t size, sent = 0;
    const char *why;
    (void)state;
    pt_framing_init(&framing);
    double before = seconds();
    add(&framing, "\xdd\x02\x00\x00\x00", 5);
    for (; sent < 0x2000000; sent += sizeof zeros) {
        assert_int_equal(next(&framing, &size, &why), PT_FRAMING_MORE);
        add(&framing, zeros, sizeof zeros);
    }
    assert_int_equal(next(&framing, &size, &why), PT_FRAMING_WHOLE);
    assert_int_equal(size, 5 + sent);
    assert_true(seconds() - before < 20);
    pt_framing_room(&framing, 10);
    assert_true(framing.room < 100); /* the large buffer is given back */
    pt_framing_clear(&framing);
}

/* ---- said -------------------------------------------------------------------------------- */

static const char *read(pt_said_t *said, const char *bytes, size_t size)
{
    assert_true(pt_msgpack_valid(bytes, size));
    return pt_said_read(said, bytes, size);
}
#define READ(SAID, BYTES) read(SAID, BYTES, sizeof(BYTES) - 1)

static void progress_result_and_error_are_read(void **state)
{
    pt_said_t said;
    (void)state;
    assert_null(READ(&said, "\x83\xa1m\xa8progress\xa4step\xa8grafting\xa8"
                            "fraction\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00"));
    assert_int_equal(said.kind, PT_SAID_PROGRESS);
    assert_string_equal(said.step, "grafting");
    assert_true(said.fraction == 0.5);
    assert_null(READ(&said, "\x83\xa1m\xa8progress\xa4step\xa1x\xa8"
                            "fraction\x01"));
    assert_true(said.fraction == 1);
    assert_null(READ(&said, "\x84\xa1m\xa6result\xa5other\x01\xa7results\x92\x01\x02\xae"
                            "model_versions\x81\xa1"
                            "a\xa1"
                            "b"));
    assert_int_equal(said.kind, PT_SAID_RESULT);
    assert_int_equal(said.results_size, 3);
    assert_memory_equal(said.results, "\x92\x01\x02", 3);
    assert_int_equal(said.versions_size, 5);
    assert_null(READ(&said, "\x84\xa1m\xa5"
                            "error\xa4"
                            "code\xa4"
                            "bad1\xa7message\xa3why\xa5retry\xc3"));
    assert_int_equal(said.kind, PT_SAID_ERROR);
    assert_string_equal(said.code, "bad1");
    assert_true(said.retry);
}

static void files_and_what_was_reached_are_taken_as_they_are(void **state)
{
    pt_said_t said;
    (void)state;
    assert_null(READ(&said, "\x84\xa1m\xa6result\xa7results\x01\xae"
                            "model_versions\x80\xa5"
                            "files\x91\x07"));
    assert_int_equal(said.files_size, 2);
    assert_memory_equal(said.files, "\x91\x07", 2);
    assert_null(READ(&said, "\x85\xa1m\xa5"
                            "error\xa4"
                            "code\xa1x\xa7message\xa3why\xa5retry\xc3\xa7partial\x81\xa1y\x05"));
    assert_int_equal(said.partial_size, 4);
    assert_memory_equal(said.partial, "\x81\xa1y\x05", 4);
    assert_false(said.partial_unfit);
    /* One that is no map costs nothing else. */
    assert_null(READ(&said, "\x85\xa1m\xa5"
                            "error\xa4"
                            "code\xa1x\xa7message\xa3why\xa5retry\xc3\xa7partial\x05"));
    assert_string_equal(said.message, "why");
    assert_null(said.partial);
    assert_true(said.partial_unfit);
}

static void what_was_reached_has_16_kib_at_most(void **state)
{
    static const char head[] = "\x85\xa1m\xa5"
                               "error\xa4"
                               "code\xa1x\xa7message\xa3why\xa5retry\xc3\xa7partial\x81\xa1y\xda";
    static char bytes[sizeof head + 2 + PT_PARTIAL_MAX];
    (void)state;
    memcpy(bytes, head, sizeof head - 1);
    for (size_t over = 0; over < 2; over++) { /* a map of one text: 6 bytes around it */
        pt_said_t said;
        size_t text = PT_PARTIAL_MAX - 6 + over;
        bytes[sizeof head - 1] = (char)(text >> 8);
        bytes[sizeof head] = (char)text;
        memset(bytes + sizeof head + 1, 'x', text);
        assert_null(read(&said, bytes, sizeof head + 1 + text));
        assert_int_equal(said.partial_unfit, over == 1);
        assert_int_equal(said.partial_size, over ? 0 : PT_PARTIAL_MAX);
    }
}

static void a_declaration_is_handed_on_whatever_it_says(void **state)
{
    static const char bytes[] = "\x82\xa1m\xa7"
                                "declare\xa5title\x01";
    pt_said_t said;
    (void)state;
    assert_null(READ(&said, bytes));
    assert_int_equal(said.kind, PT_SAID_DECLARE);
    assert_int_equal(said.declared_size, sizeof bytes - 1);
    assert_memory_equal(said.declared, bytes, sizeof bytes - 1);
}

static void what_does_not_fit_is_refused_with_a_reason(void **state)
{
    pt_said_t said;
    (void)state;
    assert_non_null(READ(&said, "\x01"));
    assert_non_null(READ(&said, "\x80"));
    assert_non_null(READ(&said, "\x81\xa1m\xa3job"));
    assert_non_null(READ(&said, "\x81\xa1m\x01"));
    assert_non_null(READ(&said, "\x82\xa1m\xa6result\xa7results\x01"));
    assert_non_null(READ(&said, "\x83\xa1m\xa6result\xa7results\x01\xae"
                                "model_versions\x90"));
    assert_non_null(READ(&said, "\x83\xa1m\xa8progress\xa4step\xa1\xff\xa8"
                                "fraction\x01"));
    assert_non_null(READ(&said, "\x83\xa1m\xa8progress\xa4step\xa1x\xa8"
                                "fraction\x02"));
    assert_non_null(READ(&said, "\x83\xa1m\xa8progress\xa4step\xa1x\xa8"
                                "fraction\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"));
    assert_non_null(READ(&said, "\x84\xa1m\xa8progress\xa1m\xa8progress\xa4step\xa1x\xa8"
                                "fraction\x01"));
    assert_non_null(READ(&said, "\x84\xa1m\xa5"
                                "error\xa4"
                                "code\xa2"
                                "A!\xa7message\xa3why\xa5retry\xc3"));
}

static void text_that_is_too_long_is_cut_at_a_character(void **state)
{
    static uint8_t text[4000];
    (void)state;
    for (size_t i = 0; i < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    msgpack_sbuffer out;
    msgpack_packer to;
    pt_said_t said;
    msgpack_sbuffer_init(&out);
    msgpack_packer_init(&to, &out, msgpack_sbuffer_write);
    msgpack_sbuffer_write(&out,
                          "\x84\xa1m\xa5"
                          "error\xa4"
                          "code\xa1x\xa5retry\xc2\xa7message",
                          31);
    msgpack_pack_str(&to, 3999);
    msgpack_pack_str_body(&to, "x", 1);
    msgpack_sbuffer_write(&out, (const char *)text, 3998);
    assert_null(read(&said, out.data, out.size));
    assert_int_equal(strlen(said.message), 999);
    assert_true(pt_text_valid(said.message, 999));
    msgpack_sbuffer_destroy(&out);
}

static void job_carries_its_inputs_as_they_came(void **state)
{
    pt_uuid_t job = {{1}};
    msgpack_sbuffer out;
    (void)state;
    msgpack_sbuffer_init(&out);
    pt_said_job(&out, &job, "humanization", 2, "\x81\xa1x\xcd\x00\x01", 6);
    assert_true(pt_msgpack_valid(out.data, out.size));
    assert_memory_equal(out.data + out.size - 13, "\xa6inputs\x81\xa1x\xcd\x00\x01", 13);
    msgpack_sbuffer_destroy(&out);
}

/* Any bytes at all: no crash, and whatever is called whole is well-formed. Seeded: same each time.
 */
static void noise_breaks_nothing(void **state)
{
    (void)state;
    srandom(1);
    for (int round = 0; round < 20000; round++) {
        pt_framing_t framing;
        const void *message;
        const char *why;
        size_t size;
        uint8_t noise[64];
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)random();
        noise[0] = (uint8_t)(0x80 | (noise[0] & 15));
        pt_framing_init(&framing);
        add(&framing, noise, sizeof noise);
        while (pt_framing_next(&framing, &message, &size, &why) == PT_FRAMING_WHOLE) {
            pt_said_t said;
            assert_true(pt_msgpack_valid(message, size));
            pt_said_read(&said, message, size);
        }
        pt_framing_clear(&framing);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_whole_however_they_are_cut),
        cmocka_unit_test(a_head_that_promises_much_allocates_nothing),
        cmocka_unit_test(nesting_has_the_same_limit_as_on_the_wire),
        cmocka_unit_test(cost_grows_with_the_bytes_and_not_with_their_square),
        cmocka_unit_test(progress_result_and_error_are_read),
        cmocka_unit_test(files_and_what_was_reached_are_taken_as_they_are),
        cmocka_unit_test(what_was_reached_has_16_kib_at_most),
        cmocka_unit_test(a_declaration_is_handed_on_whatever_it_says),
        cmocka_unit_test(what_does_not_fit_is_refused_with_a_reason),
        cmocka_unit_test(text_that_is_too_long_is_cut_at_a_character),
        cmocka_unit_test(job_carries_its_inputs_as_they_came),
        cmocka_unit_test(noise_breaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
