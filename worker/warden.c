#include "worker/warden.h"

#include "worker/agent.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Numbers on the pipe: a group to watch, or, negative, one to forget. */
static void note(pid_t groups[PT_SLOTS_MAX], pid_t number)
{
    pid_t from = number > 0 ? 0 : -number, to = number > 0 ? number : 0;
    for (size_t i = 0; i < PT_SLOTS_MAX; i++)
        if (groups[i] == from) {
            groups[i] = to;
            return;
        }
}

/* Only what is safe after a fork. Signals that are meant for the agent do not end it. */
_Noreturn static void watch(int from)
{
    pid_t groups[PT_SLOTS_MAX] = {0}, number;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, "worker-warden");
    setpgid(0, 0);
    dup2(from, 3);
    close_range(4, ~0U, 0);
    while (read(3, &number, sizeof number) == (ssize_t)sizeof number)
        note(groups, number);
    for (size_t i = 0; i < PT_SLOTS_MAX; i++)
        if (groups[i] > 0)
            kill(-groups[i], SIGKILL);
    _exit(0);
}

void pt_warden_start(pt_warden_t *self)
{
    int ends[2];
    *self = (pt_warden_t){0, -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    self->pid = fork();
    if (self->pid == 0)
        watch(ends[0]); /* its copy of the other end is closed there */
    close(ends[0]);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    if (self->pid > 0)
        self->to = ends[1];
    else
        close(ends[1]);
}

static void tell(const pt_warden_t *self, pid_t number)
{
    if (self->to >= 0 && write(self->to, &number, sizeof number) < 0)
        return; /* it is gone: the leaders still die with us */
}

void pt_warden_add(const pt_warden_t *self, pid_t group)
{
    tell(self, group);
}

void pt_warden_remove(const pt_warden_t *self, pid_t group)
{
    tell(self, -group);
}

void pt_warden_stop(pt_warden_t *self)
{
    if (self->to < 0)
        return;
    close(self->to);
    self->to = -1;
    waitpid(self->pid, NULL, 0);
}
