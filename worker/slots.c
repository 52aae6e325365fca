#include "worker/slots.h"

#include "proto/program/log.h"
#include "worker/cgroup.h"
#include "worker/child.h"
#include "worker/framing.h"
#include "worker/lines.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_SIZE (64 * 1024)
#define READS_A_TURN 16  /* so that one talkative pipeline does not starve the others */
#define START_MS 5000    /* who dies sooner and without a word has died at its start */
#define STARTS_AT_ONCE 3 /* then there is a pause before each further one */
#define PAUSE_FIRST_MS 1000
#define PAUSE_MOST_MS 30000
#define PROVE_MS                                                                                   \
    1000 /* after a death at the start, the next one gets jobs only if it lives so long */
#define SILENT_MS 1000 /* how long a process may live on with its standard output closed */
#define REAP_EVERY_MS                                                                              \
    1000 /* orphans: those of keepers that were killed, or all when we are PID 1 */
#define STRAYS_EVERY_MS 10
#define WHY_SIZE 512

typedef struct {
    size_t number;
    char job_type[PT_TYPE_MAX];
    const char *program, *const *arguments; /* borrowed */
    pt_limits_t limits;
    pt_child_t child;
    bool up, killed, spoke,
        took;     /* spoke: said a message since its start; took: a job was written to it */
    bool garbled; /* said what is no message, and was killed for it */
    bool in_watched;
    bool works;       /* has a job that has not ended */
    bool kill_unsaid; /* killed when there was no process: its death is still to be told */
    pt_framing_t said;
    pt_lines_t lines;
    uint8_t *job; /* owned: what is still to be written */
    size_t job_size, job_sent;
    int64_t started, start_due, silent_since;
    int64_t ready_at;      /* it is up, but not yet said to be ready; 0: it was said */
    unsigned quick_deaths; /* one after the other */
} slot_t;

struct pt_slots {
    slot_t *slots[PT_SLOTS_MAX];
    size_t count;
    int epoll;
    const char *keeper, *cgroup; /* borrowed */
    pt_cgroup_t own;
    bool retired, strays; /* strays: a keeper was killed */
    pt_slots_tell_t *tell;
    void *context;
    int64_t now, reaped;
    int64_t oom_kills;
};

/* What an epoll event is about: slot and stream in one number. */
typedef enum { STREAM_IN, STREAM_OUT, STREAM_ERR, STREAM_END, STREAMS } stream_t;

/* ---- life and death of the module -------------------------------------------------------- */

pt_slots_t *pt_slots_new(const char *keeper, const char *cgroup, pt_slots_tell_t *tell,
                         void *context)
{
    pt_slots_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->keeper = keeper;
    self->cgroup = cgroup;
    self->tell = tell;
    self->context = context;
    pt_cgroup_own(&self->own);
    self->oom_kills = pt_cgroup_kills(&self->own);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* what a killed keeper leaves comes to us */
    if (self->epoll < 0) {
        free(self);
        return NULL;
    }
    return self;
}

void pt_slots_add(pt_slots_t *self, const char *job_type, const char *program,
                  const char *const *arguments, const pt_limits_t *limits)
{
    assert(self->count < PT_SLOTS_MAX);
    slot_t *slot = calloc(1, sizeof *slot);
    if (!slot)
        abort();
    slot->program = program;
    slot->arguments = arguments;
    snprintf(slot->job_type, sizeof slot->job_type, "%s", job_type);
    slot->limits = *limits;
    slot->child = pt_child_none;
    pt_framing_init(&slot->said);
    slot->number = self->count;
    self->slots[self->count++] = slot;
}

static void destroy_slot(slot_t *slot)
{
    struct pollfd end = {.fd = slot->child.pidfd, .events = POLLIN};
    if (slot->up && poll(&end, 1, 1000) == 1)
        waitpid(slot->child.keeper, NULL, WNOHANG);
    pt_child_close_all(&slot->child);
    pt_framing_clear(&slot->said);
    free(slot->job);
    free(slot);
}

void pt_slots_destroy(pt_slots_t **self_p)
{
    pt_slots_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        if (self->slots[i]->up)
            pt_child_kill(&self->slots[i]->child);
    for (size_t i = 0; i < self->count; i++)
        destroy_slot(self->slots[i]);
    close(self->epoll);
    free(self);
    *self_p = NULL;
}

void pt_slots_retire(pt_slots_t *self)
{
    self->retired = true;
}

int pt_slots_descriptor(const pt_slots_t *self)
{
    return self->epoll;
}

pid_t pt_slots_pid(const pt_slots_t *self, size_t slot)
{
    return self->slots[slot]->up ? self->slots[slot]->child.pid : 0;
}

/* ---- telling ----------------------------------------------------------------------------- */

static void tell(pt_slots_t *self, const slot_t *slot, pt_input_t input)
{
    input.slot = slot->number;
    self->tell(self->context, &input);
}

static pt_speaker_t speaker(const pt_slots_t *self, const slot_t *slot)
{
    return (pt_speaker_t){slot->job_type, (int64_t)slot->number, slot->child.pid, self->now};
}

