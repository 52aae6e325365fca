/* Who is next: PROTOCOL.md, section 3, "Priority and weight". */
#include "broker/queue.h"
#include "world.h"

#include <stdlib.h>

#define ORGS 20
#define NORMAL PT_PRIORITY_NORMAL

static pt_queue_t *queue;

static int set_up(void **state)
{
    (void)state;
    queue = pt_queue_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (pt_held_t *job; (job = pt_queue_take(queue));)
        free(job);
    pt_queue_destroy(&queue);
    return 0;
}

static pt_held_t *add(uint64_t job_id, uint64_t org, uint32_t priority, uint32_t weight)
{
    pt_held_t *job = calloc(1, sizeof *job);
    assert_non_null(job);
    job->job_id = uuid_of(job_id);
    job->org_id = uuid_of(org);
    job->priority = priority;
    pt_queue_add(queue, job, weight);
    return job;
}

static uint64_t number_of(const pt_uuid_t *uuid)
{
    uint64_t n;
    memcpy(&n, uuid->bytes + 8, sizeof n);
    return n;
}

/* The organisation of the next job; 0: none waits. */
static uint64_t take_org(void)
{
    pt_held_t *job = pt_queue_take(queue);
    uint64_t org = job ? number_of(&job->org_id) : 0;
    free(job);
    return org;
}

static void expect_jobs(const uint64_t *ids)
{
    for (; *ids; ids++) {
        pt_held_t *job = pt_queue_take(queue);
        assert_non_null(job);
        assert_int_equal(number_of(&job->job_id), *ids);
        free(job);
    }
    assert_null(pt_queue_take(queue));
}

static void jobs_of_an_organisation_go_by_priority_then_arrival(void **state)
{
    (void)state;
    add(1, 7, 2, 1);
    add(2, 7, 1, 1);
    add(3, 7, 0, 1);
    add(4, 7, 1, 1);
    add(5, 7, 0, 1);
    expect_jobs((const uint64_t[]){3, 5, 2, 4, 1, 0});
}

static void priority_says_nothing_to_other_organisations(void **state)
{
    (void)state;
    add(1, 7, 2, 1);
    add(2, 8, 0, 1);
    add(3, 8, 0, 1);
    add(4, 7, 2, 1);
    expect_jobs((const uint64_t[]){1, 2, 4, 3, 0});
}

static void a_backlog_of_100000_delays_another_by_one_turn(void **state)
{
    (void)state;
    for (uint64_t id = 1; id <= 100000; id++)
        add(id, 7, 0, 100);
    for (int i = 0; i < 150; i++)
        assert_int_equal(take_org(), 7);
    add(200000, 8, 2, 1);
    take_org();
    assert_int_equal(take_org(), 8);
}

static void turns_in_a_round_are_the_weight(void **state)
{
    (void)state;
    size_t turns[3] = {0};
    for (uint64_t id = 1; id <= 700; id++) {
        add(id, 1, NORMAL, 4);
        add(1000 + id, 2, NORMAL, 1);
    }
    for (int round = 1; round <= 100; round++) {
        for (int i = 0; i < 5; i++)
            turns[take_org()]++;
        assert_int_equal(turns[1], 4 * round);
        assert_int_equal(turns[2], round);
    }
}

static void turns_of_a_round_alternate(void **state)
{
    (void)state;
    for (uint64_t id = 1; id <= 4; id++) {
        add(10 + id, 1, NORMAL, 3);
        add(20 + id, 2, NORMAL, 2);
    }
    expect_jobs((const uint64_t[]){11, 21, 12, 22, 13, 23, 14, 24, 0});
}

static void weight_that_was_said_last_counts(void **state)
{
    (void)state;
    for (uint64_t id = 1; id <= 5; id++) {
        add(10 + id, 1, NORMAL, 1);
        add(20 + id, 2, NORMAL, 1);
    }
    add(16, 1, NORMAL, 2);
    expect_jobs((const uint64_t[]){11, 21, 12, 22, 13, 14, 23, 15, 16, 24, 25, 0});
}

/* Who has one job at a time comes anew with each, and has no more turns for it. */
static void who_comes_back_in_the_same_round_has_no_turns_anew(void **state)
{
    (void)state;
    for (uint32_t weight = 1; weight <= 3; weight++) {
        size_t turns = 0;
        for (uint64_t id = 1; id <= 130; id++)
            add(id, 1, NORMAL, 10);
        add(500, 2, NORMAL, weight);
        for (int i = 0; i < 110; i++)
            if (take_org() == 2) {
                turns++;
                add(500, 2, NORMAL, weight);
            }
        assert_in_range(turns, 10, weight == 1 ? 10 : 11 * weight);
        tear_down(NULL);
        set_up(NULL);
    }
}

static void job_out_of_the_middle_is_not_taken(void **state)
{
    (void)state;
    pt_held_t *two = (add(1, 7, NORMAL, 1), add(2, 7, NORMAL, 1)), *four;
    add(3, 7, NORMAL, 1);
    four = add(4, 8, NORMAL, 1); /* the only one of its organisation */
    pt_queue_remove(queue, two);
    pt_queue_remove(queue, four);
    free(two);
    free(four);
    expect_jobs((const uint64_t[]){1, 3, 0});
}

/* ---- at random --------------------------------------------------------------------------- */

typedef struct {
    size_t waiting;
    uint32_t weight;
    size_t meanwhile[ORGS + 1]; /* turns of each other since its last, or since it came */
} org_t;

static org_t orgs[ORGS + 1];

static void check_turn(uint64_t org)
{
    assert_true(orgs[org].waiting > 0);
    orgs[org].waiting--;
    memset(orgs[org].meanwhile, 0, sizeof orgs[org].meanwhile);
    for (uint64_t other = 1; other <= ORGS; other++)
        if (other != org && orgs[other].waiting)
            assert_true(++orgs[other].meanwhile[org] <= orgs[org].weight);
}

static void between_two_turns_another_has_at_most_its_weight(void **state)
{
    (void)state;
    world_t random = {.seed = 5};
    size_t waiting = 0;
    memset(orgs, 0, sizeof orgs);
    for (uint64_t org = 1; org <= ORGS; org++)
        orgs[org].weight = 1 + (uint32_t)(world_random(&random) % 5);
    for (uint64_t i = 1; i <= 300000; i++) {
        bool filling = i / 500 % 2;
        if (waiting == 0 || world_random(&random) % 5 < (filling ? 3 : 2)) {
            uint64_t org = 1 + world_random(&random) % ORGS;
            add(i, org, (uint32_t)(world_random(&random) % PT_PRIORITIES), orgs[org].weight);
            if (orgs[org].waiting++ == 0)
                memset(orgs[org].meanwhile, 0, sizeof orgs[org].meanwhile);
            waiting++;
        } else {
            check_turn(take_org());
            waiting--;
        }
    }
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(jobs_of_an_organisation_go_by_priority_then_arrival),
        TEST(priority_says_nothing_to_other_organisations),
        TEST(a_backlog_of_100000_delays_another_by_one_turn),
        TEST(turns_in_a_round_are_the_weight),
        TEST(turns_of_a_round_alternate),
        TEST(weight_that_was_said_last_counts),
        TEST(who_comes_back_in_the_same_round_has_no_turns_anew),
        TEST(job_out_of_the_middle_is_not_taken),
        TEST(between_two_turns_another_has_at_most_its_weight),
    };
    return cmocka_run_group_tests_name("broker queue", tests, NULL, NULL);
}
