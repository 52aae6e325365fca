/* The agent and its jobs: from the broker's job to the settled ending. */
#include "rig.h"

#include <signal.h>
#include <string.h>

static void tick(rig_t *rig)
{
    rig_step(rig, &(pt_input_t){.kind = PT_IN_TICK});
}

static const pt_msg_t *ending(const rig_t *rig)
{
    assert_int_equal(rig_count_verb(rig, PT_RESULT), 1);
    return rig_last(rig, PT_RESULT);
}

static void assert_failed(const rig_t *rig, const char *code, bool retry, const char *words)
{
    const pt_msg_t *result = ending(rig);
    assert_string_equal(result->status, "failed");
    assert_string_equal(result->code, code);
    assert_int_equal(result->retry, retry);
    assert_non_null(strstr(result->message, words));
}

static void open_with_job(rig_t *rig)
{
    rig_open_session(rig);
    rig_job(rig, 1, 1);
    rig_forget(rig);
}

static void job_starts_and_says_so(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_forget(&rig);
    rig_job(&rig, 1, 5);
    assert_int_equal(rig_nth(&rig, PT_OUT_START, 0)->slot, 0);
    const pt_msg_t *status = rig_last(&rig, PT_STATUS);
    assert_string_equal(status->type, "started");
    assert_string_equal(status->status, "running");
    assert_int_equal(status->attempt, 5);
    assert_int_equal(status->org_id.bytes[0], 100);
    assert_int_equal(status->at, rig.now.us);
    rig_close(&rig);
}

/* So that a stop which was lost comes again as the answer. */
static void job_that_says_nothing_has_its_status_repeated(void **state)
{
    rig_t rig;
    (void)state;
    open_with_job(&rig);
    rig_run(&rig, 29000, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_STATUS), 0);
    rig_run(&rig, 2000, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_STATUS), 1);
    assert_string_equal(rig_last(&rig, PT_STATUS)->type, "started");
    rig_stop(&rig, 1, 1);
    assert_int_equal(rig_count(&rig, PT_OUT_KILL), 1);
    rig_close(&rig);
}

static void credit_is_what_was_received_plus_free_slots(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 1);
    rig_job(&rig, 2, 1);
    rig_forget(&rig);
    tick(&rig);
    assert_int_equal(rig_count_verb(&rig, PT_CREDIT), 0); /* 2 + 1 is what it has already */
    rig_result(&rig, 0, 100);
    rig_result(&rig, 1, 100);
    tick(&rig);
    assert_int_equal(rig_count_verb(&rig, PT_CREDIT), 1);
    assert_int_equal(rig_credit(&rig), SLOTS + 2);
    rig_close(&rig);
}

static void slot_that_is_down_gives_no_credit(void **state)
{
    rig_t rig;
    (void)state;
    open_with_job(&rig);
    rig_died(&rig, 0, (pt_death_t){.status = 1});
    rig_forget(&rig);
    tick(&rig);
    assert_int_equal(rig_count_verb(&rig, PT_CREDIT), 0);
    rig_ready(&rig, 0);
    tick(&rig);
    assert_int_equal(rig_credit(&rig), SLOTS + 1);
    rig_close(&rig);
}

static void credit_stops_above_twice_the_slots_unsettled(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    const uint8_t limit = 2 * SLOTS + PT_UNSETTLED_SLACK;
    for (uint8_t job = 1; job <= limit; job++) {
        rig_job(&rig, job, 1);
        rig_result(&rig, 0, 100);
        tick(&rig);
    }
    assert_int_equal(rig_credit(&rig), limit + SLOTS); /* at the limit, not above it */
    rig_job(&rig, 100, 1);
    rig_result(&rig, 0, 100);
    rig_forget(&rig);
    tick(&rig);
    assert_int_equal(rig_count_verb(&rig, PT_CREDIT), 0);
    rig_settle(&rig, 1, 1, "committed");
    tick(&rig);
    assert_int_equal(rig_credit(&rig), limit + SLOTS + 1);
    rig_close(&rig);
}

static void settled_endings_weigh_nothing(void **state)
{
    rig_t rig;
    (void)state;
    open_with_job(&rig);
    rig_result(&rig, 0, 100);
    rig_settle(&rig, 1, 1, "committed");
    rig_forget(&rig);
    tick(&rig);
    assert_int_equal(rig_credit(&rig), SLOTS + 1);
    rig_close(&rig);
}

