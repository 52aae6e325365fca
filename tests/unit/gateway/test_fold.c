/* The recorder's rules, one promise a test. Times: created at 1,000, now 9,000 unless said. */
#include "tests/unit/unit.h"

#include "gateway/record/fold.h"

#define NOW 9000

static pt_row_t row_in(pt_state_t state)
{
    pt_row_t row = {.state = state, .attempt = 2, .created_at = 1000, .fraction = -1};
    strcpy(row.job_type, "humanization");
    if (state == PT_RUNNING)
        row.started_at = 2000;
    return row;
}

static pt_said_fact_t said(pt_said_t what, int64_t at)
{
    return (pt_said_fact_t){.said = what, .attempt = 2, .at = at, .started_at = at, .counts = true};
}

static pt_said_fact_t failure(bool retry)
{
    pt_said_fact_t fact = said(PT_SAID_ENDING, 5000);
    fact.retry = retry;
    strcpy(fact.code, "died_signal");
    strcpy(fact.message, "killed by signal 11");
    return fact;
}

static pt_fold_t fold(pt_row_t *row, pt_said_fact_t fact)
{
    return pt_fold(row, &fact, NOW, &pt_patience_default);
}

static void started_makes_a_job_run(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_OUT);
    pt_fold_t done = fold(&row, said(PT_SAID_STARTED, 3000));
    assert_true(done.changed);
    assert_string_equal(done.event.type, "started");
    assert_string_equal(done.event.status, "running");
    assert_int_equal(row.state, PT_RUNNING);
    assert_int_equal(row.started_at, 3000);
}

static void a_repeated_started_changes_nothing(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_RUNNING);
    pt_fold_t done = fold(&row, said(PT_SAID_STARTED, 3000));
    assert_false(done.changed);
    assert_int_equal(done.answer, PT_ANSWER_NONE);
    assert_int_equal(row.started_at, 2000);
}

static void completed_may_come_without_started(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_OUT);
    pt_said_fact_t fact = said(PT_SAID_ENDING, 5000);
    fact.completed = true;
    fact.started_at = 4000;
    pt_fold_t done = fold(&row, fact);
    assert_true(done.took_result);
    assert_int_equal(done.answer, PT_ANSWER_COMMITTED);
    assert_int_equal(row.state, PT_COMPLETED);
    assert_int_equal(row.started_at, 4000);
    assert_int_equal(row.completed_at, 5000);
}

static void times_keep_their_order_whatever_the_workers_clock_says(void **state)
{
    (void)state;
    const int64_t clocks[] = {0, 1, 999, 4000, 9001, 253402300799999999};
    for (size_t s = 0; s < 6; s++)
        for (size_t e = 0; e < 6; e++) {
            pt_row_t row = row_in(PT_OUT);
            fold(&row, said(PT_SAID_STARTED, clocks[s]));
            pt_said_fact_t fact = said(PT_SAID_ENDING, clocks[e]);
            fact.completed = true;
            fold(&row, fact);
            assert_int_equal(row.state, PT_COMPLETED);
            assert_true(row.created_at <= row.started_at && row.started_at <= row.completed_at);
            assert_true(row.completed_at <= NOW);
        }
}

static void a_database_clock_that_went_back_changes_no_order(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_RUNNING);
    row.created_at = NOW + 5000;
    row.started_at = NOW + 6000;
    pt_said_fact_t fact = said(PT_SAID_ENDING, NOW + 100);
    fact.completed = true;
    pt_fold_t done = fold(&row, fact);
    assert_int_equal(row.completed_at, NOW + 6000);
    assert_true(done.event.at >= row.created_at);
    pt_row_t lost = row_in(PT_RUNNING);
    lost.created_at = lost.started_at = NOW + 5000;
    assert_int_equal(fold(&lost, said(PT_SAID_LOST, 0)).event.at, NOW + 5000);
}

static void another_attempt_is_stale(void **state)
{
    (void)state;
    for (int attempt = 1; attempt <= 3; attempt += 2)
        for (int what = PT_SAID_STARTED; what <= PT_SAID_LOST; what++) {
            pt_row_t row = row_in(PT_RUNNING), before = row;
            pt_said_fact_t fact = said((pt_said_t)what, 5000);
            fact.completed = true;
            fact.attempt = (uint32_t)attempt;
            pt_fold_t done = fold(&row, fact);
            assert_false(done.changed);
            assert_int_equal(done.answer, PT_ANSWER_STALE);
            assert_memory_equal(&row, &before, sizeof row);
        }
}

