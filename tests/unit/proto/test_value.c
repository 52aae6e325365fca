/* Every kind of msgpack value, in each of its forms (the bytes are the specification's). */
#include "tests/unit/unit.h"

#include "proto/value.h"

static pt_value_t next(const char *bytes, size_t size)
{
    pt_span_t at = {(const uint8_t *)bytes, size};
    pt_value_t value = pt_value_next(&at);
    assert_int_equal(at.size, 0); /* taken whole, or the head of what is empty here */
    return value;
}
#define NEXT(BYTES) next(BYTES, sizeof(BYTES) - 1)

static void whole_numbers_of_each_width(void **state)
{
    (void)state;
    assert_int_equal(NEXT("\x7f").number, 127);
    assert_int_equal(NEXT("\xcc\xff").number, 255);
    assert_int_equal(NEXT("\xcd\x01\x00").number, 256);
    assert_int_equal(NEXT("\xce\x00\x01\x00\x00").number, 65536);
    assert_true(NEXT("\xcf\xff\xff\xff\xff\xff\xff\xff\xff").number == UINT64_MAX);
    assert_int_equal(NEXT("\xff").negative, -1);
    assert_int_equal(NEXT("\xe0").negative, -32);
    assert_int_equal(NEXT("\xd0\x80").negative, -128);
    assert_int_equal(NEXT("\xd1\xff\x7f").negative, -129);
    assert_int_equal(NEXT("\xd2\x80\x00\x00\x00").negative, INT32_MIN);
    assert_true(NEXT("\xd3\x80\x00\x00\x00\x00\x00\x00\x00").negative == INT64_MIN);
    pt_value_t positive = NEXT("\xd0\x05"); /* a form for negative numbers, with another */
    assert_int_equal(positive.kind, PT_VALUE_UINT);
    assert_int_equal(positive.number, 5);
}

static void the_other_scalars(void **state)
{
    (void)state;
    assert_int_equal(NEXT("\xc0").kind, PT_VALUE_NIL);
    assert_true(NEXT("\xc3").yes);
    assert_false(NEXT("\xc2").yes);
    assert_true(NEXT("\xca\x3f\xc0\x00\x00").real == 1.5);
    assert_true(NEXT("\xcb\xbf\xf8\x00\x00\x00\x00\x00\x00").real == -1.5);
}

static void text_bytes_and_what_contains(void **state)
{
    (void)state;
    pt_value_t text = NEXT("\xa3"
                           "abc");
    assert_true(pt_value_is(&text, "abc"));
    assert_false(pt_value_is(&text, "ab"));
    assert_int_equal(NEXT("\xd9\x01x").size, 1);
    assert_int_equal(NEXT("\xda\x00\x01x").size, 1);
    assert_int_equal(NEXT("\xdb\x00\x00\x00\x01x").size, 1);
    assert_int_equal(NEXT("\xc4\x01x").kind, PT_VALUE_BIN);
    assert_int_equal(NEXT("\xc5\x00\x01x").size, 1);
    assert_int_equal(NEXT("\xc6\x00\x00\x00\x01x").size, 1);
    assert_int_equal(NEXT("\x93").size, 3);
    assert_int_equal(NEXT("\xdc\x01\x00").size, 256);
    assert_int_equal(NEXT("\xdd\x00\x01\x00\x00").size, 65536);
    assert_int_equal(NEXT("\x82").kind, PT_VALUE_MAP);
    assert_int_equal(NEXT("\xde\x01\x00").size, 256);
    assert_int_equal(NEXT("\xdf\x00\x01\x00\x00").size, 65536);
}

static void one_after_the_other(void **state)
{
    (void)state;
    pt_span_t at = {(const uint8_t *)"\x82\xa1"
                                     "a\x91\x01\xa1"
                                     "b\xc0\x05",
                    9};
    pt_span_t map = pt_value_whole(&at);
    assert_int_equal(map.size, 8);
    assert_int_equal(pt_value_next(&at).number, 5);
    assert_int_equal(pt_value_next(&map).size, 2);
    assert_int_equal(pt_value_whole(&map).size, 2);
    assert_int_equal(pt_value_whole(&map).size, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_of_each_width),
        cmocka_unit_test(the_other_scalars),
        cmocka_unit_test(text_bytes_and_what_contains),
        cmocka_unit_test(one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
