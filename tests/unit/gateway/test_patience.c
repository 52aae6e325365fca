/* How long a job waits for its next try, and whose settings count. */
#include "tests/unit/unit.h"

#include "gateway/record/patience.h"

#define SECOND INT64_C(1000000)

static pt_uuid_t job(uint8_t n)
{
    pt_uuid_t id = {{0}};
    id.bytes[15] = n;
    return id;
}

static int64_t wait_of(uint8_t n, uint32_t tries)
{
    pt_uuid_t id = job(n);
    return pt_patience_backoff(&pt_patience_default, &id, tries);
}

/* 2, 4, 8, 16, 32, 60, 60 … seconds, each up to a quarter more or less. */
static void the_wait_doubles_up_to_the_most(void **state)
{
    (void)state;
    static const int64_t expected[] = {2, 4, 8, 16, 32, 60, 60, 60};
    for (uint32_t tries = 1; tries <= 8; tries++)
        for (int n = 0; n < 256; n++) {
            int64_t wait = wait_of((uint8_t)n, tries);
            assert_in_range(wait, expected[tries - 1] * SECOND * 3 / 4,
                            expected[tries - 1] * SECOND * 5 / 4);
        }
    assert_in_range(wait_of(1, UINT32_MAX), 45 * SECOND, 75 * SECOND);
}

static void jobs_that_failed_together_do_not_come_back_together(void **state)
{
    (void)state;
    int quarters[4] = {0};
    for (int n = 0; n < 256; n++)
        quarters[(wait_of((uint8_t)n, 1) - SECOND * 3 / 2) * 4 / (SECOND + 1)]++;
    for (int i = 0; i < 4; i++)
        assert_in_range(quarters[i], 40, 90); /* of 256, 64 if all were equal */
}

static void the_same_job_and_try_wait_the_same(void **state)
{
    (void)state;
    assert_int_equal(wait_of(7, 2), wait_of(7, 2));
    assert_int_not_equal(wait_of(7, 2), wait_of(8, 2));
    assert_int_not_equal(wait_of(7, 7), wait_of(7, 8)); /* both at the most */
}

static void a_type_has_its_own_settings_or_the_defaults(void **state)
{
    (void)state;
    pt_patiences_t *all = calloc(1, sizeof *all);
    pt_patience_add(all, "structure", &(pt_patience_t){1, 20, SECOND, SECOND});
    assert_int_equal(pt_patience_of(all, "structure")->max_tries, 1);
    assert_int_equal(pt_patience_of(all, "structures")->max_tries, 3);
    assert_int_equal(pt_patience_of(all, "humanization")->max_tries, 3);
    free(all);
}

static void more_types_than_fit_have_the_defaults(void **state)
{
    (void)state;
    pt_patiences_t *all = calloc(1, sizeof *all);
    for (int i = 0; i <= PT_PATIENCES_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "type_%d", i);
        pt_patience_add(all, name, &(pt_patience_t){9, 20, SECOND, SECOND});
    }
    assert_int_equal(pt_patience_of(all, "type_255")->max_tries, 9);
    assert_int_equal(pt_patience_of(all, "type_256")->max_tries, 3);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wait_doubles_up_to_the_most),
        cmocka_unit_test(jobs_that_failed_together_do_not_come_back_together),
        cmocka_unit_test(the_same_job_and_try_wait_the_same),
        cmocka_unit_test(a_type_has_its_own_settings_or_the_defaults),
        cmocka_unit_test(more_types_than_fit_have_the_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
