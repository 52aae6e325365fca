/* The rounds of have?: who is given up, and above all who is not. Brokers 0 and 1 are asked. */
#include "tests/unit/unit.h"

#include "gateway/dispatch/rounds.h"

#define BROKERS 3u

typedef struct {
    pt_rounds_t *rounds;
    int lost;
    pt_ref_t last;
} world_t;

static pt_ref_t ref(uint8_t id, uint32_t attempt)
{
    pt_ref_t made = {.attempt = attempt, .job_type = "humanization"};
    made.job_id.bytes[0] = id;
    return made;
}

static void on_lost(void *context, const pt_ref_t *given_up)
{
    world_t *world = context;
    world->lost++;
    world->last = *given_up;
}

static void setup(world_t *world)
{
    memset(world, 0, sizeof *world);
    world->rounds = pt_rounds_new();
}

/* One round with one page, at `now`, both brokers answering that they hold `held`. */
static void round_at(world_t *world, int64_t now, const pt_ref_t *out, size_t count,
                     const pt_ref_t *held)
{
    pt_uuid_t after;
    pt_refs_t none = {NULL, 0}, one = {(pt_ref_t *)(uintptr_t)held, held ? 1 : 0};
    assert_true(pt_rounds_wants_page(world->rounds, now, &after));
    uint64_t number = pt_rounds_page(world->rounds, now, out, count, false, BROKERS);
    pt_rounds_answer(world->rounds, now + 5, 0, number, &none, on_lost, world);
    pt_rounds_answer(world->rounds, now + 9, 1, number, &one, on_lost, world);
}

static void a_job_that_nobody_names_twice_is_lost(void **state)
{
    (void)state;
    world_t world;
    setup(&world);
    pt_ref_t job = ref(1, 4);
    round_at(&world, 1000, &job, 1, NULL);
    assert_int_equal(world.lost, 0);
    round_at(&world, 4000, &job, 1, NULL);
    assert_int_equal(world.lost, 1);
    assert_int_equal(world.last.attempt, 4);
    pt_rounds_destroy(&world.rounds);
}

static void two_rounds_too_close_say_nothing(void **state)
{
    (void)state;
    world_t world;
    setup(&world);
    pt_ref_t job = ref(1, 1);
    round_at(&world, 1000, &job, 1, NULL);
    pt_rounds_wake(world.rounds, true);
    round_at(&world, 2000, &job, 1, NULL);
    assert_int_equal(world.lost, 0);
    round_at(&world, 5000, &job, 1, NULL);
    assert_int_equal(world.lost, 1);
    pt_rounds_destroy(&world.rounds);
}

static void a_job_that_is_named_in_between_is_not_lost(void **state)
{
    (void)state;
    world_t world;
    setup(&world);
    pt_ref_t job = ref(1, 1);
    round_at(&world, 1000, &job, 1, NULL);
    round_at(&world, 4000, &job, 1, &job);
    round_at(&world, 7000, &job, 1, NULL);
    assert_int_equal(world.lost, 0);
    pt_rounds_destroy(&world.rounds);
}

static void another_attempt_begins_anew(void **state)
{
    (void)state;
    world_t world;
    setup(&world);
    pt_ref_t first = ref(1, 1), second = ref(1, 2);
    round_at(&world, 1000, &first, 1, NULL);
    round_at(&world, 4000, &second, 1, NULL);
    assert_int_equal(world.lost, 0);
    pt_rounds_destroy(&world.rounds);
}

static void holding_an_older_attempt_is_not_holding(void **state)
{
    (void)state;
    world_t world;
    setup(&world);
    pt_ref_t job = ref(1, 2), older = ref(1, 1);
    round_at(&world, 1000, &job, 1, &older);
    round_at(&world, 4000, &job, 1, &older);
    assert_int_equal(world.lost, 1);
    pt_rounds_destroy(&world.rounds);
}

static void without_brokers_nothing_is_lost(void **state)
{
    (void)state;
    world_t world;
    pt_uuid_t after;
    setup(&world);
    pt_ref_t job = ref(1, 1);
    for (int64_t now = 1000; now < 60000; now += 3000) {
        assert_true(pt_rounds_wants_page(world.rounds, now, &after));
        pt_rounds_page(world.rounds, now, &job, 1, false, 0);
    }
    assert_int_equal(world.lost, 0);
    pt_rounds_destroy(&world.rounds);
}

static void a_broker_that_does_not_answer_leaves_it_open(void **state)
{
    (void)state;
    world_t world;
    pt_uuid_t after;
    pt_refs_t none = {NULL, 0};
    setup(&world);
    pt_ref_t job = ref(1, 1);
    for (int64_t now = 1000; now < 60000; now += 3000) {
        assert_true(pt_rounds_wants_page(world.rounds, now, &after));
        uint64_t number = pt_rounds_page(world.rounds, now, &job, 1, false, BROKERS);
        pt_rounds_answer(world.rounds, now + 5, 0, number, &none, on_lost, &world);
        pt_rounds_tick(world.rounds, now + 2500);
    }
    assert_int_equal(world.lost, 0);
    pt_rounds_destroy(&world.rounds);
}

