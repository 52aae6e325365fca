/* Schemas of options: what is understood, what is refused and where; and every fault of a value. */
#include "tests/unit/unit.h"

#include "proto/options_schema.h"

/* An object with one option of that schema, which has its description. */
#define OPTION(SCHEMA)                                                                             \
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"a\":{"                  \
    "\"description\":\"x\"," SCHEMA "}}}"

static json_t *read(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (!value)
        fail_msg("%s: %s", text, error.text);
    return value;
}

static void accept_schema(const char *text)
{
    pt_options_error_t error;
    json_t *schema = read(text);
    if (!pt_options_schema_check(schema, &error))
        fail_msg("%s: %s: %s", text, error.pointer, error.message);
    json_decref(schema);
}

static void refuse_schema(const char *text, const char *pointer, const char *message)
{
    pt_options_error_t error;
    json_t *schema = read(text);
    if (pt_options_schema_check(schema, &error))
        fail_msg("%s is taken", text);
    if (!strstr(error.message, message))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, error.message, message);
    assert_string_equal(error.pointer, pointer);
    json_decref(schema);
}

/* `expected`: "pointer message", one a line, in the order of the schema and the value. */
static void check(const char *schema_text, const char *value_text, const char *expected)
{
    pt_options_error_t errors[PT_OPTIONS_ERRORS_MAX];
    char found[6000] = "";
    json_t *schema = read(schema_text), *value = read(value_text);
    accept_schema(schema_text);
    size_t count = pt_options_validate(schema, value, errors, PT_OPTIONS_ERRORS_MAX);
    for (size_t i = 0; i < count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s %s", i ? "\n" : "",
                 errors[i].pointer, errors[i].message);
    assert_string_equal(found, expected);
    json_decref(schema);
    json_decref(value);
}

static void an_object_of_options_is_a_schema(void **state)
{
    (void)state;
    accept_schema("{\"type\":\"object\"}");
    accept_schema("{\"type\":\"object\",\"additionalProperties\":false}");
    accept_schema("{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false,"
                  "\"title\":\"x\",\"description\":\"y\"}");
    accept_schema(OPTION("\"type\":\"number\",\"default\":7.4,\"minimum\":0,\"exclusiveMaximum\":14"
                         ",\"examples\":[7]"));
    accept_schema(OPTION("\"type\":\"object\",\"default\":{\"b\":1},\"required\":[\"b\"],"
                         "\"properties\":{\"b\":{\"type\":\"integer\"}}"));
    accept_schema(OPTION("\"default\":null,\"enum\":[null,\"pdb\",3]"));
}

static void what_is_no_such_object_is_refused(void **state)
{
    (void)state;
    refuse_schema("true", "", "an object");
    refuse_schema("[]", "", "an object");
    refuse_schema("{}", "", "type object");
    refuse_schema("{\"type\":\"string\"}", "", "type object");
    refuse_schema("{\"type\":\"object\",\"additionalProperties\":true}", "/additionalProperties",
                  "must be false");
    refuse_schema("{\"type\":\"object\",\"additionalProperties\":{}}", "/additionalProperties",
                  "must be false");
}

static void an_option_says_what_it_is_and_what_it_is_by_default(void **state)
{
    (void)state;
    refuse_schema("{\"type\":\"object\",\"additionalProperties\":false,\"properties\":"
                  "{\"a\":{\"default\":1}}}",
                  "/properties/a", "description");
    refuse_schema(OPTION("\"type\":\"number\""), "/properties/a", "default");
    refuse_schema("{\"type\":\"object\",\"properties\":{\"priority\":{\"description\":\"x\","
                  "\"default\":1}}}",
                  "/properties/priority", "another name");
    refuse_schema(OPTION("\"type\":\"number\",\"default\":\"7\""), "/properties/a/default",
                  "must be a number");
    refuse_schema(
        OPTION("\"type\":\"array\",\"items\":{\"type\":\"string\"},\"default\":[\"x\",1]"),
        "/properties/a/default/1", "must be a text");
}

