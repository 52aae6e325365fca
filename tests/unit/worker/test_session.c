/* The agent and its broker: hello, welcome, beats, silence, another broker, shutdown. */
#include "rig.h"

#include <string.h>

static void assert_ref(const pt_refs_t *refs, size_t n, uint8_t job, uint32_t attempt)
{
    assert_true(n < refs->count);
    assert_int_equal(refs->items[n].job_id.bytes[0], job);
    assert_int_equal(refs->items[n].attempt, attempt);
    assert_string_equal(refs->items[n].job_type, TYPE);
}

static void first_it_connects_and_says_hello(void **state)
{
    rig_t rig;
    (void)state;
    rig_open(&rig);
    assert_int_equal(rig.count, 0);
    rig_tick(&rig);
    assert_int_equal(rig_nth(&rig, PT_OUT_CONNECT, 0)->broker, 0);
    const pt_msg_t *hello = rig_last(&rig, PT_HELLO);
    assert_string_equal(hello->role, "worker");
    assert_string_equal(hello->machine, "tested");
    assert_int_equal(hello->instance.bytes[0], 200);
    assert_int_equal(pt_counts_get(&hello->slots, TYPE), SLOTS);
    assert_int_equal(hello->leases.count + hello->unsettled.count, 0);
    assert_false(pt_msg_has(hello, PT_F_SESSION));
    rig_close(&rig);
}

static void hello_is_repeated_three_times_then_the_next_broker_is_asked(void **state)
{
    rig_t rig;
    (void)state;
    rig_open(&rig);
    rig_run(&rig, 2999, 0);
    assert_int_equal(rig_count_verb(&rig, PT_HELLO), 3);
    assert_int_equal(rig_count(&rig, PT_OUT_CONNECT), 1);
    rig_run(&rig, 1, 0);
    assert_int_equal(rig_nth(&rig, PT_OUT_CONNECT, 1)->broker, 1);
    rig_run(&rig, 3000, 0);
    assert_int_equal(rig_nth(&rig, PT_OUT_CONNECT, 2)->broker, 0);
    assert_int_equal(rig_count(&rig, PT_OUT_SEND), rig_count_verb(&rig, PT_HELLO));
    rig_close(&rig);
}

static void hello_that_could_not_be_sent_is_said_again_soon(void **state)
{
    rig_t rig;
    (void)state;
    rig_open(&rig);
    rig_tick(&rig);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_SEND_FAILED});
    rig_run(&rig, 50, 0);
    assert_int_equal(rig_count_verb(&rig, PT_HELLO), 2);
    assert_int_equal(rig_count(&rig, PT_OUT_CONNECT), 1);
    rig_close(&rig);
}

static void welcome_brings_beat_and_credit(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    assert_int_equal(rig_credit(&rig), SLOTS);
    rig_forget(&rig);
    rig_run(&rig, 10000, 1000);
    assert_in_range(rig_count_verb(&rig, PT_BEAT), 10, 11);
    assert_memory_equal(rig_last(&rig, PT_BEAT)->session, rig.session, PT_SESSION_SIZE);
    assert_int_equal(rig_count_verb(&rig, PT_HELLO), 0);
    assert_int_equal(rig_count_verb(&rig, PT_CREDIT), 0);
    rig_close(&rig);
}

static void alive_often_after_a_connect_then_each_interval(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_run(&rig, 1999, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_ALIVE), 20);
    rig_forget(&rig);
    rig_run(&rig, 10000, 1000);
    assert_in_range(rig_count_verb(&rig, PT_ALIVE), 10, 11);
    rig_close(&rig);
}

static void silence_of_three_intervals_moves_it_to_the_next_broker(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_forget(&rig);
    rig_run(&rig, 2999, 0);
    assert_int_equal(rig_count(&rig, PT_OUT_CONNECT), 0);
    rig_run(&rig, 1, 0);
    assert_int_equal(rig_nth(&rig, PT_OUT_CONNECT, 0)->broker, 1);
    assert_int_equal(rig_count_verb(&rig, PT_HELLO), 1);
    rig_close(&rig);
}

