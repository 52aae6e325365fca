/* The worker's agent, without sockets, clock or processes: what came in and what time it is go in,
 * what is to be done comes out. PROTOCOL.md sections 3 to 5 are written down here.
 *
 * It holds one broker at a time, a lease for each job that runs in a slot, and each ending until it
 * is settled. A session may end and another begin: the jobs in the slots go on.
 */
#ifndef PT_AGENT_H
#define PT_AGENT_H

#include "worker/endings.h"
#include "worker/limits.h"
#include "worker/said.h"

/* With 3 × slots + PT_UNSETTLED_SLACK endings at most, all that hello names stays below
   PT_REFS_MAX. The slack is for agents of few slots: without it short jobs wait for the commits of
   others. */
#define PT_SLOTS_MAX 256
#define PT_UNSETTLED_SLACK 16
#define PT_UNSETTLED_BYTES_MAX (64u * 1024 * 1024)

typedef struct {
    char job_type[PT_TYPE_MAX];
    size_t slots;         /* none: it is only declared */
    int64_t timeout_ms;   /* of a job, from its start */
    pt_limits_t limits;   /* of its processes */
    const void *declared; /* pt_declared_t as written, borrowed; NULL: as its pipelines declare */
    size_t declared_size;
} pt_agent_type_t;

typedef struct {
    char machine[PT_NAME_MAX]; /* stays the same when the worker is started again */
    pt_uuid_t instance;        /* new with each start */
    size_t brokers, first;     /* how many there are, and the one to begin with */
    int64_t grace_ms;          /* for jobs that run at SHUTDOWN */
    pt_agent_type_t types[PT_TYPES_MAX];
    size_t type_count;
} pt_agent_config_t;

typedef struct {
    int64_t ms; /* of a clock that only goes forward; every deadline is in it */
    int64_t us; /* wall clock, since 1970: goes into messages, decides nothing */
} pt_now_t;

/* How a pipeline process ended: one of signal, why (it could not be started), exit status. */
typedef struct {
    int signal, status;
    bool oom, cpu;   /* it had used all the memory, or CPU time, that it may */
    const char *why; /* borrowed */
} pt_death_t;

typedef enum {
    PT_IN_TICK,        /* after everything readable was read, at the latest at the deadline */
    PT_IN_MESSAGE,     /* from the current job socket */
    PT_IN_SEND_FAILED, /* the job socket took a message no more: no connection, or it is stuck */
    PT_IN_READY,       /* the slot's pipeline was started */
    PT_IN_SAID,        /* by the slot's pipeline */
    PT_IN_GARBAGE,     /* what the slot's pipeline wrote is no message */
    PT_IN_STDERR,      /* the slot's pipeline, which has a job, wrote that to standard error */
    PT_IN_DIED,        /* the slot's pipeline, by itself or after a KILL */
    PT_IN_SPOOLED,     /* a large result is written, or cannot be */
    PT_IN_UNREADABLE,  /* what was kept of a large result is not there any more */
    PT_IN_SHUTDOWN     /* take nothing new, hand back what runs when the grace is over, then exit */
} pt_input_kind_t;

typedef struct {
    pt_input_kind_t kind;
    size_t slot;
    const pt_msg_t *msg; /* MESSAGE */
    const void *payload; /* MESSAGE, of a job: one msgpack object */
    size_t payload_size;
    const char *text;      /* STDERR, as many bytes as payload_size says */
    const pt_said_t *said; /* SAID */
    const char *why;       /* GARBAGE, UNREADABLE; SPOOLED: NULL if it is written */
    bool too_large;        /* GARBAGE: a message above PT_MESSAGE_MAX */
    pt_uuid_t job_id;      /* SPOOLED, UNREADABLE */
    uint32_t attempt;
    const uint8_t *digest;   /* SPOOLED */
    const pt_death_t *death; /* DIED */
} pt_input_t;

typedef struct pt_agent pt_agent_t;

/* Slots are numbered through the types, in their order: the first type has 0 to slots − 1. They
   count as down until they are said to be READY. There are at most PT_SLOTS_MAX. */
pt_agent_t *pt_agent_new(const pt_agent_config_t *config);
void pt_agent_destroy(pt_agent_t **self_p);

/* Everything in the input is borrowed for the call; the outputs are good until the next one. */
const pt_outputs_t *pt_agent_step(pt_agent_t *self, pt_now_t now, const pt_input_t *input);

/* When (in milliseconds of the forward clock) the next TICK is needed. */
int64_t pt_agent_deadline(const pt_agent_t *self);

#endif
