#include "worker/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

const pt_child_t pt_child_none = {0, 0, -1, -1, -1, -1, -1};

/* Both ends of the three pipes, and of the socket to the keeper. */
typedef struct {
    int in[2], out[2], err[2], control[2];
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
    pt_child_close(&self->control);
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
    close_both(pipes->control);
}

static bool open_pipes(pipes_t *pipes)
{
    memset(pipes, -1, sizeof *pipes);
    return pipe2(pipes->in, O_CLOEXEC) == 0 && pipe2(pipes->out, O_CLOEXEC) == 0 &&
           pipe2(pipes->err, O_CLOEXEC) == 0 &&
           socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pipes->control) == 0;
}

/* In the child: only what is safe after a fork of a program with threads. The keeper's group is its
   own, so that a Ctrl-C for the agent is none for it. */
_Noreturn static void become(char *const argv[], const pipes_t *pipes)
{
    setpgid(0, 0);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    int control = fcntl(pipes->control[1], F_DUPFD_CLOEXEC, PT_KEEPER_CONTROL + 1);
    if (control >= 0 && dup2(pipes->in[0], 0) == 0 && dup2(pipes->out[1], 1) == 1 &&
        dup2(pipes->err[1], 2) == 2 && dup2(control, PT_KEEPER_CONTROL) == PT_KEEPER_CONTROL)
        execv(argv[0], argv);
    pt_kept_t failed = {.kind = PT_KEPT_FAILED, .error = errno};
    if (control < 0 || send(control, &failed, sizeof failed, MSG_NOSIGNAL) < 0)
        _exit(126);
    _exit(127);
}

/* Its first word: 0 once the program runs, else the error that kept it from running. */
static int await_start(pt_child_t *self)
{
    pt_kept_t said = {.kind = PT_KEPT_FAILED};
    ssize_t got;
    do
        got = recv(self->control, &said, sizeof said, 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof said)
        return ECHILD; /* the keeper died */
    self->pid = said.pid;
    return said.kind == PT_KEPT_STARTED ? 0 : said.error;
}

static int keep(int *end, bool waits)
{
    int descriptor = *end;
    *end = -1;
    if (!waits)
        fcntl(descriptor, F_SETFL, O_NONBLOCK);
    return descriptor;
}

/* The keeper's words: its own, then the pipeline's. */
enum { OWN_WORDS = 4 };
static void put_words(const pt_command_t *command, const char *argv[])
{
    argv[0] = command->keeper;
    argv[1] = command->limits;
    argv[2] = command->cgroup;
    argv[3] = command->program;
    size_t n = 0;
    for (; command->arguments && command->arguments[n] && n < PT_ARGUMENTS_MAX; n++)
        argv[OWN_WORDS + n] = command->arguments[n];
    argv[OWN_WORDS + n] = NULL;
}

static int start(pt_child_t *self, const pt_command_t *command, pipes_t *pipes)
{
    const char *argv[OWN_WORDS + PT_ARGUMENTS_MAX + 1];
    put_words(command, argv);
    if (!open_pipes(pipes))
        return errno;
    self->keeper = fork();
    if (self->keeper < 0)
        return errno;
    if (self->keeper == 0)
        become((char *const *)(uintptr_t)argv, pipes);
    self->pidfd = pidfd_open(self->keeper, 0);
    int error = self->pidfd < 0 ? errno : 0;
    self->control = keep(&pipes->control[0], true);
    pt_child_close(&pipes->control[1]);
    if (!error)
        error = await_start(self);
    if (error) {
        pt_child_close(&self->control);
        waitpid(self->keeper, NULL, 0);
    }
    return error;
}

bool pt_child_start(pt_child_t *self, const pt_command_t *command, char *why, size_t size)
{
    pipes_t pipes;
    *self = pt_child_none;
    int error = start(self, command, &pipes);
    if (error) {
        snprintf(why, size, "%s: %s", command->program, strerror(error));
        pt_child_close_all(self);
        *self = pt_child_none;
    } else {
        self->in = keep(&pipes.in[1], false);
        self->out = keep(&pipes.out[0], false);
        self->err = keep(&pipes.err[0], false);
    }
    close_pipes(&pipes);
    return !error;
}

void pt_child_begin_job(const pt_child_t *self)
{
    if (send(self->control, "j", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return; /* it is dying: that will be told */
}

void pt_child_kill(const pt_child_t *self)
{
    shutdown(self->control, SHUT_WR);
    kill(self->keeper, SIGCONT); /* should somebody have stopped it */
}

bool pt_child_reap(const pt_child_t *self, pt_kept_t *ended)
{
    ssize_t got;
    do /* a reset, said once, stands before what it said last: that it did not read of a job */
        got = recv(self->control, ended, sizeof *ended, MSG_DONTWAIT);
    while (got < 0 && (errno == EINTR || errno == ECONNRESET));
    waitpid(self->keeper, NULL, 0);
    return got == (ssize_t)sizeof *ended;
}
