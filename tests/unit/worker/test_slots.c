/* Pipelines as real processes: jobs, what they say, how they start and die. */
#include "slots_rig.h"

#include <signal.h>
#include <sys/wait.h>

static void runs_one_job_after_the_other_in_one_process(void **state)
{
    told_t told;
    (void)state;
    open_generic(&told);
    pid_t pid = pt_slots_pid(told.slots, 0);
    for (size_t n = 1; n <= 3; n++) {
        send_job(&told, "progress=2");
        run_until(&told, &told.results, n);
        assert_int_equal(told.progress, 2 * n);
    }
    assert_int_equal(pt_slots_pid(told.slots, 0), pid);
    assert_int_equal(getpgid(pid), pid);
    assert_int_equal(told.deaths, 0);
    close_slots(&told);
}

static void crash_is_told_with_its_signal_and_the_slot_starts_again(void **state)
{
    told_t told;
    (void)state;
    open_generic(&told);
    send_job(&told, "crash=SEGV");
    run_until(&told, &told.deaths, 1);
    assert_int_equal(told.death.signal, SIGSEGV);
    run_until(&told, &told.ready, 2);
    send_job(&told, "");
    run_until(&told, &told.results, 1);
    close_slots(&told);
}

static void jobs_that_kill_their_process_do_not_space_out_its_starts(void **state)
{
    told_t told;
    (void)state;
    open_generic(&told);
    int64_t began = pt_clock_ms();
    for (size_t i = 1; i <= 6; i++) {
        send_job(&told, "crash=SEGV");
        run_until(&told, &told.deaths, i);
        run_until(&told, &told.ready, i + 1);
    }
    assert_true(pt_clock_ms() - began < 12 * 1000); /* the pauses would be 1 + 2 + 4 + 8 s */
    close_slots(&told);
}

static void exit_is_told_with_its_status_after_what_was_said(void **state)
{
    told_t told;
    (void)state;
    open_generic(&told);
    send_job(&told, "progress=5 exit=7");
    run_until(&told, &told.deaths, 1);
    assert_int_equal(told.progress, 5);
    assert_int_equal(told.death.signal, 0);
    assert_int_equal(told.death.status, 7);
    close_slots(&told);
}

static void garbage_is_told_once_and_killed(void **state)
{
    told_t told;
    (void)state;
    open_generic(&told);
    send_job(&told, "garbage");
    run_until(&told, &told.deaths, 1);
    assert_int_equal(told.garbage, 1);
    assert_int_equal(told.death.signal, SIGKILL);
    assert_non_null(strstr(told.why, "no msgpack"));
    close_slots(&told);
}

static void closed_output_is_an_error_although_the_process_lives(void **state)
{
    told_t told;
    (void)state;
    open_generic(&told);
    send_job(&told, "close");
    run_until(&told, &told.deaths, 1);
    assert_int_equal(told.garbage, 1);
    close_slots(&told);
}

static void nothing_is_told_after_a_kill_but_the_death(void **state)
{
    told_t told;
    (void)state;
    open_generic(&told);
    told.kill_at_progress = true;
    send_job(&told, "progress=50");
    usleep(300000); /* so that all of it is read at once */
    run_until(&told, &told.deaths, 1);
    assert_int_equal(told.progress, 1);
    assert_int_equal(told.results, 0);
    close_slots(&told);
}

static void ten_megabytes_come_through(void **state)
{
    told_t told;
    (void)state;
    open_generic(&told);
    send_job(&told, "result=10000000");
    run_until(&told, &told.results, 1);
    assert_true(told.results_size > 10000000);
    close_slots(&told);
}

static void more_than_64_megabytes_are_an_error(void **state)
{
    told_t told;
    (void)state;
    open_generic(&told);
    send_job(&told, "result=68000000");
    run_until(&told, &told.garbage, 1);
    assert_non_null(strstr(told.why, "64 MiB"));
    close_slots(&told);
}

static void job_larger_than_a_pipe_is_written_in_parts(void **state)
{
    static char name[3000000];
    told_t told;
    (void)state;
    memset(name, 'x', sizeof name - 1);
    open_generic(&told);
    send_job(&told, name);
    run_until(&told, &told.results, 1);
    assert_true(told.results_size > sizeof name - 1); /* it tells the name */
    close_slots(&told);
}

static void job_that_nobody_reads_blocks_nothing(void **state)
{
    static char name[3000000];
    char path[32];
    told_t told;
    (void)state;
    memset(name, 'x', sizeof name - 1);
    open_script(&told, "exec sleep 60", path);
    run_until(&told, &told.ready, 1);
    int64_t before = pt_clock_ms();
    send_job(&told, name);
    run_for(&told, 100);
    assert_true(pt_clock_ms() - before < 20 * 1000); /* it would be 60 s */
    pt_slots_kill(told.slots, 0);
    run_until(&told, &told.deaths, 1);
    close_slots(&told);
    unlink(path);
}

static void message_in_small_pieces_is_put_together(void **state)
{
    char path[32];
    told_t told;
    (void)state;
    open_script(&told,
                "printf '\\203\\241m\\246res'; sleep 0.1; printf 'ult\\247results\\200\\256model'\n"
                "sleep 0.1; printf '_versions'; sleep 0.1; printf '\\200'; exec sleep 60",
                path);
    run_until(&told, &told.results, 1);
    assert_int_equal(told.garbage, 0);
    close_slots(&told);
    unlink(path);
}