static void beats_of_another_session_are_no_sign_of_life(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_forget(&rig);
    memset(rig.session, 9, sizeof rig.session);
    rig_run(&rig, 3000, 500);
    assert_int_equal(rig_count(&rig, PT_OUT_CONNECT), 1);
    rig_close(&rig);
}

static void messages_of_another_session_are_dropped(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_forget(&rig);
    memset(rig.session, 9, sizeof rig.session);
    rig_job(&rig, 1, 1);
    rig_tick(&rig);
    assert_int_equal(rig.count, 0);
    rig_close(&rig);
}

static void own_pause_is_not_the_brokers_silence(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_run(&rig, 500, 0);
    rig_forget(&rig);
    rig.now.ms += 10000;
    rig_tick(&rig);
    assert_int_equal(rig_count(&rig, PT_OUT_CONNECT), 0);
    rig_run(&rig, 2400, 0);
    assert_int_equal(rig_count(&rig, PT_OUT_CONNECT), 0);
    rig_run(&rig, 600, 0);
    assert_int_equal(rig_count(&rig, PT_OUT_CONNECT), 1);
    rig_close(&rig);
}

static void asked_for_a_new_hello_it_opens_a_new_socket_at_once(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_forget(&rig);
    rig_hello_again(&rig, NULL);
    rig_tick(&rig);
    assert_int_equal(rig_nth(&rig, PT_OUT_CONNECT, 0)->broker, 0);
    assert_int_equal(rig_count_verb(&rig, PT_HELLO), 1);
    rig_close(&rig);
}

static void refused_with_a_reason_it_waits_an_interval_and_after_three_leaves(void **state)
{
    rig_t rig;
    (void)state;
    rig_open(&rig);
    rig_tick(&rig);
    for (size_t i = 0; i < 3; i++) {
        rig_forget(&rig);
        rig_hello_again(&rig, "too many workers");
        assert_int_equal(rig_nth(&rig, PT_OUT_CONNECT, 0)->broker, i == 2);
        rig_run(&rig, 999, 0);
        assert_int_equal(rig_count_verb(&rig, PT_HELLO), 0);
        rig_run(&rig, 1, 0);
        assert_int_equal(rig_count_verb(&rig, PT_HELLO), 1);
    }
    rig_close(&rig);
}

static void bye_of_the_broker_moves_it_to_the_next(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_forget(&rig);
    rig_bye(&rig);
    assert_int_equal(rig_nth(&rig, PT_OUT_CONNECT, 0)->broker, 1);
    rig_close(&rig);
}

static void lost_connection_begins_again_and_running_jobs_go_on(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 1);
    rig_forget(&rig);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_SEND_FAILED});
    rig_tick(&rig);
    assert_int_equal(rig_nth(&rig, PT_OUT_CONNECT, 0)->broker, 0);
    assert_int_equal(rig_count(&rig, PT_OUT_KILL), 0);
    assert_ref(&rig_last(&rig, PT_HELLO)->leases, 0, 1, 1);
    rig_close(&rig);
}

static void hello_names_leases_and_unsettled_endings(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 4);
    rig_job(&rig, 2, 1);
    rig_result(&rig, 0, 100);
    rig_forget(&rig);
    rig_run(&rig, 3000, 0);
    const pt_msg_t *hello = rig_last(&rig, PT_HELLO);
    assert_int_equal(hello->leases.count, 1);
    assert_ref(&hello->leases, 0, 2, 1);
    assert_int_equal(hello->unsettled.count, 1);
    assert_ref(&hello->unsettled, 0, 1, 4);
    rig_close(&rig);
}

static void welcome_makes_it_repeat_statuses_and_endings_at_once(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 1);
    rig_job(&rig, 2, 1);
    rig_job(&rig, 3, 1);
    rig_progress(&rig, 1, "grafting", 0.5);
    rig_result(&rig, 2, 100);
    rig_run(&rig, 7500, 1000); /* by then it waits 8 s before it says the ending again */
    rig_hello_again(&rig, NULL);
    rig_forget(&rig);
    rig_welcome(&rig, 2);
    assert_int_equal(rig_count_verb(&rig, PT_STATUS), 2);
    assert_string_equal(rig_nth_verb(&rig, PT_STATUS, 0)->msg.type, "started");
    const pt_msg_t *progress = &rig_nth_verb(&rig, PT_STATUS, 1)->msg;
    assert_string_equal(progress->type, "progress");
    assert_string_equal(progress->step, "grafting");
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 1);
    assert_int_equal(rig_last(&rig, PT_RESULT)->job_id.bytes[0], 3);
    rig_close(&rig);
}

