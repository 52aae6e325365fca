/* Pipelines as real processes: tests/pipelines/generic, and shell scripts that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these before it */
#include <cmocka.h>

#include "proto/program/process.h"
#include "worker/slots.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PATIENCE_MS 20000

/* What was told, the latest of each kind. */
typedef struct {
    pt_slots_t *slots;
    size_t ready, progress, results, errors, garbage, deaths;
    size_t results_size;
    size_t errors_size, errors_at_result; /* bytes of standard error */
    double fraction;
    char why[256];
    pt_death_t death;
    bool kill_at_progress;
    char program[512]; /* of its slot, which borrows it */
    size_t declared;
} told_t;

static void told_said(told_t *told, const pt_said_t *said)
{
    told->progress += said->kind == PT_SAID_PROGRESS;
    told->results += said->kind == PT_SAID_RESULT;
    told->errors += said->kind == PT_SAID_ERROR;
    told->declared += said->kind == PT_SAID_DECLARE;
    told->results_size = said->results_size;
    told->errors_at_result = told->errors_size;
    told->fraction = said->fraction;
    if (told->kill_at_progress && said->kind == PT_SAID_PROGRESS)
        pt_slots_kill(told->slots, 0);
}

static void tell(void *context, const pt_input_t *input)
{
    told_t *told = context;
    told->ready += input->kind == PT_IN_READY;
    told->garbage += input->kind == PT_IN_GARBAGE;
    told->deaths += input->kind == PT_IN_DIED;
    told->errors_size += input->kind == PT_IN_STDERR ? input->payload_size : 0;
    if (input->kind == PT_IN_SAID)
        told_said(told, input->said);
    if (input->kind == PT_IN_GARBAGE)
        snprintf(told->why, sizeof told->why, "%s", input->why);
    if (input->kind != PT_IN_DIED)
        return;
    told->death = *input->death;
    if (input->death->why)
        snprintf(told->why, sizeof told->why, "%s", input->death->why);
}

static void run_once(told_t *told)
{
    struct pollfd descriptor = {.fd = pt_slots_descriptor(told->slots), .events = POLLIN};
    poll(&descriptor, 1, 10);
    pt_slots_run(told->slots, pt_clock_ms());
}

/* Runs until *what is at least n; fails the test when it takes too long. */
static void run_until(told_t *told, const size_t *what, size_t n)
{
    int64_t end = pt_clock_ms() + PATIENCE_MS;
    while (*what < n) {
        assert_true(pt_clock_ms() < end);
        run_once(told);
    }
}

static void run_for(told_t *told, int64_t ms)
{
    for (int64_t end = pt_clock_ms() + ms; pt_clock_ms() < end;)
        run_once(told);
}

static void open_limited_program(told_t *told, const char *program, const char *const *arguments,
                                 const pt_limits_t *limits)
{
    memset(told, 0, sizeof *told);
    snprintf(told->program, sizeof told->program, "%s", program);
    told->slots = pt_slots_new(PT_KEEPER, "", tell, told);
    assert_non_null(told->slots);
    pt_slots_add(told->slots, "humanization", told->program, arguments, limits);
}

static void open_program(told_t *told, const char *program, const char *const *arguments)
{
    open_limited_program(told, program, arguments, &(pt_limits_t){0});
}

static void open_limited_generic(told_t *told, const pt_limits_t *limits)
{
    char program[512];
    const char *source = getenv("PT_SOURCE");
    snprintf(program, sizeof program, "%s/tests/pipelines/generic", source ? source : ".");
    open_limited_program(told, program, NULL, limits);
    run_until(told, &told->ready, 1);
}

static void open_generic(told_t *told)
{
    open_limited_generic(told, &(pt_limits_t){0});
}

static void close_slots(told_t *told)
{
    pt_slots_destroy(&told->slots);
}

static void write_script(char *path, const char *script)
{
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    dprintf(descriptor, "#!/bin/sh\n%s\n", script);
    fchmod(descriptor, 0700);
    close(descriptor);
}

/* A shell script as a pipeline: a file of its own, removed at the end. */
static void open_script(told_t *told, const char *script, char path[32])
{
    strcpy(path, "/tmp/pt-slots-XXXXXX");
    write_script(path, script);
    open_program(told, path, NULL);
}

