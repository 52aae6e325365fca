/* The broker's scheduler: queues, leases, credit and sessions of PROTOCOL.md, sections 4 and 5.
 *
 * A plain state machine: no socket, no clock, no thread. Whoever runs it (broker.c, a simulation)
 * feeds one input at a time with the time, and gets messages to send through `send`. The same
 * inputs and the same randomness give the same messages.
 *
 * What it holds is bounded: peers by `admit`, jobs by the credit that it gave (room = slots of the
 * workers + PT_SLACK of each type; see share.h) and by `max_bytes`, leases of a worker by 4 times
 * its slots, job types by PT_TYPES_MAX. Nothing in it must survive a restart.
 */
#ifndef PT_SCHEDULER_H
#define PT_SCHEDULER_H

#include "broker/route.h"
#include "proto/message.h"

#define PT_SLACK 64       /* jobs of a type beyond the slots of its workers */
#define PT_SLOTS_MAX 1024 /* of one worker and type; what is above is not used */

/* Sends `msg` to `to`, with `payload` (malloc'ed, now the receiver's to free) if the verb has one.
   `msg` is borrowed for the call. MUST NOT call back into the scheduler: a peer that turns out to
   be gone is a PT_IN_LOST afterwards. */
typedef void pt_send_fn(void *arg, const pt_route_t *to, const pt_msg_t *msg, void *payload,
                        size_t size);

typedef struct {
    pt_send_fn *send;
    void (*random)(void *arg, void *data, size_t size); /* for session numbers */
    void *arg;                                          /* handed to both */
    pt_uuid_t instance;                                 /* the broker's own */
    size_t max_bytes; /* of queued payloads; a job above is answered gone, certain, and above half
                         of them no new credit is given */
} pt_scheduler_config_t;

typedef enum {
    PT_IN_MESSAGE, /* from, msg, payload, size: decoded, the payload checked; all borrowed */
    PT_IN_ALIVE,   /* instance: heard on the event path */
    PT_IN_LOST,    /* from: what was sent to it did not go out */
    PT_IN_ADMIT,   /* admit: so many more sessions may begin, until this is said again */
    PT_IN_TICK,    /* drained, events_at: end of a turn, several times an interval */
    PT_IN_RIGHTS,  /* stands, arg: which certificates still count; the others' sessions end */
    PT_IN_END      /* the broker stops: bye to all */
} pt_input_kind_t;

typedef struct {
    pt_input_kind_t kind;
    const pt_route_t *from;
    uint64_t right; /* of a message: the number of the sender's certificate; 0 without CURVE */
    const pt_msg_t *msg;
    const void *payload;
    size_t size, admit;
    const pt_uuid_t *instance;
    bool drained;      /* everything readable was read: silence may be judged */
    int64_t events_at; /* until when the event path's loop has read everything, same clock as now */
    bool (*stands)(void *arg, uint64_t right);
    void *arg;
} pt_input_t;

/* What was dropped, or answered otherwise than by doing it. */
typedef enum {
    PT_DROP_SESSION,   /* of no or another session: answered hello? */
    PT_DROP_VERB,      /* not for this side to say */
    PT_DROP_DUPLICATE, /* a job that is held at this attempt or a newer one */
    PT_DROP_BEYOND,    /* a job beyond credit or bytes: answered gone */
    PT_DROP_UNKNOWN,   /* about a job that is not held, or not by the sender */
    PT_DROP_HELLO,     /* a hello that was refused */
    PT_DROP_FETCH,     /* beyond what may be under way, asked by nobody, or nobody has it */
    PT_DROPS
} pt_drop_t;

/* One job type, for metrics and tests. */
typedef struct {
    const char *job_type;
    size_t slots, free, queued, leased;
    uint64_t credit; /* given to gateways and not yet used */
} pt_type_stats_t;

typedef struct {
    size_t gateways, workers, heard; /* heard: workers on both paths */
    size_t queued, leased, bytes;
    uint64_t drops[PT_DROPS];
    size_t type_count;
    pt_type_stats_t types[PT_TYPES_MAX]; /* job_type is borrowed from the scheduler */
} pt_scheduler_stats_t;

typedef struct pt_scheduler pt_scheduler_t;

pt_scheduler_t *pt_scheduler_new(const pt_scheduler_config_t *config);
void pt_scheduler_destroy(pt_scheduler_t **self);

/* `now` is milliseconds of a clock that only goes forward. A gap of more than an interval between
   two steps is the caller's own pause, and moves all deadlines by as much. */
void pt_scheduler_step(pt_scheduler_t *self, int64_t now, const pt_input_t *input);

void pt_scheduler_stats(const pt_scheduler_t *self, pt_scheduler_stats_t *stats);
const char *pt_drop_name(pt_drop_t drop);

#endif
