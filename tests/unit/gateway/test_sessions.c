/* The gateway's side of a session, its credit, and the edges. */
#include "tests/unit/unit.h"

#include "gateway/links/credit.h"
#include "gateway/links/edges.h"
#include "gateway/links/link.h"

static pt_msg_t message(pt_verb_t verb, uint8_t session)
{
    pt_msg_t msg;
    pt_msg_init(&msg, verb);
    memset(msg.session, session, PT_SESSION_SIZE);
    return msg;
}

static pt_link_t link_in_session(void)
{
    pt_link_t link;
    unsigned actions;
    pt_msg_t welcome = message(PT_WELCOME, 7);
    pt_link_init(&link, 0);
    assert_true(pt_link_take(&link, &welcome, 10, &actions));
    assert_int_equal(actions, PT_LINK_OPENED);
    return link;
}

static void a_fresh_socket_says_hello_each_interval_and_gives_up_after_three(void **state)
{
    (void)state;
    pt_link_t link;
    pt_link_init(&link, 0);
    int hellos = 0;
    for (int64_t now = 0; now <= 3000; now += 250)
        hellos += pt_link_tick(&link, now) == PT_LINK_SEND_HELLO;
    assert_int_equal(hellos, 4);
    assert_int_equal(pt_link_tick(&link, 3250), PT_LINK_REOPEN);
}

static void in_session_it_beats_each_interval(void **state)
{
    (void)state;
    pt_link_t link = link_in_session();
    assert_int_equal(pt_link_tick(&link, 250), PT_LINK_SEND_BEAT);
    assert_int_equal(pt_link_tick(&link, 500), PT_LINK_NOTHING);
    assert_int_equal(pt_link_tick(&link, 1250), PT_LINK_SEND_BEAT);
}

static void three_silent_intervals_end_the_session(void **state)
{
    (void)state;
    pt_link_t link = link_in_session();
    int64_t now = 0;
    unsigned actions = 0;
    while (!(actions & PT_LINK_LOST) && now < 10000)
        actions = pt_link_tick(&link, now += 250);
    assert_int_equal(actions, PT_LINK_LOST | PT_LINK_REOPEN);
    assert_true(now > 3000 && now <= 3500);
}

static void a_beating_broker_whose_event_path_is_deaf_is_left(void **state)
{
    (void)state;
    pt_link_t link = link_in_session();
    pt_msg_t beat = message(PT_BEAT, 7);
    unsigned actions = 0, ignored;
    int64_t now = 0;
    while (!(actions & PT_LINK_LOST) && now < 10000) {
        pt_link_take(&link, &beat, now += 250, &ignored);
        if (now <= 2000)
            pt_link_echo(&link, now);
        actions = pt_link_tick(&link, now);
    }
    assert_true(now > 5000 && now <= 5500);
}

static void silence_during_a_pause_of_its_own_is_no_silence(void **state)
{
    (void)state;
    pt_link_t link = link_in_session();
    pt_link_tick(&link, 250);
    assert_false(pt_link_tick(&link, 60000) & PT_LINK_LOST);
    assert_true(link.in_session);
}

static void a_message_of_another_session_is_dropped(void **state)
{
    (void)state;
    pt_link_t link = link_in_session();
    unsigned actions;
    pt_msg_t other = message(PT_CREDIT, 8), welcome = message(PT_WELCOME, 8);
    assert_false(pt_link_take(&link, &other, 20, &actions));
    assert_false(pt_link_take(&link, &welcome, 20, &actions));
    pt_msg_t own = message(PT_CREDIT, 7);
    assert_true(pt_link_take(&link, &own, 20, &actions));
}

static void hello_again_asks_for_a_fresh_socket(void **state)
{
    (void)state;
    pt_link_t link = link_in_session();
    unsigned actions;
    pt_msg_t again = message(PT_HELLO_AGAIN, 0);
    pt_link_take(&link, &again, 20, &actions);
    assert_int_equal(actions, PT_LINK_REOPEN | PT_LINK_LOST);
    assert_false(link.in_session);
}

static void a_refused_hello_waits_an_interval(void **state)
{
    (void)state;
    pt_link_t link;
    unsigned actions;
    pt_msg_t again = message(PT_HELLO_AGAIN, 0);
    pt_msg_set_text(&again, PT_F_REASON, "full");
    pt_link_init(&link, 0);
    pt_link_take(&link, &again, 10, &actions);
    assert_int_equal(pt_link_tick(&link, 500), PT_LINK_NOTHING);
    assert_int_equal(pt_link_tick(&link, 1100), PT_LINK_SEND_HELLO);
}

