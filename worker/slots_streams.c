#include "worker/slots_inside.h"

#include "proto/program/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define READ_SIZE (64 * 1024)
#define READS_A_TURN 16 /* so that one talkative pipeline does not starve the others */

/* ---- telling ----------------------------------------------------------------------------- */

void slots_tell(pt_slots_t *self, const slot_t *slot, pt_input_t input)
{
    input.slot = slot->number;
    self->tell(self->context, &input);
}

pt_speaker_t slots_speaker(const pt_slots_t *self, const slot_t *slot)
{
    return (pt_speaker_t){slot->job_type, (int64_t)slot->number, slot->child.pid, self->now};
}

/* ---- standard error ----------------------------------------------------------------------- */

/* Of a job it is the job's; without one it tells people why a pipeline does not start. */
static void tell_errors(pt_slots_t *self, slot_t *slot, const char *data, size_t size)
{
    pt_speaker_t who = slots_speaker(self, slot);
    if (slot->works)
        slots_tell(self, slot,
                   (pt_input_t){.kind = PT_IN_STDERR, .text = data, .payload_size = size});
    else
        pt_lines_add(&slot->lines, &who, data, size);
}

void slots_read_errors(pt_slots_t *self, slot_t *slot)
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

void slots_watch(pt_slots_t *self, const slot_t *slot, stream_t stream, int descriptor,
                 uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = slot->number * STREAMS + stream};
    epoll_ctl(self->epoll, EPOLL_CTL_ADD, descriptor, &event);
}

void slots_drop_job(slot_t *slot)
{
    free(slot->job);
    slot->job = NULL;
    slot->job_size = slot->job_sent = 0;
}

/* The process is dying. Or it lives on, and would keep every job until that times out. */
static void closed(const pt_slots_t *self, slot_t *slot, const char *why)
{
    if (!slot->silent_since)
        slot->silent_why = why;
    slot->silent_since = self->now;
}

static void went_deaf(const pt_slots_t *self, slot_t *slot)
{
    closed(self, slot, "nothing for its job: it closed its standard input");
}

/* Whether it has read all of its job, so that an ending may still come. */
static bool has_its_job(const slot_t *slot)
{
    int unread = 0;
    return slot->works && !slot->job && ioctl(slot->child.in, FIONREAD, &unread) == 0 &&
           unread == 0;
}

/* Nobody reads what was written, or will be. */
static void nobody_reads(pt_slots_t *self, slot_t *slot)
{
    epoll_ctl(self->epoll, EPOLL_CTL_DEL, slot->child.in, NULL);
    slot->deaf = true;
    if (!has_its_job(slot))
        went_deaf(self, slot);
}

static void close_input(const pt_slots_t *self, slot_t *slot)
{
    pt_child_close(&slot->child.in);
    slots_drop_job(slot);
    went_deaf(self, slot);
}

/* Room is waited for only while there is something to write: an idle pipe always has some. */
static void watch_input(pt_slots_t *self, slot_t *slot, bool watched)
{
    struct epoll_event event = {.events = watched ? EPOLLOUT : 0,
                                .data.u64 = slot->number * STREAMS + STREAM_IN};
    if (watched != slot->in_watched)
        epoll_ctl(self->epoll, EPOLL_CTL_MOD, slot->child.in, &event);
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
            close_input(self, slot);
            return;
        }
        slot->job_sent += sent > 0 ? (size_t)sent : 0;
        slot->took = true;
        if (slot->job_sent == slot->job_size)
            slots_drop_job(slot);
    }
    if (slot->child.in >= 0)
        watch_input(self, slot, slot->job != NULL);
}

void slots_input_event(pt_slots_t *self, slot_t *slot, uint32_t events)
{
    if (events & EPOLLERR)
        nobody_reads(self, slot);
    else
        write_job(self, slot);
}

void slots_begin_job(pt_slots_t *self, slot_t *slot)
{
    if (slot->limits.cpu) /* else the keeper would wake up for nothing */
        pt_child_begin_job(&slot->child);
    write_job(self, slot);
}

void pt_slots_job(pt_slots_t *self, size_t number, const void *data, size_t size)
{
    slot_t *slot = self->slots[number];
    slots_read_errors(self, slot); /* since the last ending: nobody's */
    slots_drop_job(slot);
    slot->job = malloc(size);
    if (!slot->job)
        abort();
    memcpy(slot->job, data, size);
    slot->job_size = size;
    slot->works = true;
    if (slot->up)
        slots_begin_job(self, slot);
}

void pt_slots_kill(pt_slots_t *self, size_t number)
{
    slot_t *slot = self->slots[number];
    slots_drop_job(slot);
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
    slots_read_errors(self, slot);
    slot->works = false;
    if (slot->deaf)
        went_deaf(self, slot);
}

void slots_say_garbage(pt_slots_t *self, slot_t *slot, const char *why, bool too_large)
{
    slots_read_errors(self, slot); /* they may tell why */
    pt_log(PT_WARNING, "a pipeline broke its protocol", PT_S("pipeline", slot->job_type),
           PT_S("why", why), PT_N("pid", slot->child.pid));
    slot->garbled = true;
    slots_tell(self, slot, (pt_input_t){.kind = PT_IN_GARBAGE, .why = why, .too_large = too_large});
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
            slots_tell(self, slot, (pt_input_t){.kind = PT_IN_SAID, .said = &said});
    }
    if (why && !slot->killed)
        slots_say_garbage(self, slot, why, result == PT_FRAMING_TOO_LARGE);
}

void slots_read_output(pt_slots_t *self, slot_t *slot)
{
    for (int i = 0; i < READS_A_TURN && slot->child.out >= 0; i++) {
        void *room = pt_framing_room(&slot->said, READ_SIZE);
        ssize_t got = read(slot->child.out, room, READ_SIZE);
        if (got < 0)
            return; /* nothing there now, or a signal: it stays readable */
        if (got == 0) {
            pt_child_close(&slot->child.out);
            closed(self, slot, "nothing more: it closed its standard output");
            return;
        }
        pt_framing_added(&slot->said, (size_t)got);
        tell_said(self, slot);
    }
}
