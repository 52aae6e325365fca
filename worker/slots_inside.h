/* The inside of slots.h, shared by its files alone: slots.c has the turn, slots_streams.c what goes
 * into a process and comes out of it, slots_lives.c how it starts and dies.
 */
#ifndef PT_SLOTS_INSIDE_H
#define PT_SLOTS_INSIDE_H

#include "worker/cgroup.h"
#include "worker/child.h"
#include "worker/framing.h"
#include "worker/lines.h"
#include "worker/slots.h"

#include <sys/epoll.h>

typedef struct {
    size_t number;
    char job_type[PT_TYPE_MAX];
    const char *program, *const *arguments; /* borrowed */
    pt_limits_t limits;
    pt_child_t child;
    bool up, killed, spoke,
        took;         /* spoke: said a message since its start; took: a job was written to it */
    bool garbled;     /* said what is no message, and was killed for it */
    bool in_watched;  /* for room to write */
    bool deaf;        /* it closed its standard input */
    bool works;       /* has a job that has not ended */
    bool kill_unsaid; /* killed when there was no process: its death is still to be told */
    pt_framing_t said;
    pt_lines_t lines;
    uint8_t *job; /* owned: what is still to be written */
    size_t job_size, job_sent;
    int64_t started, start_due;
    int64_t silent_since; /* it closed a stream, and lives; 0: it did not */
    const char *silent_why;
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

/* ---- slots_streams.c --------------------------------------------------------------------- */

void slots_tell(pt_slots_t *self, const slot_t *slot, pt_input_t input);
pt_speaker_t slots_speaker(const pt_slots_t *self, const slot_t *slot);
void slots_watch(pt_slots_t *self, const slot_t *slot, stream_t stream, int descriptor,
                 uint32_t events);

void slots_begin_job(pt_slots_t *self, slot_t *slot);
void slots_input_event(pt_slots_t *self, slot_t *slot, uint32_t events);
void slots_drop_job(slot_t *slot);

void slots_read_output(pt_slots_t *self, slot_t *slot);
void slots_read_errors(pt_slots_t *self, slot_t *slot);
/* Kills it. */
void slots_say_garbage(pt_slots_t *self, slot_t *slot, const char *why, bool too_large);

/* ---- slots_lives.c ----------------------------------------------------------------------- */

void slots_start(pt_slots_t *self, slot_t *slot);
void slots_tell_ready(pt_slots_t *self, slot_t *slot);
/* Of all those that have ended. */
void slots_reap(pt_slots_t *self);

#endif
