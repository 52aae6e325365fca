/* What pipelines write to standard error, as the agent says it. */
#include "rig.h"

#include <string.h>

static void assert_log(const rig_output_t *said, uint64_t offset, const char *text)
{
    assert_int_equal(said->msg.job_id.bytes[0], 1);
    assert_int_equal(said->msg.org_id.bytes[0], 100);
    assert_int_equal(said->msg.attempt, 3);
    assert_string_equal(said->msg.job_type, TYPE);
    assert_int_equal(said->msg.offset, offset);
    assert_int_equal(said->payload_size, 1 + strlen(text));
    assert_int_equal((unsigned char)said->payload[0], 0xa0 | strlen(text));
    assert_memory_equal(said->payload + 1, text, strlen(text));
}

static void it_is_said_at_most_twice_a_second_and_whole(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 3);
    for (int i = 0; i < 100; i++) {
        rig_stderr(&rig, 0, "x");
        rig_run(&rig, 10, 0);
    }
    assert_in_range(rig_count_verb(&rig, PT_LOG), 2, 3);
    assert_log(rig_nth_verb(&rig, PT_LOG, 0), 0, "x");
    rig_close(&rig);
}

static void the_last_words_do_not_wait_for_more(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 3);
    rig_stderr(&rig, 0, "one ");
    rig_run(&rig, 10, 0);
    rig_stderr(&rig, 0, "two");
    rig_run(&rig, 600, 500);
    assert_int_equal(rig_count_verb(&rig, PT_LOG), 2);
    assert_log(rig_nth_verb(&rig, PT_LOG, 1), 0, "one two");
    rig_close(&rig);
}

static void all_of_it_goes_before_the_ending_and_again_with_it(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 3);
    rig_stderr(&rig, 0, "why");
    rig_result(&rig, 0, 100);
    assert_log(rig_nth_verb(&rig, PT_LOG, 0), 0, "why");
    assert_int_equal(rig.done[0].msg.verb, PT_LOG);
    assert_int_equal(rig.done[1].msg.verb, PT_RESULT);
    rig_forget(&rig);
    rig_run(&rig, 1000, 500);
    assert_log(rig_nth_verb(&rig, PT_LOG, 0), 0, "why");
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 1);
    rig_settle(&rig, 1, 3, "committed");
    rig_forget(&rig);
    rig_run(&rig, 60000, 500);
    assert_int_equal(rig_count_verb(&rig, PT_LOG), 0);
    rig_close(&rig);
}

static void it_goes_with_a_death_and_with_a_large_result(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 3);
    rig_stderr(&rig, 0, "dying");
    rig_died(&rig, 0, (pt_death_t){.signal = 11});
    assert_log(rig_nth_verb(&rig, PT_LOG, 0), 0, "dying");
    rig_close(&rig);
    rig_open_job(&rig, 3);
    rig_stderr(&rig, 0, "large");
    rig_result(&rig, 0, 100000);
    assert_int_equal(rig_count_verb(&rig, PT_LOG), 0); /* it is being written */
    rig_spooled(&rig, 1, 3, NULL);
    assert_log(rig_nth_verb(&rig, PT_LOG, 0), 0, "large");
    rig_close(&rig);
}

static void a_stopped_job_says_nothing_more_and_the_next_begins_at_nothing(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 3);
    rig_stderr(&rig, 0, "one");
    rig_stop(&rig, 1, 3);
    rig_stderr(&rig, 0, "late");
    rig_run(&rig, 600, 500);
    assert_int_equal(rig_count_verb(&rig, PT_LOG), 0);
    rig_died(&rig, 0, (pt_death_t){.signal = 9});
    rig_ready(&rig, 0);
    rig_job(&rig, 1, 3);
    rig_stderr(&rig, 0, "two");
    rig_run(&rig, 1, 0);
    assert_log(rig_nth_verb(&rig, PT_LOG, 0), 0, "two");
    rig_close(&rig);
}

static void without_a_session_it_waits(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 3);
    rig_run(&rig, 3000, 0); /* the broker is silent */
    rig_stderr(&rig, 0, "kept");
    rig_run(&rig, 1000, 0);
    assert_int_equal(rig_count_verb(&rig, PT_LOG), 0);
    rig_welcome(&rig, 2);
    rig_run(&rig, 1, 0);
    assert_log(rig_nth_verb(&rig, PT_LOG, 0), 0, "kept");
    rig_close(&rig);
}

static void its_bytes_count_as_unsettled(void **state)
{
    static char text[70000];
    rig_t rig;
    uint32_t attempt = 0;
    (void)state;
    memset(text, 'x', sizeof text - 1);
    rig_open_slots(&rig, PT_SLOTS_MAX, 1);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    rig_welcome(&rig, 1);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    while (rig_count_verb(&rig, PT_CREDIT) > 0 && attempt < 1000) {
        rig_forget(&rig);
        rig_job(&rig, 1, ++attempt);
        rig_stderr(&rig, 0, text);
        rig_result(&rig, 0, 65000);
        rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    }
    /* 64 MiB are full before 2 × slots + 16 endings are: half of each is its log */
    assert_in_range(attempt, 500, 515);
    rig_close(&rig);
}

static void memory_that_was_refused_is_called_so_by_what_the_program_wrote(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 3);
    rig_stderr(&rig, 0, "Traceback\nMemoryError\n");
    rig_died(&rig, 0, (pt_death_t){.status = 1});
    assert_string_equal(rig_last(&rig, PT_RESULT)->code, "out_of_memory");
    rig_close(&rig);
    rig_open_job(&rig, 3);
    rig_stderr(&rig, 0, "Traceback\nValueError\n");
    rig_died(&rig, 0, (pt_death_t){.status = 1});
    assert_string_equal(rig_last(&rig, PT_RESULT)->code, "died_exit");
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_said_at_most_twice_a_second_and_whole),
        cmocka_unit_test(the_last_words_do_not_wait_for_more),
        cmocka_unit_test(all_of_it_goes_before_the_ending_and_again_with_it),
        cmocka_unit_test(it_goes_with_a_death_and_with_a_large_result),
        cmocka_unit_test(a_stopped_job_says_nothing_more_and_the_next_begins_at_nothing),
        cmocka_unit_test(without_a_session_it_waits),
        cmocka_unit_test(its_bytes_count_as_unsettled),
        cmocka_unit_test(memory_that_was_refused_is_called_so_by_what_the_program_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
