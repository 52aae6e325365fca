/* Sessions, silence and the two paths: PROTOCOL.md, section 4. */
#include "world.h"

#include <string.h>

static world_t world;

static int set_up(void **state)
{
    (void)state;
    world_open(&world, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static const peer_t g0[] = {G(0), -1}, g0_w0[] = {G(0), W(0), -1};

static void hello_is_answered_welcome(void **state)
{
    (void)state;
    say_hello(&world, W(0), 1, NULL, 4);
    const said_t *welcome = said(&world, W(0), PT_WELCOME, 0);
    assert_non_null(welcome);
    assert_int_equal(welcome->msg.max, PT_FRAME_MAX);
    assert_int_equal(welcome->msg.interval, PT_INTERVAL_MS);
    assert_int_equal(world_stats(&world).workers, 1);
}

static void second_hello_gets_the_same_session(void **state)
{
    (void)state;
    add_worker(&world, W(0), 4);
    add_gateway(&world, G(0));
    uint8_t before[PT_SESSION_SIZE];
    memcpy(before, world.sessions[G(0)], sizeof before);
    world_clear(&world);
    say_hello(&world, G(0), G(0), NULL, 0);
    world_tick(&world, true);
    assert_memory_equal(said(&world, G(0), PT_WELCOME, 0)->msg.session, before, sizeof before);
    assert_int_equal(credit_told(&world, G(0)), 68); /* told again: it may have missed that too */
    assert_int_equal(world_stats(&world).gateways, 1);
}

static void sessions_differ(void **state)
{
    (void)state;
    add_worker(&world, W(0), 1);
    add_worker(&world, W(1), 1);
    assert_memory_not_equal(world.sessions[W(0)], world.sessions[W(1)], PT_SESSION_SIZE);
}

static void message_of_another_session_is_dropped_and_asked_hello(void **state)
{
    (void)state;
    add_worker(&world, W(0), 1);
    add_gateway(&world, G(0));
    world_clear(&world);
    memset(world.sessions[G(0)], 7, PT_SESSION_SIZE);
    say_job(&world, G(0), 1, 1, 1);
    assert_non_null(said(&world, G(0), PT_HELLO_AGAIN, 0));
    assert_int_equal(times_said(&world, W(0), PT_JOB), 0);
    assert_int_equal(world_stats(&world).drops[PT_DROP_SESSION], 1);
}

static void message_without_a_session_is_asked_hello(void **state)
{
    (void)state;
    say_beat(&world, W(3), false);
    assert_non_null(said(&world, W(3), PT_HELLO_AGAIN, 0));
    assert_int_equal(world_stats(&world).workers, 0);
}

static void hello_at_the_wrong_socket_is_refused_with_a_reason(void **state)
{
    (void)state;
    pt_msg_t msg;
    pt_msg_init(&msg, PT_HELLO);
    pt_msg_set_text(&msg, PT_F_ROLE, "worker");
    pt_msg_set_text(&msg, PT_F_MACHINE, "m");
    world_step(&world, G(0), &msg, NULL);
    const said_t *answer = said(&world, G(0), PT_HELLO_AGAIN, 0);
    assert_non_null(answer);
    assert_true(pt_msg_has(&answer->msg, PT_F_REASON));
    assert_int_equal(world_stats(&world).drops[PT_DROP_HELLO], 1);
}

static void hello_without_descriptors_is_refused_with_a_reason(void **state)
{
    (void)state;
    pt_scheduler_step(world.scheduler, world.now, &(pt_input_t){.kind = PT_IN_ADMIT, .admit = 1});
    say_hello(&world, W(0), 1, NULL, 1);
    say_hello(&world, W(1), 2, NULL, 1);
    assert_non_null(said(&world, W(0), PT_WELCOME, 0));
    assert_null(said(&world, W(1), PT_WELCOME, 0));
    assert_non_null(strstr(said(&world, W(1), PT_HELLO_AGAIN, 0)->msg.reason, "descriptors"));
}

static void verb_of_the_other_side_is_dropped(void **state)
{
    (void)state;
    add_worker(&world, W(0), 1);
    say_settled(&world, W(0), 1, 1);
    assert_int_equal(world_stats(&world).drops[PT_DROP_VERB], 1);
}

static void each_peer_gets_a_beat_an_interval(void **state)
{
    (void)state;
    add_worker(&world, W(0), 1);
    add_gateway(&world, G(0));
    world_clear(&world);
    world_live(&world, 10000, g0_w0);
    assert_in_range(times_said(&world, W(0), PT_BEAT), 8, 11);
    assert_in_range(times_said(&world, G(0), PT_BEAT), 8, 11);
}

static void beats_tell_gateways_the_slots_that_serve_each_type(void **state)
{
    (void)state;
    const struct {
        const peer_t *live;
        uint64_t slots;
    } phases[] = {{g0_w0, 3}, {g0, 0}, {g0, 0}}; /* 0 as long as the broker lives */
    add_gateway(&world, G(0));
    add_worker(&world, W(0), 3);
    for (size_t i = 0; i < 3; i++) {
        world_live(&world, 4000, phases[i].live);
        const said_t *beat = said(&world, G(0), PT_BEAT, times_said(&world, G(0), PT_BEAT) - 1);
        assert_int_equal(beat->msg.slots.count, 1);
        assert_string_equal(beat->msg.slots.items[0].job_type, TYPE);
        assert_int_equal(beat->msg.slots.items[0].n, phases[i].slots);
    }
    assert_false(pt_msg_has(&said(&world, W(0), PT_BEAT, 0)->msg, PT_F_SLOTS));
}

/* A gateway hands nothing out for a type that nobody serves. */
static void gateways_hear_at_once_that_a_type_is_served_or_no_longer(void **state)
{
    (void)state;
    add_gateway(&world, G(0));
    for (uint64_t slots = 3; slots > 0; slots--) {
        world_clear(&world);
        add_worker(&world, W(0), slots);
        world_tick(&world, false);
        assert_int_equal(said(&world, G(0), PT_BEAT, 0)->msg.slots.items[0].n, slots);
        world_clear(&world);
        say_bye(&world, W(0));
        world_tick(&world, false);
        assert_int_equal(said(&world, G(0), PT_BEAT, 0)->msg.slots.items[0].n, 0);
    }
    world_clear(&world);
    world_tick(&world, false);
    assert_null(said(&world, G(0), PT_BEAT, 0));
}

static void worker_that_is_not_heard_counts_no_slots_in_beats(void **state)
{
    (void)state;
    add_gateway(&world, G(0));
    say_hello(&world, W(0), 1, NULL, 3);
    world_live(&world, 1500, g0);
    const said_t *beat = said(&world, G(0), PT_BEAT, times_said(&world, G(0), PT_BEAT) - 1);
    assert_int_equal(beat->msg.slots.count, 1);
    assert_int_equal(beat->msg.slots.items[0].n, 0);
}

static void silent_worker_is_gone_but_not_certainly(void **state)
{
    (void)state;
    add_gateway(&world, G(0));
    add_worker(&world, W(0), 1);
    say_job(&world, G(0), 1, 1, 1);
    world_clear(&world);
    world_live(&world, 2900, g0);
    assert_int_equal(world_stats(&world).workers, 1);
    world_live(&world, 500, g0);
    assert_int_equal(world_stats(&world).workers, 0);
    assert_int_equal(world_stats(&world).leased, 0);
    const said_t *gone = said_of(&world, G(0), PT_GONE, 1);
    assert_non_null(gone);
    assert_false(gone->msg.certain);
}

static void worker_heard_on_the_event_path_alone_is_gone(void **state)
{
    (void)state;
    add_worker(&world, W(0), 1);
    for (int i = 0; i < 7; i++) {
        say_alive(&world, W(0));
        world_pass(&world, 500);
    }
    assert_int_equal(world_stats(&world).workers, 0);
}

static void silent_gateway_is_gone(void **state)
{
    (void)state;
    add_gateway(&world, G(0));
    world_pass(&world, 2900);
    assert_int_equal(world_stats(&world).gateways, 1);
    world_pass(&world, 500);
    assert_int_equal(world_stats(&world).gateways, 0);
}

static void silence_is_not_judged_before_all_was_read(void **state)
{
    (void)state;
    add_worker(&world, W(0), 1);
    for (int i = 0; i < 100; i++) {
        world.now += 100;
        world_tick(&world, false);
    }
    assert_int_equal(world_stats(&world).workers, 1);
    world_tick(&world, true);
    assert_int_equal(world_stats(&world).workers, 0);
}

static void own_pause_moves_all_deadlines(void **state)
{
    (void)state;
    add_worker(&world, W(0), 1);
    world.now += 4500;
    world_tick(&world, true);
    assert_int_equal(world_stats(&world).workers, 1);
    world_pass(&world, 2900);
    assert_int_equal(world_stats(&world).workers, 1);
    world_pass(&world, 500);
    assert_int_equal(world_stats(&world).workers, 0);
}

static void pause_of_the_event_loop_makes_nobody_deaf(void **state)
{
    (void)state;
    add_worker(&world, W(0), 1);
    world.events_at = world.now; /* it stands still */
    for (int i = 0; i < 10; i++) {
        say_beat(&world, W(0), false);
        world_pass(&world, 500);
    }
    assert_int_equal(world_stats(&world).workers, 1);
    world.events_at = -1; /* and goes on */
    say_beat(&world, W(0), false);
    world_pass(&world, 500);
    assert_int_equal(world_stats(&world).workers, 1);
}

static void worker_never_heard_on_the_event_path_gets_no_job_and_hello_again(void **state)
{
    (void)state;
    add_gateway(&world, G(0));
    add_worker(&world, W(1), 1); /* so that there is credit */
    say_hello(&world, W(0), 1, NULL, 8);
    say_credit(&world, W(0), 8);
    say_job(&world, G(0), 1, 1, 1);
    assert_int_equal(times_said(&world, W(0), PT_JOB), 0);
    assert_int_equal(times_said(&world, W(1), PT_JOB), 1);
    assert_int_equal(world_stats(&world).types[0].slots, 1);
    for (int i = 0; i < 7; i++) {
        say_beat(&world, W(0), false);
        world_pass(&world, 500);
    }
    assert_non_null(said(&world, W(0), PT_HELLO_AGAIN, 0));
    assert_false(pt_msg_has(&said(&world, W(0), PT_HELLO_AGAIN, 0)->msg, PT_F_REASON));
}

static void worker_that_turns_deaf_loses_its_session(void **state)
{
    (void)state;
    add_gateway(&world, G(0));
    add_worker(&world, W(0), 1);
    say_job(&world, G(0), 1, 1, 1);
    for (int i = 0; i < 7; i++) {
        say_beat(&world, W(0), false);
        say_beat(&world, G(0), true);
        world_pass(&world, 500);
    }
    assert_non_null(said(&world, W(0), PT_HELLO_AGAIN, 0));
    assert_false(said_of(&world, G(0), PT_GONE, 1)->msg.certain);
    assert_int_equal(world_stats(&world).workers, 0);
    assert_int_equal(world_stats(&world).types[0].slots, 0);
}

static void new_instance_on_the_machine_makes_old_leases_certainly_gone(void **state)
{
    (void)state;
    add_gateway(&world, G(0));
    say_hello(&world, W(0), 100, "bench", 1);
    say_alive(&world, 100);
    say_credit(&world, W(0), 1);
    world_tick(&world, true);
    say_job(&world, G(0), 1, 1, 1);
    assert_non_null(said_of(&world, W(0), PT_JOB, 1));
    say_hello(&world, W(1), 200, "bench", 1);
    const said_t *gone = said_of(&world, G(0), PT_GONE, 1);
    assert_non_null(gone);
    assert_true(gone->msg.certain && !handed_back(gone));
    assert_int_equal(world_stats(&world).workers, 1);
}

static void former_owner_of_a_name_is_refused_while_the_later_one_lives(void **state)
{
    (void)state;
    add_gateway(&world, G(0));
    say_hello(&world, W(0), 100, "bench", 1);
    say_hello(&world, W(1), 200, "bench", 1);
    world_clear(&world);
    say_hello(&world, W(2), 100, "bench", 1);
    const said_t *refused = said(&world, W(2), PT_HELLO_AGAIN, 0);
    assert_non_null(refused);
    assert_non_null(strstr(refused->msg.reason, "--name"));
    assert_int_equal(world_stats(&world).workers, 1);
    say_bye(&world, W(1));
    say_hello(&world, W(2), 100, "bench", 1);
    assert_non_null(said(&world, W(2), PT_WELCOME, 0));
}

static void same_instance_on_a_new_socket_keeps_what_it_names(void **state)
{
    (void)state;
    const uint64_t one[] = {1, 0}, two[] = {2, 0};
    add_gateway(&world, G(0));
    add_worker(&world, W(0), 3);
    for (uint64_t job = 1; job <= 3; job++)
        say_job(&world, G(0), job, 1, 1);
    world_clear(&world);
    say_hello_holding(&world, W(1), W(0), 3, one, two, 1);
    assert_null(said_of(&world, G(0), PT_GONE, 1));
    assert_null(said_of(&world, G(0), PT_GONE, 2));
    assert_true(said_of(&world, G(0), PT_GONE, 3)->msg.certain); /* lost with its old socket */
    assert_int_equal(world_stats(&world).workers, 1);
    assert_int_equal(world_stats(&world).leased, 2);
    say_settled(&world, G(0), 2, 1);
    assert_non_null(said_of(&world, W(1), PT_SETTLED, 2));
    say_beat(&world, W(0), false); /* the old session is over */
    assert_non_null(said(&world, W(0), PT_HELLO_AGAIN, 0));
}

static void reconnected_worker_must_be_heard_anew(void **state)
{
    (void)state;
    add_gateway(&world, G(0));
    add_worker(&world, W(0), 1);
    say_hello(&world, W(1), W(0), NULL, 1);
    say_credit(&world, W(1), 1);
    say_job(&world, G(0), 1, 1, 1);
    assert_null(said_of(&world, W(1), PT_JOB, 1));
    say_alive(&world, W(0));
    assert_non_null(said_of(&world, W(1), PT_JOB, 1));
}

static void bye_of_a_worker_ends_it_and_what_it_held(void **state)
{
    (void)state;
    add_gateway(&world, G(0));
    add_worker(&world, W(0), 1);
    say_job(&world, G(0), 1, 1, 1);
    say_bye(&world, W(0));
    assert_true(said_of(&world, G(0), PT_GONE, 1)->msg.certain);
    assert_int_equal(world_stats(&world).workers, 0);
}

static void peer_that_cannot_be_reached_is_gone(void **state)
{
    (void)state;
    add_gateway(&world, G(0));
    add_worker(&world, W(0), 1);
    say_job(&world, G(0), 1, 1, 1);
    world_lost(&world, W(0));
    assert_false(said_of(&world, G(0), PT_GONE, 1)->msg.certain);
    world_lost(&world, W(0)); /* twice does no harm */
    assert_int_equal(world_stats(&world).workers, 0);
}

static void gateway_cannot_adopt(void **state)
{
    (void)state;
    const uint64_t one[] = {1, 0};
    say_hello_holding(&world, G(0), 1, 0, one, one, 1);
    assert_int_equal(world_stats(&world).leased, 0);
    say_bye(&world, G(0));
    assert_int_equal(world_stats(&world).gateways, 0);
}

static void all_are_told_bye_at_the_end(void **state)
{
    (void)state;
    add_gateway(&world, G(0));
    add_worker(&world, W(0), 1);
    pt_scheduler_step(world.scheduler, world.now, &(pt_input_t){.kind = PT_IN_END});
    assert_non_null(said(&world, G(0), PT_BYE, 0));
    assert_non_null(said(&world, W(0), PT_BYE, 0));
}

static void at_the_end_what_is_queued_goes_back_and_what_runs_stays(void **state)
{
    (void)state;
    add_gateway(&world, G(0));
    add_worker(&world, W(0), 1);
    say_job(&world, G(0), 1, 1, 1);
    say_job(&world, G(0), 2, 1, 1);
    pt_scheduler_step(world.scheduler, world.now, &(pt_input_t){.kind = PT_IN_END});
    assert_null(said_of(&world, G(0), PT_GONE, 1));
    assert_true(handed_back(said_of(&world, G(0), PT_GONE, 2)));
    assert_int_equal(world_stats(&world).queued, 0);
    assert_int_equal(times_said(&world, W(0), PT_STOP), 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hello_is_answered_welcome),
        TEST(second_hello_gets_the_same_session),
        TEST(sessions_differ),
        TEST(message_of_another_session_is_dropped_and_asked_hello),
        TEST(message_without_a_session_is_asked_hello),
        TEST(hello_at_the_wrong_socket_is_refused_with_a_reason),
        TEST(hello_without_descriptors_is_refused_with_a_reason),
        TEST(verb_of_the_other_side_is_dropped),
        TEST(each_peer_gets_a_beat_an_interval),
        TEST(beats_tell_gateways_the_slots_that_serve_each_type),
        TEST(gateways_hear_at_once_that_a_type_is_served_or_no_longer),
        TEST(worker_that_is_not_heard_counts_no_slots_in_beats),
        TEST(silent_worker_is_gone_but_not_certainly),
        TEST(worker_heard_on_the_event_path_alone_is_gone),
        TEST(silent_gateway_is_gone),
        TEST(silence_is_not_judged_before_all_was_read),
        TEST(own_pause_moves_all_deadlines),
        TEST(pause_of_the_event_loop_makes_nobody_deaf),
        TEST(worker_never_heard_on_the_event_path_gets_no_job_and_hello_again),
        TEST(worker_that_turns_deaf_loses_its_session),
        TEST(new_instance_on_the_machine_makes_old_leases_certainly_gone),
        TEST(former_owner_of_a_name_is_refused_while_the_later_one_lives),
        TEST(same_instance_on_a_new_socket_keeps_what_it_names),
        TEST(reconnected_worker_must_be_heard_anew),
        TEST(bye_of_a_worker_ends_it_and_what_it_held),
        TEST(peer_that_cannot_be_reached_is_gone),
        TEST(gateway_cannot_adopt),
        TEST(all_are_told_bye_at_the_end),
        TEST(at_the_end_what_is_queued_goes_back_and_what_runs_stays),
    };
    return cmocka_run_group_tests_name("broker sessions", tests, NULL, NULL);
}
