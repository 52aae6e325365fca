/* Queue and leases: PROTOCOL.md, section 5. */
#include "world.h"

#include <string.h>

static world_t world;

static int set_up(void **state)
{
    (void)state;
    world_open(&world, 2);
    add_gateway(&world, G(0));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void expect_order(const uint64_t *jobs)
{
    for (size_t n = 0; jobs[n]; n++) {
        pt_uuid_t job = uuid_of(jobs[n]);
        assert_non_null(said(&world, W(0), PT_JOB, n));
        assert_memory_equal(&said(&world, W(0), PT_JOB, n)->msg.job_id, &job, sizeof job);
    }
}

static void job_reaches_a_worker_as_it_was_sent(void **state)
{
    (void)state;
    add_worker(&world, W(0), 1);
    say_job(&world, G(0), 42, 7, 3);
    const said_t *job = said_of(&world, W(0), PT_JOB, 42);
    pt_uuid_t org = uuid_of(7);
    assert_non_null(job);
    assert_int_equal(job->msg.attempt, 3);
    assert_string_equal(job->msg.job_type, TYPE);
    assert_memory_equal(&job->msg.org_id, &org, sizeof org);
    assert_memory_equal(job->payload, "inputs 42", job->size);
    assert_memory_equal(job->msg.session, world.sessions[W(0)], PT_SESSION_SIZE);
}

static void large_inputs_are_named_to_the_worker(void **state)
{
    (void)state;
    pt_msg_t msg;
    add_worker(&world, W(0), 1);
    pt_msg_init(&msg, PT_JOB);
    msg.job_id = uuid_of(42);
    msg.attempt = 1;
    msg.size = 70000;
    memset(msg.digest, 0xab, PT_DIGEST_SIZE);
    pt_msg_set(&msg, PT_F_SIZE);
    pt_msg_set(&msg, PT_F_DIGEST);
    pt_msg_set_text(&msg, PT_F_JOB_TYPE, TYPE);
    world_step(&world, G(0), &msg, NULL);
    const said_t *job = said_of(&world, W(0), PT_JOB, 42);
    assert_true(pt_msg_has(&job->msg, PT_F_SIZE) && pt_msg_has(&job->msg, PT_F_DIGEST));
    assert_int_equal(job->msg.size, 70000);
    assert_memory_equal(job->msg.digest, msg.digest, PT_DIGEST_SIZE);
    assert_int_equal(job->size, 0);
}

static void say_job_of(uint64_t job, uint64_t org, uint64_t priority, uint64_t weight)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_JOB);
    msg.job_id = uuid_of(job);
    msg.org_id = uuid_of(org);
    msg.attempt = 1;
    msg.priority = priority;
    msg.weight = weight;
    pt_msg_set(&msg, PT_F_PRIORITY);
    pt_msg_set(&msg, PT_F_WEIGHT);
    pt_msg_set_text(&msg, PT_F_JOB_TYPE, TYPE);
    world_step(&world, G(0), &msg, "inputs");
}

static void priority_and_weight_order_the_queue(void **state)
{
    (void)state;
    occupy(&world, 1);
    for (uint64_t job = 10; job < 13; job++)
        say_job_of(job, 1, PT_PRIORITY_NORMAL, 2);
    say_job_of(20, 2, 2, 1);
    say_job(&world, G(0), 21, 2, 1); /* says neither */
    say_job_of(22, 2, 0, 1);
    for (uint64_t credit = 2; credit <= 7; credit++)
        say_credit(&world, W(0), credit);
    expect_order((const uint64_t[]){10, 22, 11, 21, 12, 20, 0});
}

static void organisations_take_turns(void **state)
{
    (void)state;
    occupy(&world, 1);
    for (uint64_t job = 10; job < 14; job++)
        say_job(&world, G(0), job, 1, 1);
    say_job(&world, G(0), 20, 2, 1);
    say_job(&world, G(0), 21, 2, 1);
    say_job(&world, G(0), 30, 3, 1);
    for (uint64_t credit = 2; credit <= 8; credit++)
        say_credit(&world, W(0), credit);
    expect_order((const uint64_t[]){10, 20, 30, 11, 21, 12, 13, 0});
}

