/* What a pipeline may use, and that nothing of it is left, however it hides. */
#include "slots_rig.h"

#include <signal.h>
#include <sys/wait.h>

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
    set_signals();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hanging_pipeline_is_killed_with_its_children),
        cmocka_unit_test(children_of_a_pipeline_that_died_die_too),
        cmocka_unit_test(what_hides_from_the_group_is_killed_with_it),
        cmocka_unit_test(what_hides_dies_when_its_pipeline_exits),
        cmocka_unit_test(what_hides_dies_when_its_keeper_is_killed),
        cmocka_unit_test(killed_keeper_that_was_stopped_kills_on),
        cmocka_unit_test(cpu_time_is_limited_for_each_job),
        cmocka_unit_test(cpu_limit_cannot_be_ignored),
        cmocka_unit_test(memory_is_limited),
        cmocka_unit_test(death_within_the_memory_limit_is_not_called_one_of_memory),
        cmocka_unit_test(pipeline_has_few_descriptors_no_cores_and_no_new_privileges),
        cmocka_unit_test(pipeline_has_none_of_our_descriptors),
        cmocka_unit_test(death_of_the_agent_kills_what_hides),
        cmocka_unit_test(death_of_the_agent_kills_the_pipeline),
        cmocka_unit_test(destroy_kills_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
