/* The shape of errors. */
#include "gateway/http/problem.h"
#include "tests/unit/unit.h"

static const pt_request_t request = {.path = "/v1/jobs", .id = "id"};

static json_t *sent(pt_response_t *response)
{
    json_t *body = json_loadb(response->body, response->size, 0, NULL);
    assert_non_null(body);
    assert_string_equal(response->type, "application/problem+json");
    assert_int_equal(json_integer_value(json_object_get(body, "status")), response->status);
    return body;
}

static void every_kind_has_code_title_and_status(void **state)
{
    (void)state;
    for (int kind = 0; kind < PT_PROBLEMS; kind++) {
        pt_response_t response = {.status = 0};
        pt_problem(&request, &response, (pt_problem_t)kind, NULL, NULL);
        json_t *body = sent(&response);
        const char *code = json_string_value(json_object_get(body, "code"));
        const char *type = json_string_value(json_object_get(body, "type"));
        assert_in_range(response.status, 400, 599);
        assert_non_null(json_string_value(json_object_get(body, "title")));
        assert_string_equal(strrchr(type, ':') + 1, code);
        assert_string_equal(json_string_value(json_object_get(body, "instance")), "/v1/jobs");
        assert_null(json_object_get(body, "errors"));
        json_decref(body);
        pt_response_clear(&response);
    }
}

static void the_headers_that_belong_to_it(void **state)
{
    (void)state;
    pt_response_t response = {.status = 0};
    pt_problem(&request, &response, PT_UNAUTHORIZED, NULL, NULL);
    assert_string_equal(response.headers, "WWW-Authenticate: Bearer\r\n");
    pt_response_clear(&response);
    pt_problem_unavailable(&request, &response);
    assert_string_equal(response.headers, "Retry-After: 2\r\n");
    assert_int_equal(response.status, 503);
    pt_response_clear(&response);
    pt_problem(&request, &response, PT_NOT_FOUND, NULL, NULL);
    assert_string_equal(response.headers, "");
    pt_response_clear(&response);
}

/* An answer without its reason is better than none. */
static void text_that_is_no_utf8_is_left_out(void **state)
{
    (void)state;
    pt_response_t response = {.status = 0};
    pt_problem(&request, &response, PT_INVALID_REQUEST, "\xff", NULL);
    json_t *body = sent(&response);
    assert_int_equal(response.status, 400);
    assert_null(json_object_get(body, "detail"));
    json_decref(body);
    pt_response_clear(&response);
}

static void errors_are_passed_on(void **state)
{
    (void)state;
    pt_response_t response = {.status = 0};
    pt_problem(&request, &response, PT_INVALID_REQUEST, "d", json_pack("[{s:s}]", "pointer", "/a"));
    json_t *body = sent(&response);
    assert_int_equal(json_array_size(json_object_get(body, "errors")), 1);
    json_decref(body);
    pt_response_clear(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_code_title_and_status),
        cmocka_unit_test(the_headers_that_belong_to_it),
        cmocka_unit_test(text_that_is_no_utf8_is_left_out),
        cmocka_unit_test(errors_are_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
