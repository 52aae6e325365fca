/* Identifiers, topics, text and bytes. */
#include "tests/unit/unit.h"

#include "proto/topic.h"

static void a_uuid_is_read_and_written(void **state)
{
    (void)state;
    const char *text = "00112233-4455-6677-8899-aabbccddeeff";
    pt_uuid_t uuid;
    char back[PT_UUID_TEXT];
    assert_true(pt_uuid_parse(&uuid, text, 36));
    assert_int_equal(uuid.bytes[0], 0x00);
    assert_int_equal(uuid.bytes[15], 0xff);
    assert_string_equal(pt_uuid_format(&uuid, back), text);
    assert_true(pt_uuid_parse(&uuid, "00112233-4455-6677-8899-AABBCCDDEEFF", 36));
    assert_string_equal(pt_uuid_format(&uuid, back), text);
}

static void what_is_no_uuid_is_refused(void **state)
{
    (void)state;
    const char *const bad[] = {"",
                               "00112233445566778899aabbccddeeff",
                               "00112233-4455-6677-8899-aabbccddeef",
                               "00112233-4455-6677-8899-aabbccddeefg",
                               "0011223-34455-6677-8899-aabbccddeeff",
                               "{0112233-4455-6677-8899-aabbccddeef}"};
    pt_uuid_t uuid;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(pt_uuid_parse(&uuid, bad[i], strlen(bad[i])));
}

static void new_uuids_are_version_7_and_in_order_of_time(void **state)
{
    (void)state;
    pt_uuid_t early = pt_uuid_new(1795500000000000), late = pt_uuid_new(1795500000001000);
    assert_true(pt_uuid_compare(&early, &late) < 0);
    assert_int_equal(early.bytes[6] >> 4, 7);
    assert_int_equal(early.bytes[8] >> 6, 2);
    uint64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | early.bytes[i];
    assert_int_equal(ms, 1795500000000);
}

static void a_topic_ends_in_a_dot_and_fits_its_header_alone(void **state)
{
    (void)state;
    pt_msg_t msg;
    char topic[PT_TOPIC_MAX];
    pt_msg_init(&msg, PT_STATUS);
    strcpy(msg.job_type, "structure");
    memset(msg.job_id.bytes, 0xab, 16);
    size_t size = pt_topic_format(topic, &msg);
    assert_string_equal(topic, "status.00000000-0000-0000-0000-000000000000.structure."
                               "abababab-abab-abab-abab-abababababab.");
    assert_int_equal(size, strlen(topic));
    assert_true(pt_topic_matches(topic, size, &msg));
    assert_false(pt_topic_matches(topic, size - 1, &msg));
    msg.verb = PT_RESULT;
    assert_false(pt_topic_matches(topic, size, &msg));
    msg.verb = PT_JOB;
    assert_int_equal(pt_topic_format(topic, &msg), 0);
}

static void the_longest_topic_fits(void **state)
{
    (void)state;
    pt_msg_t msg;
    char topic[PT_TOPIC_MAX];
    pt_msg_init(&msg, PT_STATUS);
    memset(msg.job_type, 'a', PT_TYPE_MAX - 1);
    assert_int_equal(pt_topic_format(topic, &msg), 7 + 37 + PT_TYPE_MAX + 37);
}

static void utf8_is_checked(void **state)
{
    (void)state;
    assert_true(pt_text_valid("é – 抗体 \xf0\x9f\xa7\xac", 18));
    const char *const bad[] = {"\x80",     "\xc0\xaf",        "\xed\xa0\x80", "\xf5\x80\x80\x80",
                               "\xe2\x80", "\xf0\x80\x80\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(pt_text_valid(bad[i], strlen(bad[i])));
    assert_false(pt_text_valid("a\0b", 3));
}

static void the_length_of_an_object_is_found(void **state)
{
    (void)state;
    assert_int_equal(pt_msgpack_length("\xc0tail", 5), 1);
    assert_int_equal(pt_msgpack_length("\x92\x01\x93\x02\x03\x04", 6), 6);
    assert_int_equal(pt_msgpack_length("\x81\xa1k\xcb\0\0\0\0\0\0\0\0", 12), 12);
    assert_int_equal(pt_msgpack_length("\xd9\x05hel", 5), 0);
    assert_int_equal(pt_msgpack_length("\xdd\xff\xff\xff\xff", 5), 0);
    assert_int_equal(pt_msgpack_length("", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uuid_is_read_and_written),
        cmocka_unit_test(what_is_no_uuid_is_refused),
        cmocka_unit_test(new_uuids_are_version_7_and_in_order_of_time),
        cmocka_unit_test(a_topic_ends_in_a_dot_and_fits_its_header_alone),
        cmocka_unit_test(the_longest_topic_fits),
        cmocka_unit_test(utf8_is_checked),
        cmocka_unit_test(the_length_of_an_object_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
