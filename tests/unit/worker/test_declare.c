/* The agent and what pipelines declare: when it is said, and that nothing of it harms a job. */
#include "rig.h"

#include <string.h>

#define MESSAGE(VERSION)                                                                           \
    "\x84\xa1m\xa7"                                                                                \
    "declare\xa5title\xa1T\xa7version\xa5" VERSION "\xaeoptions_schema\xa2{}"
#define PAYLOAD(VERSION)                                                                           \
    "\x84\xa5title\xa1T\xa7version\xa5" VERSION "\xaeoptions_schema\xa2{}\xa5wants\x90"
#define DECLARE(RIG, SLOT, BYTES) rig_declare(RIG, SLOT, BYTES, sizeof(BYTES) - 1)

static void assert_says(const rig_output_t *output, const char *payload, size_t size)
{
    assert_int_equal(output->kind, PT_OUT_PUBLISH);
    assert_int_equal(output->payload_size, size);
    assert_memory_equal(output->payload, payload, size);
    assert_string_equal(output->msg.job_type, TYPE);
    assert_string_equal(output->msg.machine, "tested");
    assert_int_equal(output->msg.instance.bytes[0], 200);
}
#define SAYS(OUTPUT, BYTES) assert_says(OUTPUT, BYTES, sizeof(BYTES) - 1)

static void nothing_is_declared_of_a_pipeline_that_says_nothing(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_run(&rig, 60000, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_DECLARE), 0);
    rig_close(&rig);
}

static void it_is_said_often_at_first_then_each_30_seconds(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    DECLARE(&rig, 0, MESSAGE("1.0.0"));
    rig_run(&rig, 2000, 1000);
    size_t first = rig_count_verb(&rig, PT_DECLARE);
    assert_in_range(first, 4, 5);
    SAYS(rig_nth_verb(&rig, PT_DECLARE, 0), PAYLOAD("1.0.0"));
    rig_run(&rig, 27000, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_DECLARE), first);
    rig_run(&rig, 5000, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_DECLARE), first + 1);
    rig_close(&rig);
}

static void a_new_session_hears_it_again(void **state)
{
    rig_t rig;
    (void)state;
    rig_open(&rig);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    DECLARE(&rig, 1, MESSAGE("1.0.0"));
    rig_run(&rig, 500, 0);
    assert_int_equal(rig_count_verb(&rig, PT_DECLARE), 0); /* nobody to say it to */
    rig_welcome(&rig, 1);
    rig_run(&rig, 10000, 1000);
    assert_in_range(rig_count_verb(&rig, PT_DECLARE), 4, 5);
    rig_hello_again(&rig, NULL);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    rig_forget(&rig);
    rig_welcome(&rig, 2);
    rig_run(&rig, 5000, 1000);
    assert_in_range(rig_count_verb(&rig, PT_DECLARE), 4, 5);
    rig_close(&rig);
}

static void what_is_said_again_is_no_news_and_a_new_version_is(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    DECLARE(&rig, 0, MESSAGE("1.0.0"));
    rig_run(&rig, 5000, 1000);
    rig_forget(&rig);
    DECLARE(&rig, 1, MESSAGE("1.0.0"));
    DECLARE(&rig, 2, MESSAGE("1.0.0"));
    rig_run(&rig, 5000, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_DECLARE), 0);
    DECLARE(&rig, 0, MESSAGE("1.0.1"));
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    SAYS(rig_nth_verb(&rig, PT_DECLARE, 0), PAYLOAD("1.0.1"));
    rig_close(&rig);
}

/* Each declaration is another one, all the time. */
static void a_talkative_pipeline_is_said_twice_a_second(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    for (int i = 0; i < 1000; i++) {
        if (i % 2)
            DECLARE(&rig, 0, MESSAGE("1.0.0"));
        else
            DECLARE(&rig, 0, MESSAGE("1.0.1"));
        rig_run(&rig, 10, 0);
        rig_beat(&rig);
    }
    assert_in_range(rig_count_verb(&rig, PT_DECLARE), 15, 21);
    rig_close(&rig);
}

