/* Credit, and what comes beyond it: PROTOCOL.md, section 5. */
#include "broker/share.h"
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

static void worker_credit_is_absolute(void **state)
{
    (void)state;
    occupy(&world, 2);
    for (uint64_t job = 10; job < 15; job++)
        say_job(&world, G(0), job, 1, 1);
    say_credit(&world, W(0), 3);
    say_credit(&world, W(0), 3); /* repeated */
    say_credit(&world, W(0), 1); /* smaller */
    assert_int_equal(times_said(&world, W(0), PT_JOB), 1);
    say_credit(&world, W(0), 5);
    assert_int_equal(times_said(&world, W(0), PT_JOB), 3);
}

static void smaller_worker_credit_changes_nothing(void **state)
{
    (void)state;
    add_worker(&world, W(0), 2);
    say_credit(&world, W(0), 0);
    assert_int_equal(world_stats(&world).types[0].free, 2);
}

static void worker_credit_beyond_its_slots_is_not_used(void **state)
{
    (void)state;
    add_worker(&world, W(0), 2);
    say_credit(&world, W(0), 1000);
    assert_int_equal(world_stats(&world).types[0].free, 2);
}

static void worker_that_holds_too_much_gets_no_more(void **state)
{
    (void)state;
    add_worker(&world, W(0), 1); /* 4 × 1 + 16 leases at most */
    for (uint64_t job = 1; job <= 30; job++) {
        say_job(&world, G(0), job, 1, 1);
        say_credit(&world, W(0), job + 1);
    }
    assert_int_equal(times_said(&world, W(0), PT_JOB), 20);
    say_settled(&world, G(0), 1, 1);
    assert_int_equal(times_said(&world, W(0), PT_JOB), 21);
}

static void room_is_slots_and_64(void **state)
{
    (void)state;
    add_worker(&world, W(0), 4);
    assert_int_equal(credit_told(&world, G(0)), 68);
    add_worker(&world, W(1), 8);
    assert_int_equal(credit_told(&world, G(0)), 76);
}

static void credit_comes_back_when_a_job_is_settled(void **state)
{
    (void)state;
    add_worker(&world, W(0), 4);
    say_job(&world, G(0), 1, 1, 1);
    world_tick(&world, true);
    assert_int_equal(credit_told(&world, G(0)), 68);
    say_settled(&world, G(0), 1, 1);
    world_tick(&world, true);
    assert_int_equal(credit_told(&world, G(0)), 69);
}

static void two_gateways_share_the_room_equally(void **state)
{
    (void)state;
    add_gateway(&world, G(1));
    add_worker(&world, W(0), 4);
    assert_int_equal(credit_told(&world, G(0)), 34);
    assert_int_equal(credit_told(&world, G(1)), 34);
}

static void credit_once_given_stays_and_a_newcomer_still_gets_some(void **state)
{
    (void)state;
    add_worker(&world, W(0), 4);
    world_clear(&world);
    add_gateway(&world, G(1));
    assert_int_equal(times_said(&world, G(0), PT_CREDIT), 0); /* nothing new, nothing less */
    assert_int_equal(credit_told(&world, G(1)), PT_SHARE_MIN);
}

static void credit_of_a_gateway_that_left_goes_to_the_others(void **state)
{
    (void)state;
    add_gateway(&world, G(1));
    add_worker(&world, W(0), 4);
    say_bye(&world, G(1));
    world_tick(&world, true);
    assert_int_equal(credit_told(&world, G(0)), 68);
}

static void idle_gateway_does_not_keep_slots_idle(void **state)
{
    (void)state;
    add_gateway(&world, G(1));
    add_worker(&world, W(0), 500); /* each gets 282, G(1) uses none */
    uint64_t sent = 0;
    for (int round = 0; round < 100; round++) {
        for (uint64_t credit = credit_told(&world, G(0)); sent < credit && sent < 500; sent++)
            say_job(&world, G(0), sent + 1, 1, 1);
        world_tick(&world, true);
    }
    assert_int_equal(times_said(&world, W(0), PT_JOB), 500);
}

static void job_beyond_credit_is_certainly_gone(void **state)
{
    (void)state;
    occupy(&world, 4);
    for (uint64_t job = 10; job < 74; job++)
        say_job(&world, G(0), job, 1, 1);
    assert_int_equal(times_said(&world, G(0), PT_GONE), 0);
    say_job(&world, G(0), 100, 1, 1);
    assert_true(handed_back(said_of(&world, G(0), PT_GONE, 100)));
    assert_int_equal(times_said(&world, G(0), PT_GONE), 1);
    assert_int_equal(world_stats(&world).queued, 64);
}

