/* Who may say and hear what (broker/right.h), and whose sessions end when a certificate does. */
#include "broker/right.h"
#include "proto/topic.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define ORG "01234567-89ab-4cde-8f01-23456789abcd"

static pt_right_t right_of(const char *role, const char *types, const char *org)
{
    pt_right_t right;
    assert_null(pt_right_read(&right, role, types, org));
    return right;
}

static void test_metadata_says_all_that_its_role_needs_and_nothing_else(void **state)
{
    (void)state;
    pt_right_t right = right_of("worker", " humanization  stability ", NULL);
    assert_int_equal(right.type_count, 2);
    assert_string_equal(right.types[1], "stability");
    assert_false(right.all);
    assert_true(right_of("worker", "*", NULL).all);
    assert_true(right_of("subscriber", NULL, "*").all);
    assert_int_equal(right_of("gateway", NULL, NULL).role, PT_ROLE_GATEWAY);
    static const char *const wrong[][3] = {
        {NULL, NULL, NULL},           {"", NULL, NULL},         {"Worker", "a", NULL},
        {"worker", NULL, NULL},       {"worker", "", NULL},     {"worker", "  ", NULL},
        {"worker", "a *", NULL},      {"worker", "a,b", NULL},  {"worker", "A", NULL},
        {"worker", "a", ORG},         {"gateway", "a", NULL},   {"gateway", NULL, ORG},
        {"subscriber", NULL, NULL},   {"subscriber", "a", ORG}, {"subscriber", NULL, ""},
        {"subscriber", NULL, ORG "0"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_non_null(pt_right_read(&right, wrong[i][0], wrong[i][1], wrong[i][2]));
}

static void test_more_job_types_than_a_message_can_name_are_refused(void **state)
{
    (void)state;
    char types[PT_TYPES_MAX * 4 + 8] = "";
    pt_right_t right;
    for (int i = 0; i < PT_TYPES_MAX; i++)
        sprintf(types + strlen(types), "t%02d ", i);
    assert_null(pt_right_read(&right, "worker", types, NULL));
    strcat(types, "t64");
    assert_non_null(pt_right_read(&right, "worker", types, NULL));
}

static void test_doors_by_role(void **state)
{
    (void)state;
    const pt_right_t rights[] = {right_of("gateway", NULL, NULL), right_of("worker", "*", NULL),
                                 right_of("subscriber", NULL, ORG)};
    static const bool wanted[3][PT_DOORS] = {
        {true, false, true, true}, {false, true, true, false}, {false, false, false, true}};
    for (int role = 0; role < 3; role++)
        for (int door = 0; door < PT_DOORS; door++)
            assert_true(wanted[role][door] == !pt_right_enter(&rights[role], (pt_door_t)door));
}

static void test_subscriptions_stay_inside_the_organisation(void **state)
{
    (void)state;
    const pt_right_t one = right_of("subscriber", NULL, ORG);
    static const char *const inside[] = {"event." ORG ".", "edge." ORG ".", "log." ORG ".",
                                         "status." ORG ".humanization.", "result." ORG "."};
    static const char *const outside[] = {"",
                                          "e",
                                          "event",
                                          "event.",
                                          "event." ORG,
                                          "event.01234567",
                                          "alive.",
                                          "events." ORG,
                                          "event.." ORG ".",
                                          "EVENT." ORG ".",
                                          ORG,
                                          "edge.",
                                          "status.",
                                          "log",
                                          "event.01234567-89AB-4cde-8f01-23456789abcd."};
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        assert_null(pt_right_subscribe(&one, inside[i], strlen(inside[i])));
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        assert_non_null(pt_right_subscribe(&one, outside[i], strlen(outside[i])));
    const pt_right_t everybody = right_of("subscriber", NULL, "*");
    const pt_right_t worker = right_of("worker", "*", NULL);
    assert_null(pt_right_subscribe(&everybody, "", 0));
    assert_non_null(pt_right_subscribe(&worker, "alive.", 6));
}

static void test_every_verb_of_the_event_path_has_its_role(void **state)
{
    (void)state;
    const pt_right_t gateway = right_of("gateway", NULL, NULL);
    const pt_right_t worker = right_of("worker", "humanization", NULL);
    const pt_right_t subscriber = right_of("subscriber", NULL, "*");
    for (int verb = 0; verb < PT_VERBS; verb++) {
        pt_msg_t msg;
        pt_msg_init(&msg, (pt_verb_t)verb);
        pt_msg_set_text(&msg, PT_F_JOB_TYPE, "humanization");
        bool from_gateway = verb == PT_EVENT || verb == PT_EDGE || verb == PT_ALIVE;
        bool from_worker =
            verb == PT_STATUS || verb == PT_RESULT || verb == PT_LOG || verb == PT_DECLARE ||
            verb == PT_ALIVE;
        assert_true(!pt_right_publish(&gateway, &msg) == from_gateway);
        assert_true(!pt_right_publish(&worker, &msg) == from_worker);
        assert_non_null(pt_right_publish(&subscriber, &msg));
        pt_msg_set_text(&msg, PT_F_JOB_TYPE, "humanization2");
        assert_true(!pt_right_publish(&worker, &msg) == (verb == PT_ALIVE));
        pt_msg_clear(&msg);
    }
}

/* ---- sessions ---------------------------------------------------------------------------- */

static bool is_not_seven(void *arg, uint64_t right)
{
    (void)arg;
    return right != 7;
}

static void test_a_certificate_that_ends_takes_its_sessions_along(void **state)
{
    (void)state;
    world_t world;
    world_open(&world, 1);
    world.rights[W(0)] = 7;
    world.rights[W(1)] = 8;
    world.rights[G(0)] = 9;
    add_gateway(&world, G(0));
    add_worker(&world, W(0), 1);
    say_job(&world, G(0), 1, 1, 1);
    assert_non_null(said_of(&world, W(0), PT_JOB, 1));
    add_worker(&world, W(1), 1);
    world_clear(&world);
    pt_scheduler_step(world.scheduler, world.now,
                      &(pt_input_t){.kind = PT_IN_RIGHTS, .stands = is_not_seven});
    const said_t *gone = said_of(&world, G(0), PT_GONE, 1);
    assert_non_null(gone);
    assert_false(gone->msg.certain);
    assert_int_equal(world_stats(&world).workers, 1);
    assert_int_equal(world_stats(&world).gateways, 1);
    say_credit(&world, W(0), 5);
    assert_non_null(said(&world, W(0), PT_HELLO_AGAIN, 0));
    world_close(&world);
}

static void test_a_name_is_not_taken_over_under_another_certificate(void **state)
{
    (void)state;
    world_t world;
    world_open(&world, 1);
    world.rights[W(0)] = 7;
    world.rights[W(1)] = 8;
    world.rights[W(2)] = 7;
    say_hello(&world, W(0), 1, "name", 1);
    say_hello(&world, W(1), 2, "name", 1);
    assert_false(world.welcomed[W(1)]);
    say_hello(&world, W(1), 1, "other name", 1); /* nor an instance */
    assert_false(world.welcomed[W(1)]);
    say_hello(&world, W(2), 3, "name", 1);
    assert_true(world.welcomed[W(2)]);
    world_close(&world);
}

/* A worker's job types are its certificate's; those of what it says it holds must be the job's own.
 */
static void test_a_lease_is_not_adopted_under_another_job_type(void **state)
{
    (void)state;
    world_t world;
    world_open(&world, 1);
    add_gateway(&world, G(0));
    add_worker(&world, W(0), 1);
    say_job(&world, G(0), 1, 1, 1);
    say_job(&world, G(0), 2, 1, 1); /* which waits */
    for (uint64_t job = 1; job <= 2; job++) {
        pt_msg_t msg;
        pt_msg_init(&msg, PT_HELLO);
        pt_msg_set_text(&msg, PT_F_ROLE, "worker");
        pt_msg_set_text(&msg, PT_F_MACHINE, "liar");
        msg.instance = uuid_of(100 + job);
        pt_msg_set(&msg, PT_F_INSTANCE);
        pt_uuid_t id = uuid_of(job);
        pt_msg_add_ref(&msg, PT_F_LEASES, &id, 1, "other");
        world_step(&world, W(1), &msg, NULL);
        assert_non_null(said_of(&world, W(1), PT_STOP, job));
    }
    assert_int_equal(world_stats(&world).queued, 1);
    assert_int_equal(world_stats(&world).leased, 1);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metadata_says_all_that_its_role_needs_and_nothing_else),
        cmocka_unit_test(test_more_job_types_than_a_message_can_name_are_refused),
        cmocka_unit_test(test_doors_by_role),
        cmocka_unit_test(test_subscriptions_stay_inside_the_organisation),
        cmocka_unit_test(test_every_verb_of_the_event_path_has_its_role),
        cmocka_unit_test(test_a_certificate_that_ends_takes_its_sessions_along),
        cmocka_unit_test(test_a_name_is_not_taken_over_under_another_certificate),
        cmocka_unit_test(test_a_lease_is_not_adopted_under_another_job_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