static void new_session_counts_credit_from_nothing(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 1);
    rig_job(&rig, 2, 1);
    rig_run(&rig, 3000, 0);
    rig_forget(&rig);
    rig_welcome(&rig, 2);
    rig_tick(&rig);
    assert_int_equal(rig_credit(&rig), SLOTS - 2);
    rig_close(&rig);
}

static void without_a_session_endings_are_kept_and_not_said(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 1);
    rig_run(&rig, 3000, 0);
    rig_forget(&rig);
    rig_result(&rig, 0, 100);
    rig_run(&rig, 2000, 0);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    rig_welcome(&rig, 2);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 1);
    rig_close(&rig);
}

static void shutdown_hands_back_says_bye_and_exits(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 7);
    rig_forget(&rig);
    rig_shutdown(&rig);
    rig_tick(&rig);
    const pt_msg_t *gone = rig_last(&rig, PT_GONE);
    assert_int_equal(gone->job_id.bytes[0], 1);
    assert_int_equal(gone->attempt, 7);
    assert_true(gone->certain);
    assert_true(gone->handed_back);
    assert_string_equal(gone->reason, "worker is shutting down");
    assert_int_equal(rig_count(&rig, PT_OUT_KILL), 1);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    assert_int_equal(rig_count_verb(&rig, PT_CREDIT), 0);
    assert_int_equal(rig_count_verb(&rig, PT_BYE), 1);
    assert_int_equal(rig.done[rig.count - 1].kind, PT_OUT_EXIT);
    rig_close(&rig);
}

static void shutdown_waits_for_settlement_and_leaves_with_the_last(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 1);
    rig_result(&rig, 0, 100);
    rig_forget(&rig);
    rig_shutdown(&rig);
    rig_run(&rig, 500, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 1);
    assert_int_equal(rig_count_verb(&rig, PT_CREDIT), 0);
    assert_int_equal(rig_count(&rig, PT_OUT_EXIT), 0);
    rig_settle(&rig, 1, 1, "committed");
    rig_tick(&rig);
    assert_int_equal(rig_count_verb(&rig, PT_BYE), 1);
    assert_int_equal(rig_count(&rig, PT_OUT_EXIT), 1);
    rig_close(&rig);
}

static void shutdown_waits_two_seconds_and_no_longer(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 1);
    rig_result(&rig, 0, 100);
    rig_shutdown(&rig);
    rig_run(&rig, 1999, 1000);
    assert_int_equal(rig_count(&rig, PT_OUT_EXIT), 0);
    rig_run(&rig, 1, 1000);
    assert_int_equal(rig_count(&rig, PT_OUT_EXIT), 1);
    rig_close(&rig);
}

static void open_with_grace(rig_t *rig, int64_t grace_ms)
{
    rig_open_grace(rig, grace_ms);
    rig_job(rig, 1, 1);
    rig_forget(rig);
    rig_shutdown(rig);
}

static void what_runs_may_finish_within_the_grace_and_is_settled(void **state)
{
    rig_t rig;
    (void)state;
    open_with_grace(&rig, 30000);
    rig_run(&rig, 29000, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_GONE) + rig_count(&rig, PT_OUT_KILL), 0);
    assert_int_equal(rig_count_verb(&rig, PT_CREDIT), 0);
    rig_result(&rig, 0, 100);
    rig_run(&rig, 1999, 1000); /* beyond the grace: the ending has two seconds of its own */
    assert_int_equal(rig_count(&rig, PT_OUT_EXIT), 0);
    rig_settle(&rig, 1, 1, "committed");
    rig_tick(&rig);
    assert_int_equal(rig_count_verb(&rig, PT_BYE), 1);
    assert_int_equal(rig_count(&rig, PT_OUT_EXIT), 1);
    rig_close(&rig);
}

