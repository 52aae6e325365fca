/* Numbers in a URL's query. */
#include "gateway/query.h"
#include "tests/unit/unit.h"

static const pt_query_number_t table[] = {{"after", 0, 1000000000000000000, 0},
                                          {"limit", 1, 10, 5}};

/* The status: 0 if it fits. */
static int read_query(const char *query, int64_t values[2])
{
    pt_request_t request = {.path = "/x", .query = query};
    pt_response_t response = {.status = 0};
    bool fits = pt_query_numbers(&request, table, 2, values, &response);
    int status = response.status;
    assert_int_equal(fits, status == 0);
    pt_response_clear(&response);
    return status;
}

static void what_is_not_given_has_its_default(void **state)
{
    (void)state;
    int64_t values[2];
    const char *const nothing[] = {NULL, "", "&", "&&"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(read_query(nothing[i], values), 0);
        assert_int_equal(values[0], 0);
        assert_int_equal(values[1], 5);
    }
}

static void bounds_belong_to_it(void **state)
{
    (void)state;
    int64_t values[2];
    assert_int_equal(read_query("limit=10&after=999999999999999999", values), 0);
    assert_int_equal(values[0], 999999999999999999);
    assert_int_equal(values[1], 10);
    assert_int_equal(read_query("&limit=1&", values), 0);
    assert_int_equal(values[1], 1);
    assert_int_equal(read_query("limit=0", values), 400);
    assert_int_equal(read_query("limit=11", values), 400);
}

static void what_is_no_number_is_refused(void **state)
{
    (void)state;
    int64_t values[2];
    const char *const bad[] = {"limit",
                               "limit=",
                               "limit=x",
                               "limit=1x",
                               "limit=-1",
                               "limit=+1",
                               "limit= 1",
                               "limit=1.0",
                               "limit=%31",
                               "limit=1;after=1",
                               "after=9999999999999999999",
                               "limit=1=1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read_query(bad[i], values) != 400)
            fail_msg("%s", bad[i]);
}

static void unknown_and_repeated_names_are_refused(void **state)
{
    (void)state;
    int64_t values[2];
    const char *const bad[] = {"x=1",      "=1", "Limit=1", "limi=1", "limits=1", "limit=1&limit=1",
                               "limit=1&x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read_query(bad[i], values) != 400)
            fail_msg("%s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_has_its_default),
        cmocka_unit_test(bounds_belong_to_it),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(unknown_and_repeated_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