static void organisation_that_comes_back_waits_its_turn(void **state)
{
    (void)state;
    occupy(&world, 1);
    say_job(&world, G(0), 10, 1, 1);
    say_job(&world, G(0), 20, 2, 1);
    say_credit(&world, W(0), 2);
    say_job(&world, G(0), 11, 1, 1);
    say_credit(&world, W(0), 4);
    expect_order((const uint64_t[]){10, 20, 11, 0});
}

static void worker_with_most_free_slots_gets_the_job(void **state)
{
    (void)state;
    add_worker(&world, W(0), 2);
    add_worker(&world, W(1), 4);
    for (uint64_t job = 1; job <= 4; job++)
        say_job(&world, G(0), job, 1, 1);
    /* 4:2, 3:2, then one each of 2:2, never two for the one that waited less */
    assert_non_null(said_of(&world, W(1), PT_JOB, 1));
    assert_non_null(said_of(&world, W(1), PT_JOB, 2));
    assert_int_equal(times_said(&world, W(0), PT_JOB), 1);
    assert_int_equal(times_said(&world, W(1), PT_JOB), 3);
}

static void job_twice_is_dropped(void **state)
{
    (void)state;
    occupy(&world, 1);
    say_job(&world, G(0), 1, 99, 1); /* leased */
    say_job(&world, G(0), 10, 1, 1);
    say_job(&world, G(0), 10, 1, 1); /* queued */
    say_credit(&world, W(0), 10);
    assert_int_equal(times_said(&world, W(0), PT_JOB), 1);
    assert_int_equal(times_said(&world, G(0), PT_GONE), 0);
    assert_int_equal(world_stats(&world).drops[PT_DROP_DUPLICATE], 2);
}

static void duplicate_beyond_credit_is_not_called_gone(void **state)
{
    (void)state;
    occupy(&world, 4);
    for (int i = 0; i < 100; i++)
        say_job(&world, G(0), 1, 99, 1);
    assert_int_equal(times_said(&world, G(0), PT_GONE), 0);
}

static void newer_attempt_replaces_the_older(void **state)
{
    (void)state;
    occupy(&world, 1);
    say_job(&world, G(0), 10, 1, 1);
    say_job(&world, G(0), 10, 1, 2); /* in the queue */
    assert_int_equal(world_stats(&world).queued, 1);
    say_job(&world, G(0), 1, 99, 2); /* at the worker */
    assert_int_equal(said_of(&world, W(0), PT_STOP, 1)->msg.attempt, 1);
    say_job(&world, G(0), 1, 99, 1); /* late */
    say_credit(&world, W(0), 2);
    say_credit(&world, W(0), 3);
    assert_int_equal(times_said(&world, W(0), PT_JOB), 2);
    assert_int_equal(said_of(&world, W(0), PT_JOB, 10)->msg.attempt, 2);
    assert_int_equal(said_of(&world, W(0), PT_JOB, 1)->msg.attempt, 2);
}

static void settled_reaches_who_holds_the_lease_and_ends_it(void **state)
{
    (void)state;
    occupy(&world, 1);
    say_settled(&world, G(0), 1, 2); /* another attempt */
    assert_int_equal(times_said(&world, W(0), PT_SETTLED), 0);
    say_settled(&world, G(0), 1, 1);
    const said_t *settled = said_of(&world, W(0), PT_SETTLED, 1);
    assert_string_equal(settled->msg.outcome, "refused");
    assert_string_equal(settled->msg.reason, "too good");
    say_settled(&world, G(0), 1, 1);
    assert_int_equal(times_said(&world, W(0), PT_SETTLED), 1);
    assert_int_equal(world_stats(&world).leased, 0);
    assert_int_equal(world_stats(&world).drops[PT_DROP_UNKNOWN], 2);
}

static void slot_is_free_only_by_new_credit(void **state)
{
    (void)state;
    occupy(&world, 1);
    say_job(&world, G(0), 10, 1, 1);
    say_settled(&world, G(0), 1, 1);
    assert_int_equal(times_said(&world, W(0), PT_JOB), 0);
    say_credit(&world, W(0), 2);
    assert_int_equal(times_said(&world, W(0), PT_JOB), 1);
}

