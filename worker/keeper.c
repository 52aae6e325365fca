/* paratope-keeper LIMITS CGROUP PROGRAM [ARGUMENT]: see keeper.h. The pipeline gets the standard
   streams that the keeper was started with. CGROUP is a folder of version 2 that may be written, in
   which the memory is limited, or empty. */
#include "worker/keeper.h"

#include "worker/cgroup.h"
#include "worker/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CPU_EVERY_MS 500
#define CPU_SLACK_S 1 /* for who ignores the signal of the limit */
#define PAUSE_MS 2    /* between two rounds of killing */
#define CHILDREN_MAX 512

typedef struct {
    pt_limits_t limits;
    pt_cgroup_t cgroup;
    char **argv;      /* of the pipeline */
    pid_t pid;        /* of the pipeline, 0 once it is reaped */
    int64_t cpu_ends; /* CPU time of the process, in seconds, at which the job's is used up; or 0 */
    int status;
    struct rusage usage;
    pt_kept_limit_t limit;
} keeper_t;

static void tell(const pt_kept_t *what)
{
    if (send(PT_KEEPER_CONTROL, what, sizeof *what, MSG_NOSIGNAL) < 0)
        return; /* the agent is gone; so shall we */
}

/* ---- in the pipeline's process, before it is the pipeline ---------------------------------- */

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

static void set_limit(__rlimit_resource_t what, rlim_t soft, rlim_t hard)
{
    struct rlimit now;
    if (getrlimit(what, &now) != 0)
        return;
    now.rlim_max = hard < now.rlim_max ? hard : now.rlim_max;
    now.rlim_cur = soft < now.rlim_max ? soft : now.rlim_max;
    setrlimit(what, &now);
}

/* Descriptors: the agent raised its own limit, and select() in a library ends at 1,024. Memory:
   what is private and writable (RLIMIT_DATA); the address space would count what is only reserved.
 */
static void set_limits(const keeper_t *self)
{
    rlim_t files = (rlim_t)self->limits.files, memory = (rlim_t)self->limits.memory;
    set_limit(RLIMIT_CORE, 0, 0);
    set_limit(RLIMIT_NOFILE, files ? files : 1024, files ? files : RLIM_INFINITY);
    if (memory && !self->cgroup.path[0])
        set_limit(RLIMIT_DATA, memory, memory);
}

_Noreturn static void become(const keeper_t *self, int report, pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bool ready = getppid() == parent && pt_cgroup_enter(&self->cgroup) &&
                 prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    if (ready) {
        reset_signals();
        volunteer_for_oom();
        set_limits(self);
        execv(self->argv[0], self->argv);
    }
    int error = errno;
    if (write(report, &error, sizeof error) < 0)
        _exit(126);
    _exit(127);
}

/* ---- start --------------------------------------------------------------------------------- */

/* 0 once the program runs, else the error that kept it from running. */
static int await_exec(int report)
{
    int error = 0;
    ssize_t got;
    do
        got = read(report, &error, sizeof error);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof error ? error : 0;
}

static int start(keeper_t *self)
{
    int report[2];
    pid_t parent = getpid();
    if (pipe2(report, O_CLOEXEC) != 0)
        return errno;
    fcntl(PT_KEEPER_CONTROL, F_SETFD, FD_CLOEXEC);
    self->pid = fork();
    if (self->pid == 0)
        become(self, report[1], parent);
    int error = self->pid < 0 ? errno : 0;
    close(report[1]);
    if (!error)
        error = await_exec(report[0]);
    close(report[0]);
    return error;
}

/* The pipeline's streams are its own: while we held them nobody would see their end. */
static void let_go_of_streams(void)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int stream = 0; stream <= 2; stream++)
        if (nothing < 0 || dup2(nothing, stream) < 0)
            close(stream);
    if (nothing > 2)
        close(nothing);
}

/* ---- CPU time ------------------------------------------------------------------------------ */

/* What the process has used, in whole seconds and rounded up. */
static int64_t cpu_seconds(pid_t pid)
{
    clockid_t clock;
    struct timespec used = {0};
    if (clock_getcpuclockid(pid, &clock) == 0)
        clock_gettime(clock, &used);
    return used.tv_sec + (used.tv_nsec > 0);
}

/* The process goes on from job to job, so that its limit has to move with them. Its children count
   for themselves, from nothing. */
static void begin_job(keeper_t *self)
{
    if (!self->limits.cpu)
        return;
    self->cpu_ends = cpu_seconds(self->pid) + self->limits.cpu;
    struct rlimit limit;
    if (prlimit(self->pid, RLIMIT_CPU, NULL, &limit) != 0)
        return;
    rlim_t ends = (rlim_t)self->cpu_ends;
    limit.rlim_cur = ends < limit.rlim_max ? ends : limit.rlim_max;
    prlimit(self->pid, RLIMIT_CPU, &limit, NULL);
}

