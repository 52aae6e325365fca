/* The table of routes, and what fits it. */
#include "gateway/routes.h"
#include "tests/unit/unit.h"

static pt_route_match_t match;

static void check(const char *method, const char *path, const char *pattern, const char *argument)
{
    if (pt_route_find(method, path, &match) != PT_ROUTE_FOUND)
        fail_msg("%s %s", method, path);
    assert_string_equal(match.route->pattern, pattern);
    if (argument)
        assert_memory_equal(match.argument, argument, match.argument_size);
    else
        assert_null(match.argument);
}

static void paths_find_their_routes(void **state)
{
    (void)state;
    check("POST", "/v1/jobs", "/v1/jobs", NULL);
    check("GET", "/v1/jobs/abc", "/v1/jobs/{id}", "abc");
    check("HEAD", "/v1/jobs/abc", "/v1/jobs/{id}", "abc");
    check("GET", "/v1/jobs/abc/results", "/v1/jobs/{id}/results", "abc");
    check("GET", "/v1/jobs/results/results", "/v1/jobs/{id}/results", "results");
    check("GET", "/v1/events", "/v1/events", NULL);
}

static void other_paths_find_nothing(void **state)
{
    (void)state;
    const char *const none[] = {"",
                                "/",
                                "/v1/jobs/",
                                "/v1/jobs//results",
                                "/v1/jobs/a/",
                                "/v1/jobsx",
                                "/v1/job",
                                "/V1/jobs",
                                "v1/jobs",
                                "/v1/jobs/a/resultsx",
                                "/v1/jobs/a/b/results",
                                "/v1/jobs/{id}/x"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (pt_route_find("GET", none[i], &match) != PT_ROUTE_NO_PATH)
            fail_msg("%s", none[i]);
}

static void allow_comes_from_the_same_table(void **state)
{
    (void)state;
    assert_int_equal(pt_route_find("PUT", "/v1/jobs", &match), PT_ROUTE_NO_METHOD);
    assert_string_equal(match.allow, "POST, GET, HEAD");
    assert_int_equal(pt_route_find("POST", "/v1/jobs/a", &match), PT_ROUTE_NO_METHOD);
    assert_string_equal(match.allow, "GET, HEAD");
    assert_int_equal(pt_route_find("get", "/v1/events", &match), PT_ROUTE_NO_METHOD);
}

/* What the answers, the metrics and the description of the API rely on. */
static void every_route_is_whole(void **state)
{
    (void)state;
    assert_in_range(pt_route_count, 1, 60);
    for (const pt_route_t *route = pt_routes; route < pt_routes + pt_route_count; route++) {
        assert_non_null(route->handler);
        assert_true(route->summary && *route->summary);
        assert_int_equal(route->pattern[0], '/');
        assert_int_equal(strncmp(route->pattern, "/v1/", 4) == 0, !(route->flags & PT_ROUTE_OPEN));
        assert_int_equal(pt_route_find(route->method, route->pattern, &match), PT_ROUTE_FOUND);
        assert_ptr_equal(match.route, route);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_find_their_routes),
        cmocka_unit_test(other_paths_find_nothing),
        cmocka_unit_test(allow_comes_from_the_same_table),
        cmocka_unit_test(every_route_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
