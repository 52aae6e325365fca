/* Results as a table: which columns there are, and what stands in their cells. */
#include "gateway/results/table_csv.h"
#include "tests/unit/unit.h"

static const pt_table_job_t job = {"ab1", "v-1", "j-1", "completed", NULL, NULL};

/* Header and rows of these results, the first `learnt` of which make the columns. */
static const char *table_of(const char *const *results, size_t count, size_t learnt,
                            const char *list)
{
    static char text[8192];
    pt_table_t *table = pt_table_new(list);
    msgpack_sbuffer out;
    json_t *read[8];
    msgpack_sbuffer_init(&out);
    for (size_t i = 0; i < count; i++) {
        read[i] = json_loads(results[i], JSON_DECODE_ANY, NULL);
        assert_non_null(read[i]);
        if (i < learnt)
            pt_table_learn(table, read[i]);
    }
    pt_table_header(table, &out);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pt_table_rows(table, &job, read[i], 0, NULL, &out), 0);
        json_decref(read[i]);
    }
    snprintf(text, sizeof text, "%.*s", (int)out.size, out.data);
    msgpack_sbuffer_destroy(&out);
    pt_table_destroy(&table);
    return text;
}

#define OWN "name,variant_id,job_id,status,error_code,error_message,"
#define JOB "ab1,v-1,j-1,completed,,,"

static const char *one(const char *results)
{
    return table_of(&results, 1, 1, NULL);
}

static void paths_have_dots(void **state)
{
    (void)state;
    assert_string_equal(one("{\"a\": {\"b\": 1, \"c\": {\"d\": \"x\"}}, \"e\": null}"),
                        OWN "a.b,a.c.d,e,other\r\n" JOB "1,x,,\r\n");
}

/* Two values, two columns. */
static void a_dot_within_a_key_is_no_path(void **state)
{
    (void)state;
    assert_string_equal(
        one("{\"a.b\": 1, \"a\": {\"b\": 2, \"c\\\\\": {\"d\": 3}}, \"a\\\\.b\": 4}"),
        OWN "a\\.b,a.b,a.c\\\\.d,a\\\\\\.b,other\r\n" JOB "1,2,3,4,\r\n");
}

static void a_list_of_objects_is_rows(void **state)
{
    (void)state;
    assert_string_equal(one("[{\"s\": \"p\", \"n\": 1}, {\"s\": \"q\", \"m\": 2}]"),
                        OWN "s,n,m,other\r\n" JOB "p,1,,\r\n" JOB "q,,2,\r\n");
    assert_string_equal(one("[]"), OWN "other\r\n" JOB "\r\n");
}

static void a_list_under_a_key_is_rows_too(void **state)
{
    (void)state;
    static const char *const results[] = {
        "{\"host\": \"cho\", \"chains\": [{\"chain\": \"heavy\", \"gc\": 0.5},"
        " {\"chain\": \"light\", \"gc\": 0.25}]}",
        "{\"host\": \"x\"}"};
    assert_string_equal(table_of(results, 2, 2, "chains"),
                        OWN "host,chains.chain,chains.gc,other\r\n" JOB "cho,heavy,0.5,\r\n" JOB
                            "cho,light,0.25,\r\n" JOB "x,,,\r\n");
}

static void plain_lists_are_one_cell(void **state)
{
    (void)state;
    assert_string_equal(one("{\"m\": [\"Q5V\", \"P9A\"], \"n\": [1, 2.5, true, null], \"o\": [],"
                            " \"p\": [{\"q\": 1}], \"r\": [[1]]}"),
                        OWN "m,n,other\r\n" JOB "Q5V;P9A,1;2.5;true;,\r\n");
}

/* An empty column would say that nobody has any, though what others have is left out. */
static void an_empty_list_makes_no_column(void **state)
{
    (void)state;
    static const char *const results[] = {"{\"a\": 1, \"b\": [], \"c\": []}",
                                          "{\"a\": 2, \"b\": [{\"x\": 1}], \"c\": [\"Q5V\"]}"};
    assert_string_equal(table_of(results, 2, 2, NULL),
                        OWN "a,c,other\r\n" JOB "1,,\r\n" JOB "2,Q5V,\r\n");
    assert_string_equal(table_of(results, 1, 0, NULL), OWN "other\r\n" JOB "\"{\"\"a\"\":1}\"\r\n");
}

/* As a spreadsheet would read them, and as the pipeline wrote them. */
static void numbers_are_as_they_were(void **state)
{
    (void)state;
    assert_string_equal(one("{\"a\": 0.6812, \"b\": -1.5, \"c\": 12345678901234, \"d\": 1e-20,"
                            " \"e\": 0.1, \"f\": false}"),
                        OWN "a,b,c,d,e,f,other\r\n" JOB
                            "0.6812,-1.5,12345678901234,1e-20,0.1,false,\r\n");
}

static void what_reads_as_a_formula_does_not(void **state)
{
    (void)state;
    assert_string_equal(one("{\"a\": \"=1+1\", \"b\": \"+1\", \"c\": \"-1\", \"d\": \"@x\","
                            " \"e\": \"\\tx\", \"f\": [\"=1\"], \"g\": \"a=1\"}"),
                        OWN "a,b,c,d,e,f,g,other\r\n" JOB "'=1+1,'+1,'-1,'@x,'\tx,'=1,a=1,\r\n");
}