static void what_does_not_finish_within_the_grace_is_handed_back(void **state)
{
    rig_t rig;
    (void)state;
    open_with_grace(&rig, 30000);
    rig_run(&rig, 29999, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_GONE), 0);
    rig_run(&rig, 1, 1000);
    assert_true(rig_last(&rig, PT_GONE)->handed_back);
    assert_int_equal(rig_count(&rig, PT_OUT_KILL), 1);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    assert_int_equal(rig_count(&rig, PT_OUT_EXIT), 1); /* nothing to settle */
    rig_close(&rig);
}

static void endings_wait_for_settlement_as_long_as_the_grace_lasts(void **state)
{
    rig_t rig;
    (void)state;
    open_with_grace(&rig, 30000);
    rig_result(&rig, 0, 100);
    rig_run(&rig, 29999, 1000);
    assert_int_equal(rig_count(&rig, PT_OUT_EXIT), 0);
    rig_run(&rig, 1, 1000);
    assert_int_equal(rig_count(&rig, PT_OUT_EXIT), 1);
    rig_close(&rig);
}

static void job_whose_inputs_are_on_their_way_is_handed_back_at_once(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_grace(&rig, 30000);
    rig_job_large(&rig, 1, 1, 100000);
    rig_forget(&rig);
    rig_shutdown(&rig);
    rig_tick(&rig);
    assert_true(rig_last(&rig, PT_GONE)->handed_back);
    assert_int_equal(rig_count(&rig, PT_OUT_EXIT), 1);
    rig_close(&rig);
}

static void job_that_comes_during_shutdown_is_handed_back(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 1);
    rig_result(&rig, 0, 100);
    rig_shutdown(&rig);
    rig_forget(&rig);
    rig_job(&rig, 2, 1);
    assert_int_equal(rig_count(&rig, PT_OUT_START), 0);
    assert_int_equal(rig_last(&rig, PT_GONE)->job_id.bytes[0], 2);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_it_connects_and_says_hello),
        cmocka_unit_test(hello_is_repeated_three_times_then_the_next_broker_is_asked),
        cmocka_unit_test(hello_that_could_not_be_sent_is_said_again_soon),
        cmocka_unit_test(welcome_brings_beat_and_credit),
        cmocka_unit_test(alive_often_after_a_connect_then_each_interval),
        cmocka_unit_test(silence_of_three_intervals_moves_it_to_the_next_broker),
        cmocka_unit_test(beats_of_another_session_are_no_sign_of_life),
        cmocka_unit_test(messages_of_another_session_are_dropped),
        cmocka_unit_test(own_pause_is_not_the_brokers_silence),
        cmocka_unit_test(asked_for_a_new_hello_it_opens_a_new_socket_at_once),
        cmocka_unit_test(refused_with_a_reason_it_waits_an_interval_and_after_three_leaves),
        cmocka_unit_test(bye_of_the_broker_moves_it_to_the_next),
        cmocka_unit_test(lost_connection_begins_again_and_running_jobs_go_on),
        cmocka_unit_test(hello_names_leases_and_unsettled_endings),
        cmocka_unit_test(welcome_makes_it_repeat_statuses_and_endings_at_once),
        cmocka_unit_test(new_session_counts_credit_from_nothing),
        cmocka_unit_test(without_a_session_endings_are_kept_and_not_said),
        cmocka_unit_test(shutdown_hands_back_says_bye_and_exits),
        cmocka_unit_test(shutdown_waits_for_settlement_and_leaves_with_the_last),
        cmocka_unit_test(shutdown_waits_two_seconds_and_no_longer),
        cmocka_unit_test(what_runs_may_finish_within_the_grace_and_is_settled),
        cmocka_unit_test(what_does_not_finish_within_the_grace_is_handed_back),
        cmocka_unit_test(endings_wait_for_settlement_as_long_as_the_grace_lasts),
        cmocka_unit_test(job_whose_inputs_are_on_their_way_is_handed_back_at_once),
        cmocka_unit_test(job_that_comes_during_shutdown_is_handed_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