static void grant(pt_credit_t *credit, int link, const char *job_type, uint64_t n)
{
    pt_counts_t counts = {.count = 0};
    pt_counts_set(&counts, job_type, n);
    pt_credit_grant(credit, link, &counts);
}

static void credit_is_absolute_and_never_shrinks(void **state)
{
    (void)state;
    pt_credit_t credit = {0};
    uint8_t session[PT_SESSION_SIZE] = {1};
    pt_credit_open(&credit, 0, session);
    grant(&credit, 0, "humanization", 2);
    grant(&credit, 0, "humanization", 2);
    assert_int_equal(pt_credit_free(&credit, "humanization"), 2);
    pt_ticket_t first = pt_credit_reserve(&credit, "humanization");
    assert_int_equal(first.link, 0);
    grant(&credit, 0, "humanization", 1);
    assert_int_equal(pt_credit_free(&credit, "humanization"), 1);
    assert_int_equal(pt_credit_free(&credit, "structure"), 0);
    assert_int_equal(pt_credit_reserve(&credit, "structure").link, -1);
    pt_credit_release(&credit, &first, "humanization");
    assert_int_equal(pt_credit_free(&credit, "humanization"), 2);
}

static void a_backlog_leaves_some_for_who_has_none(void **state)
{
    (void)state;
    pt_credit_t credit = {0};
    uint8_t session[PT_SESSION_SIZE] = {1};
    pt_credit_open(&credit, 0, session);
    grant(&credit, 0, "humanization", PT_CREDIT_KEPT);
    assert_int_equal(pt_credit_spare(&credit, "humanization"), 0);
    assert_int_equal(pt_credit_reserve(&credit, "humanization").link, 0);
    grant(&credit, 0, "humanization", PT_CREDIT_KEPT + 3);
    assert_int_equal(pt_credit_free(&credit, "humanization"), PT_CREDIT_KEPT + 2);
    assert_int_equal(pt_credit_spare(&credit, "humanization"), 2);
}

static bool serve(pt_credit_t *credit, int link, uint64_t slots)
{
    pt_counts_t counts = {0};
    pt_counts_set(&counts, "humanization", slots);
    return pt_credit_serve(credit, link, &counts);
}

/* Workers that have gone leave credit behind, which is not used until one comes. */
static void credit_for_what_nobody_serves_is_not_used(void **state)
{
    (void)state;
    uint8_t session[PT_SESSION_SIZE] = "8 bytes";
    pt_credit_t credit = {0};
    pt_credit_open(&credit, 0, session);
    grant(&credit, 0, "humanization", 64);
    grant(&credit, 0, "structure", 64); /* it has workers, and the next beat will say so */
    assert_int_equal(pt_credit_slots(&credit, "humanization"), -1);
    assert_true(serve(&credit, 0, 4));
    assert_false(serve(&credit, 0, 4));
    assert_int_equal(pt_credit_free(&credit, "humanization"), 64);
    assert_true(serve(&credit, 0, 0));
    assert_int_equal(pt_credit_free(&credit, "humanization"), 0);
    assert_int_equal(pt_credit_reserve(&credit, "humanization").link, -1);
    assert_int_equal(pt_credit_free(&credit, "structure"), 64);
    assert_true(serve(&credit, 0, 1));
    assert_int_equal(pt_credit_free(&credit, "humanization"), 64);
}

static void slots_are_summed_over_brokers_that_are_there(void **state)
{
    (void)state;
    uint8_t session[PT_SESSION_SIZE] = "8 bytes";
    pt_credit_t credit = {0};
    assert_int_equal(pt_credit_slots(&credit, "humanization"), -1);
    pt_credit_open(&credit, 0, session);
    pt_credit_open(&credit, 3, session);
    serve(&credit, 0, 0);
    assert_int_equal(pt_credit_slots(&credit, "humanization"), -1); /* the other may serve it */
    serve(&credit, 3, 0);
    assert_int_equal(pt_credit_slots(&credit, "humanization"), 0);
    assert_int_equal(pt_credit_slots(&credit, "structure"), 0);
    serve(&credit, 3, 2);
    serve(&credit, 0, 3);
    assert_int_equal(pt_credit_slots(&credit, "humanization"), 5);
    assert_int_equal(pt_credit_slots(&credit, "structure"), 0);
    pt_credit_close(&credit, 3);
    assert_int_equal(pt_credit_slots(&credit, "humanization"), 3);
}