static void what_would_break_a_line_is_quoted(void **state)
{
    (void)state;
    assert_string_equal(one("{\"a\": \"x,y\", \"b\": \"say \\\"no\\\"\", \"c\": \"1\\n2\","
                            " \"d\": \"=HYPERLINK(\\\"a\\\",1)\"}"),
                        OWN
                        "a,b,c,d,other\r\n" JOB
                        "\"x,y\",\"say \"\"no\"\"\",\"1\n2\",\"'=HYPERLINK(\"\"a\"\",1)\",\r\n");
}

static void own_columns_stay_apart(void **state)
{
    (void)state;
    assert_string_equal(one("{\"name\": \"x\", \"status\": 1, \"other\": 2}"),
                        OWN "results.name,results.status,results.other,other\r\n" JOB "x,1,2,\r\n");
    assert_string_equal(one("{\"name\": \"x\", \"results\": {\"name\": \"y\"}}"),
                        OWN "results.name,results.results.name,other\r\n" JOB "x,y,\r\n");
}

static void a_map_for_each_residue_is_left_out(void **state)
{
    (void)state;
    char text[4096] = "{\"a\": 1, \"b\": {";
    for (int i = 0; i <= PT_TABLE_MAP_MAX; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s\"k%d\": %d", i ? "," : "", i,
                 i);
    snprintf(text + strlen(text), sizeof text - strlen(text), "}}");
    assert_string_equal(one(text), OWN "a,other\r\n" JOB "1,\r\n");
}

/* Nothing is lost without a word. */
static void what_was_not_learnt_stands_in_the_last_column(void **state)
{
    (void)state;
    static const char *const results[] = {"{\"a\": 1}", "{\"a\": 2, \"b\": {\"c\": \"x\"}}"};
    assert_string_equal(table_of(results, 2, 1, NULL),
                        OWN "a,other\r\n" JOB "1,\r\n" JOB "2,\"{\"\"b.c\"\":\"\"x\"\"}\"\r\n");
    assert_string_equal(table_of(results, 2, 2, NULL),
                        OWN "a,b.c,other\r\n" JOB "1,,\r\n" JOB "2,x,\r\n");
}

static void a_failed_job_is_a_row_with_its_reason(void **state)
{
    (void)state;
    const pt_table_job_t failed = {"=x", "v", "j", "failed", "missing_chain", "no VH, no VL"};
    pt_table_t *table = pt_table_new(NULL);
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    json_t *results = json_pack("{s:i}", "a", 1);
    pt_table_learn(table, results);
    pt_table_rows(table, &failed, NULL, 0, "", &out);
    msgpack_sbuffer_write(&out, "", 1);
    assert_string_equal(out.data, "'=x,v,j,failed,missing_chain,\"no VH, no VL\",,\r\n");
    json_decref(results);
    msgpack_sbuffer_destroy(&out);
    pt_table_destroy(&table);
}

/* 1 MiB of results can be a gigabyte of rows. */
static void many_wide_rows_come_in_pieces(void **state)
{
    (void)state;
    enum { ROWS = 3000, COLUMNS = 50 };
    pt_table_t *table = pt_table_new(NULL);
    json_t *results = json_array(), *first = json_object();
    for (int c = 0; c < COLUMNS; c++) {
        char name[8];
        snprintf(name, sizeof name, "c%d", c);
        json_object_set_new(first, name, json_string("0123456789"));
    }
    for (int r = 0; r < ROWS; r++)
        json_array_append(results, first);
    pt_table_learn(table, results);
    size_t all = 0, row = 0, pieces = 0;
    do {
        msgpack_sbuffer out;
        msgpack_sbuffer_init(&out);
        row = pt_table_rows(table, &job, results, row, NULL, &out);
        assert_true(out.size < PT_TABLE_PIECE + 1024);
        all += out.size;
        pieces++;
        msgpack_sbuffer_destroy(&out);
    } while (row > 0);
    assert_int_equal(all, ROWS * (strlen(JOB) + COLUMNS * 11 + 2));
    assert_int_equal(pieces, 2);
    json_decref(first);
    json_decref(results);
    pt_table_destroy(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_have_dots),
        cmocka_unit_test(a_dot_within_a_key_is_no_path),
        cmocka_unit_test(a_list_of_objects_is_rows),
        cmocka_unit_test(a_list_under_a_key_is_rows_too),
        cmocka_unit_test(plain_lists_are_one_cell),
        cmocka_unit_test(an_empty_list_makes_no_column),
        cmocka_unit_test(numbers_are_as_they_were),
        cmocka_unit_test(what_reads_as_a_formula_does_not),
        cmocka_unit_test(what_would_break_a_line_is_quoted),
        cmocka_unit_test(own_columns_stay_apart),
        cmocka_unit_test(a_map_for_each_residue_is_left_out),
        cmocka_unit_test(what_was_not_learnt_stands_in_the_last_column),
        cmocka_unit_test(a_failed_job_is_a_row_with_its_reason),
        cmocka_unit_test(many_wide_rows_come_in_pieces)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
