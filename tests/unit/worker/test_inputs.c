/* The agent and inputs that do not fit into a message: fetched with the slot taken, before the job
 * starts. */
#include "rig.h"

#include "proto/chunks.h"

#define SIZE 300000 /* five chunks */

/* Job 1 has come, its inputs are asked for; what was said before is forgotten. */
static void open_fetching(rig_t *rig)
{
    rig_open_session(rig);
    rig_forget(rig);
    rig_job_large(rig, 1, 1, SIZE);
}

static void give_all(rig_t *rig, uint32_t attempt, bool damaged)
{
    for (uint64_t offset = 0; offset < SIZE; offset += PT_CHUNK_MAX)
        rig_chunk(rig, 1, attempt, SIZE, offset, damaged);
}

static void inputs_are_fetched_and_nothing_is_said_before(void **state)
{
    rig_t rig;
    (void)state;
    open_fetching(&rig);
    assert_int_equal(rig_count_verb(&rig, PT_FETCH), 4);
    assert_int_equal(rig_nth_verb(&rig, PT_FETCH, 3)->msg.offset, 3 * PT_CHUNK_MAX);
    assert_int_equal(rig_count_verb(&rig, PT_STATUS) + rig_count(&rig, PT_OUT_START), 0);
    give_all(&rig, 1, false);
    assert_int_equal(rig_count_verb(&rig, PT_FETCH), 5);
    assert_int_equal(rig_count(&rig, PT_OUT_START), 1);
    assert_string_equal(rig_last(&rig, PT_STATUS)->type, "started");
    rig_result(&rig, 0, 100);
    assert_string_equal(rig_last(&rig, PT_RESULT)->status, "completed");
    rig_close(&rig);
}

static void slot_is_taken_meanwhile(void **state)
{
    rig_t rig;
    (void)state;
    open_fetching(&rig);
    rig_job(&rig, 2, 1);
    rig_job(&rig, 3, 1);
    assert_int_equal(rig_count(&rig, PT_OUT_START), 2);
    assert_int_not_equal(rig_nth(&rig, PT_OUT_START, 0)->slot, 0);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    assert_int_equal(rig_count_verb(&rig, PT_CREDIT), 0); /* three received, no slot is free */
    rig_close(&rig);
}

static void stop_frees_the_slot_and_kills_nobody(void **state)
{
    rig_t rig;
    (void)state;
    open_fetching(&rig);
    rig_stop(&rig, 1, 1);
    assert_int_equal(rig_count(&rig, PT_OUT_KILL), 0);
    give_all(&rig, 1, false);
    assert_int_equal(rig_count(&rig, PT_OUT_START), 0);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    assert_int_equal(rig_credit(&rig), 1 + SLOTS);
    rig_close(&rig);
}

static void newer_attempt_takes_its_place(void **state)
{
    rig_t rig;
    (void)state;
    open_fetching(&rig);
    rig_job_large(&rig, 1, 2, SIZE);
    assert_int_equal(rig_count_verb(&rig, PT_FETCH), 8);
    give_all(&rig, 1, false);
    assert_int_equal(rig_count(&rig, PT_OUT_START), 0);
    give_all(&rig, 2, false);
    assert_int_equal(rig_last(&rig, PT_STATUS)->attempt, 2);
    rig_close(&rig);
}

static void same_job_twice_is_one(void **state)
{
    rig_t rig;
    (void)state;
    open_fetching(&rig);
    rig_job_large(&rig, 1, 1, SIZE);
    assert_int_equal(rig_count_verb(&rig, PT_FETCH), 4);
    rig_close(&rig);
}

static void fetch_goes_on_in_the_next_session(void **state)
{
    rig_t rig;
    (void)state;
    open_fetching(&rig);
    rig_chunk(&rig, 1, 1, SIZE, 0, false);
    rig_hello_again(&rig, NULL);
    rig_run(&rig, 100, 0);
    assert_int_equal(rig_last(&rig, PT_HELLO)->leases.count, 1);
    rig_forget(&rig);
    rig_welcome(&rig, 2);
    assert_int_equal(rig_count_verb(&rig, PT_FETCH), 4); /* of four that are left */
    assert_int_equal(rig_nth_verb(&rig, PT_FETCH, 0)->msg.offset, PT_CHUNK_MAX);
    assert_memory_equal(rig_last(&rig, PT_FETCH)->session, rig.session, PT_SESSION_SIZE);
    assert_int_equal(rig_count_verb(&rig, PT_STATUS), 0); /* nor is it repeated as running */
    give_all(&rig, 1, false);
    assert_int_equal(rig_count(&rig, PT_OUT_START), 1);
    rig_close(&rig);
}

static void what_does_not_come_is_asked_again_and_handed_back_in_the_end(void **state)
{
    rig_t rig;
    (void)state;
    open_fetching(&rig);
    rig_run(&rig, 3500, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_FETCH), 8);
    rig_run(&rig, 60000, 1000);
    assert_true(rig_last(&rig, PT_GONE)->handed_back);
    assert_int_equal(rig_credit(&rig), 1 + SLOTS);
    rig_close(&rig);
}

static void shutdown_hands_it_back_at_once(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_grace(&rig, 30000);
    rig_forget(&rig);
    rig_job_large(&rig, 1, 1, SIZE);
    rig_shutdown(&rig);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    assert_true(rig_last(&rig, PT_GONE)->handed_back);
    assert_int_equal(rig_count(&rig, PT_OUT_KILL), 0);
    rig_close(&rig);
}

static void damaged_inputs_fail_after_a_second_time(void **state)
{
    rig_t rig;
    (void)state;
    open_fetching(&rig);
    give_all(&rig, 1, true);
    assert_int_equal(rig_count_verb(&rig, PT_FETCH), 9);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    give_all(&rig, 1, true);
    assert_string_equal(rig_last(&rig, PT_RESULT)->code, "inputs_damaged");
    assert_true(rig_last(&rig, PT_RESULT)->retry);
    assert_int_equal(rig_count(&rig, PT_OUT_START), 0);
    rig_job(&rig, 2, 1);
    assert_int_equal(rig_nth(&rig, PT_OUT_START, 0)->slot, 0);
    rig_close(&rig);
}

static void process_that_dies_meanwhile_is_not_the_jobs_death(void **state)
{
    rig_t rig;
    (void)state;
    open_fetching(&rig);
    rig_died(&rig, 0, (pt_death_t){.signal = 9});
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    give_all(&rig, 1, false);
    assert_int_equal(rig_nth(&rig, PT_OUT_START, 0)->slot, 0); /* written once it is up again */
    rig_ready(&rig, 0);
    rig_result(&rig, 0, 100);
    assert_string_equal(rig_last(&rig, PT_RESULT)->status, "completed");
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_are_fetched_and_nothing_is_said_before),
        cmocka_unit_test(slot_is_taken_meanwhile),
        cmocka_unit_test(stop_frees_the_slot_and_kills_nobody),
        cmocka_unit_test(newer_attempt_takes_its_place),
        cmocka_unit_test(same_job_twice_is_one),
        cmocka_unit_test(fetch_goes_on_in_the_next_session),
        cmocka_unit_test(what_does_not_come_is_asked_again_and_handed_back_in_the_end),
        cmocka_unit_test(shutdown_hands_it_back_at_once),
        cmocka_unit_test(damaged_inputs_fail_after_a_second_time),
        cmocka_unit_test(process_that_dies_meanwhile_is_not_the_jobs_death),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