static void send_job(told_t *told, const char *name)
{
    pt_uuid_t job = {{1}};
    msgpack_sbuffer inputs, bytes;
    msgpack_packer to;
    msgpack_sbuffer_init(&inputs);
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&to, &inputs, msgpack_sbuffer_write);
    msgpack_pack_map(&to, 1);
    msgpack_pack_str(&to, 4);
    msgpack_pack_str_body(&to, "name", 4);
    msgpack_pack_str(&to, strlen(name));
    msgpack_pack_str_body(&to, name, strlen(name));
    pt_said_job(&bytes, &job, "humanization", 1, inputs.data, inputs.size);
    pt_slots_job(told->slots, 0, bytes.data, bytes.size);
    msgpack_sbuffer_destroy(&inputs);
    msgpack_sbuffer_destroy(&bytes);
}

/* How many living processes there are in the group. */
static size_t group_size(pid_t group)
{
    char command[128];
    unsigned count = 0;
    snprintf(command, sizeof command, "ps -eo pgid=,stat= | awk '$1 == %d && $2 !~ /^Z/' | wc -l",
             (int)group);
    FILE *answer = popen(command, "r");
    assert_non_null(answer);
    assert_int_equal(fscanf(answer, "%u", &count), 1);
    pclose(answer);
    return count;
}

static void assert_group_gone(pid_t group)
{
    for (int i = 0; i < 500 && group_size(group) > 0; i++)
        usleep(10000);
    assert_int_equal(group_size(group), 0);
}

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
    assert_true(pt_clock_ms() - began < 6 * 1000); /* the pauses would be 1 + 2 + 4 + 8 s */
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

static void hanging_pipeline_is_killed_with_its_children(void **state)
{
    told_t told;
    (void)state;
    open_generic(&told);
    pid_t pid = pt_slots_pid(told.slots, 0);
    send_job(&told, "progress=1 children=20 hang");
    run_until(&told, &told.progress, 1);
    for (int i = 0; i < 500 && group_size(pid) < 21; i++)
        run_for(&told, 10);
    assert_int_equal(group_size(pid), 21);
    pt_slots_kill(told.slots, 0);
    run_until(&told, &told.deaths, 1);
    assert_group_gone(pid);
    run_until(&told, &told.ready, 2);
    close_slots(&told);
}

static void children_of_a_pipeline_that_died_die_too(void **state)
{
    told_t told;
    (void)state;
    open_generic(&told);
    pid_t pid = pt_slots_pid(told.slots, 0);
    send_job(&told, "children=5 exit=1");
    run_until(&told, &told.deaths, 1);
    assert_group_gone(pid);
    close_slots(&told);
}

/* How many living processes have that in their command line. */
static size_t count_marked(const char *mark)
{
    char command[160];
    unsigned count = 0;
    snprintf(command, sizeof command,
             "ps -eo stat=,args= | awk '$1 !~ /^Z/ && $2 == \"sleep\" && $3 == \"%s\"' | wc -l",
             mark);
    FILE *answer = popen(command, "r");
    assert_non_null(answer);
    assert_int_equal(fscanf(answer, "%u", &count), 1);
    pclose(answer);
    return count;
}

static void assert_marked(told_t *told, const char *mark, size_t n)
{
    for (int i = 0; i < 1000 && count_marked(mark) != n; i++)
        told ? run_for(told, 10) : (void)usleep(10000);
    assert_int_equal(count_marked(mark), n);
}

/* A number of seconds that nobody else sleeps. */
static const char *new_mark(void)
{
    static char mark[16];
    static int number;
    snprintf(mark, sizeof mark, "7%d.%d", (int)getpid(), ++number);
    return mark;
}

/* A script that leaves seven processes behind, each hidden in another way, and ends with `last`. */
static void open_hiding(told_t *told, const char *last, char path[32], const char *mark)
{
    char script[1024];
    snprintf(script, sizeof script,
             "sleep %1$s & setsid sleep %1$s & (setsid sleep %1$s &)\n"
             "setsid sh -c '(setsid sleep %1$s &) ; sleep %1$s & wait' &\n"
             "(env -i setsid nohup sleep %1$s > /dev/null 2>&1 &)\n"
             "(trap '' TERM HUP INT; setsid sleep %1$s &)\n"
             "while [ $(ps -eo args= | grep -c '^sleep %1$s$') -lt 7 ]; do sleep 0.05; done\n%2$s",
             mark, last);
    open_script(told, script, path);
}

static void what_hides_from_the_group_is_killed_with_it(void **state)
{
    char path[32];
    const char *mark = new_mark();
    told_t told;
    (void)state;
    open_hiding(&told, "exec sleep 3600", path, mark);
    run_until(&told, &told.ready, 1);
    assert_marked(&told, mark, 7);
    pt_slots_retire(told.slots);
    pt_slots_kill(told.slots, 0);
    run_until(&told, &told.deaths, 1);
    assert_int_equal(count_marked(mark), 0); /* before the death is told */
    close_slots(&told);
    unlink(path);
}