static void an_ended_job_stays_as_it_is(void **state)
{
    (void)state;
    for (int ended = PT_COMPLETED; ended <= PT_CANCELED; ended++)
        for (int what = PT_SAID_STARTED; what <= PT_SAID_LOST; what++) {
            pt_row_t row = row_in((pt_state_t)ended), before = row;
            pt_fold_t done = fold(&row, said((pt_said_t)what, 5000));
            assert_int_equal(done.answer, PT_ANSWER_ENDED);
            assert_memory_equal(&row, &before, sizeof row);
        }
}

static void a_failure_that_may_be_retried_waits_for_its_backoff(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_RUNNING);
    pt_fold_t done = fold(&row, failure(true));
    assert_int_equal(row.state, PT_WAITING);
    assert_int_equal(row.attempt, 3);
    assert_int_equal(row.tries, 1);
    assert_int_equal(row.losses, 0);
    assert_int_equal(row.started_at, 2000);
    assert_int_equal(row.due_in_us, pt_patience_backoff(&pt_patience_default, &row.job_id, 1));
    assert_string_equal(done.event.type, "attempt_lost");
    assert_string_equal(done.event.status, "pending");
    assert_int_equal(done.event.attempt, 2);
    assert_int_equal(done.answer, PT_ANSWER_COMMITTED);
}

static void the_third_failure_is_the_last(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_RUNNING);
    row.tries = 2;
    pt_fold_t done = fold(&row, failure(true));
    assert_int_equal(row.state, PT_FAILED);
    assert_int_equal(row.tries, 3);
    assert_string_equal(row.code, "died_signal");
    assert_string_equal(row.message, "killed by signal 11 (tried 3 times)");
    assert_string_equal(done.event.message, row.message);
}

static void a_type_that_is_tried_once_fails_at_once(void **state)
{
    (void)state;
    pt_patience_t once = pt_patience_default;
    once.max_tries = 1;
    pt_row_t row = row_in(PT_RUNNING);
    pt_said_fact_t fact = failure(true);
    pt_fold(&row, &fact, NOW, &once);
    assert_int_equal(row.state, PT_FAILED);
}

static pt_said_fact_t expiry(void)
{
    pt_said_fact_t fact = said(PT_SAID_EXPIRED, 0);
    strcpy(fact.code, "not_served");
    strcpy(fact.message, "nobody serves it");
    return fact;
}

static void a_job_that_waited_too_long_fails_without_a_start(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_WAITING);
    pt_fold_t done = fold(&row, expiry());
    assert_int_equal(row.state, PT_FAILED);
    assert_int_equal(row.started_at, 0);
    assert_int_equal(row.completed_at, NOW);
    assert_int_equal(row.tries, 0);
    assert_int_equal(row.losses, 0);
    assert_string_equal(row.code, "not_served");
    assert_string_equal(done.event.type, "failed");
    assert_string_equal(done.event.code, "not_served");
    assert_int_equal(done.event.at, NOW);
}

static void a_job_that_was_handed_out_meanwhile_does_not_expire(void **state)
{
    (void)state;
    for (pt_state_t before = PT_OUT; before < PT_STATES; before++) {
        pt_row_t row = row_in(before);
        assert_false(fold(&row, expiry()).changed);
        assert_int_equal(row.state, before);
    }
    pt_row_t row = row_in(PT_WAITING);
    row.attempt = 3; /* and came back */
    assert_false(fold(&row, expiry()).changed);
}

static void a_failure_of_the_input_is_final_at_once(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_RUNNING);
    fold(&row, failure(false));
    assert_int_equal(row.state, PT_FAILED);
    assert_string_equal(row.message, "killed by signal 11");
}

static void a_refused_result_fails_its_job(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_RUNNING);
    pt_said_fact_t fact = failure(true);
    fact.refused = true;
    pt_fold_t done = fold(&row, fact);
    assert_int_equal(row.state, PT_FAILED);
    assert_false(done.took_result);
}

static void a_lost_worker_counts_apart_and_backs_off(void **state)
{
    (void)state;
    const int64_t seconds[] = {1, 2, 4, 8, 16, 32, 60, 60};
    for (uint32_t losses = 0; losses < 8; losses++) {
        pt_row_t row = row_in(PT_RUNNING);
        row.losses = losses;
        fold(&row, said(PT_SAID_LOST, 0));
        assert_int_equal(row.state, PT_WAITING);
        assert_int_equal(row.losses, losses + 1);
        assert_int_equal(row.tries, 0);
        assert_int_equal(row.attempt, 3);
        assert_int_equal(row.due_in_us, seconds[losses] * 1000000);
    }
}