static void program_that_dies_at_its_start_is_tried_less_and_less(void **state)
{
    char path[32];
    told_t told;
    (void)state;
    open_script(&told, "echo 'no such module' >&2; exit 4", path);
    run_until(&told, &told.deaths, 3);
    run_for(&told, 500);
    assert_int_equal(told.deaths, 3);
    assert_int_equal(told.ready, 1); /* who came after a death has to live a while first */
    send_job(&told, "");             /* waits for the next start, and is told how that went */
    run_until(&told, &told.deaths, 4);
    assert_int_equal(told.death.status, 4);
    close_slots(&told);
    unlink(path);
}

static void program_that_prints_at_its_start_is_tried_less_and_less(void **state)
{
    char path[32];
    told_t told;
    (void)state;
    open_script(&told, "echo hello; exec sleep 60", path); /* no message */
    run_until(&told, &told.deaths, 3);
    run_for(&told, 500);
    assert_int_equal(told.garbage, 3);
    assert_int_equal(told.deaths, 3);
    assert_int_equal(told.ready, 1);
    close_slots(&told);
    unlink(path);
}

static void program_that_lives_after_a_death_at_its_start_is_ready(void **state)
{
    char path[32], script[128], mark[] = "/tmp/pt-mark-XXXXXX";
    told_t told;
    (void)state;
    close(mkstemp(mark)); /* it is there for the first start alone */
    snprintf(script, sizeof script, "rm '%s' 2> /dev/null && exit 4; exec sleep 60", mark);
    open_script(&told, script, path);
    run_until(&told, &told.deaths, 1);
    assert_int_equal(told.ready, 1);
    run_until(&told, &told.ready, 2);
    assert_int_equal(told.deaths, 1);
    close_slots(&told);
    unlink(path);
}

static void program_that_cannot_be_started_is_told_to_the_job_that_waits(void **state)
{
    told_t told;
    (void)state;
    open_program(&told, "/nowhere/pipeline", NULL);
    run_for(&told, 100);
    assert_int_equal(told.ready + told.deaths, 0);
    send_job(&told, "");
    run_until(&told, &told.deaths, 1);
    assert_string_equal(told.why, "/nowhere/pipeline: No such file or directory");
    close_slots(&told);
}

static void standard_error_of_a_job_is_told_all_before_its_ending(void **state)
{
    told_t told;
    (void)state;
    open_generic(&told);
    send_job(&told, "noise=100000"); /* "noise N" a line */
    run_until(&told, &told.results, 1);
    assert_int_equal(told.errors_at_result, 100000 * 7 + 488890);
    send_job(&told, "noise=10 exit=3");
    run_until(&told, &told.deaths, 1);
    assert_int_equal(told.errors_size - told.errors_at_result, 80);
    close_slots(&told);
}

static void standard_error_without_a_job_is_nobodys(void **state)
{
    char path[32];
    told_t told;
    (void)state;
    open_script(&told, "echo early >&2; exec sleep 60", path);
    run_for(&told, 300);
    assert_int_equal(told.errors_size, 0);
    close_slots(&told);
    unlink(path);
}

static void arguments_are_passed_and_signals_are_as_usual(void **state)
{
    static const char *const words[] = {"-c", "exit $(($1 + $2))", "sh", "3", "4", NULL};
    char path[32];
    told_t told;
    (void)state;
    open_program(&told, "/bin/sh", words);
    run_until(&told, &told.deaths, 1);
    assert_int_equal(told.death.status, 7);
    close_slots(&told);
    /* Blocked or ignored signals would be inherited; TERM must kill, and PIPE too. */
    open_script(&told, "kill -TERM $$; exit 0", path);
    run_until(&told, &told.deaths, 1);
    assert_int_equal(told.death.signal, SIGTERM);
    close_slots(&told);
    unlink(path);
    open_script(&told, "kill -PIPE $$; exit 0", path);
    run_until(&told, &told.deaths, 1);
    assert_int_equal(told.death.signal, SIGPIPE);
    close_slots(&told);
    unlink(path);
}

int main(void)
{
    set_signals();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_one_job_after_the_other_in_one_process),
        cmocka_unit_test(crash_is_told_with_its_signal_and_the_slot_starts_again),
        cmocka_unit_test(jobs_that_kill_their_process_do_not_space_out_its_starts),
        cmocka_unit_test(exit_is_told_with_its_status_after_what_was_said),
        cmocka_unit_test(garbage_is_told_once_and_killed),
        cmocka_unit_test(closed_output_is_an_error_although_the_process_lives),
        cmocka_unit_test(nothing_is_told_after_a_kill_but_the_death),
        cmocka_unit_test(ten_megabytes_come_through),
        cmocka_unit_test(more_than_64_megabytes_are_an_error),
        cmocka_unit_test(job_larger_than_a_pipe_is_written_in_parts),
        cmocka_unit_test(job_that_nobody_reads_blocks_nothing),
        cmocka_unit_test(message_in_small_pieces_is_put_together),
        cmocka_unit_test(program_that_dies_at_its_start_is_tried_less_and_less),
        cmocka_unit_test(program_that_prints_at_its_start_is_tried_less_and_less),
        cmocka_unit_test(program_that_lives_after_a_death_at_its_start_is_ready),
        cmocka_unit_test(program_that_cannot_be_started_is_told_to_the_job_that_waits),
        cmocka_unit_test(standard_error_of_a_job_is_told_all_before_its_ending),
        cmocka_unit_test(standard_error_without_a_job_is_nobodys),
        cmocka_unit_test(arguments_are_passed_and_signals_are_as_usual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
