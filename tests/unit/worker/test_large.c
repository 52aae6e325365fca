/* The agent and results that do not fit into an ending: kept outside, named, fetched, forgotten. */
#include "rig.h"

#include <string.h>

#define FRAME 25 /* what an ending's map has beside the results: its keys, no versions */
#define LARGE (200000 - FRAME) /* results, of a payload of 200,000 bytes: four chunks */

/* Job 1 in slot 0 has ended with that many bytes of results; what was said before is forgotten. */
static void open_with_result(rig_t *rig, size_t size)
{
    rig_open_session(rig);
    rig_job(rig, 1, 1);
    rig_forget(rig);
    rig_result(rig, 0, size);
}

static void open_spooled(rig_t *rig)
{
    open_with_result(rig, LARGE);
    rig_spooled(rig, 1, 1, NULL);
}

static void result_that_fits_rides_in_its_ending(void **state)
{
    rig_t rig;
    (void)state;
    open_with_result(&rig, PT_PAYLOAD_MAX - FRAME);
    assert_string_equal(rig_last(&rig, PT_RESULT)->status, "completed");
    assert_false(pt_msg_has(rig_last(&rig, PT_RESULT), PT_F_SIZE));
    assert_int_equal(rig_nth_verb(&rig, PT_RESULT, 0)->payload_size, PT_PAYLOAD_MAX);
    rig_close(&rig);
}

static void larger_result_is_kept_and_its_ending_names_it(void **state)
{
    rig_t rig;
    (void)state;
    open_with_result(&rig, PT_PAYLOAD_MAX - FRAME + 1);
    assert_int_equal(rig_nth(&rig, PT_OUT_SPOOL, 0)->payload_size, PT_PAYLOAD_MAX + 1);
    assert_int_equal(rig_nth(&rig, PT_OUT_SPOOL, 0)->job, rig_id(1).bytes[0]);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0); /* not before it can be fetched */
    rig_run(&rig, 2000, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    rig_spooled(&rig, 1, 1, NULL);
    const pt_msg_t *result = rig_last(&rig, PT_RESULT);
    assert_string_equal(result->status, "completed");
    assert_int_equal(result->size, PT_PAYLOAD_MAX + 1);
    assert_int_equal(result->digest[31], 9);
    assert_int_equal(rig_nth_verb(&rig, PT_RESULT, 0)->payload_size, 0);
    rig_forget(&rig);
    rig_run(&rig, 3500, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 2); /* again after 1 and 2 s, as any other */
    rig_close(&rig);
}

static void slot_is_free_while_its_result_is_written(void **state)
{
    rig_t rig;
    (void)state;
    open_with_result(&rig, LARGE);
    rig_job(&rig, 2, 1);
    assert_int_equal(rig_nth(&rig, PT_OUT_START, 0)->slot, 0);
    rig_close(&rig);
}

static void result_that_is_being_written_is_named_at_hello(void **state)
{
    rig_t rig;
    (void)state;
    open_with_result(&rig, LARGE);
    rig_forget(&rig);
    rig_hello_again(&rig, NULL);
    rig_run(&rig, 100, 0);
    assert_int_equal(rig_last(&rig, PT_HELLO)->unsettled.count, 1);
    rig_spooled(&rig, 1, 1, NULL); /* out of session: said once there is one */
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    rig_welcome(&rig, 2);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 1);
    rig_close(&rig);
}

static void result_above_64_mib_fails_with_both_sizes(void **state)
{
    rig_t rig;
    (void)state;
    open_with_result(&rig, PT_LARGE_MAX - FRAME + 1);
    assert_string_equal(rig_last(&rig, PT_RESULT)->code, "result_too_large");
    assert_false(rig_last(&rig, PT_RESULT)->retry);
    assert_non_null(strstr(rig_last(&rig, PT_RESULT)->message, "67108865 bytes; at most 67108864"));
    assert_int_equal(rig_count(&rig, PT_OUT_SPOOL), 0);
    rig_job(&rig, 2, 1); /* the pipeline is well */
    assert_int_equal(rig_nth(&rig, PT_OUT_START, 0)->slot, 0);
    rig_close(&rig);
}

static void message_too_large_to_be_read_fails_its_job_for_good(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_job(&rig, 1, 1);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_GARBAGE, .why = "much", .too_large = true});
    assert_string_equal(rig_last(&rig, PT_RESULT)->code, "result_too_large");
    assert_false(rig_last(&rig, PT_RESULT)->retry);
    assert_int_equal(rig_count(&rig, PT_OUT_KILL), 1);
    rig_close(&rig);
}

static void what_cannot_be_kept_fails_and_may_be_tried_again(void **state)
{
    rig_t rig;
    (void)state;
    open_with_result(&rig, LARGE);
    rig_spooled(&rig, 1, 1, "No space left on device");
    const pt_msg_t *result = rig_last(&rig, PT_RESULT);
    assert_string_equal(result->status, "failed");
    assert_string_equal(result->code, "spool_failed");
    assert_true(result->retry);
    assert_false(pt_msg_has(result, PT_F_SIZE));
    assert_non_null(strstr(result->message, "200000 bytes: No space left on device"));
    rig_settle(&rig, 1, 1, "committed");
    assert_int_equal(rig_count(&rig, PT_OUT_UNSPOOL), 0);
    rig_close(&rig);
}