static void the_twentieth_loss_is_the_last(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_RUNNING);
    row.losses = 19;
    pt_said_fact_t fact = said(PT_SAID_LOST, 0);
    strcpy(fact.code, "worker_lost");
    strcpy(fact.message, "silent");
    fold(&row, fact);
    assert_int_equal(row.state, PT_FAILED);
    assert_string_equal(row.message, "silent (its worker was lost 20 times)");
    assert_true(row.started_at <= row.completed_at);
}

static void a_job_that_did_not_run_is_not_to_blame(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_OUT);
    row.losses = 19;
    pt_said_fact_t fact = said(PT_SAID_LOST, 0);
    strcpy(fact.code, "worker_lost");
    pt_fold_t done = fold(&row, fact);
    assert_int_equal(row.state, PT_WAITING);
    assert_int_equal(row.losses, 19);
    assert_int_equal(row.due_in_us, 0);
    assert_string_equal(done.event.code, "not_started"); /* maybe no worker ever had it */
}

static void a_job_that_ran_names_the_worker(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_RUNNING);
    pt_said_fact_t fact = said(PT_SAID_LOST, 0);
    strcpy(fact.code, "worker_lost");
    assert_string_equal(fold(&row, fact).event.code, "worker_lost");
}

static void what_was_handed_back_before_it_ran_says_so(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_OUT);
    pt_said_fact_t fact = said(PT_SAID_LOST, 0);
    fact.counts = false;
    strcpy(fact.code, "handed_back");
    assert_string_equal(fold(&row, fact).event.code, "handed_back");
}

static void a_job_handed_back_is_not_to_blame(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_RUNNING);
    row.losses = 19;
    pt_said_fact_t fact = said(PT_SAID_LOST, 0);
    fact.counts = false;
    fold(&row, fact);
    assert_int_equal(row.state, PT_WAITING);
    assert_int_equal(row.losses, 19);
    assert_int_equal(row.due_in_us, 0);
}

static void the_same_progress_again_is_no_event(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_RUNNING);
    pt_said_fact_t fact = said(PT_SAID_PROGRESS, 5000);
    strcpy(fact.step, "grafting");
    fact.fraction = 0.5;
    assert_true(fold(&row, fact).changed);
    assert_false(fold(&row, fact).changed);
    fact.fraction = 0.6;
    pt_fold_t done = fold(&row, fact);
    assert_true(done.changed && done.event.has_progress);
    assert_string_equal(done.event.step, "grafting");
}

static void a_long_reason_is_cut_and_stays_text(void **state)
{
    (void)state;
    pt_row_t row = row_in(PT_RUNNING);
    row.tries = 2;
    pt_said_fact_t fact = failure(true);
    fact.message[0] = 0;
    for (int i = 0; i < PT_TEXT_MAX / 2; i++)
        strcat(fact.message, "é");
    fold(&row, fact);
    assert_true(pt_text_valid(row.message, strlen(row.message)));
    assert_non_null(strstr(row.message, "(tried 3 times)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(started_makes_a_job_run),
        cmocka_unit_test(a_repeated_started_changes_nothing),
        cmocka_unit_test(completed_may_come_without_started),
        cmocka_unit_test(times_keep_their_order_whatever_the_workers_clock_says),
        cmocka_unit_test(a_database_clock_that_went_back_changes_no_order),
        cmocka_unit_test(another_attempt_is_stale),
        cmocka_unit_test(an_ended_job_stays_as_it_is),
        cmocka_unit_test(a_failure_that_may_be_retried_waits_for_its_backoff),
        cmocka_unit_test(the_third_failure_is_the_last),
        cmocka_unit_test(a_type_that_is_tried_once_fails_at_once),
        cmocka_unit_test(a_job_that_waited_too_long_fails_without_a_start),
        cmocka_unit_test(a_job_that_was_handed_out_meanwhile_does_not_expire),
        cmocka_unit_test(a_failure_of_the_input_is_final_at_once),
        cmocka_unit_test(a_refused_result_fails_its_job),
        cmocka_unit_test(a_lost_worker_counts_apart_and_backs_off),
        cmocka_unit_test(the_twentieth_loss_is_the_last),
        cmocka_unit_test(a_job_that_did_not_run_is_not_to_blame),
        cmocka_unit_test(a_job_that_ran_names_the_worker),
        cmocka_unit_test(what_was_handed_back_before_it_ran_says_so),
        cmocka_unit_test(a_job_handed_back_is_not_to_blame),
        cmocka_unit_test(the_same_progress_again_is_no_event),
        cmocka_unit_test(a_long_reason_is_cut_and_stays_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
