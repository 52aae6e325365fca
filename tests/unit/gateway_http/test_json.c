/* Bodies: what is refused, what is named, and where. */
#include "gateway/http/json.h"
#include "tests/unit/unit.h"

static const char *const words[] = {"red", "green", NULL};
static const pt_json_field_t item[] = {{.name = "id", .kind = PT_JSON_UUID, .required = true},
                                       {.name = NULL}};
static const pt_json_field_t fields[] = {
    {.name = "name", .kind = PT_JSON_TEXT, .required = true, .min = 1, .max = 3},
    {.name = "colour", .kind = PT_JSON_WORD, .words = words},
    {.name = "raw", .kind = PT_JSON_STRING},
    {.name = "items", .kind = PT_JSON_LIST, .min = 1, .max = 2, .fields = item},
    {.name = "ids", .kind = PT_JSON_UUIDS, .min = 1, .max = 2},
    {.name = "any", .kind = PT_JSON_OBJECT},
    {.name = NULL}};

/* The pointers of all errors of this body, separated by spaces; "" if it fits. */
static const char *faults(const char *text)
{
    static char all[8192];
    char reason[256];
    json_t *body = pt_json_read(text, strlen(text), reason, sizeof reason);
    assert_non_null(body);
    json_t *errors = json_array();
    pt_json_check(body, fields, "", errors);
    all[0] = 0;
    for (size_t i = 0; i < json_array_size(errors); i++) {
        const json_t *error = json_array_get(errors, i);
        assert_non_null(json_string_value(json_object_get(error, "message")));
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? " " : "",
                 json_string_value(json_object_get(error, "pointer")));
    }
    json_decref(errors);
    json_decref(body);
    return all;
}

static void what_fits_has_no_errors(void **state)
{
    (void)state;
    assert_string_equal(faults("{\"name\": \"abc\"}"), "");
    assert_string_equal(faults("{\"name\": \"é→ß\", \"colour\": \"green\", \"raw\": \"\","
                               "\"items\": [{\"id\": \"01A20C42-caa2-7171-a289-d922ed52a421\"}]}"),
                        "");
}

static void lists_of_uuids_and_objects_of_any_kind(void **state)
{
    (void)state;
    assert_string_equal(faults("{\"name\": \"a\", \"any\": {\"b\": [1]},"
                               " \"ids\": [\"01A20C42-caa2-7171-a289-d922ed52a421\"]}"),
                        "");
    assert_string_equal(faults("{\"name\": \"a\", \"any\": [], \"ids\": {}}"), "/ids /any");
    assert_string_equal(faults("{\"name\": \"a\", \"any\": null, \"ids\": []}"), "/ids /any");
    assert_string_equal(faults("{\"name\": \"a\", \"ids\": [\"x\", 1]}"), "/ids/0 /ids/1");
    assert_string_equal(faults("{\"name\": \"a\", \"ids\": [null]}"), "/ids/0");
}

static void each_fault_is_named(void **state)
{
    (void)state;
    assert_string_equal(faults("{}"), "/name");
    assert_string_equal(faults("{\"name\": \"\"}"), "/name");
    assert_string_equal(faults("{\"name\": \"abcd\"}"), "/name");
    assert_string_equal(faults("{\"name\": \"a\\nb\"}"), "/name");
    assert_string_equal(faults("{\"name\": null}"), "/name");
    assert_string_equal(faults("{\"name\": \"a\", \"colour\": \"blue\"}"), "/colour");
    assert_string_equal(faults("{\"name\": \"a\", \"items\": {}}"), "/items");
    assert_string_equal(faults("{\"name\": \"a\", \"items\": []}"), "/items");
    assert_string_equal(faults("{\"name\": \"a\", \"items\": [1, {\"id\": \"x\", \"y\": 1}]}"),
                        "/items/0 /items/1/id /items/1/y");
}

static void all_are_named_at_once(void **state)
{
    (void)state;
    assert_string_equal(faults("{\"colour\": 1, \"raw\": [], \"b/a~d\": 0}"),
                        "/name /colour /raw /b~1a~0d");
}

static void what_is_no_object_is_named_by_the_empty_pointer(void **state)
{
    (void)state;
    char reason[64];
    json_t *body = pt_json_read("[1]", 3, reason, sizeof reason), *errors = json_array();
    pt_json_check(body, fields, "", errors);
    assert_int_equal(json_array_size(errors), 1);
    const json_t *error = json_array_get(errors, 0);
    assert_string_equal(json_string_value(json_object_get(error, "pointer")), "");
    assert_string_equal(json_string_value(json_object_get(error, "message")),
                        "must be an object, not a list");
    json_decref(errors);
    json_decref(body);
}

