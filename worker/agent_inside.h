/* What the parts of the agent share, and nobody else: agent.c (inputs, slots and credit),
 * agent_session.c (the broker), agent_jobs.c (from a job to its ending), and those named below.
 */
#ifndef PT_AGENT_INSIDE_H
#define PT_AGENT_INSIDE_H

#include "proto/chunks.h"
#include "worker/agent.h"
#include "worker/transcript.h"

#define NEVER INT64_MAX

typedef enum {
    SLOT_DOWN,     /* no process: it is being started again */
    SLOT_FREE,     /* its process waits for a job */
    SLOT_FETCHING, /* the inputs of `job`; its process waits, or is down */
    SLOT_BUSY,     /* with `job` */
    SLOT_STOPPING  /* killed, not yet dead; its job is forgotten */
} slot_state_t;

typedef struct {
    pt_uuid_t job_id, org_id;
    uint32_t attempt;
    int64_t started_at, last_at; /* wall clock; at never goes back within a job */
    int64_t deadline;            /* it has timed out */
    int64_t repeat_due;          /* its status is said again */
    bool has_progress, unsaid;   /* unsaid: progress that waits for its turn to be published */
    char step[PT_NAME_MAX], said_step[PT_NAME_MAX]; /* the latest, and the one published last */
    double fraction;
    int said_percent;
    unsigned said; /* times progress was published until window_ends */
    int64_t window_ends;
    pt_transcript_t wrote; /* to standard error */
    int64_t log_due;       /* not before then is a piece of it published */
} held_job_t;

typedef struct {
    slot_state_t state;
    bool up; /* there is a process */
    size_t type;
    held_job_t job;
    pt_chunks_t inputs; /* FETCHING */
} agent_slot_t;

typedef struct {
    pt_agent_type_t what;
    uint64_t received, granted; /* in this session */
    void *declared;             /* what is said of it, owned; NULL: nothing */
    size_t declared_size;
    int64_t declare_due, declared_at, declare_often_until;
    int64_t grumbled; /* when the log last said that it cannot be declared; 0: never */
} agent_type_t;

typedef enum { PHASE_START, PHASE_HELLO, PHASE_SESSION } phase_t;

struct pt_agent {
    pt_agent_config_t config;
    agent_type_t types[PT_TYPES_MAX];
    agent_slot_t slots[PT_SLOTS_MAX];
    size_t slot_count;
    pt_endings_t endings;
    pt_outputs_t out;
    pt_now_t now;
    int64_t ticked; /* the last TICK; 0 before the first */

    phase_t phase;
    size_t broker;
    uint8_t session[PT_SESSION_SIZE];
    int64_t interval;
    int64_t heard;      /* SESSION: the last message */
    int64_t welcomed;   /* SESSION: since when */
    int64_t hello_due;  /* HELLO */
    int64_t hello_ends; /* HELLO: then the next broker is asked */
    int64_t beat_due, alive_due, alive_often_until;
    unsigned refusals; /* hello? one after the other, without a long session in between */

    bool leaving;           /* shutdown was asked for */
    int64_t grace_until;    /* what runs then is handed back */
    int64_t settling_until; /* at the earliest; then the endings that are left are given up */
    bool left;              /* EXIT was said */
};

/* agent.c */
agent_slot_t *agent_find_job(pt_agent_t *self, const pt_uuid_t *job_id);
/* Whether it has a job, running or with its inputs on their way. */
bool agent_slot_holds(const agent_slot_t *slot);
agent_type_t *agent_find_type(pt_agent_t *self, const char *job_type);
const char *agent_slot_job_type(const pt_agent_t *self, const agent_slot_t *slot);
size_t agent_slot_number(const pt_agent_t *self, const agent_slot_t *slot);
/* Kills the process, if the job runs there, and forgets the job. */
void agent_stop(pt_agent_t *self, agent_slot_t *slot);

