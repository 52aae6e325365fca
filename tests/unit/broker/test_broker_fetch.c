/* Chunks of large payloads on their way through: PROTOCOL.md, section 3. */
#include "world.h"

#include <string.h>

static world_t world;

/* G(0) leads and has sent job 1, which W(0) holds; G(1) is there too. */
static int set_up(void **state)
{
    (void)state;
    world_open(&world, 3);
    add_gateway(&world, G(0));
    add_gateway(&world, G(1));
    add_worker(&world, W(0), 2);
    say_job(&world, G(0), 1, 99, 1);
    world_clear(&world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static uint64_t dropped(void)
{
    return world_stats(&world).drops[PT_DROP_FETCH];
}

static void result_is_fetched_from_its_worker(void **state)
{
    (void)state;
    say_fetch(&world, G(1), 1, 1, 3);
    const said_t *fetch = said(&world, W(0), PT_FETCH, 0);
    assert_non_null(fetch);
    assert_int_equal(fetch->msg.offset, 3 * PT_CHUNK_MAX);
    assert_memory_equal(fetch->msg.session, world.sessions[W(0)], PT_SESSION_SIZE);
    say_chunk(&world, W(0), 1, 1, 3, "the bytes");
    const said_t *chunk = said(&world, G(1), PT_CHUNK, 0);
    assert_non_null(chunk);
    assert_int_equal(chunk->msg.offset, 3 * PT_CHUNK_MAX);
    assert_memory_equal(chunk->payload, "the bytes", chunk->size);
    assert_null(said(&world, G(0), PT_CHUNK, 0));
    assert_int_equal(dropped(), 0);
}

static void four_are_under_way_and_no_more(void **state)
{
    (void)state;
    for (uint64_t chunk = 0; chunk < 6; chunk++)
        say_fetch(&world, G(0), 1, 1, chunk);
    say_fetch(&world, G(0), 1, 1, 2); /* under way already */
    assert_int_equal(times_said(&world, W(0), PT_FETCH), 4);
    assert_int_equal(dropped(), 3);
    say_chunk(&world, W(0), 1, 1, 0, "x");
    say_fetch(&world, G(0), 1, 1, 4);
    assert_int_equal(times_said(&world, W(0), PT_FETCH), 5);
}

static void what_was_not_answered_may_be_asked_again(void **state)
{
    static const peer_t all[] = {G(0), G(1), W(0), -1};
    (void)state;
    for (uint64_t chunk = 0; chunk < 4; chunk++)
        say_fetch(&world, G(0), 1, 1, chunk);
    world_live(&world, 3000, all);
    for (uint64_t chunk = 0; chunk < 4; chunk++)
        say_fetch(&world, G(0), 1, 1, chunk);
    assert_int_equal(times_said(&world, W(0), PT_FETCH), 8);
    assert_int_equal(dropped(), 0);
}

static void answers_go_to_who_asked_last(void **state)
{
    (void)state;
    for (uint64_t chunk = 0; chunk < 4; chunk++)
        say_fetch(&world, G(0), 1, 1, chunk);
    for (uint64_t chunk = 0; chunk < 4; chunk++)
        say_fetch(&world, G(1), 1, 1, chunk); /* a new leader begins from the start */
    assert_int_equal(times_said(&world, W(0), PT_FETCH), 8);
    say_chunk(&world, W(0), 1, 1, 0, "x");
    assert_int_equal(times_said(&world, G(1), PT_CHUNK), 1);
    assert_int_equal(times_said(&world, G(0), PT_CHUNK), 0);
}

static void chunk_that_nobody_asked_for_is_dropped(void **state)
{
    (void)state;
    say_chunk(&world, W(0), 1, 1, 0, "x");
    say_fetch(&world, G(0), 1, 1, 0);
    say_chunk(&world, W(0), 1, 1, 1, "x");
    say_chunk(&world, W(0), 1, 1, 0, "x");
    say_chunk(&world, W(0), 1, 1, 0, "x"); /* twice */
    say_chunk(&world, G(0), 1, 1, 0, "x"); /* nor has a gateway anything to answer */
    assert_int_equal(times_said(&world, G(0), PT_CHUNK), 1);
    assert_int_equal(times_said(&world, W(0), PT_CHUNK), 0);
    assert_int_equal(dropped(), 4);
}

static void only_what_is_held_is_fetched(void **state)
{
    (void)state;
    add_worker(&world, W(1), 1);
    say_fetch(&world, G(0), 2, 1, 0); /* no such job */
    say_fetch(&world, G(0), 1, 2, 0); /* another attempt */
    say_fetch(&world, W(1), 1, 1, 0); /* another's job */
    assert_int_equal(times_said(&world, W(0), PT_FETCH) + times_said(&world, G(0), PT_FETCH), 0);
    say_fetch(&world, G(0), 1, 1, 0);
    say_chunk(&world, W(1), 1, 1, 0, "x"); /* not the one who has it */
    assert_int_equal(times_said(&world, G(0), PT_CHUNK), 0);
}

static void queued_job_has_no_result(void **state)
{
    (void)state;
    say_job(&world, G(0), 2, 99, 1);
    say_job(&world, G(0), 3, 99, 1);
    say_fetch(&world, G(0), 3, 1, 0);
    assert_int_equal(times_said(&world, W(0), PT_FETCH), 0);
    assert_int_equal(dropped(), 1);
}

static void inputs_are_fetched_from_the_gateway_that_sent_the_job(void **state)
{
    (void)state;
    say_job(&world, G(1), 2, 99, 1);
    say_fetch(&world, W(0), 2, 1, 0);
    assert_int_equal(times_said(&world, G(1), PT_FETCH), 1);
    assert_int_equal(times_said(&world, G(0), PT_FETCH), 0);
    say_chunk(&world, G(1), 2, 1, 0, "inputs");
    assert_memory_equal(said(&world, W(0), PT_CHUNK, 0)->payload, "inputs", 6);
}

static void leader_answers_for_a_gateway_that_is_gone(void **state)
{
    (void)state;
    say_job(&world, G(1), 2, 99, 1);
    say_bye(&world, G(1));
    say_fetch(&world, W(0), 2, 1, 0);
    assert_int_equal(times_said(&world, G(0), PT_FETCH), 1);
    say_chunk(&world, G(0), 2, 1, 0, "inputs");
    assert_int_equal(times_said(&world, W(0), PT_CHUNK), 1);
}

static void leader_answers_for_a_job_that_was_adopted(void **state)
{
    static const uint64_t leases[] = {5, 0};
    (void)state;
    say_hello_holding(&world, W(1), W(1), 1, leases, NULL, 1);
    say_fetch(&world, W(1), 5, 1, 0);
    assert_int_equal(times_said(&world, G(0), PT_FETCH), 1);
}

static void gateway_that_asked_and_is_gone_is_not_answered(void **state)
{
    (void)state;
    say_fetch(&world, G(1), 1, 1, 0);
    say_bye(&world, G(1));
    world_clear(&world);
    say_chunk(&world, W(0), 1, 1, 0, "x");
    assert_int_equal(world.count, 0);
    assert_int_equal(dropped(), 1);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(result_is_fetched_from_its_worker),
        TEST(four_are_under_way_and_no_more),
        TEST(what_was_not_answered_may_be_asked_again),
        TEST(answers_go_to_who_asked_last),
        TEST(chunk_that_nobody_asked_for_is_dropped),
        TEST(only_what_is_held_is_fetched),
        TEST(queued_job_has_no_result),
        TEST(inputs_are_fetched_from_the_gateway_that_sent_the_job),
        TEST(leader_answers_for_a_gateway_that_is_gone),
        TEST(leader_answers_for_a_job_that_was_adopted),
        TEST(gateway_that_asked_and_is_gone_is_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