/* ---- standard error ----------------------------------------------------------------------- */

/* Of a job it is the job's; without one it tells people why a pipeline does not start. */
static void tell_errors(pt_slots_t *self, slot_t *slot, const char *data, size_t size)
{
    pt_speaker_t who = speaker(self, slot);
    if (slot->works)
        tell(self, slot, (pt_input_t){.kind = PT_IN_STDERR, .text = data, .payload_size = size});
    else
        pt_lines_add(&slot->lines, &who, data, size);
}

static void read_errors(pt_slots_t *self, slot_t *slot)
{
    char data[8192];
    for (int i = 0; i < READS_A_TURN && slot->child.err >= 0; i++) {
        ssize_t got = read(slot->child.err, data, sizeof data);
        if (got < 0)
            return;
        if (got == 0)
            pt_child_close(&slot->child.err);
        else
            tell_errors(self, slot, data, (size_t)got);
    }
}

/* ---- writing jobs ------------------------------------------------------------------------ */

static void watch(pt_slots_t *self, const slot_t *slot, stream_t stream, int descriptor,
                  uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = slot->number * STREAMS + stream};
    epoll_ctl(self->epoll, EPOLL_CTL_ADD, descriptor, &event);
}

static void drop_job(slot_t *slot)
{
    free(slot->job);
    slot->job = NULL;
    slot->job_size = slot->job_sent = 0;
}

/* Nobody reads: the process is dying, or will hear nothing more until its job times out. */
static void close_input(slot_t *slot)
{
    pt_child_close(&slot->child.in);
    drop_job(slot);
}

/* The input is watched only while there is something to write: an idle pipe is always writable. */
static void watch_input(pt_slots_t *self, slot_t *slot, bool watched)
{
    if (watched && !slot->in_watched)
        watch(self, slot, STREAM_IN, slot->child.in, EPOLLOUT);
    if (!watched && slot->in_watched)
        epoll_ctl(self->epoll, EPOLL_CTL_DEL, slot->child.in, NULL);
    slot->in_watched = watched;
}

static void write_job(pt_slots_t *self, slot_t *slot)
{
    while (slot->job && slot->child.in >= 0) {
        ssize_t sent =
            write(slot->child.in, slot->job + slot->job_sent, slot->job_size - slot->job_sent);
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0 && errno != EINTR) {
            close_input(slot);
            return;
        }
        slot->job_sent += sent > 0 ? (size_t)sent : 0;
        slot->took = true;
        if (slot->job_sent == slot->job_size)
            drop_job(slot);
    }
    if (slot->child.in >= 0)
        watch_input(self, slot, slot->job != NULL);
}

static void begin_job(pt_slots_t *self, slot_t *slot)
{
    if (slot->limits.cpu) /* else the keeper would wake up for nothing */
        pt_child_begin_job(&slot->child);
    write_job(self, slot);
}

void pt_slots_job(pt_slots_t *self, size_t number, const void *data, size_t size)
{
    slot_t *slot = self->slots[number];
    read_errors(self, slot); /* since the last ending: nobody's */
    drop_job(slot);
    slot->job = malloc(size);
    if (!slot->job)
        abort();
    memcpy(slot->job, data, size);
    slot->job_size = size;
    slot->works = true;
    if (slot->up)
        begin_job(self, slot);
}

void pt_slots_kill(pt_slots_t *self, size_t number)
{
    slot_t *slot = self->slots[number];
    drop_job(slot);
    slot->works = false;
    if (!slot->up) {
        slot->kill_unsaid = true;
        return;
    }
    pt_child_kill(&slot->child);
    slot->killed = true;
    pt_child_close(&slot->child.in);
    pt_child_close(&slot->child.out);
}

/* ---- reading ----------------------------------------------------------------------------- */

/* What was written before the ending is there by now, and is the job's. */
static void end_errors(pt_slots_t *self, slot_t *slot)
{
    read_errors(self, slot);
    slot->works = false;
}

static void say_garbage(pt_slots_t *self, slot_t *slot, const char *why, bool too_large)
{
    read_errors(self, slot); /* they may tell why */
    pt_log(PT_WARNING, "a pipeline broke its protocol", PT_S("pipeline", slot->job_type),
           PT_S("why", why), PT_N("pid", slot->child.pid));
    slot->garbled = true;
    tell(self, slot, (pt_input_t){.kind = PT_IN_GARBAGE, .why = why, .too_large = too_large});
    if (!slot->killed) /* whoever listens should have; nothing that follows can be understood */
        pt_slots_kill(self, slot->number);
}

/* Tells what was said; the listener may kill the slot at any of it. */
static void tell_said(pt_slots_t *self, slot_t *slot)
{
    const void *message;
    const char *why = NULL;
    size_t size;
    pt_framing_result_t result = PT_FRAMING_MORE;
    while (!slot->killed && !why &&
           (result = pt_framing_next(&slot->said, &message, &size, &why)) == PT_FRAMING_WHOLE) {
        pt_said_t said;
        why = pt_said_read(&said, message, size);
        bool declares = !why && said.kind == PT_SAID_DECLARE; /* at its start, and of no job */
        slot->spoke = slot->spoke || (!why && !declares);
        if (!why && !declares && said.kind != PT_SAID_PROGRESS)
            end_errors(self, slot);
        if (!why)
            tell(self, slot, (pt_input_t){.kind = PT_IN_SAID, .said = &said});
    }
    if (why && !slot->killed)
        say_garbage(self, slot, why, result == PT_FRAMING_TOO_LARGE);
}

