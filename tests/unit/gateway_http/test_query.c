/* Numbers, words, identifiers and cursors in a URL's query. */
#include "gateway/http/query.h"
#include "tests/unit/unit.h"

static const pt_query_param_t table[] = {
    {"after", PT_QUERY_NUMBER, 0, 1000000000000000000, 0, NULL},
    {"limit", PT_QUERY_NUMBER, 1, 10, 5, NULL}};

/* The status: 0 if it fits. */
static int read_query(const char *query, int64_t values[2])
{
    pt_request_t request = {.path = "/x", .query = query};
    pt_response_t response = {.status = 0};
    pt_query_value_t read[2];
    bool fits = pt_query_read(&request, table, 2, read, &response);
    for (size_t i = 0; i < 2; i++)
        values[i] = read[i].number;
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

/* ---- the other kinds --------------------------------------------------------------------- */

static const char *const colours[] = {"red", "green", NULL};
static const pt_query_param_t kinds[] = {{"colour", PT_QUERY_WORD, 0, 0, 0, colours},
                                         {"id", PT_QUERY_UUID, 0, 0, 0, NULL},
                                         {"cursor", PT_QUERY_CURSOR, 0, 0, 0, NULL}};

static bool fits_kinds(const char *query, pt_query_value_t values[3])
{
    pt_request_t request = {.path = "/x", .query = query};
    pt_response_t response = {.status = 0};
    bool fits = pt_query_read(&request, kinds, 3, values, &response);
    assert_int_equal(response.status, fits ? 0 : 400);
    pt_response_clear(&response);
    return fits;
}

static void words_and_ids_are_read(void **state)
{
    (void)state;
    pt_query_value_t values[3];
    assert_true(fits_kinds("colour=green&id=01a20c66-0000-7000-8000-000000000001", values));
    assert_string_equal(values[0].word, "green");
    assert_true(values[1].given && !values[2].given);
    assert_true(fits_kinds("", values));
    assert_true(!values[0].word && !values[1].given);
    const char *const bad[] = {
        "colour",      "colour=",    "colour=re",
        "colour=redd", "colour=Red", "colour=%72ed",
        "id=",         "id=1",       "id=01a20c66-0000-7000-8000-00000000000g"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (fits_kinds(bad[i], values))
            fail_msg("%s", bad[i]);
}

static void a_cursor_comes_back_as_it_went(void **state)
{
    (void)state;
    pt_uuid_t nobody = {{0}}, other = {{1}};
    pt_position_t at = {INT64_C(1769860800123456), {{1, 2, 3, 255}}};
    char text[PT_CURSOR_TEXT], query[80];
    pt_query_value_t values[3];
    snprintf(query, sizeof query, "cursor=%s", pt_cursor_write(&at, &nobody, text));
    assert_true(fits_kinds(query, values));
    assert_memory_equal(&values[2].position, &at, sizeof at);
    pt_cursor_write(&at, &other, text); /* the request's caller is nobody */
    snprintf(query, sizeof query, "cursor=%s", text);
    assert_false(fits_kinds(query, values));
    assert_true(fits_kinds("cursor=", values) && !values[2].given);
}

static void a_cursor_with_any_other_letter_is_refused(void **state)
{
    (void)state;
    pt_uuid_t org = {{7}};
    pt_position_t at = {INT64_C(1795500000123456), {{9}}}, read; /* its text has an underscore */
    char text[PT_CURSOR_TEXT];
    for (size_t i = 0; i < PT_CURSOR_TEXT - 1; i++)
        for (int letter = 1; letter < 256; letter++) {
            pt_cursor_write(&at, &org, text);
            if (text[i] == (char)letter)
                continue;
            text[i] = (char)letter;
            assert_false(pt_cursor_read(&read, &org, text, PT_CURSOR_TEXT - 1));
        }
    pt_cursor_write(&at, &org, text);
    for (size_t size = 0; size < PT_CURSOR_TEXT - 1; size++)
        assert_false(pt_cursor_read(&read, &org, text, size));
    at.created_at = -1; /* a time that no statement takes */
    assert_false(pt_cursor_read(&read, &org, pt_cursor_write(&at, &org, text), PT_CURSOR_TEXT - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_has_its_default),
        cmocka_unit_test(bounds_belong_to_it),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(unknown_and_repeated_names_are_refused),
        cmocka_unit_test(words_and_ids_are_read),
        cmocka_unit_test(a_cursor_comes_back_as_it_went),
        cmocka_unit_test(a_cursor_with_any_other_letter_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
