/* The job's state table: the promises that it makes, and that PROTOCOL.md shows the same one. */
#include "tests/unit/unit.h"

#include "proto/job.h"

static void an_ending_never_changes(void **state)
{
    (void)state;
    for (int s = PT_COMPLETED; s < PT_STATES; s++)
        for (int f = 0; f < PT_FACTS; f++) {
            pt_transition_t row = pt_job_transition((pt_state_t)s, (pt_fact_kind_t)f);
            assert_int_equal(row.next, s);
            assert_null(row.event);
            assert_int_equal(row.answer, PT_ANSWER_ENDED);
        }
}

static void every_change_but_handing_out_is_an_event(void **state)
{
    (void)state;
    for (int s = 0; s < PT_STATES; s++)
        for (int f = 0; f < PT_FACTS; f++) {
            pt_transition_t row = pt_job_transition((pt_state_t)s, (pt_fact_kind_t)f);
            if (row.next != (pt_state_t)s && f != PT_FACT_HANDED_OUT)
                assert_non_null(row.event);
        }
}

static void running_goes_back_to_waiting_only_by_a_lost_attempt(void **state)
{
    (void)state;
    for (int f = 0; f < PT_FACTS; f++) {
        pt_transition_t row = pt_job_transition(PT_RUNNING, (pt_fact_kind_t)f);
        assert_int_not_equal(row.next, PT_OUT);
        if (row.next == PT_WAITING)
            assert_string_equal(row.event, "attempt_lost");
    }
}

static void a_lost_started_is_normal(void **state)
{
    (void)state;
    assert_int_equal(pt_job_transition(PT_OUT, PT_FACT_COMPLETED).next, PT_COMPLETED);
    assert_int_equal(pt_job_transition(PT_OUT, PT_FACT_FAILED).next, PT_FAILED);
    assert_int_equal(pt_job_transition(PT_OUT, PT_FACT_PROGRESS).next, PT_RUNNING);
}

static void states_are_read_from_the_table(void **state)
{
    (void)state;
    assert_int_equal(pt_state_of("pending", true), PT_WAITING);
    assert_int_equal(pt_state_of("pending", false), PT_OUT);
    assert_int_equal(pt_state_of("canceled", false), PT_CANCELED);
    assert_int_equal(pt_state_of("waiting", false), PT_STATES);
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    size_t size = fread(text, 1, (1 << 20) - 1, file);
    assert_true(size > 0);
    fclose(file);
    return text;
}

static void the_protocol_shows_this_table(void **state)
{
    (void)state;
    char path[512], *table = NULL;
    size_t size;
    FILE *memory = open_memstream(&table, &size);
    pt_job_table_print(memory);
    fclose(memory);
    snprintf(path, sizeof path, "%s/proto/PROTOCOL.md", getenv("PT_SOURCE"));
    char *text = read_file(path);
    assert_non_null(strstr(text, table));
    free(text);
    free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ending_never_changes),
        cmocka_unit_test(every_change_but_handing_out_is_an_event),
        cmocka_unit_test(running_goes_back_to_waiting_only_by_a_lost_attempt),
        cmocka_unit_test(a_lost_started_is_normal),
        cmocka_unit_test(states_are_read_from_the_table),
        cmocka_unit_test(the_protocol_shows_this_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