static void read_output(pt_slots_t *self, slot_t *slot)
{
    for (int i = 0; i < READS_A_TURN && slot->child.out >= 0; i++) {
        void *room = pt_framing_room(&slot->said, READ_SIZE);
        ssize_t got = read(slot->child.out, room, READ_SIZE);
        if (got < 0)
            return; /* nothing there now, or a signal: it stays readable */
        if (got == 0) {
            pt_child_close(&slot->child.out);
            slot->silent_since = self->now;
            return;
        }
        pt_framing_added(&slot->said, (size_t)got);
        tell_said(self, slot);
    }
}

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
    drop_job(slot);
    slot->works = false;
    tell(self, slot, (pt_input_t){.kind = PT_IN_DIED, .death = &(pt_death_t){.why = why}});
}

static void tell_ready(pt_slots_t *self, slot_t *slot)
{
    slot->ready_at = 0;
    tell(self, slot, (pt_input_t){.kind = PT_IN_READY});
}

static void start(pt_slots_t *self, slot_t *slot)
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
    slot->killed = slot->spoke = slot->took = slot->garbled = slot->in_watched = false;
    slot->started = self->now;
    watch(self, slot, STREAM_OUT, slot->child.out, EPOLLIN);
    watch(self, slot, STREAM_ERR, slot->child.err, EPOLLIN);
    watch(self, slot, STREAM_END, slot->child.pidfd, EPOLLIN);
    pt_log(PT_DEBUG, "pipeline started", PT_S("pipeline", slot->job_type),
           PT_N("slot", slot->number), PT_N("pid", slot->child.pid));
    if (slot->quick_deaths == 0 || slot->job)
        tell_ready(self, slot);
    else
        slot->ready_at = self->now + PROVE_MS;
    if (slot->job)
        begin_job(self, slot);
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
    pt_speaker_t who = speaker(self, slot);
    pt_lines_end(&slot->lines, &who);
    pt_child_close_all(&slot->child);
    pt_framing_clear(&slot->said);
    drop_job(slot);
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
    read_output(self, slot);
    read_errors(self, slot);
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
    tell(self, slot, (pt_input_t){.kind = PT_IN_DIED, .death = &death});
}

static void reap(pt_slots_t *self)
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

/* ---- the turn ---------------------------------------------------------------------------- */

static bool handle(pt_slots_t *self, const struct epoll_event *event)
{
    slot_t *slot = self->slots[event->data.u64 / STREAMS];
    switch ((stream_t)(event->data.u64 % STREAMS)) {
    case STREAM_IN:
        write_job(self, slot);
        return false;
    case STREAM_OUT:
        read_output(self, slot);
        return false;
    case STREAM_ERR:
        read_errors(self, slot);
        return false;
    default:
        return true;
    }
}

static void look_after(pt_slots_t *self, slot_t *slot)
{
    if (slot->up && slot->silent_since && self->now - slot->silent_since >= SILENT_MS) {
        slot->silent_since = 0;
        say_garbage(self, slot, "nothing more: it closed its standard output", false);
    }
    if (slot->kill_unsaid) {
        slot->kill_unsaid = false;
        tell(self, slot,
             (pt_input_t){.kind = PT_IN_DIED, .death = &(pt_death_t){.signal = SIGKILL}});
    }
    if (slot->up && slot->ready_at && self->now >= slot->ready_at)
        tell_ready(self, slot);
    if (!slot->up && !self->retired && self->now >= slot->start_due)
        start(self, slot);
}

void pt_slots_run(pt_slots_t *self, int64_t now)
{
    struct epoll_event events[64];
    bool ended = false;
    self->now = now;
    int count = epoll_wait(self->epoll, events, 64, 0);
    for (int i = 0; i < count; i++)
        ended = handle(self, &events[i]) || ended;
    if (ended || now - self->reaped >= (self->strays ? STRAYS_EVERY_MS : REAP_EVERY_MS))
        reap(self);
    for (size_t i = 0; i < self->count; i++)
        look_after(self, self->slots[i]);
}

int64_t pt_slots_deadline(const pt_slots_t *self)
{
    int64_t due = self->strays ? self->reaped + STRAYS_EVERY_MS : INT64_MAX;
    for (size_t i = 0; i < self->count; i++) {
        const slot_t *slot = self->slots[i];
        if (!slot->up && !self->retired && slot->start_due < due)
            due = slot->start_due;
        if (slot->kill_unsaid)
            due = self->now;
        if (slot->up && slot->ready_at && slot->ready_at < due)
            due = slot->ready_at;
        if (slot->up && slot->silent_since && slot->silent_since + SILENT_MS < due)
            due = slot->silent_since + SILENT_MS;
    }
    return due;
}
