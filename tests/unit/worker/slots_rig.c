#include "slots_rig.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#define PATIENCE_MS 20000

void set_signals(void)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
}

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

void run_until(told_t *told, const size_t *what, size_t n)
{
    int64_t end = pt_clock_ms() + PATIENCE_MS;
    while (*what < n) {
        assert_true(pt_clock_ms() < end);
        run_once(told);
    }
}

void run_for(told_t *told, int64_t ms)
{
    for (int64_t end = pt_clock_ms() + ms; pt_clock_ms() < end;)
        run_once(told);
}

void open_limited_program(told_t *told, const char *program, const char *const *arguments,
                          const pt_limits_t *limits)
{
    memset(told, 0, sizeof *told);
    snprintf(told->program, sizeof told->program, "%s", program);
    told->slots = pt_slots_new(PT_KEEPER, "", tell, told);
    assert_non_null(told->slots);
    pt_slots_add(told->slots, "humanization", told->program, arguments, limits);
}

void open_program(told_t *told, const char *program, const char *const *arguments)
{
    open_limited_program(told, program, arguments, &(pt_limits_t){0});
}

void open_limited_generic(told_t *told, const pt_limits_t *limits)
{
    char program[512];
    const char *source = getenv("PT_SOURCE");
    snprintf(program, sizeof program, "%s/tests/pipelines/generic", source ? source : ".");
    open_limited_program(told, program, NULL, limits);
    run_until(told, &told->ready, 1);
}

void open_generic(told_t *told)
{
    open_limited_generic(told, &(pt_limits_t){0});
}

void close_slots(told_t *told)
{
    pt_slots_destroy(&told->slots);
}

void write_script(char *path, const char *script)
{
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    dprintf(descriptor, "#!/bin/sh\n%s\n", script);
    fchmod(descriptor, 0700);
    close(descriptor);
}

void open_script(told_t *told, const char *script, char path[32])
{
    strcpy(path, "/tmp/pt-slots-XXXXXX");
    write_script(path, script);
    open_program(told, path, NULL);
}

void send_job(told_t *told, const char *name)
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

size_t group_size(pid_t group)
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

void assert_group_gone(pid_t group)
{
    for (int i = 0; i < 500 && group_size(group) > 0; i++)
        usleep(10000);
    assert_int_equal(group_size(group), 0);
}
