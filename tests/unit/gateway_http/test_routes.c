/* The table of routes, and what fits it. */
#include "gateway/api/routes.h"
#include "tests/unit/unit.h"

static pt_route_match_t match;

static void check(const char *method, const char *path, const char *pattern, const char *argument)
{
    if (pt_route_find(method, path, &match) != PT_ROUTE_FOUND)
        fail_msg("%s %s", method, path);
    assert_string_equal(match.route->pattern, pattern);
    if (argument)
        assert_memory_equal(match.holes.id, argument, match.holes.id_size);
    else
        assert_null(match.holes.id);
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

static void holes_are_filled_or_there_is_no_such_path(void **state)
{
    (void)state;
    check("GET", "/v1/structure-predictions/x/files/model.pdb", "/v1/{resource}/{id}/files/{name}",
          "x");
    assert_string_equal(match.holes.resource->job_type, "structure");
    assert_memory_equal(match.holes.name, "model.pdb", match.holes.name_size);
    check("POST", "/v1/job-types/my_type/jobs/x/cancel",
          "/v1/job-types/{job_type}/jobs/{id}/cancel", "x");
    assert_memory_equal(match.holes.job_type, "my_type", match.holes.job_type_size);
    check("POST", "/v1/codon-exports", "/v1/{resource}", NULL);
    const char *const none[] = {
        "/v1/humanization",
        "/v1/humanizationss",
        "/v1/humanizations/",
        "/v1/job-types/My/jobs",
        "/v1/job-types//jobs",
        "/v1/job-types/abcdefghijklmnopqrstuvwxyz_012345/jobs",
        "/v1/jobs/x/files/",
        "/v1/jobs/x/files/a%2f",
        "/v1/jobs/x/files/a/b",
        "/v1/jobs/x/files/"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
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
        char path[200];
        const char *hole = strstr(route->pattern, "{resource}"),
                   *type = strstr(route->pattern, "{job_type}"),
                   *name = strstr(route->pattern, "{name}");
        int before = (int)((hole   ? hole
                            : type ? type
                            : name ? name
                                   : strchr(route->pattern, 0)) -
                           route->pattern);
        snprintf(path, sizeof path, "%.*s%s%s", before, route->pattern,
                 hole   ? "humanizations"
                 : type ? "own_type"
                 : name ? "a.pdb"
                        : "",
                 hole   ? hole + 10
                 : type ? type + 10
                        : "");
        if (strstr(path, "{name}"))
            strcpy(strstr(path, "{name}"), "a.pdb");
        assert_int_equal(pt_route_find(route->method, path, &match), PT_ROUTE_FOUND);
        assert_ptr_equal(match.route, route);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_find_their_routes),
        cmocka_unit_test(other_paths_find_nothing),
        cmocka_unit_test(holes_are_filled_or_there_is_no_such_path),
        cmocka_unit_test(allow_comes_from_the_same_table),
        cmocka_unit_test(every_route_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
