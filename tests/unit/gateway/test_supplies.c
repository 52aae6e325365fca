/* What a gateway keeps of large inputs while workers fetch them. */
#include "gateway/dispatch/supplies.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static pt_uuid_t job(uint8_t number)
{
    return (pt_uuid_t){{number}};
}

static void keep(pt_supplies_t *self, uint8_t number, uint32_t attempt, size_t size, int64_t now)
{
    pt_uuid_t id = job(number);
    pt_supplies_keep(self, &id, attempt, calloc(1, size), size, now);
}

static bool has(pt_supplies_t *self, uint8_t number, uint32_t attempt, int64_t now)
{
    pt_uuid_t id = job(number);
    return pt_supplies_find(self, &id, attempt, now) != NULL;
}

static void test_finds_that_job_at_that_attempt(void **state)
{
    pt_supplies_t self = {.most = 100};
    (void)state;
    keep(&self, 1, 2, 10, 0);
    assert_true(has(&self, 1, 2, 0));
    assert_false(has(&self, 1, 1, 0));
    assert_false(has(&self, 2, 2, 0));
    pt_supplies_clear(&self);
    assert_int_equal(self.bytes, 0);
}

static void test_room_is_made_by_what_was_not_used_for_longest(void **state)
{
    pt_supplies_t self = {.most = 100};
    (void)state;
    keep(&self, 1, 1, 40, 1);
    keep(&self, 2, 1, 40, 2);
    assert_true(has(&self, 1, 1, 3));
    keep(&self, 3, 1, 40, 4);
    assert_false(has(&self, 2, 1, 5));
    assert_true(has(&self, 1, 1, 5) && has(&self, 3, 1, 5));
    assert_int_equal(self.bytes, 80);
    pt_supplies_clear(&self);
}

static void test_one_that_is_larger_than_all_room_stands_alone(void **state)
{
    pt_supplies_t self = {.most = 100};
    (void)state;
    keep(&self, 1, 1, 40, 1);
    keep(&self, 2, 1, 150, 2);
    assert_false(has(&self, 1, 1, 3));
    assert_true(has(&self, 2, 1, 3));
    keep(&self, 3, 1, 1, 4);
    assert_int_equal(self.bytes, 1);
    pt_supplies_clear(&self);
}

static void test_no_more_jobs_than_places(void **state)
{
    pt_supplies_t self = {.most = 1000};
    (void)state;
    for (uint8_t i = 0; i <= PT_SUPPLIES_MAX; i++)
        keep(&self, i, 1, 1, i + 1);
    assert_int_equal(self.bytes, PT_SUPPLIES_MAX);
    assert_false(has(&self, 0, 1, 100));
    assert_true(has(&self, 1, 1, 100));
    pt_supplies_clear(&self);
}

static void test_what_nobody_asks_for_goes(void **state)
{
    pt_supplies_t self = {.most = 100};
    (void)state;
    keep(&self, 1, 1, 10, 0);
    keep(&self, 2, 1, 10, 0);
    assert_true(has(&self, 2, 1, 1));
    pt_supplies_drop_unused(&self, PT_SUPPLIES_KEEP_MS);
    assert_false(has(&self, 1, 1, PT_SUPPLIES_KEEP_MS));
    assert_int_equal(self.bytes, 10);
    pt_supplies_drop_unused(&self, PT_SUPPLIES_KEEP_MS + 1);
    assert_int_equal(self.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_that_job_at_that_attempt),
        cmocka_unit_test(test_room_is_made_by_what_was_not_used_for_longest),
        cmocka_unit_test(test_one_that_is_larger_than_all_room_stands_alone),
        cmocka_unit_test(test_no_more_jobs_than_places),
        cmocka_unit_test(test_what_nobody_asks_for_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