static void a_broker_that_goes_away_leaves_it_open(void **state)
{
    (void)state;
    world_t world;
    pt_uuid_t after;
    pt_refs_t none = {NULL, 0};
    setup(&world);
    pt_ref_t job = ref(1, 1);
    round_at(&world, 1000, &job, 1, NULL);
    assert_true(pt_rounds_wants_page(world.rounds, 4000, &after));
    uint64_t number = pt_rounds_page(world.rounds, 4000, &job, 1, false, BROKERS);
    pt_rounds_answer(world.rounds, 4005, 0, number, &none, on_lost, &world);
    pt_rounds_broker_gone(world.rounds, 1);
    pt_rounds_answer(world.rounds, 4010, 1, number, &none, on_lost, &world);
    assert_int_equal(world.lost, 0);
    pt_rounds_destroy(&world.rounds);
}

static void an_answer_to_an_older_question_does_not_count(void **state)
{
    (void)state;
    world_t world;
    pt_uuid_t after;
    pt_refs_t none = {NULL, 0};
    setup(&world);
    pt_ref_t job = ref(1, 1);
    round_at(&world, 1000, &job, 1, NULL);
    assert_true(pt_rounds_wants_page(world.rounds, 4000, &after));
    uint64_t number = pt_rounds_page(world.rounds, 4000, &job, 1, false, BROKERS);
    pt_rounds_answer(world.rounds, 4005, 0, number - 1, &none, on_lost, &world);
    pt_rounds_answer(world.rounds, 4005, 1, number - 1, &none, on_lost, &world);
    assert_int_equal(world.lost, 0);
    pt_rounds_destroy(&world.rounds);
}

static void pages_follow_each_other_and_then_the_round_ends(void **state)
{
    (void)state;
    world_t world;
    pt_uuid_t after;
    pt_refs_t none = {NULL, 0};
    setup(&world);
    pt_ref_t first = ref(1, 1), second = ref(2, 1);
    assert_true(pt_rounds_wants_page(world.rounds, 1000, &after));
    assert_int_equal(after.bytes[0], 0);
    uint64_t number = pt_rounds_page(world.rounds, 1000, &first, 1, true, 1);
    assert_false(pt_rounds_wants_page(world.rounds, 1050, &after));
    pt_rounds_answer(world.rounds, 1060, 0, number, &none, on_lost, &world);
    assert_false(pt_rounds_wants_page(world.rounds, 1099, &after)); /* ten a second at most */
    assert_true(pt_rounds_wants_page(world.rounds, 1100, &after));
    assert_int_equal(after.bytes[0], 1);
    number = pt_rounds_page(world.rounds, 1100, &second, 1, false, 1);
    pt_rounds_answer(world.rounds, 1110, 0, number, &none, on_lost, &world);
    assert_false(pt_rounds_wants_page(world.rounds, 3999, &after));
    assert_true(pt_rounds_wants_page(world.rounds, 4000, &after));
    pt_rounds_destroy(&world.rounds);
}

static void nothing_out_means_no_more_questions_until_woken(void **state)
{
    (void)state;
    world_t world;
    pt_uuid_t after;
    setup(&world);
    assert_true(pt_rounds_wants_page(world.rounds, 1000, &after));
    pt_rounds_page(world.rounds, 1000, NULL, 0, false, BROKERS);
    assert_false(pt_rounds_wants_page(world.rounds, 1000000, &after));
    assert_int_equal(pt_rounds_due(world.rounds, 1000000), INT64_MAX);
    pt_rounds_wake(world.rounds, false);
    assert_true(pt_rounds_wants_page(world.rounds, 1000000, &after));
    pt_rounds_destroy(&world.rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_that_nobody_names_twice_is_lost),
        cmocka_unit_test(two_rounds_too_close_say_nothing),
        cmocka_unit_test(a_job_that_is_named_in_between_is_not_lost),
        cmocka_unit_test(another_attempt_begins_anew),
        cmocka_unit_test(holding_an_older_attempt_is_not_holding),
        cmocka_unit_test(without_brokers_nothing_is_lost),
        cmocka_unit_test(a_broker_that_does_not_answer_leaves_it_open),
        cmocka_unit_test(a_broker_that_goes_away_leaves_it_open),
        cmocka_unit_test(an_answer_to_an_older_question_does_not_count),
        cmocka_unit_test(pages_follow_each_other_and_then_the_round_ends),
        cmocka_unit_test(nothing_out_means_no_more_questions_until_woken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