static void what_hides_dies_when_its_pipeline_exits(void **state)
{
    char path[32];
    const char *mark = new_mark();
    told_t told;
    (void)state;
    open_hiding(&told, "exit 3", path, mark);
    run_until(&told, &told.deaths, 1);
    assert_int_equal(told.death.status, 3);
    pt_slots_retire(told.slots);
    close_slots(&told);
    assert_marked(NULL, mark, 0);
    unlink(path);
}

static pid_t parent_of(pid_t pid)
{
    char path[64];
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %*s %*c %d", &parent), 1);
    fclose(file);
    return parent;
}

static void what_hides_dies_when_its_keeper_is_killed(void **state)
{
    char path[32];
    const char *mark = new_mark();
    told_t told;
    (void)state;
    open_hiding(&told, "exec sleep 3600", path, mark);
    run_until(&told, &told.ready, 1);
    assert_marked(&told, mark, 7);
    pt_slots_retire(told.slots);
    kill(parent_of(pt_slots_pid(told.slots, 0)), SIGKILL);
    run_until(&told, &told.deaths, 1);
    assert_int_equal(told.death.signal, SIGKILL);
    assert_marked(&told, mark, 0);
    close_slots(&told);
    unlink(path);
}

static void killed_keeper_that_was_stopped_kills_on(void **state)
{
    told_t told;
    (void)state;
    open_generic(&told);
    pid_t pid = pt_slots_pid(told.slots, 0);
    kill(parent_of(pid), SIGSTOP);
    kill(pid, SIGSTOP);
    pt_slots_kill(told.slots, 0);
    run_until(&told, &told.deaths, 1);
    assert_group_gone(pid);
    close_slots(&told);
}

static void cpu_time_is_limited_for_each_job(void **state)
{
    told_t told;
    (void)state;
    open_limited_generic(&told, &(pt_limits_t){.cpu = 1});
    pid_t pid = pt_slots_pid(told.slots, 0);
    for (size_t i = 1; i <= 3; i++) { /* in all more than a second, in each less */
        send_job(&told, "burn=0.6");
        run_until(&told, &told.results, i);
    }
    assert_int_equal(pt_slots_pid(told.slots, 0), pid);
    send_job(&told, "spin");
    run_until(&told, &told.deaths, 1);
    assert_true(told.death.cpu);
    close_slots(&told);
}

static void cpu_limit_cannot_be_ignored(void **state)
{
    told_t told;
    (void)state;
    open_limited_generic(&told, &(pt_limits_t){.cpu = 1});
    send_job(&told, "spin=deaf");
    run_until(&told, &told.deaths, 1);
    assert_true(told.death.cpu);
    close_slots(&told);
}

static void memory_is_limited(void **state)
{
    told_t told;
    (void)state;
    open_limited_generic(&told, &(pt_limits_t){.memory = 96 << 20});
    send_job(&told, "grow=32");
    run_until(&told, &told.results, 1);
    send_job(&told, "grow=512");
    run_until(&told, &told.deaths, 1);
    assert_true(told.death.oom);
    close_slots(&told);
}

static void death_within_the_memory_limit_is_not_called_one_of_memory(void **state)
{
    told_t told;
    (void)state;
    open_limited_generic(&told, &(pt_limits_t){.memory = 256 << 20});
    send_job(&told, "exit=1");
    run_until(&told, &told.deaths, 1);
    assert_false(told.death.oom || told.death.cpu);
    close_slots(&told);
}

/* Exits with 11 if the shell's test is true. */
static void assert_true_inside(const char *test, const pt_limits_t *limits)
{
    char path[32], script[256];
    told_t told;
    snprintf(script, sizeof script, "[ %s ] && exit 11; exit 12", test);
    strcpy(path, "/tmp/pt-slots-XXXXXX");
    write_script(path, script);
    open_limited_program(&told, path, NULL, limits);
    run_until(&told, &told.deaths, 1);
    if (told.death.status != 11)
        fail_msg("not so: %s", test);
    close_slots(&told);
    unlink(path);
}

