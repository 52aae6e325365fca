/* Headers: request ids, Accept, Content-Type; and times. */
#include "gateway/http/http.h"
#include "tests/unit/unit.h"

static pt_request_t with(const pt_header_t *header)
{
    return (pt_request_t){.headers = header, .header_count = header->value ? 1 : 0};
}

static void accept_decides_by_the_closest_range(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        bool json;
    } rows[] = {{NULL, true},
                {"", true},
                {"*/*", true},
                {"application/json", true},
                {"text/html, application/json;q=0.1", true},
                {"text/html;q=1 , */*;q=0.001", true},
                {"application/*", true},
                {"APPLICATION/JSON", true},
                {"application/problem+json", true},
                {"text/html", false},
                {"text/*", false},
                {"application/json;q=0", false},
                {"application/json; q=0.0, */*", false},
                {"*/*;q=0", false},
                {"application/*;q=0, application/json", true},
                {"application/jsonp", false},
                {",", false},
                {"application/json ; v=1", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pt_header_t header = {"accept", rows[i].accept};
        pt_request_t request = with(&header);
        if (pt_request_accepts_json(&request) != rows[i].json)
            fail_msg("%s", rows[i].accept);
    }
}

static void text_is_preferred_where_it_is_named_and_json_is_not(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        bool text;
    } rows[] = {{NULL, false},
                {"", false},
                {"text/plain", true},
                {"TEXT/Plain ; q=0.5", true},
                {"text/plain, */*;q=0.1", true},
                {"text/plain, application/json", false},
                {"text/plain, application/json;q=0", true},
                {"text/plain;q=0", false},
                {"text/plain2", false},
                {"text/*", false},
                {"*/*", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pt_header_t header = {"accept", rows[i].accept};
        pt_request_t request = with(&header);
        if (pt_request_prefers_text(&request) != rows[i].text)
            fail_msg("%s", rows[i].accept);
    }
}

static void content_type_is_json_or_not_said(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        bool json;
    } rows[] = {{NULL, true},
                {"", true},
                {"application/json", true},
                {"Application/JSON", true},
                {"application/json;charset=utf-8", true},
                {"  application/json  ; x", true},
                {"text/json", false},
                {"application/jsonx", false},
                {"application", false},
                {"application/x-www-form-urlencoded", false},
                {";application/json", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pt_header_t header = {"CONTENT-TYPE", rows[i].type};
        pt_request_t request = with(&header);
        if (pt_request_is_json(&request) != rows[i].json)
            fail_msg("%s", rows[i].type);
    }
}

static void a_visible_request_id_is_kept(void **state)
{
    (void)state;
    char longest[130];
    memset(longest, 'x', 129);
    longest[128] = 0;
    const char *const kept[] = {"a", "!~", longest};
    for (size_t i = 0; i < 3; i++) {
        pt_header_t header = {"x-request-ID", kept[i]};
        pt_request_t request = with(&header);
        pt_request_identify(&request);
        assert_string_equal(request.id, kept[i]);
    }
    longest[128] = 'x', longest[129] = 0;
    const char *const replaced[] = {NULL, "", " a", "a b", "a\x7f", "\xc3\xa9", longest};
    for (size_t i = 0; i < 7; i++) {
        pt_header_t header = {"X-Request-Id", replaced[i]};
        pt_request_t request = with(&header);
        pt_request_identify(&request);
        pt_uuid_t made;
        assert_true(pt_uuid_parse(&made, request.id, strlen(request.id)));
    }
}

static void headers_that_do_not_fit_are_left_out_whole(void **state)
{
    (void)state;
    pt_response_t response = {.status = 0};
    char value[200];
    memset(value, 'v', 199);
    value[199] = 0;
    for (int i = 0; i < 10; i++)
        pt_response_header(&response, "X", value);
    size_t size = strlen(response.headers);
    assert_int_equal(size, 2 * (199 + 5));
    assert_string_equal(response.headers + size - 2, "\r\n");
}

static void times_have_microseconds_and_an_offset(void **state)
{
    (void)state;
    char text[PT_TIME_TEXT];
    assert_string_equal(pt_time_iso(0, text), "1970-01-01T00:00:00.000000+00:00");
    assert_string_equal(pt_time_iso(1769860800000007, text), "2026-01-31T12:00:00.000007+00:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_decides_by_the_closest_range),
        cmocka_unit_test(text_is_preferred_where_it_is_named_and_json_is_not),
        cmocka_unit_test(content_type_is_json_or_not_said),
        cmocka_unit_test(a_visible_request_id_is_kept),
        cmocka_unit_test(headers_that_do_not_fit_are_left_out_whole),
        cmocka_unit_test(times_have_microseconds_and_an_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