static void credit_ends_with_its_session(void **state)
{
    (void)state;
    pt_credit_t credit = {0};
    uint8_t one[PT_SESSION_SIZE] = {1}, two[PT_SESSION_SIZE] = {2};
    pt_credit_open(&credit, 0, one);
    grant(&credit, 0, "humanization", 5);
    pt_ticket_t ticket = pt_credit_reserve(&credit, "humanization");
    pt_credit_close(&credit, 0);
    assert_int_equal(pt_credit_free(&credit, "humanization"), 0);
    pt_credit_open(&credit, 0, two);
    assert_false(pt_credit_valid(&credit, &ticket));
    grant(&credit, 0, "humanization", 1);
    pt_credit_release(&credit, &ticket, "humanization"); /* of the old session: no effect */
    assert_int_equal(pt_credit_free(&credit, "humanization"), 1);
}

static void the_broker_with_most_room_is_chosen(void **state)
{
    (void)state;
    pt_credit_t credit = {0};
    uint8_t session[PT_SESSION_SIZE] = {1};
    pt_credit_open(&credit, 0, session);
    pt_credit_open(&credit, 1, session);
    grant(&credit, 0, "humanization", 2);
    grant(&credit, 1, "humanization", 3);
    assert_int_equal(pt_credit_reserve(&credit, "humanization").link, 1);
    assert_string_equal(pt_credit_type(&credit, 0), "humanization");
    assert_null(pt_credit_type(&credit, 1));
}

static void count_edge(void *context, const pt_uuid_t *org_id, uint64_t seq)
{
    (void)org_id;
    ((uint64_t *)context)[0]++;
    ((uint64_t *)context)[1] = seq;
}

static void edges_are_repeated_often_while_something_happens_then_seldom(void **state)
{
    (void)state;
    pt_edges_t *edges = pt_edges_new();
    pt_uuid_t org = {{1}};
    uint64_t said[2] = {0, 0};
    for (int64_t now = 0; now < 120000; now += 250) {
        if (now < 10000)
            pt_edges_note(edges, &org, (uint64_t)(now / 250 + 1), now);
        pt_edges_due(edges, now, count_edge, said);
        if (now == 9750)
            assert_true(said[0] >= 4 && said[0] <= 5);
    }
    assert_int_equal(said[1], 40);
    assert_true(said[0] >= 7 && said[0] <= 10);
    pt_edges_destroy(&edges);
}

static void a_lower_number_does_not_move_an_edge(void **state)
{
    (void)state;
    pt_edges_t *edges = pt_edges_new();
    pt_uuid_t org = {{1}};
    uint64_t said[2] = {0, 0};
    pt_edges_note(edges, &org, 9, 0);
    pt_edges_note(edges, &org, 4, 1);
    assert_false(pt_edges_is_new(edges, &org, 9));
    assert_true(pt_edges_is_new(edges, &org, 10));
    pt_edges_due(edges, 5000, count_edge, said);
    assert_int_equal(said[1], 9);
    pt_edges_destroy(&edges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_socket_says_hello_each_interval_and_gives_up_after_three),
        cmocka_unit_test(in_session_it_beats_each_interval),
        cmocka_unit_test(three_silent_intervals_end_the_session),
        cmocka_unit_test(a_beating_broker_whose_event_path_is_deaf_is_left),
        cmocka_unit_test(silence_during_a_pause_of_its_own_is_no_silence),
        cmocka_unit_test(a_message_of_another_session_is_dropped),
        cmocka_unit_test(hello_again_asks_for_a_fresh_socket),
        cmocka_unit_test(a_refused_hello_waits_an_interval),
        cmocka_unit_test(credit_is_absolute_and_never_shrinks),
        cmocka_unit_test(a_backlog_leaves_some_for_who_has_none),
        cmocka_unit_test(credit_for_what_nobody_serves_is_not_used),
        cmocka_unit_test(slots_are_summed_over_brokers_that_are_there),
        cmocka_unit_test(credit_ends_with_its_session),
        cmocka_unit_test(the_broker_with_most_room_is_chosen),
        cmocka_unit_test(edges_are_repeated_often_while_something_happens_then_seldom),
        cmocka_unit_test(a_lower_number_does_not_move_an_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
