/* How jobs end, and what is said of them until then. */
#include "rig.h"

#include <signal.h>
#include <string.h>

static void assert_failed(const rig_t *rig, const char *code, bool retry, const char *words)
{
    const pt_msg_t *result = rig_ending(rig);
    assert_string_equal(result->status, "failed");
    assert_string_equal(result->code, code);
    assert_int_equal(result->retry, retry);
    assert_non_null(strstr(result->message, words));
}

static void result_ends_the_job_once(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 1);
    int64_t started = rig.now.us;
    rig_run(&rig, 700, 1000);
    rig_result(&rig, 0, 1000);
    const pt_msg_t *result = rig_ending(&rig);
    assert_string_equal(result->status, "completed");
    assert_int_equal(result->started_at, started);
    assert_int_equal(result->at, rig.now.us);
    assert_int_equal(rig_nth_verb(&rig, PT_RESULT, 0)->payload_size,
                     1000 + 1 + 8 + 15 + 1); /* map, two keys, {} */
    rig_close(&rig);
}

static void unsettled_ending_is_said_again_after_1_2_4_8_16_30_30_seconds(void **state)
{
    static const int64_t pauses[] = {1, 2, 4, 8, 16, 30, 30, 30};
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 1);
    rig_result(&rig, 0, 100);
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        rig_forget(&rig);
        rig_run(&rig, pauses[i] * 1000 - 1, 1000);
        assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
        rig_run(&rig, 1, 1000);
        assert_int_equal(rig_count_verb(&rig, PT_RESULT), 1);
        assert_int_equal(rig_nth_verb(&rig, PT_RESULT, 0)->payload_size, 125);
    }
    rig_close(&rig);
}

static void any_outcome_settles_and_only_its_own_attempt(void **state)
{
    static const char *const outcomes[] = {"committed", "ended", "superseded", "unknown",
                                           "refused"};
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        rig_t rig;
        rig_open_job(&rig, 1);
        rig_result(&rig, 0, 100);
        rig_settle(&rig, 1, 2, outcomes[i]);
        rig_settle(&rig, 2, 1, outcomes[i]);
        rig_forget(&rig);
        rig_run(&rig, 1000, 1000);
        assert_int_equal(rig_count_verb(&rig, PT_RESULT), 1);
        rig_settle(&rig, 1, 1, outcomes[i]);
        rig_forget(&rig);
        rig_run(&rig, 100000, 1000);
        assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
        rig_close(&rig);
    }
}

static void error_of_the_pipeline_keeps_code_message_and_retry(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 1);
    rig_forget(&rig);
    rig_error(&rig, 0, "not_an_antibody", false);
    assert_failed(&rig, "not_an_antibody", false, "the reason");
    rig_job(&rig, 2, 1);
    rig_forget(&rig);
    rig_error(&rig, 0, "busy", true);
    assert_failed(&rig, "busy", true, "the reason");
    rig_close(&rig);
}

static void death_is_told_with_signal_status_or_memory(void **state)
{
    static const struct {
        pt_death_t death;
        const char *code, *words;
    } cases[] = {
        {{.signal = SIGSEGV}, "died_signal", "signal 11 (Segmentation fault)"},
        {{.signal = SIGKILL}, "died_signal", "signal 9 (Killed); out of memory?"},
        {{.signal = SIGKILL, .oom = true}, "out_of_memory", "it may use 1024 MiB"},
        {{.signal = SIGXCPU, .cpu = true}, "cpu_limit", "more than the 7 s of CPU time"},
        {{.status = 3}, "died_exit", "exited with status 3"},
        {{.status = 0}, "died_exit", "exited with status 0"},
        {{.why = "/x: No such file"}, "died_start", "cannot be started: /x: No such file"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_t rig;
        rig_open_job(&rig, 1);
        rig_died(&rig, 0, cases[i].death);
        assert_failed(&rig, cases[i].code, true, cases[i].words);
        rig_close(&rig);
    }
}

static void garbage_kills_the_pipeline_and_fails_its_job(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 1);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_GARBAGE, .slot = 0, .why = "noise"});
    assert_failed(&rig, "pipeline_protocol", true, "the pipeline sent noise");
    assert_int_equal(rig_count(&rig, PT_OUT_KILL), 1);
    rig_died(&rig, 0, (pt_death_t){.signal = SIGKILL});
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 1);
    rig_close(&rig);
}