static void chunks_are_answered_from_what_is_kept(void **state)
{
    rig_t rig;
    (void)state;
    open_spooled(&rig);
    rig_fetch(&rig, 1, 1, PT_CHUNK_MAX);
    rig_fetch(&rig, 1, 1, 3 * PT_CHUNK_MAX);
    assert_int_equal(rig_count(&rig, PT_OUT_CHUNK), 2);
    const rig_output_t *chunk = rig_nth(&rig, PT_OUT_CHUNK, 0);
    assert_int_equal(chunk->msg.verb, PT_CHUNK);
    assert_int_equal(chunk->msg.offset, PT_CHUNK_MAX);
    assert_memory_equal(chunk->msg.session, rig.session, PT_SESSION_SIZE);
    assert_int_equal(chunk->bytes, PT_CHUNK_MAX);
    assert_int_equal(rig_nth(&rig, PT_OUT_CHUNK, 1)->bytes, 200000 - 3 * PT_CHUNK_MAX);
    rig_close(&rig);
}

static void fetch_of_what_nobody_named_is_not_answered(void **state)
{
    rig_t rig;
    (void)state;
    open_with_result(&rig, LARGE);
    rig_fetch(&rig, 1, 1, 0); /* not written yet */
    rig_spooled(&rig, 1, 1, NULL);
    rig_fetch(&rig, 1, 1, 4 * PT_CHUNK_MAX);
    rig_fetch(&rig, 1, 1, 5);
    rig_job(&rig, 2, 1);
    rig_fetch(&rig, 2, 1, 0); /* it runs */
    assert_int_equal(rig_count(&rig, PT_OUT_CHUNK) + rig_count_verb(&rig, PT_GONE), 0);
    rig_close(&rig);
}

static void who_has_nothing_says_gone_and_takes_the_blame(void **state)
{
    rig_t rig;
    (void)state;
    rig_open_session(&rig);
    rig_fetch(&rig, 1, 1, 0);
    assert_true(rig_last(&rig, PT_GONE)->certain);
    assert_false(rig_last(&rig, PT_GONE)->handed_back);
    rig_close(&rig);
}

static void file_that_cannot_be_read_is_gone_and_forgotten(void **state)
{
    rig_t rig;
    (void)state;
    open_spooled(&rig);
    rig_forget(&rig);
    rig_unreadable(&rig, 1, 1, "Input/output error");
    assert_true(rig_last(&rig, PT_GONE)->certain);
    assert_false(rig_last(&rig, PT_GONE)->handed_back);
    assert_string_equal(rig_last(&rig, PT_GONE)->reason, "Input/output error");
    assert_int_equal(rig_count(&rig, PT_OUT_UNSPOOL), 1);
    rig_run(&rig, 40000, 1000);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    rig_close(&rig);
}

static void file_goes_when_the_ending_is_settled_or_nobody_wants_it(void **state)
{
    rig_t rig;
    (void)state;
    open_spooled(&rig);
    rig_settle(&rig, 1, 1, "committed");
    assert_int_equal(rig_nth(&rig, PT_OUT_UNSPOOL, 0)->job, rig_id(1).bytes[0]);
    rig_job(&rig, 2, 1);
    rig_result(&rig, 0, LARGE);
    rig_stop(&rig, 2, 1); /* while it is being written */
    assert_int_equal(rig_nth(&rig, PT_OUT_UNSPOOL, 1)->job, rig_id(2).bytes[0]);
    rig_forget(&rig);
    rig_spooled(&rig, 2, 1, NULL);
    assert_int_equal(rig_count_verb(&rig, PT_RESULT), 0);
    rig_close(&rig);
}

static void results_of_64_mib_that_nobody_settles_stop_credit(void **state)
{
    rig_t rig;
    (void)state;
    open_with_result(&rig, 40u << 20);
    rig_spooled(&rig, 1, 1, NULL);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    assert_int_equal(rig_credit(&rig), 4); /* one received, three slots free again */
    rig_job(&rig, 2, 1);
    rig_result(&rig, 0, 30u << 20);
    rig_forget(&rig);
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    assert_int_equal(rig_count_verb(&rig, PT_CREDIT), 0); /* also while it is being written */
    rig_settle(&rig, 1, 1, "committed");
    rig_step(&rig, &(pt_input_t){.kind = PT_IN_TICK});
    assert_int_equal(rig_credit(&rig), 5);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(result_that_fits_rides_in_its_ending),
        cmocka_unit_test(larger_result_is_kept_and_its_ending_names_it),
        cmocka_unit_test(slot_is_free_while_its_result_is_written),
        cmocka_unit_test(result_that_is_being_written_is_named_at_hello),
        cmocka_unit_test(result_above_64_mib_fails_with_both_sizes),
        cmocka_unit_test(message_too_large_to_be_read_fails_its_job_for_good),
        cmocka_unit_test(what_cannot_be_kept_fails_and_may_be_tried_again),
        cmocka_unit_test(chunks_are_answered_from_what_is_kept),
        cmocka_unit_test(fetch_of_what_nobody_named_is_not_answered),
        cmocka_unit_test(who_has_nothing_says_gone_and_takes_the_blame),
        cmocka_unit_test(file_that_cannot_be_read_is_gone_and_forgotten),
        cmocka_unit_test(file_goes_when_the_ending_is_settled_or_nobody_wants_it),
        cmocka_unit_test(results_of_64_mib_that_nobody_settles_stop_credit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
