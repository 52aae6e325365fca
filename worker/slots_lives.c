#include "worker/slots_inside.h"

#include "proto/program/log.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 5000    /* who dies sooner and without a word has died at its start */
#define STARTS_AT_ONCE 3 /* then there is a pause before each further one */
#define PAUSE_FIRST_MS 1000
#define PAUSE_MOST_MS 30000
#define PROVE_MS 1000 /* so long the next one must live before it gets jobs */
#define WHY_SIZE 512

/* ---- starting ---------------------------------------------------------------------------- */

/* Three deaths at the start come from the program, not from a job: further tries are spaced out. */
static void plan_start(pt_slots_t *self, slot_t *slot, bool quick, const char *why)
{
    int64_t pause = 0;
    slot->quick_deaths += quick;
    if (quick && slot->quick_deaths >= STARTS_AT_ONCE) {
        unsigned doubled = slot->quick_deaths - STARTS_AT_ONCE;
        pause = doubled < 5 ? PAUSE_FIRST_MS << doubled : PAUSE_MOST_MS;
        pt_log(PT_ERROR, "a pipeline dies at its start again and again",
               PT_S("pipeline", slot->job_type), PT_S("program", slot->program), PT_S("why", why),
               PT_N("deaths", slot->quick_deaths), PT_N("next_try_ms", pause));
    }
    slot->start_due = self->now + pause;
}

static void start_failed(pt_slots_t *self, slot_t *slot, const char *why)
{
    pt_log(PT_ERROR, "a pipeline cannot be started", PT_S("pipeline", slot->job_type),
           PT_S("why", why));
    plan_start(self, slot, true, why);
    if (!slot->job)
        return;
    slots_drop_job(slot);
    slot->works = false;
    slots_tell(self, slot, (pt_input_t){.kind = PT_IN_DIED, .death = &(pt_death_t){.why = why}});
}

void slots_tell_ready(pt_slots_t *self, slot_t *slot)
{
    slot->ready_at = 0;
    slots_tell(self, slot, (pt_input_t){.kind = PT_IN_READY});
}

void slots_start(pt_slots_t *self, slot_t *slot)
{
    char why[WHY_SIZE], limits[PT_LIMITS_TEXT];
    pt_limits_write(&slot->limits, limits);
    const pt_command_t command = {self->keeper, limits, self->cgroup, slot->program,
                                  slot->arguments};
    if (!pt_child_start(&slot->child, &command, why, sizeof why)) {
        start_failed(self, slot, why);
        return;
    }
    slot->up = true;
    slot->killed = slot->spoke = slot->took = slot->garbled = slot->in_watched = slot->deaf = false;
    slot->started = self->now;
    slots_watch(self, slot, STREAM_IN, slot->child.in, 0); /* only for its end */
    slots_watch(self, slot, STREAM_OUT, slot->child.out, EPOLLIN);
    slots_watch(self, slot, STREAM_ERR, slot->child.err, EPOLLIN);
    slots_watch(self, slot, STREAM_END, slot->child.pidfd, EPOLLIN);
    pt_log(PT_DEBUG, "pipeline started", PT_S("pipeline", slot->job_type),
           PT_N("slot", slot->number), PT_N("pid", slot->child.pid));
    if (slot->quick_deaths == 0 || slot->job)
        slots_tell_ready(self, slot);
    else
        slot->ready_at = self->now + PROVE_MS;
    if (slot->job)
        slots_begin_job(self, slot);
}

/* ---- dying ------------------------------------------------------------------------------- */

/* In our own cgroup: something was killed there for the memory of all. */
static bool out_of_memory(pt_slots_t *self, int signal)
{
    int64_t kills = signal == SIGKILL ? pt_cgroup_kills(&self->own) : self->oom_kills;
    bool more = kills > self->oom_kills;
    self->oom_kills = kills;
    return more;
}