static bool cpu_is_used_up(const keeper_t *self)
{
    return self->cpu_ends && cpu_seconds(self->pid) > self->cpu_ends + CPU_SLACK_S;
}

/* ---- the wait ------------------------------------------------------------------------------ */

/* True: a job begins; false: everything shall end. */
static bool heard_job(void)
{
    char order;
    ssize_t got = recv(PT_KEEPER_CONTROL, &order, sizeof order, 0);
    return got > 0 || (got < 0 && errno == EINTR);
}

/* Until the pipeline has died, or is to be killed. */
static void await_end(keeper_t *self)
{
    struct pollfd items[] = {{.fd = PT_KEEPER_CONTROL, .events = POLLIN},
                             {.fd = pidfd_open(self->pid, 0), .events = POLLIN}};
    while (items[1].fd >= 0) {
        poll(items, 2, self->limits.cpu ? CPU_EVERY_MS : -1);
        if (items[1].revents)
            break;
        if (items[0].revents && !heard_job())
            break;
        if (items[0].revents)
            begin_job(self);
        if (cpu_is_used_up(self)) {
            self->limit = PT_KEPT_CPU;
            break;
        }
    }
    close(items[1].fd);
}

/* ---- the end ------------------------------------------------------------------------------- */

/* Kills all that are our children now; what they leave behind becomes our child in turn. False if
   the kernel does not name them. */
static bool kill_children(void)
{
    char path[64];
    long pid;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *list = fopen(path, "re");
    if (!list)
        return false;
    for (int i = 0; i < CHILDREN_MAX && fscanf(list, "%ld", &pid) == 1; i++)
        kill((pid_t)pid, SIGKILL);
    fclose(list);
    return true;
}

/* Reaps what is dead; false once there is no child any more. */
static bool reap(keeper_t *self)
{
    int status;
    struct rusage usage;
    pid_t pid;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0)
        if (pid == self->pid) {
            self->status = status;
            self->usage = usage;
            self->pid = 0;
        }
    return pid == 0;
}

static void kill_all(keeper_t *self)
{
    do {
        if (self->pid) /* not reaped, so that the number is still the group's */
            kill(-self->pid, SIGKILL);
        bool named = kill_children();
        if (!named && self->pid == 0)
            return;
    } while (reap(self) && poll(NULL, 0, PAUSE_MS) == 0);
}

/* With a cgroup the kernel says it. With RLIMIT_DATA it only refuses, and the program dies of that
   in its own way: then one that used most of what it may is taken to have wanted more. */
static bool ran_out_of_memory(const keeper_t *self)
{
    bool well = WIFEXITED(self->status) && WEXITSTATUS(self->status) == 0;
    if (!self->limits.memory || well)
        return false;
    if (self->cgroup.path[0])
        return pt_cgroup_kills(&self->cgroup) > 0;
    return (int64_t)self->usage.ru_maxrss * 1024 >= self->limits.memory / 4 * 3;
}

static pt_kept_limit_t find_limit(const keeper_t *self)
{
    if (self->limit != PT_KEPT_NO_LIMIT)
        return self->limit;
    if (WIFSIGNALED(self->status) && WTERMSIG(self->status) == SIGXCPU)
        return PT_KEPT_CPU;
    return ran_out_of_memory(self) ? PT_KEPT_MEMORY : PT_KEPT_NO_LIMIT;
}

/* Nothing ends us but the agent, its death, and SIGKILL. */
static void block_signals(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

int main(int argc, char **argv)
{
    keeper_t self = {.argv = argv + 3};
    if (argc < 4 || pt_limits_read(&self.limits, argv[1])) {
        fputs("paratope-keeper is started by paratope-worker\n", stderr);
        return 2;
    }
    block_signals();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pt_cgroup_make(&self.cgroup, argv[2], self.limits.memory);
    int error = start(&self);
    let_go_of_streams();
    if (error) {
        tell(&(pt_kept_t){.kind = PT_KEPT_FAILED, .error = error});
    } else {
        tell(&(pt_kept_t){.kind = PT_KEPT_STARTED, .pid = self.pid});
        await_end(&self);
    }
    kill_all(&self);
    if (!error)
        tell(
            &(pt_kept_t){.kind = PT_KEPT_ENDED, .status = self.status, .limit = find_limit(&self)});
    pt_cgroup_remove(&self.cgroup);
    _exit(0); /* a sanitizer's leak check, at exit, may wait for ever where signals are blocked */
}