static void refused_job_is_told_to_its_sender_and_to_the_leader(void **state)
{
    (void)state;
    add_gateway(&world, G(1));
    say_job(&world, G(1), 1, 1, 1);
    assert_int_equal(times_said(&world, G(0), PT_GONE), 1);
    assert_int_equal(times_said(&world, G(1), PT_GONE), 1);
}

static void job_of_a_type_that_nobody_serves_is_certainly_gone(void **state)
{
    (void)state;
    say_job(&world, G(0), 1, 1, 1);
    assert_true(handed_back(said_of(&world, G(0), PT_GONE, 1)));
}

static void job_beyond_the_bytes_is_certainly_gone(void **state)
{
    (void)state;
    add_worker(&world, W(0), 1);
    say_credit(&world, W(0), 0);
    say_job(&world, G(0), 1, 1, 1);
    pt_msg_t msg;
    pt_msg_init(&msg, PT_JOB);
    msg.job_id = uuid_of(2);
    msg.attempt = 1;
    pt_msg_set_text(&msg, PT_F_JOB_TYPE, TYPE);
    char payload[5000];
    memset(payload, 'x', sizeof payload - 1);
    payload[sizeof payload - 1] = 0;
    world_step(&world, G(0), &msg, payload);
    assert_true(handed_back(said_of(&world, G(0), PT_GONE, 2)));
}

static void say_large_job(uint64_t job, size_t size)
{
    pt_msg_t msg;
    char payload[4096] = "";
    memset(payload, 'x', size);
    pt_msg_init(&msg, PT_JOB);
    msg.job_id = uuid_of(job);
    msg.org_id = uuid_of(1);
    msg.attempt = 1;
    pt_msg_set(&msg, PT_F_JOB_ID);
    pt_msg_set(&msg, PT_F_ORG_ID);
    pt_msg_set(&msg, PT_F_ATTEMPT);
    pt_msg_set_text(&msg, PT_F_JOB_TYPE, TYPE);
    world_step(&world, G(0), &msg, payload);
}

/* Else each job that it must refuse comes back at once as another attempt (simulation, seed 76). */
static void broker_that_is_half_full_of_bytes_gives_no_credit(void **state)
{
    (void)state;
    add_worker(&world, W(0), 1);
    add_gateway(&world, G(0));
    world_tick(&world, true);
    assert_int_equal(credit_told(&world, G(0)), 65);
    say_job(&world, G(0), 1, 1, 1); /* keeps the slot */
    say_large_job(2, 1500);
    say_large_job(3, 1500);
    world_tick(&world, true);
    uint64_t credit = credit_told(&world, G(0));
    say_settled(&world, G(0), 1, 1);
    world_tick(&world, true);
    assert_int_equal(credit_told(&world, G(0)), credit);
    say_stop(&world, G(0), 3, 1);
    world_tick(&world, true);
    assert_int_equal(credit_told(&world, G(0)), credit + 2);
}

static void shares_of_the_free_room(void **state)
{
    (void)state;
    const uint64_t none[] = {0, 0, 0}, uneven[] = {30, 0, 0}, all[] = {72, 0, 0};
    assert_int_equal(pt_share_level(72, 0, none, 1), 72);
    assert_int_equal(pt_share_level(72, 0, none, 3), 24);
    assert_int_equal(pt_share_level(72, 12, uneven, 3), PT_SHARE_MIN); /* 15 each would do */
    assert_int_equal(pt_share_level(90, 0, uneven, 3), 30);
    assert_int_equal(pt_share_level(72, 0, all, 3), PT_SHARE_MIN);
    assert_int_equal(pt_share_level(72, 70, none, 1), 2);
    assert_int_equal(pt_share_level(72, 72, none, 1), 0);
    assert_int_equal(pt_share_level(72, 500, none, 1), 0);
    assert_int_equal(pt_share_level(0, 0, none, 1), 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(worker_credit_is_absolute),
        TEST(smaller_worker_credit_changes_nothing),
        TEST(worker_credit_beyond_its_slots_is_not_used),
        TEST(worker_that_holds_too_much_gets_no_more),
        TEST(room_is_slots_and_64),
        TEST(credit_comes_back_when_a_job_is_settled),
        TEST(two_gateways_share_the_room_equally),
        TEST(credit_once_given_stays_and_a_newcomer_still_gets_some),
        TEST(credit_of_a_gateway_that_left_goes_to_the_others),
        TEST(idle_gateway_does_not_keep_slots_idle),
        TEST(job_beyond_credit_is_certainly_gone),
        TEST(refused_job_is_told_to_its_sender_and_to_the_leader),
        TEST(job_of_a_type_that_nobody_serves_is_certainly_gone),
        TEST(job_beyond_the_bytes_is_certainly_gone),
        TEST(broker_that_is_half_full_of_bytes_gives_no_credit),
        TEST(shares_of_the_free_room),
    };
    return cmocka_run_group_tests_name("broker credit", tests, NULL, NULL);
}