/* agent_session.c */
void session_message(pt_agent_t *self, const pt_msg_t *msg, const void *payload, size_t size);
void session_send_failed(pt_agent_t *self);
void session_tick(pt_agent_t *self);
void session_move_deadlines(pt_agent_t *self, int64_t by);
int64_t session_deadline(const pt_agent_t *self);
/* Completes and sends a message of the session. */
void session_send(pt_agent_t *self, pt_msg_t *msg);
/* Hands a job back, which counts nowhere; or says that what was done of it is lost. */
void session_gone(pt_agent_t *self, const pt_uuid_t *job_id, uint32_t attempt, const char *why);
void session_lost(pt_agent_t *self, const pt_uuid_t *job_id, uint32_t attempt, const char *why);
void session_bye(pt_agent_t *self, const char *why);

/* agent_jobs.c */
void jobs_received(pt_agent_t *self, const pt_msg_t *job, const void *inputs, size_t size);
void jobs_stop(pt_agent_t *self, const pt_uuid_t *job_id, uint32_t attempt);
void jobs_said(pt_agent_t *self, agent_slot_t *slot, const pt_said_t *said);
void jobs_garbage(pt_agent_t *self, agent_slot_t *slot, const char *why, bool too_large);
void jobs_died(pt_agent_t *self, agent_slot_t *slot, const pt_death_t *death);
/* The job of that slot starts, with its inputs; or fails before, and may be tried again. */
void jobs_start(pt_agent_t *self, agent_slot_t *slot, const void *inputs, size_t size);
void jobs_fail(pt_agent_t *self, agent_slot_t *slot, const char *code, const char *why);
void jobs_tick(pt_agent_t *self);
void jobs_move_deadlines(pt_agent_t *self, int64_t by);
int64_t jobs_deadline(const pt_agent_t *self);
/* Publishes the latest status of each lease. */
void jobs_repeat(pt_agent_t *self);

/* agent_declare.c: what pipelines and the configuration declare of job types */
void declare_configured(pt_agent_t *self);
void declare_heard(pt_agent_t *self, const agent_slot_t *slot, const pt_said_t *said);
/* A new session: nobody has heard any of it. */
void declare_restart(pt_agent_t *self);
void declare_tick(pt_agent_t *self);
int64_t declare_deadline(const pt_agent_t *self);

/* agent_logs.c: what pipelines write to standard error while they have a job. */
void logs_written(pt_agent_t *self, agent_slot_t *slot, const char *text, size_t size);
void logs_tick(pt_agent_t *self);
int64_t logs_deadline(const pt_agent_t *self);
/* Puts all that is kept of it to the ending of the slot's job, which says it again whenever it is
   published. */
void logs_end(pt_agent_t *self, agent_slot_t *slot);

/* agent_inputs.c: inputs that do not fit into a message */
void inputs_begin(pt_agent_t *self, agent_slot_t *slot, const pt_msg_t *job);
void inputs_chunk(pt_agent_t *self, const pt_msg_t *chunk, const void *payload, size_t size);
/* Nobody wants them any more; the slot is free. */
void inputs_drop(agent_slot_t *slot);
/* A new session: what is under way is asked for anew. */
void inputs_resume(pt_agent_t *self);
void inputs_tick(pt_agent_t *self);
void inputs_move_deadlines(pt_agent_t *self, int64_t by);
int64_t inputs_deadline(const pt_agent_t *self);

/* agent_large.c: results that do not fit into a message. Takes `payload`. */
void large_result(pt_agent_t *self, const pt_msg_t *result, void *payload, size_t size);
void large_spooled(pt_agent_t *self, const pt_input_t *input);
void large_unreadable(pt_agent_t *self, const pt_input_t *input);
void large_fetch(pt_agent_t *self, const pt_msg_t *fetch);
/* Forgets an ending, and what is kept of it. */
void large_settle(pt_agent_t *self, const pt_uuid_t *job_id, uint32_t attempt);

static inline int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