static void stop_takes_a_job_out_of_the_queue(void **state)
{
    (void)state;
    occupy(&world, 1);
    say_job(&world, G(0), 10, 1, 1);
    say_stop(&world, G(0), 10, 1);
    assert_int_equal(world_stats(&world).queued, 0);
    say_credit(&world, W(0), 2);
    assert_int_equal(times_said(&world, W(0), PT_JOB), 0);
}

static void stop_is_passed_on_to_who_holds_the_lease(void **state)
{
    (void)state;
    occupy(&world, 1);
    say_stop(&world, G(0), 1, 2);
    assert_int_equal(times_said(&world, W(0), PT_STOP), 0);
    say_stop(&world, G(0), 1, 1);
    assert_non_null(said_of(&world, W(0), PT_STOP, 1));
    assert_int_equal(world_stats(&world).leased, 0);
}

static void job_handed_back_is_certainly_gone_and_only_the_leader_is_told(void **state)
{
    (void)state;
    add_gateway(&world, G(1));
    occupy(&world, 1);
    say_gone(&world, W(0), 1, 1);
    assert_true(handed_back(said_of(&world, G(0), PT_GONE, 1)));
    assert_null(said_of(&world, G(1), PT_GONE, 1));
    assert_int_equal(world_stats(&world).leased, 0);
}

static void job_of_another_worker_cannot_be_handed_back(void **state)
{
    (void)state;
    occupy(&world, 1);
    add_worker(&world, W(1), 1);
    say_gone(&world, W(1), 1, 1);
    assert_int_equal(times_said(&world, G(0), PT_GONE), 0);
    assert_int_equal(world_stats(&world).leased, 1);
}

static void leader_is_who_said_so_last(void **state)
{
    (void)state;
    add_gateway(&world, G(1));
    occupy(&world, 2);
    say_beat(&world, G(1), true);
    say_gone(&world, W(0), 1, 1);
    assert_non_null(said_of(&world, G(1), PT_GONE, 1));
    assert_null(said_of(&world, G(0), PT_GONE, 1));
    say_beat(&world, G(1), false);
    say_gone(&world, W(0), 2, 1);
    assert_null(said_of(&world, G(1), PT_GONE, 2));
}

static void have_names_what_is_held_at_that_attempt(void **state)
{
    (void)state;
    const uint64_t asked[] = {1, 10, 77, 0};
    occupy(&world, 1);
    say_job(&world, G(0), 10, 1, 1);
    say_have(&world, G(0), 5, asked, 1);
    const said_t *answer = said(&world, G(0), PT_HAVE, 0);
    assert_int_equal(answer->msg.round, 5);
    assert_int_equal(answer->msg.jobs.count, 2);
    pt_uuid_t leased = uuid_of(1), queued = uuid_of(10);
    assert_memory_equal(&answer->msg.jobs.items[0].job_id, &leased, sizeof leased);
    assert_memory_equal(&answer->msg.jobs.items[1].job_id, &queued, sizeof queued);
}

static void have_of_a_newer_attempt_drops_the_older(void **state)
{
    (void)state;
    const uint64_t asked[] = {1, 10, 0};
    occupy(&world, 1);
    say_job(&world, G(0), 10, 1, 1);
    say_have(&world, G(0), 6, asked, 2);
    const said_t *answer = said(&world, G(0), PT_HAVE, 0);
    assert_true(pt_msg_has(&answer->msg, PT_F_JOBS));
    assert_int_equal(answer->msg.jobs.count, 0);
    assert_non_null(said_of(&world, W(0), PT_STOP, 1));
    assert_int_equal(world_stats(&world).leased + world_stats(&world).queued, 0);
}