static void pipeline_that_speaks_without_a_job_is_killed(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_forget(&rig);
    rig_result(&rig, 1, 100);
    assert_int_equal(rig_nth(&rig, PT_OUT_KILL, 0)->slot, 1);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    rig_close(&rig);
}

static void job_times_out(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 1);
    rig_run(&rig, 59999, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    rig_run(&rig, 1, 1000);
    assert_failed(&rig, "timed_out", true, "within 60 s");
    assert_int_equal(rig_nth(&rig, PT_OUT_KILL, 0)->slot, 0);
    rig_close(&rig);
}

static void jobs_time_out_without_a_session_too(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 1);
    rig_run(&rig, 60000, 0);
    assert_int_equal(rig_count(&rig, PT_OUT_KILL), 1);
    rig_close(&rig);
}

static void progress_is_said_when_step_or_percent_changes(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 1);
    static const struct {
        const char *step;
        double fraction;
        size_t said;
    } cases[] = {{"numbering", 0.1, 1}, {"numbering", 0.101, 1}, {"numbering", 0.11, 2},
                 {"grafting", 0.11, 3}, {"grafting", 0.05, 3},   {"grafting", 1, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_run(&rig, 100, 1000);
        rig_progress(&rig, 0, cases[i].step, cases[i].fraction);
        assert_int_equal(rig_count_verb(&rig, PT_STATUS), cases[i].said);
    }
    assert_true(rig_last(&rig, PT_STATUS)->fraction == 1);
    rig_close(&rig);
}

static void quick_job_shows_all_its_steps(void **state)
{
    static const char *const steps[] = {"numbering", "germline search", "grafting", "liabilities"};
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 1);
    for (size_t i = 0; i < 4; i++)
        rig_progress(&rig, 0, steps[i], 0);
    rig_result(&rig, 0, 100);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(rig_nth_verb(&rig, PT_STATUS, i)->msg.step, steps[i]);
    rig_close(&rig);
}

static void progress_comes_at_most_20_times_a_second_and_the_last_is_not_lost(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 1);
    for (int i = 1; i <= 100; i++) {
        rig_run(&rig, 9, 1000);
        rig_progress(&rig, 0, "folding", i / 100.0);
    }
    assert_int_equal(rig_count_verb(&rig, PT_STATUS), 20);
    rig_run(&rig, 200, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_STATUS), 21);
    assert_true(rig_last(&rig, PT_STATUS)->fraction == 1);
    rig_close(&rig);
}

static void times_never_go_back_whatever_the_wall_clock_does(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 1);
    int64_t started = rig.now.us;
    rig.now.us -= 3600000000;
    rig_progress(&rig, 0, "numbering", 0.5);
    assert_true(rig_last(&rig, PT_STATUS)->at >= started);
    rig_result(&rig, 0, 100);
    assert_int_equal(rig_ending(&rig)->started_at, started);
    assert_true(rig_ending(&rig)->at >= started);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(result_ends_the_job_once),
        cmocka_unit_test(unsettled_ending_is_said_again_after_1_2_4_8_16_30_30_seconds),
        cmocka_unit_test(any_outcome_settles_and_only_its_own_attempt),
        cmocka_unit_test(error_of_the_pipeline_keeps_code_message_and_retry),
        cmocka_unit_test(death_is_told_with_signal_status_or_memory),
        cmocka_unit_test(garbage_kills_the_pipeline_and_fails_its_job),
        cmocka_unit_test(pipeline_that_speaks_without_a_job_is_killed),
        cmocka_unit_test(job_times_out),
        cmocka_unit_test(jobs_time_out_without_a_session_too),
        cmocka_unit_test(progress_is_said_when_step_or_percent_changes),
        cmocka_unit_test(quick_job_shows_all_its_steps),
        cmocka_unit_test(progress_comes_at_most_20_times_a_second_and_the_last_is_not_lost),
        cmocka_unit_test(times_never_go_back_whatever_the_wall_clock_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