static void pipeline_has_few_descriptors_no_cores_and_no_new_privileges(void **state)
{
    (void)state;
    assert_true_inside("$(ulimit -n) = 64 -a $(ulimit -Hn) = 64", &(pt_limits_t){.files = 64});
    assert_true_inside("$(ulimit -n) -le 1024", &(pt_limits_t){0});
    assert_true_inside("$(ulimit -c) = 0 -a $(ulimit -Hc) = 0", &(pt_limits_t){0});
    assert_true_inside("$(grep -c 'NoNewPrivs:.1' /proc/self/status) = 1", &(pt_limits_t){0});
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
    assert_true(pt_clock_ms() - before < 2000);
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

static void pipeline_has_none_of_our_descriptors(void **state)
{
    char path[32];
    told_t told;
    (void)state;
    int leak = dup(STDERR_FILENO); /* without close-on-exec, as a careless library might */
    open_script(&told, "[ \"$(ls /proc/self/fd | grep -c .)\" -le 4 ] && exit 11; exit 12", path);
    run_until(&told, &told.deaths, 1);
    assert_int_equal(told.death.status, 11); /* 0 1 2, and the folder that ls reads */
    close_slots(&told);
    close(leak);
    unlink(path);
}

static void death_of_the_agent_kills_what_hides(void **state)
{
    char path[32];
    const char *mark = new_mark();
    told_t told;
    (void)state;
    pid_t agent = fork();
    if (agent == 0) {
        open_hiding(&told, "exec sleep 3600", path, mark);
        for (;;)
            run_for(&told, 1000);
    }
    assert_marked(NULL, mark, 7);
    kill(agent, SIGKILL);
    waitpid(agent, NULL, 0);
    assert_marked(NULL, mark, 0);
}

/* A process of its own plays the agent; its death must take the pipeline along. */
static void death_of_the_agent_kills_the_pipeline(void **state)
{
    int pipe_ends[2];
    pid_t pipeline = 0;
    (void)state;
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t agent = fork();
    if (agent == 0) {
        told_t told;
        open_generic(&told);
        send_job(&told, "children=4 hang");
        run_for(&told, 200);
        pipeline = pt_slots_pid(told.slots, 0);
        if (write(pipe_ends[1], &pipeline, sizeof pipeline) < 0)
            _exit(1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(pipe_ends[0], &pipeline, sizeof pipeline), sizeof pipeline);
    for (int i = 0; i < 500 && group_size(pipeline) < 5; i++)
        usleep(10000);
    assert_int_equal(group_size(pipeline), 5);
    kill(agent, SIGKILL);
    waitpid(agent, NULL, 0);
    assert_group_gone(pipeline);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void destroy_kills_everything(void **state)
{
    told_t told;
    (void)state;
    open_generic(&told);
    pid_t pid = pt_slots_pid(told.slots, 0);
    send_job(&told, "progress=1 children=3 hang");
    run_until(&told, &told.progress, 1);
    run_for(&told, 200);
    close_slots(&told);
    assert_group_gone(pid);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1); /* reaped */
}

int main(void)
{
    sigset_t blocked; /* as the agent has them */
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_one_job_after_the_other_in_one_process),
        cmocka_unit_test(crash_is_told_with_its_signal_and_the_slot_starts_again),
        cmocka_unit_test(jobs_that_kill_their_process_do_not_space_out_its_starts),
        cmocka_unit_test(exit_is_told_with_its_status_after_what_was_said),
        cmocka_unit_test(garbage_is_told_once_and_killed),
        cmocka_unit_test(closed_output_is_an_error_although_the_process_lives),
        cmocka_unit_test(hanging_pipeline_is_killed_with_its_children),
        cmocka_unit_test(children_of_a_pipeline_that_died_die_too),
        cmocka_unit_test(what_hides_from_the_group_is_killed_with_it),
        cmocka_unit_test(what_hides_dies_when_its_pipeline_exits),
        cmocka_unit_test(what_hides_dies_when_its_keeper_is_killed),
        cmocka_unit_test(death_of_the_agent_kills_what_hides),
        cmocka_unit_test(killed_keeper_that_was_stopped_kills_on),
        cmocka_unit_test(cpu_time_is_limited_for_each_job),
        cmocka_unit_test(cpu_limit_cannot_be_ignored),
        cmocka_unit_test(memory_is_limited),
        cmocka_unit_test(death_within_the_memory_limit_is_not_called_one_of_memory),
        cmocka_unit_test(pipeline_has_few_descriptors_no_cores_and_no_new_privileges),
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
        cmocka_unit_test(pipeline_has_none_of_our_descriptors),
        cmocka_unit_test(death_of_the_agent_kills_the_pipeline),
        cmocka_unit_test(destroy_kills_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