static void job_beyond_the_credit_is_handed_back(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    for (uint8_t job = 1; job <= SLOTS + 1; job++)
        rig_job(&rig, job, 1);
    assert_int_equal(rig_count(&rig, PT_OUT_START), SLOTS);
    assert_int_equal(rig_last(&rig, PT_GONE)->job_id.bytes[0], SLOTS + 1);
    assert_true(rig_last(&rig, PT_GONE)->certain);
    rig_close(&rig);
}

static void job_before_any_credit_is_handed_back_although_slots_are_free(void **state)
{
    rig_t rig;
    (void)state;
    rig_open(&rig);
    tick(&rig);
    rig_welcome(&rig, 1);
    rig_job(&rig, 1, 1);
    assert_int_equal(rig_count(&rig, PT_OUT_START), 0);
    assert_string_equal(rig_last(&rig, PT_GONE)->reason, "beyond the credit");
    rig_close(&rig);
}

static void job_of_an_unknown_type_is_handed_back(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job_of(&rig, 1, 1, "alchemy");
    assert_int_equal(rig_count(&rig, PT_OUT_START), 0);
    assert_true(rig_last(&rig, PT_GONE)->certain);
    rig_close(&rig);
}

static void job_for_a_slot_that_went_down_is_taken_all_the_same(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    for (size_t slot = 0; slot < SLOTS; slot++)
        rig_died(&rig, slot, (pt_death_t){.status = 1});
    tick(&rig); /* credit that was given is not taken back */
    rig_forget(&rig);
    rig_job(&rig, 1, 1);
    assert_int_equal(rig_count(&rig, PT_OUT_START), 1);
    rig_ready(&rig, 0);
    rig_result(&rig, 0, 100);
    assert_string_equal(ending(&rig)->status, "completed");
    rig_close(&rig);
}

static void duplicate_of_a_running_job_is_dropped(void **state)
{
    rig_t rig;
    (void)state;
    open_with_job(&rig);
    rig_job(&rig, 1, 1);
    assert_int_equal(rig.count, 0);
    tick(&rig);
    assert_int_equal(rig_credit(&rig), 2 + 2); /* the broker counted it as sent */
    rig_close(&rig);
}

static void duplicate_of_an_unsettled_job_is_dropped(void **state)
{
    rig_t rig;
    (void)state;
    open_with_job(&rig);
    rig_result(&rig, 0, 100);
    rig_forget(&rig);
    rig_job(&rig, 1, 1);
    assert_int_equal(rig.count, 0);
    rig_close(&rig);
}

static void newer_attempt_stops_the_older_and_runs(void **state)
{
    rig_t rig;
    (void)state;
    open_with_job(&rig);
    rig_job(&rig, 1, 2);
    assert_int_equal(rig_nth(&rig, PT_OUT_KILL, 0)->slot, 0);
    assert_int_equal(rig_nth(&rig, PT_OUT_START, 0)->slot, 1);
    assert_int_equal(rig_last(&rig, PT_STATUS)->attempt, 2);
    rig_died(&rig, 0, (pt_death_t){.signal = SIGKILL});
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    rig_close(&rig);
}

static void older_attempt_is_handed_back(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 2);
    rig_forget(&rig);
    rig_job(&rig, 1, 1);
    assert_int_equal(rig_last(&rig, PT_GONE)->attempt, 1);
    assert_int_equal(rig_count(&rig, PT_OUT_KILL) + rig_count(&rig, PT_OUT_START), 0);
    rig_close(&rig);
}

static void stop_kills_forgets_and_says_no_ending(void **state)
{
    rig_t rig;
    (void)state;
    open_with_job(&rig);
    rig_stop(&rig, 1, 1);
    assert_int_equal(rig_nth(&rig, PT_OUT_KILL, 0)->slot, 0);
    rig_result(&rig, 0, 100); /* it was quicker than the signal */
    rig_died(&rig, 0, (pt_death_t){.signal = SIGKILL});
    rig_run(&rig, 5000, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT) + rig_count_verb(&rig, PT_GONE), 0);
    rig_ready(&rig, 0);
    tick(&rig);
    assert_int_equal(rig_credit(&rig), SLOTS + 1);
    rig_close(&rig);
}

