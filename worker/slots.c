#include "worker/slots_inside.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SILENT_MS 1000 /* how long a process may live on with its standard output closed */
/* Orphans: those of keepers that were killed, or all when we are PID 1. */
#define REAP_EVERY_MS 1000
#define STRAYS_EVERY_MS 10

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

/* ---- the turn ---------------------------------------------------------------------------- */

static bool handle(pt_slots_t *self, const struct epoll_event *event)
{
    slot_t *slot = self->slots[event->data.u64 / STREAMS];
    switch ((stream_t)(event->data.u64 % STREAMS)) {
    case STREAM_IN:
        slots_input_event(self, slot, event->events);
        return false;
    case STREAM_OUT:
        slots_read_output(self, slot);
        return false;
    case STREAM_ERR:
        slots_read_errors(self, slot);
        return false;
    default:
        return true;
    }
}

static void look_after(pt_slots_t *self, slot_t *slot)
{
    if (slot->up && slot->silent_since && self->now - slot->silent_since >= SILENT_MS) {
        slot->silent_since = 0;
        slots_say_garbage(self, slot, slot->silent_why, false);
    }
    if (slot->kill_unsaid) {
        slot->kill_unsaid = false;
        slots_tell(self, slot,
                   (pt_input_t){.kind = PT_IN_DIED, .death = &(pt_death_t){.signal = SIGKILL}});
    }
    if (slot->up && slot->ready_at && self->now >= slot->ready_at)
        slots_tell_ready(self, slot);
    if (!slot->up && !self->retired && self->now >= slot->start_due)
        slots_start(self, slot);
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
        slots_reap(self);
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