static void every_keyword_has_its_form(void **state)
{
    (void)state;
    static const char *const wrong[][3] = {{"type", "\"list\"", "must be one of"},
                                           {"type", "[\"string\",\"null\"]", "must be one of"},
                                           {"enum", "[]", "not empty"},
                                           {"enum", "\"a\"", "list"},
                                           {"title", "\"\"", "not empty"},
                                           {"description", "5", "text"},
                                           {"examples", "{}", "list"},
                                           {"properties", "[]", "object of schemas"},
                                           {"required", "\"a\"", "list of names"},
                                           {"items", "[{}]", "a schema"},
                                           {"items", "true", "a schema"},
                                           {"minItems", "-1", "whole number"},
                                           {"maxItems", "1.5", "whole number"},
                                           {"uniqueItems", "1", "true or false"},
                                           {"minimum", "\"0\"", "a number"},
                                           {"maximum", "null", "a number"},
                                           {"exclusiveMinimum", "true", "a number"},
                                           {"exclusiveMaximum", "[]", "a number"},
                                           {"minLength", "-1", "whole number"},
                                           {"maxLength", "\"2\"", "whole number"},
                                           {"pattern", "5", "1 to 256 bytes"},
                                           {"pattern", "\"\"", "1 to 256 bytes"}};
    static const struct {
        const char *keyword, *type;
    } homes[] = {{"properties", "object"},
                 {"required", "object"},
                 {"items", "array"},
                 {"minItems", "array"},
                 {"maxItems", "array"},
                 {"uniqueItems", "array"},
                 {"minimum", "number"},
                 {"maximum", "integer"},
                 {"exclusiveMinimum", "number"},
                 {"exclusiveMaximum", "integer"},
                 {"minLength", "string"},
                 {"maxLength", "string"},
                 {"pattern", "string"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[400], type[64] = "", at[64];
        for (size_t j = 0; j < sizeof homes / sizeof *homes; j++)
            if (strcmp(homes[j].keyword, wrong[i][0]) == 0)
                snprintf(type, sizeof type, "\"type\":\"%s\",", homes[j].type);
        snprintf(text, sizeof text,
                 "{\"type\":\"object\",\"additionalProperties\":false,"
                 "\"properties\":{\"a\":{%s\"%s\":%s}}}",
                 type, wrong[i][0], wrong[i][1]);
        snprintf(at, sizeof at, "/properties/a/%s", wrong[i][0]);
        refuse_schema(text, at, wrong[i][2]);
    }
}

static void a_keyword_beside_another_type_is_refused(void **state)
{
    (void)state;
    refuse_schema(OPTION("\"type\":\"string\",\"default\":\"\",\"minimum\":1"),
                  "/properties/a/minimum", "needs type number");
    refuse_schema(OPTION("\"default\":\"\",\"maxLength\":1"), "/properties/a/maxLength",
                  "needs type string");
    refuse_schema(OPTION("\"type\":\"array\",\"default\":[],\"properties\":{}"),
                  "/properties/a/properties", "needs type object");
}

static void what_is_not_understood_is_refused(void **state)
{
    (void)state;
    static const char *const others[] = {
        "$ref",        "allOf",  "anyOf",      "oneOf",         "not",
        "if",          "format", "multipleOf", "$defs",         "contains",
        "prefixItems", "Type",   "$schema",    "minProperties", "patternProperties"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char text[200], at[64];
        snprintf(text, sizeof text,
                 "{\"type\":\"object\",\"additionalProperties\":false,\"%s\":{}}", others[i]);
        snprintf(at, sizeof at, "/%s", others[i]);
        refuse_schema(text, at, "no keyword");
    }
    refuse_schema(OPTION("\"default\":0,\"items\":{}"), "/properties/a/items", "needs type array");
    refuse_schema(OPTION("\"type\":\"array\",\"default\":[],\"items\":{\"ref\":1}"),
                  "/properties/a/items/ref", "no keyword");
    refuse_schema("{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"a\":{}},"
                  "\"required\":[\"a\",\"b\"]}",
                  "/required/1", "name of one");
}

static void deep_schemas_are_refused(void **state)
{
    (void)state;
    char text[8192] = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"a\":";
    for (int i = 0; i < 200; i++)
        strcat(text, "{\"type\":\"array\",\"items\":");
    strcat(text, "{}");
    for (int i = 0; i < 200; i++)
        strcat(text, "}");
    strcat(text, "}}");
    refuse_schema(text, "/properties/a/items/items/items/items/items/items/items",
                  "8 schemas deep");
}

static void patterns_that_cost_without_bound_are_refused(void **state)
{
    (void)state;
#define PATTERN(P) OPTION("\"type\":\"string\",\"default\":\"\",\"pattern\":\"" P "\"")
    static const char at[] = "/properties/a/pattern";
    refuse_schema(PATTERN("["), at, "no POSIX extended");
    refuse_schema(PATTERN("(a"), at, "no POSIX extended");
    refuse_schema(PATTERN("a)b("), at, "no POSIX extended");
    refuse_schema(PATTERN("(.*)\\\\1"), at, "back references");
    refuse_schema(PATTERN("((a{200}){200}){200}"), at, "2000 characters");
    refuse_schema(PATTERN("a{2,4000000000}"), at, "2000 characters");
    refuse_schema(PATTERN("a{99999999999999999999}"), at, "2000 characters");
    refuse_schema(PATTERN("a++++++++++++++++++++++++++++++"), at, "2000 characters");
    refuse_schema(PATTERN("((((((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+"), at,
                  "2000 characters");
    refuse_schema(PATTERN("(a{1,}[^](]b){1500}"), at, "2000 characters");
    refuse_schema(PATTERN("(a[[:alpha:](]b[)]){700}"), at, "2000 characters");
    accept_schema(PATTERN("([A-Z+]+[(+]*-?[a-z]+[0-9]+\\\\++[+][+][+]+[+]+[+]+)*"));
    char text[700] = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"a\":{"
                     "\"type\":\"string\",\"pattern\":\"";
    memset(text + strlen(text), 'a', 257);
    strcat(text, "\"}}}");
    refuse_schema(text, at, "1 to 256 bytes");
    accept_schema(PATTERN("(a{10}){0,100}|"));
}

static void a_valid_value_has_no_faults(void **state)
{
    (void)state;
    check(OPTION("\"type\":\"integer\",\"default\":1"), "{}", "");
    check(OPTION("\"type\":\"integer\",\"default\":1"), "{\"a\":-3}", "");
    check(OPTION("\"type\":\"number\",\"default\":1"), "{\"a\":2}", "");
    check(OPTION("\"type\":\"null\",\"default\":null"), "{\"a\":null}", "");
    check(OPTION("\"default\":1"), "{\"a\":{\"any\":[\"thing\"]}}", "");
    check(OPTION("\"enum\":[\"x\",{\"b\":[1]}],\"default\":\"x\""), "{\"a\":{\"b\":[1]}}", "");
    check(OPTION("\"type\":\"string\",\"pattern\":\"H[0-9]+[A-Z]?\",\"default\":\"H1\""),
          "{\"a\":\"H100A\"}", "");
}

static void an_option_that_is_misspelt_is_refused_whatever_the_schema_says(void **state)
{
    (void)state;
    check("{\"type\":\"object\",\"properties\":{\"a\":{\"description\":\"x\",\"default\":{},"
          "\"type\":\"object\"}}}",
          "{\"A\":1,\"a\":{\"of its own\":1}}", "/A is not known here; there are: a");
}

static void types_are_told_apart(void **state)
{
    (void)state;
    static const char *const named[][2] = {{"object", "an object"}, {"array", "a list"},
                                           {"string", "a text"},    {"integer", "a whole number"},
                                           {"number", "a number"},  {"boolean", "true or false"},
                                           {"null", "null"}};
    static const char *const values[] = {"{}", "[]", "\"\"", "1", "1.5", "true", "null"};
    for (size_t type = 0; type < 7; type++)
        for (size_t value = 0; value < 7; value++) {
            char schema[256], text[64], expected[64] = "";
            snprintf(schema, sizeof schema, OPTION("\"type\":\"%s\",\"default\":%s"),
                     named[type][0], values[type]);
            snprintf(text, sizeof text, "{\"a\":%s}", values[value]);
            if (type != value && !(type == 4 && value == 3)) /* a whole number is a number */
                snprintf(expected, sizeof expected, "/a must be %s", named[type][1]);
            check(schema, text, expected);
        }
    check(OPTION("\"type\":\"integer\",\"default\":1"), "{\"a\":1.0}",
          "/a must be a whole number"); /* readers ask jansson for an integer */
    check(OPTION("\"type\":\"integer\",\"default\":1"), "[]", " must be an object");
}

static void bounds_of_numbers(void **state)
{
    (void)state;
    static const char open[] =
        OPTION("\"type\":\"number\",\"default\":7,\"exclusiveMinimum\":1,\"exclusiveMaximum\":9.5");
    static const char closed[] =
        OPTION("\"type\":\"integer\",\"default\":7,\"minimum\":1,\"maximum\":9");
    check(open, "{\"a\":1}", "/a must be more than 1");
    check(open, "{\"a\":1.0001}", "");
    check(open, "{\"a\":9.5}", "/a must be less than 9.5");
    check(closed, "{\"a\":1}", "");
    check(closed, "{\"a\":0}", "/a must be at least 1");
    check(closed, "{\"a\":9}", "");
    check(closed, "{\"a\":10}", "/a must be at most 9");
}

static void bounds_of_texts_and_lists(void **state)
{
    (void)state;
    static const char text[] =
        OPTION("\"type\":\"string\",\"default\":\"abc\",\"minLength\":2,\"maxLength\":3");
    static const char list[] = OPTION("\"type\":\"array\",\"default\":[1,2],\"minItems\":1,"
                                      "\"maxItems\":2,\"uniqueItems\":true,"
                                      "\"items\":{\"type\":\"integer\",\"maximum\":5}");
    check(text, "{\"a\":\"é\"}", "/a must have at least 2 characters, not 1");
    check(text, "{\"a\":\"ééé\"}", "");
    check(text, "{\"a\":\"abcd\"}", "/a must have at most 3 characters, not 4");
    check(list, "{\"a\":[6,7,\"x\"]}", "/a must have at most 2 items, not 3");
    check(list, "{\"a\":[]}", "/a must have at least 1 items, not 0");
    check(list, "{\"a\":[1,2,1]}",
          "/a must have at most 2 items, not 3"); /* the rest may be any number: not looked at */
    check(list, "{\"a\":[6,\"x\"]}", "/a/0 must be at most 5\n/a/1 must be a whole number");
    check(OPTION("\"type\":\"array\",\"default\":[],\"uniqueItems\":true"),
          "{\"a\":[{\"b\":1,\"c\":2},[],{\"c\":2,\"b\":1}]}",
          "/a must not have the same item twice");
    check(OPTION("\"type\":\"array\",\"default\":[],\"uniqueItems\":false"), "{\"a\":[1,1]}", "");
}

static void choices_and_forms(void **state)
{
    (void)state;
    check(OPTION("\"enum\":[\"imgt\",\"kabat\",5],\"default\":5"), "{\"a\":\"IMGT\"}",
          "/a must be one of: imgt, kabat, 5");
    check(OPTION("\"const\":{\"b\":1},\"default\":{\"b\":1}"), "{\"a\":1}", "/a must be {\"b\":1}");
    check(OPTION("\"type\":\"string\",\"pattern\":\"[HL][0-9]+|all\",\"default\":\"H1\""),
          "{\"a\":\"H1 or\"}", "/a must have the form [HL][0-9]+|all");
    check(OPTION("\"type\":\"string\",\"pattern\":\"[HL][0-9]+|all\",\"default\":\"H1\""),
          "{\"a\":\"overall\"}", "/a must have the form [HL][0-9]+|all");
    char long_one[6000] = "{\"a\":\"";
    memset(long_one + strlen(long_one), 'H', 4097);
    strcat(long_one, "\"}");
    check(OPTION("\"type\":\"string\",\"pattern\":\"H*\",\"default\":\"H\""), long_one,
          "/a must have at most 4096 bytes");
}

static void every_fault_is_named_up_to_the_room(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"n\"],\"properties\":{"
        "\"n\":{\"description\":\"x\",\"default\":1,\"type\":\"integer\"},"
        "\"o\":{\"description\":\"x\",\"default\":{},\"type\":\"object\","
        "\"additionalProperties\":false,\"properties\":{\"p\":{\"type\":\"boolean\"}}}}}";
    check(schema, "{\"x\":1,\"o\":{\"p\":0,\"q\":1}}",
          "/n is required\n/x is not known here; there are: n, o\n/o/p must be true or false\n"
          "/o/q is not known here; there are: p");
    json_t *checked = read(schema), *value = json_object();
    pt_options_error_t errors[3];
    for (char name[] = "a"; *name <= 'z'; ++*name)
        json_object_set_new(value, name, json_null());
    assert_int_equal(pt_options_validate(checked, value, errors, 3), 3);
    assert_int_equal(pt_options_validate(checked, value, errors, 1), 1);
    json_decref(checked);
    json_decref(value);
}

static void pointers_are_escaped_and_cut_between_characters(void **state)
{
    (void)state;
    static const char schema[] = "{\"type\":\"object\",\"additionalProperties\":false}";
    check(schema, "{\"a/b~c\":1}", "/a~1b~0c is not known here");
    check(schema, "{\"\":1}", "/ is not known here");
    json_t *checked = read(schema);
    for (size_t before = 0; before < 4; before++) {
        pt_options_error_t error;
        char name[400] = "";
        memset(name, 'a', before);
        while (strlen(name) < 300)
            strcat(name, "\u00e9~");
        json_t *value = json_pack("{s:i}", name, 1);
        assert_int_equal(pt_options_validate(checked, value, &error, 1), 1);
        json_t *pointer = json_string(error.pointer); /* NULL if it is no UTF-8 */
        assert_non_null(pointer);
        assert_in_range(strlen(error.pointer), 120, sizeof error.pointer - 1);
        json_decref(pointer);
        json_decref(value);
    }
    json_decref(checked);
}

static void long_choices_and_values_are_cut(void **state)
{
    (void)state;
    char schema[8192] =
        "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"a\":{"
        "\"description\":\"x\",\"default\":\"allele-0\",\"enum\":[\"allele-0\"";
    for (int i = 1; i < 200; i++)
        sprintf(schema + strlen(schema), ",\"allele-\u00e9%d\"", i);
    strcat(schema, "]}}}");
    pt_options_error_t error;
    json_t *checked = read(schema), *value = read("{\"a\":\"x\"}");
    assert_int_equal(pt_options_validate(checked, value, &error, 1), 1);
    static const char start[] = "must be one of: allele-0, allele-\u00e91, ", end[] = " …";
    assert_memory_equal(error.message, start, sizeof start - 1);
    assert_string_equal(error.message + strlen(error.message) - (sizeof end - 1), end);
    json_decref(checked);
    json_decref(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_of_options_is_a_schema),
        cmocka_unit_test(what_is_no_such_object_is_refused),
        cmocka_unit_test(an_option_says_what_it_is_and_what_it_is_by_default),
        cmocka_unit_test(every_keyword_has_its_form),
        cmocka_unit_test(a_keyword_beside_another_type_is_refused),
        cmocka_unit_test(what_is_not_understood_is_refused),
        cmocka_unit_test(deep_schemas_are_refused),
        cmocka_unit_test(patterns_that_cost_without_bound_are_refused),
        cmocka_unit_test(a_valid_value_has_no_faults),
        cmocka_unit_test(an_option_that_is_misspelt_is_refused_whatever_the_schema_says),
        cmocka_unit_test(types_are_told_apart),
        cmocka_unit_test(bounds_of_numbers),
        cmocka_unit_test(bounds_of_texts_and_lists),
        cmocka_unit_test(choices_and_forms),
        cmocka_unit_test(every_fault_is_named_up_to_the_room),
        cmocka_unit_test(pointers_are_escaped_and_cut_between_characters),
        cmocka_unit_test(long_choices_and_values_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