static slot_t *find_keeper(const pt_slots_t *self, pid_t pid)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->slots[i]->up && self->slots[i]->child.keeper == pid)
            return self->slots[i];
    return NULL;
}

static void describe(const pt_death_t *death, char *text, size_t size)
{
    if (death->signal)
        snprintf(text, size, "killed by signal %d (%s)%s", death->signal, strsignal(death->signal),
                 death->oom   ? ", out of memory"
                 : death->cpu ? ", out of CPU time"
                              : "");
    else
        snprintf(text, size, "exited with status %d%s", death->status,
                 death->oom ? ", out of memory" : "");
}

static void release(pt_slots_t *self, slot_t *slot)
{
    pt_speaker_t who = slots_speaker(self, slot);
    pt_lines_end(&slot->lines, &who);
    pt_child_close_all(&slot->child);
    pt_framing_clear(&slot->said);
    slots_drop_job(slot);
    slot->up = slot->works = false;
    slot->silent_since = 0;
}

/* Whether it has read of a job. One that dies of its job is no program that cannot start: the job
   has its tries, and the others need the slot. */
static bool took_job(const slot_t *slot)
{
    int unread = 0;
    return slot->took &&
           (slot->child.in < 0 || ioctl(slot->child.in, FIONREAD, &unread) != 0 || unread == 0);
}

/* Nobody wants what a keeper leaves that was killed; what those leave comes to us in turn. True if
   there was any. As PID 1 we get everybody's orphans, and some may be wanted. */
static bool kill_strays(const pt_slots_t *self)
{
    char path[64];
    long pid;
    bool any = false;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *list = getpid() == 1 ? NULL : fopen(path, "re");
    while (list && fscanf(list, "%ld", &pid) == 1)
        if (!find_keeper(self, (pid_t)pid))
            any = kill((pid_t)pid, SIGKILL) == 0 || any;
    if (list)
        fclose(list);
    return any;
}

static pt_death_t find_death(pt_slots_t *self, const slot_t *slot)
{
    pt_kept_t ended;
    if (!pt_child_reap(&slot->child, &ended)) { /* its pipeline dies with it */
        self->strays = true;
        return (pt_death_t){.signal = SIGKILL};
    }
    pt_death_t death = {.cpu = ended.limit == PT_KEPT_CPU, .oom = ended.limit == PT_KEPT_MEMORY};
    if (WIFSIGNALED(ended.status))
        death.signal = WTERMSIG(ended.status);
    else
        death.status = WEXITSTATUS(ended.status);
    death.oom = death.oom || (!slot->killed && out_of_memory(self, death.signal));
    return death;
}

/* All of it is dead; what it said before counts. */
static void died(pt_slots_t *self, slot_t *slot)
{
    char text[WHY_SIZE];
    bool killed = slot->killed, wanted = killed && !slot->garbled;
    slots_read_output(self, slot);
    slots_read_errors(self, slot);
    pt_death_t death = find_death(self, slot);
    bool quick = !wanted && !slot->spoke && !took_job(slot) && self->now - slot->started < START_MS;
    describe(&death, text, sizeof text);
    if (!killed)
        pt_log(PT_WARNING, "a pipeline died", PT_S("pipeline", slot->job_type), PT_S("how", text),
               PT_N("slot", slot->number), PT_N("pid", slot->child.pid));
    if (wanted || slot->spoke)
        slot->quick_deaths = 0;
    release(self, slot);
    plan_start(self, slot, quick, slot->garbled ? "it says what is no message" : text);
    slots_tell(self, slot, (pt_input_t){.kind = PT_IN_DIED, .death = &death});
}

void slots_reap(pt_slots_t *self)
{
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
            break;
        slot_t *slot = find_keeper(self, info.si_pid);
        if (slot)
            died(self, slot);
        else
            waitpid(info.si_pid, NULL, WNOHANG);
    }
    self->strays = self->strays && kill_strays(self);
    self->reaped = self->now;
}