static void hello_adopts_leases_and_unsettled(void **state)
{
    (void)state;
    const uint64_t leases[] = {1, 2, 0}, unsettled[] = {3, 0}, asked[] = {1, 2, 3, 4, 0};
    say_hello_holding(&world, W(0), 9, 4, leases, unsettled, 5);
    say_have(&world, G(0), 1, asked, 5);
    assert_int_equal(said(&world, G(0), PT_HAVE, 0)->msg.jobs.count, 3);
    say_settled(&world, G(0), 3, 5);
    assert_non_null(said_of(&world, W(0), PT_SETTLED, 3));
    assert_int_equal(world_stats(&world).leased, 2);
}

static void adopted_attempt_that_is_outdated_is_stopped(void **state)
{
    (void)state;
    const uint64_t one[] = {1, 0};
    add_worker(&world, W(0), 1);
    say_job(&world, G(0), 1, 1, 2);
    world_clear(&world);
    say_hello_holding(&world, W(1), 9, 1, one, NULL, 1);
    assert_int_equal(said_of(&world, W(1), PT_STOP, 1)->msg.attempt, 1);
    assert_int_equal(times_said(&world, W(0), PT_STOP), 0);
    say_settled(&world, G(0), 1, 2);
    assert_non_null(said_of(&world, W(0), PT_SETTLED, 1));
}

static void adopted_attempt_that_is_newer_replaces(void **state)
{
    (void)state;
    const uint64_t one[] = {1, 0};
    occupy(&world, 1);
    say_hello_holding(&world, W(1), 9, 1, one, NULL, 2);
    assert_int_equal(said_of(&world, W(0), PT_STOP, 1)->msg.attempt, 1);
    say_settled(&world, G(0), 1, 2);
    assert_non_null(said_of(&world, W(1), PT_SETTLED, 1));
}

static void adopted_job_leaves_the_queue(void **state)
{
    (void)state;
    const uint64_t ten[] = {10, 0};
    occupy(&world, 1);
    say_job(&world, G(0), 10, 1, 1);
    say_hello_holding(&world, W(1), 9, 1, ten, NULL, 1);
    assert_int_equal(world_stats(&world).queued, 0);
    say_credit(&world, W(0), 2);
    assert_int_equal(times_said(&world, W(0), PT_JOB), 0);
}

static void queued_jobs_go_back_when_nobody_serves_them(void **state)
{
    (void)state;
    const peer_t g0[] = {G(0), -1};
    occupy(&world, 1);
    say_job(&world, G(0), 10, 1, 1);
    say_bye(&world, W(0));
    world_clear(&world);
    world_live(&world, 5500, g0);
    assert_int_equal(world_stats(&world).queued, 1);
    world_live(&world, 1000, g0);
    assert_true(handed_back(said_of(&world, G(0), PT_GONE, 10)));
    assert_int_equal(world_stats(&world).queued, 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(job_reaches_a_worker_as_it_was_sent),
        TEST(large_inputs_are_named_to_the_worker),
        TEST(priority_and_weight_order_the_queue),
        TEST(organisations_take_turns),
        TEST(organisation_that_comes_back_waits_its_turn),
        TEST(worker_with_most_free_slots_gets_the_job),
        TEST(job_twice_is_dropped),
        TEST(duplicate_beyond_credit_is_not_called_gone),
        TEST(newer_attempt_replaces_the_older),
        TEST(settled_reaches_who_holds_the_lease_and_ends_it),
        TEST(slot_is_free_only_by_new_credit),
        TEST(stop_takes_a_job_out_of_the_queue),
        TEST(stop_is_passed_on_to_who_holds_the_lease),
        TEST(job_handed_back_is_certainly_gone_and_only_the_leader_is_told),
        TEST(job_of_another_worker_cannot_be_handed_back),
        TEST(leader_is_who_said_so_last),
        TEST(have_names_what_is_held_at_that_attempt),
        TEST(have_of_a_newer_attempt_drops_the_older),
        TEST(hello_adopts_leases_and_unsettled),
        TEST(adopted_attempt_that_is_outdated_is_stopped),
        TEST(adopted_attempt_that_is_newer_replaces),
        TEST(adopted_job_leaves_the_queue),
        TEST(queued_jobs_go_back_when_nobody_serves_them),
    };
    return cmocka_run_group_tests_name("broker jobs", tests, NULL, NULL);
}