static void a_long_name_is_cut_at_a_character(void **state)
{
    (void)state;
    char text[2100] = "{\"name\": \"a\", \"";
    for (int i = 0; i < 500; i++)
        strcat(text, "→");
    strcat(text, "\": 1}");
    const char *pointer = faults(text);
    assert_in_range(strlen(pointer), 100, 320);
    assert_true(pt_text_valid(pointer, strlen(pointer)));
}

static void errors_have_a_bound(void **state)
{
    (void)state;
    json_t *errors = json_array();
    for (int i = 0; i < 1000; i++)
        pt_json_error(errors, "/x", "%d", i);
    assert_int_equal(json_array_size(errors), PT_JSON_ERRORS_MAX);
    json_decref(errors);
}

static void check_refused(const char *text, size_t size, const char *why)
{
    char reason[256] = "";
    json_t *value = pt_json_read(text, size, reason, sizeof reason);
    assert_null(value);
    if (!strstr(reason, why))
        fail_msg("%s: %s", why, reason);
}

static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    check_refused("", 0, "empty");
    check_refused("{", 1, "line 1");
    check_refused("{}x", 3, "line 1, column 3");
    check_refused("{\"a\":1,\"a\":2}", 13, "duplicate");
    check_refused("\"\\u0000\"", 8, "line 1");
    check_refused("\"\xff\"", 3, "line 1");
    check_refused("{\0}", 3, "line 1");
}

static void nesting_is_limited_outside_of_strings(void **state)
{
    (void)state;
    char reason[256], text[64];
    check_refused("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", 34, "nested");
    json_t *deep = pt_json_read("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", 32, reason, sizeof reason);
    assert_non_null(deep);
    json_decref(deep);
    snprintf(text, sizeof text, "[\"%s\\\"[\", \"[\"]", "[[[[[[[[[[[[[[[[[[[[[[[[");
    json_t *quoted = pt_json_read(text, strlen(text), reason, sizeof reason);
    assert_non_null(quoted);
    json_decref(quoted);
}

static void numbers_have_as_few_digits_as_read_back_the_same(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[7.4,0.1,1.0,1e-300,12345678901234567,0.30000000000000004],"
                               "\"b\":\"é\"}";
    json_t *value = json_loads(text, 0, NULL);
    char *again = pt_json_text(value);
    json_t *same = json_loads(again, 0, NULL);
    assert_true(json_equal(value, same));
    json_decref(same);
    free(again);
    json_decref(value);
    value = json_loads("[7.4,0.1,-2.5]", 0, NULL);
    again = pt_json_text(value);
    assert_string_equal(again, "[7.4,0.1,-2.5]");
    free(again);
    json_decref(value);
}

static void white_space_between_tokens_goes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *squeezed;
    } cases[] = {
        {"", ""},
        {" [ ] \n", "[]"},
        {"{\"a\" : 1, \"b c\" : [1, \n 2],\t\"d\":\r{}}", "{\"a\":1,\"b c\":[1,2],\"d\":{}}"},
        {"[\" a \\\" : \", \"\\\\\" , \" \\u00e9 \"]", "[\" a \\\" : \",\"\\\\\",\" \\u00e9 \"]"},
        {"[ -1.5e+3 , true , null ]", "[-1.5e+3,true,null]"},
        {"[1,2]", "[1,2]"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = strdup(cases[i].text);
        assert_int_equal(pt_json_squeeze(text, strlen(text)), strlen(cases[i].squeezed));
        assert_string_equal(text, cases[i].squeezed);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_as_few_digits_as_read_back_the_same),
        cmocka_unit_test(white_space_between_tokens_goes),
        cmocka_unit_test(what_fits_has_no_errors),
        cmocka_unit_test(lists_of_uuids_and_objects_of_any_kind),
        cmocka_unit_test(each_fault_is_named),
        cmocka_unit_test(all_are_named_at_once),
        cmocka_unit_test(what_is_no_object_is_named_by_the_empty_pointer),
        cmocka_unit_test(a_long_name_is_cut_at_a_character),
        cmocka_unit_test(errors_have_a_bound),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(nesting_is_limited_outside_of_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
