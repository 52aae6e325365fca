/* The agent and its jobs: taken, handed back, stopped. */
#include "rig.h"

#include <signal.h>
#include <string.h>

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
    rig_open_job(&rig, 1);
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
    rig_tick(&rig);
    assert_int_equal(rig_count_verb(&rig, PT_CREDIT), 0); /* 2 + 1 is what it has already */
    rig_result(&rig, 0, 100);
    rig_result(&rig, 1, 100);
    rig_tick(&rig);
    assert_int_equal(rig_count_verb(&rig, PT_CREDIT), 1);
    assert_int_equal(rig_credit(&rig), SLOTS + 2);
    rig_close(&rig);
}

static void slot_that_is_down_gives_no_credit(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 1);
    rig_died(&rig, 0, (pt_death_t){.status = 1});
    rig_forget(&rig);
    rig_tick(&rig);
    assert_int_equal(rig_count_verb(&rig, PT_CREDIT), 0);
    rig_ready(&rig, 0);
    rig_tick(&rig);
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
        rig_tick(&rig);
    }
    assert_int_equal(rig_credit(&rig), limit + SLOTS); /* at the limit, not above it */
    rig_job(&rig, 100, 1);
    rig_result(&rig, 0, 100);
    rig_forget(&rig);
    rig_tick(&rig);
    assert_int_equal(rig_count_verb(&rig, PT_CREDIT), 0);
    rig_settle(&rig, 1, 1, "committed");
    rig_tick(&rig);
    assert_int_equal(rig_credit(&rig), limit + SLOTS + 1);
    rig_close(&rig);
}

static void settled_endings_weigh_nothing(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 1);
    rig_result(&rig, 0, 100);
    rig_settle(&rig, 1, 1, "committed");
    rig_forget(&rig);
    rig_tick(&rig);
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
    rig_tick(&rig);
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
    rig_tick(&rig); /* credit that was given is not taken back */
    rig_forget(&rig);
    rig_job(&rig, 1, 1);
    assert_int_equal(rig_count(&rig, PT_OUT_START), 1);
    rig_ready(&rig, 0);
    rig_result(&rig, 0, 100);
    assert_string_equal(rig_ending(&rig)->status, "completed");
    rig_close(&rig);
}

static void duplicate_of_a_running_job_is_dropped(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 1);
    rig_job(&rig, 1, 1);
    assert_int_equal(rig.count, 0);
    rig_tick(&rig);
    assert_int_equal(rig_credit(&rig), 2 + 2); /* the broker counted it as sent */
    rig_close(&rig);
}

static void duplicate_of_an_unsettled_job_is_dropped(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_job(&rig, 1);
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
    rig_open_job(&rig, 1);
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
    rig_open_job(&rig, 1);
    rig_stop(&rig, 1, 1);
    assert_int_equal(rig_nth(&rig, PT_OUT_KILL, 0)->slot, 0);
    rig_result(&rig, 0, 100); /* it was quicker than the signal */
    rig_died(&rig, 0, (pt_death_t){.signal = SIGKILL});
    rig_run(&rig, 5000, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT) + rig_count_verb(&rig, PT_GONE), 0);
    rig_ready(&rig, 0);
    rig_tick(&rig);
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
    rig_open_job(&rig, 1);
    rig_result(&rig, 0, 100);
    rig_stop(&rig, 1, 1);
    rig_forget(&rig);
    rig_run(&rig, 60000, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    rig_close(&rig);
}

static void fullest_agent_still_says_a_hello_that_fits(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_slots(&rig, PT_SLOTS_MAX, 1);
    rig_tick(&rig);
    rig_welcome(&rig, 1);
    rig_tick(&rig);
    for (uint32_t n = 0; n < 3 * PT_SLOTS_MAX; n++) { /* all attempts of a few jobs */
        rig_job(&rig, (uint8_t)(n % 200), n + 1);
        rig_result(&rig, 0, 10);
        rig_forget(&rig);
        rig_tick(&rig);
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
        cmocka_unit_test(fullest_agent_still_says_a_hello_that_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