static void stop_of_an_older_attempt_changes_nothing(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 2);
    rig_forget(&rig);
    rig_stop(&rig, 1, 1);
    rig_stop(&rig, 2, 2);
    assert_int_equal(rig.count, 0);
    rig_close(&rig);
}

static void stop_forgets_an_unsettled_ending(void **state)
{
    rig_t rig;
    (void)state;
    open_with_job(&rig);
    rig_result(&rig, 0, 100);
    rig_stop(&rig, 1, 1);
    rig_forget(&rig);
    rig_run(&rig, 60000, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    rig_close(&rig);
}

static void result_ends_the_job_once(void **state)
{
    rig_t rig;
    (void)state;
    open_with_job(&rig);
    int64_t started = rig.now.us;
    rig_run(&rig, 700, 1000);
    rig_result(&rig, 0, 1000);
    const pt_msg_t *result = ending(&rig);
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
    open_with_job(&rig);
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
        open_with_job(&rig);
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
        open_with_job(&rig);
        rig_died(&rig, 0, cases[i].death);
        assert_failed(&rig, cases[i].code, true, cases[i].words);
        rig_close(&rig);
    }
}

static void garbage_kills_the_pipeline_and_fails_its_job(void **state)
{
    rig_t rig;
    (void)state;
    open_with_job(&rig);
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
    open_with_job(&rig);
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
    open_with_job(&rig);
    rig_run(&rig, 60000, 0);
    assert_int_equal(rig_count(&rig, PT_OUT_KILL), 1);
    rig_close(&rig);
}

static void progress_is_said_when_step_or_percent_changes(void **state)
{
    rig_t rig;
    (void)state;
    open_with_job(&rig);
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
    open_with_job(&rig);
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
    open_with_job(&rig);
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
    open_with_job(&rig);
    int64_t started = rig.now.us;
    rig.now.us -= 3600000000;
    rig_progress(&rig, 0, "numbering", 0.5);
    assert_true(rig_last(&rig, PT_STATUS)->at >= started);
    rig_result(&rig, 0, 100);
    assert_int_equal(ending(&rig)->started_at, started);
    assert_true(ending(&rig)->at >= started);
    rig_close(&rig);
}

static void fullest_agent_still_says_a_hello_that_fits(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_slots(&rig, PT_SLOTS_MAX, 1);
    tick(&rig);
    rig_welcome(&rig, 1);
    tick(&rig);
    for (uint32_t n = 0; n < 3 * PT_SLOTS_MAX; n++) { /* all attempts of a few jobs */
        rig_job(&rig, (uint8_t)(n % 200), n + 1);
        rig_result(&rig, 0, 10);
        rig_forget(&rig);
        tick(&rig);
    }
    rig_forget(&rig);
    rig_run(&rig, 3000, 0);
    assert_in_range(rig_last(&rig, PT_HELLO)->unsettled.count, 2 * PT_SLOTS_MAX, PT_REFS_MAX);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_starts_and_says_so),
        cmocka_unit_test(job_that_says_nothing_has_its_status_repeated),
        cmocka_unit_test(credit_is_what_was_received_plus_free_slots),
        cmocka_unit_test(slot_that_is_down_gives_no_credit),
        cmocka_unit_test(credit_stops_above_twice_the_slots_unsettled),
        cmocka_unit_test(settled_endings_weigh_nothing),
        cmocka_unit_test(job_beyond_the_credit_is_handed_back),
        cmocka_unit_test(job_before_any_credit_is_handed_back_although_slots_are_free),
        cmocka_unit_test(job_of_an_unknown_type_is_handed_back),
        cmocka_unit_test(job_for_a_slot_that_went_down_is_taken_all_the_same),
        cmocka_unit_test(duplicate_of_a_running_job_is_dropped),
        cmocka_unit_test(duplicate_of_an_unsettled_job_is_dropped),
        cmocka_unit_test(newer_attempt_stops_the_older_and_runs),
        cmocka_unit_test(older_attempt_is_handed_back),
        cmocka_unit_test(stop_kills_forgets_and_says_no_ending),
        cmocka_unit_test(stop_of_an_older_attempt_changes_nothing),
        cmocka_unit_test(stop_forgets_an_unsettled_ending),
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
        cmocka_unit_test(fullest_agent_still_says_a_hello_that_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
