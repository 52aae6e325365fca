#include "worker/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Both ends of the three pipes, and of the one that tells whether exec worked: it closes then. */
typedef struct {
    int in[2], out[2], err[2], report[2];
} pipes_t;

void pt_child_close(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

void pt_child_close_all(pt_child_t *self)
{
    pt_child_close(&self->in);
    pt_child_close(&self->out);
    pt_child_close(&self->err);
    pt_child_close(&self->pidfd);
}

void pt_child_kill(const pt_child_t *self)
{
    if (self->pid > 0)
        kill(-self->pid, SIGKILL);
}

static void close_both(int ends[2])
{
    pt_child_close(&ends[0]);
    pt_child_close(&ends[1]);
}

static void close_pipes(pipes_t *pipes)
{
    close_both(pipes->in);
    close_both(pipes->out);
    close_both(pipes->err);
    close_both(pipes->report);
}

static bool open_pipes(pipes_t *pipes)
{
    memset(pipes, -1, sizeof *pipes);
    return pipe2(pipes->in, O_CLOEXEC) == 0 && pipe2(pipes->out, O_CLOEXEC) == 0 &&
           pipe2(pipes->err, O_CLOEXEC) == 0 && pipe2(pipes->report, O_CLOEXEC) == 0;
}

/* ---- in the child: only what is safe after a fork of a program with threads --------------- */

static void reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL); /* fails for two of them, which cannot be changed */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* If memory runs out, a pipeline is to go before the agent that can say so. */
static void volunteer_for_oom(void)
{
    int descriptor = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    if (write(descriptor, "500", 3) < 0)
        (void)descriptor; /* then it has the same chance as the agent */
    close(descriptor);
}

/* The agent raised its own limit; select() in a pipeline's libraries ends at 1,024. */
static void usual_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 1024) {
        limit.rlim_cur = 1024;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

_Noreturn static void become(char *const argv[], const pipes_t *pipes, pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before it could be watched */
        _exit(127);
    reset_signals();
    usual_descriptors();
    volunteer_for_oom();
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (dup2(pipes->in[0], 0) == 0 && dup2(pipes->out[1], 1) == 1 && dup2(pipes->err[1], 2) == 2)
        execv(argv[0], argv);
    int error = errno;
    if (write(pipes->report[1], &error, sizeof error) < 0)
        _exit(126);
    _exit(127);
}

/* ---- in the agent ------------------------------------------------------------------------ */

/* 0 once the program runs, else the error that kept it from running. */
static int await_exec(pipes_t *pipes)
{
    int error = 0;
    pt_child_close(&pipes->report[1]);
    ssize_t got;
    do
        got = read(pipes->report[0], &error, sizeof error);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof error ? error : 0;
}

static int keep(int *end)
{
    int descriptor = *end;
    *end = -1;
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    return descriptor;
}

static int start(pt_child_t *self, char *const argv[], pipes_t *pipes)
{
    pid_t parent = getpid();
    if (!open_pipes(pipes))
        return errno;
    self->pid = fork();
    if (self->pid < 0)
        return errno;
    if (self->pid == 0)
        become(argv, pipes, parent);
    setpgid(self->pid, self->pid); /* both do it, so that it is done for whoever comes first */
    int error = await_exec(pipes);
    if (!error && (self->pidfd = pidfd_open(self->pid, 0)) < 0)
        error = errno;
    if (error) {
        pt_child_kill(self);
        waitpid(self->pid, NULL, 0);
    }
    return error;
}

bool pt_child_start(pt_child_t *self, const char *program, const char *argument, char *why,
                    size_t size)
{
    char *const argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)argument, NULL};
    pipes_t pipes;
    *self = (pt_child_t){0, -1, -1, -1, -1};
    int error = start(self, argv, &pipes);
    if (error) {
        snprintf(why, size, "%s: %s", program, strerror(error));
        self->pid = 0;
    } else {
        self->in = keep(&pipes.in[1]);
        self->out = keep(&pipes.out[0]);
        self->err = keep(&pipes.err[0]);
    }
    close_pipes(&pipes);
    return !error;
}

/* The path of memory.events of the cgroup (version 2) that this process is in. */
static bool find_events(char *path, size_t size)
{
    char line[512];
    bool found = false;
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (!file)
        return false;
    while (!found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        found = strncmp(line, "0::", 3) == 0;
    }
    fclose(file);
    if (found)
        snprintf(path, size, "/sys/fs/cgroup%s/memory.events", line + 3);
    return found;
}

int64_t pt_child_oom_kills(void)
{
    char path[600], line[128];
    int64_t kills = -1;
    FILE *file = find_events(path, sizeof path) ? fopen(path, "re") : NULL;
    if (!file)
        return -1;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "oom_kill ", 9) == 0)
            kills = strtoll(line + 9, NULL, 10);
    fclose(file);
    return kills;
}