static void one_that_is_not_acceptable_is_logged_and_the_pipeline_lives(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_forget(&rig);
    for (int i = 0; i < 100; i++)
        DECLARE(&rig, 0, MESSAGE("1.0.x"));
    assert_int_equal(rig_count(&rig, PT_OUT_LOG), 1);
    assert_int_equal(rig_count(&rig, PT_OUT_KILL), 0);
    rig_run(&rig, 61000, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_DECLARE), 0);
    DECLARE(&rig, 0, MESSAGE("1.0.x"));
    assert_int_equal(rig_count(&rig, PT_OUT_LOG), 2);
    rig_job(&rig, 1, 1);
    rig_result(&rig, 0, 10);
    assert_string_equal(rig_last(&rig, PT_RESULT)->status, "completed");
    rig_close(&rig);
}

static void a_declaration_during_a_job_is_no_ending(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 1);
    DECLARE(&rig, 0, MESSAGE("1.0.0"));
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    rig_result(&rig, 0, 10);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 1);
    rig_close(&rig);
}

static void the_configuration_counts_more_than_the_pipeline(void **state)
{
    static const char own[] = PAYLOAD("9.9.9");
    rig_t rig;
    (void)state;
    rig_open_declared(&rig, own, sizeof own - 1);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    rig_welcome(&rig, 1);
    DECLARE(&rig, 0, MESSAGE("1.0.0"));
    rig_run(&rig, 5000, 1000);
    assert_in_range(rig_count_verb(&rig, PT_DECLARE), 8, 10); /* two types */
    SAYS(rig_nth_verb(&rig, PT_DECLARE, 0), PAYLOAD("9.9.9"));
    assert_string_equal(rig_nth_verb(&rig, PT_DECLARE, 1)->msg.job_type, "declared_only");
    rig_close(&rig);
}

/* It would count as a type that had workers and has none. */
static void a_type_that_is_only_declared_is_not_served(void **state)
{
    static const char own[] = PAYLOAD("9.9.9");
    rig_t rig;
    (void)state;
    rig_open_declared(&rig, own, sizeof own - 1);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    assert_int_equal(rig_last(&rig, PT_HELLO)->slots.count, 1);
    rig_welcome(&rig, 1);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    assert_int_equal(rig_last(&rig, PT_CREDIT)->credit.count, 1);
    rig_job_of(&rig, 7, 1, "declared_only");
    assert_true(rig_last(&rig, PT_GONE)->handed_back);
    assert_int_equal(rig_count(&rig, PT_OUT_START), 0);
    rig_close(&rig);
}

static void files_ride_with_the_result(void **state)
{
    static const char whole[] = "\x83\xa7results\x80\xae"
                                "model_versions\x80\xa5"
                                "files\x81\xa1x\x01";
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 1);
    rig_result_with(&rig, 0, "\x81\xa1x\x01", 4);
    const rig_output_t *result = rig_nth_verb(&rig, PT_RESULT, 0);
    assert_int_equal(result->payload_size, sizeof whole - 1);
    assert_memory_equal(result->payload, whole, sizeof whole - 1);
    rig_close(&rig);
}

/* And again each time that the ending is said. */
static void what_was_reached_rides_with_the_failed_ending(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 1);
    rig_error_with(&rig, 0, "no_structure", "\x81\xa1x\x01", 4);
    rig_run(&rig, 1500, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 2);
    for (size_t i = 0; i < 2; i++) {
        const rig_output_t *result = rig_nth_verb(&rig, PT_RESULT, i);
        assert_string_equal(result->msg.code, "no_structure");
        assert_int_equal(result->payload_size, 4);
        assert_memory_equal(result->payload, "\x81\xa1x\x01", 4);
    }
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_declared_of_a_pipeline_that_says_nothing),
        cmocka_unit_test(it_is_said_often_at_first_then_each_30_seconds),
        cmocka_unit_test(a_new_session_hears_it_again),
        cmocka_unit_test(what_is_said_again_is_no_news_and_a_new_version_is),
        cmocka_unit_test(a_talkative_pipeline_is_said_twice_a_second),
        cmocka_unit_test(one_that_is_not_acceptable_is_logged_and_the_pipeline_lives),
        cmocka_unit_test(a_declaration_during_a_job_is_no_ending),
        cmocka_unit_test(the_configuration_counts_more_than_the_pipeline),
        cmocka_unit_test(a_type_that_is_only_declared_is_not_served),
        cmocka_unit_test(files_ride_with_the_result),
        cmocka_unit_test(what_was_reached_rides_with_the_failed_ending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
