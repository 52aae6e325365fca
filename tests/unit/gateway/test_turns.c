/* Whose turn it is. What pt_sql_hand_out does is done here in a few lines: of those that wait, who
 * stands furthest back is next, the smaller id first. */
#include "tests/unit/unit.h"

#include "gateway/dispatch/turns.h"

#include <jansson.h>

typedef struct {
    int waiting, weight, had;
} org_t;

static pt_uuid_t id_of(int n)
{
    pt_uuid_t id = {{0}};
    id.bytes[15] = (uint8_t)(n + 1);
    return id;
}

static int64_t start_of(pt_turns_t *turns, int n)
{
    char *text = pt_turns_text(turns), org[PT_UUID_TEXT];
    pt_uuid_t id = id_of(n);
    json_t *ahead = json_loads(text, 0, NULL);
    assert_non_null(ahead);
    int64_t start = json_integer_value(json_object_get(ahead, pt_uuid_format(&id, org)));
    json_decref(ahead);
    free(text);
    return start > turns->now ? start : turns->now;
}

/* Hands one job out; returns whose it was. */
static int hand_out(pt_turns_t *turns, org_t *orgs, int count)
{
    int next = -1;
    for (int n = 0; n < count; n++)
        if (orgs[n].waiting > 0 && (next < 0 || start_of(turns, n) < start_of(turns, next)))
            next = n;
    pt_uuid_t id = id_of(next);
    pt_turns_took(turns, &id, start_of(turns, next), orgs[next].weight);
    orgs[next].waiting--;
    orgs[next].had++;
    return next;
}

static void one_each_if_nothing_is_said(void **state)
{
    (void)state;
    pt_turns_t turns = {0};
    org_t orgs[] = {{1000, 1, 0}, {1000, 1, 0}, {1000, 1, 0}};
    for (int i = 0; i < 300; i++)
        assert_int_equal(hand_out(&turns, orgs, 3), i % 3);
    pt_turns_clear(&turns);
}

static void each_has_its_weight_in_a_round(void **state)
{
    (void)state;
    pt_turns_t turns = {0};
    org_t orgs[] = {{10000, 1, 0}, {10000, 3, 0}, {10000, 7, 0}};
    for (int i = 0; i < 11 * 50; i++)
        hand_out(&turns, orgs, 3);
    assert_in_range(orgs[0].had, 49, 51);
    assert_in_range(orgs[1].had, 149, 151);
    assert_in_range(orgs[2].had, 349, 351);
    pt_turns_clear(&turns);
}

/* Also behind one with a weight of 100, and at any moment of its round. */
static void a_newcomer_waits_for_one_job_of_each_at_most(void **state)
{
    (void)state;
    for (int before = 1; before < 130; before++) {
        pt_turns_t turns = {0};
        org_t orgs[] = {{100000, 100, 0}, {100000, 1, 0}, {0, 1, 0}};
        for (int i = 0; i < before; i++)
            hand_out(&turns, orgs, 3);
        org_t then[3];
        memcpy(then, orgs, sizeof then);
        orgs[2].waiting = 1;
        while (orgs[2].waiting > 0)
            hand_out(&turns, orgs, 3);
        assert_in_range(orgs[0].had - then[0].had, 0, 1);
        assert_in_range(orgs[1].had - then[1].had, 0, 1);
        pt_turns_clear(&turns);
    }
}

/* Who had nothing waiting for a while has saved nothing up. */
static void who_was_away_catches_nothing_up(void **state)
{
    (void)state;
    pt_turns_t turns = {0};
    org_t orgs[] = {{1, 1, 0}, {1000, 1, 0}};
    for (int i = 0; i < 100; i++)
        hand_out(&turns, orgs, 2);
    orgs[0].waiting = 100;
    int had = orgs[1].had;
    for (int i = 0; i < 20; i++)
        hand_out(&turns, orgs, 2);
    assert_in_range(orgs[1].had - had, 9, 11);
    pt_turns_clear(&turns);
}

static void only_those_ahead_are_kept(void **state)
{
    (void)state;
    pt_turns_t turns = {0};
    for (int i = 0; i < 3 * PT_TURNS_MAX; i++) {
        pt_uuid_t org = pt_uuid_random();
        pt_turns_took(&turns, &org, 0, 1);
    }
    assert_int_equal(zhashx_size(turns.ahead), PT_TURNS_MAX);
    pt_uuid_t one = id_of(0);
    pt_turns_took(&turns, &one, 5 * PT_TURN, 1);
    free(pt_turns_text(&turns));
    assert_int_equal(zhashx_size(turns.ahead), 0);
    pt_turns_clear(&turns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_each_if_nothing_is_said),
        cmocka_unit_test(each_has_its_weight_in_a_round),
        cmocka_unit_test(a_newcomer_waits_for_one_job_of_each_at_most),
        cmocka_unit_test(who_was_away_catches_nothing_up),
        cmocka_unit_test(only_those_ahead_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
