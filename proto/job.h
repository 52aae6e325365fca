/* The life of a job: one table of (state, fact) → (state, event to record, answer to its sender).
 *
 * A job whose status is pending is either waiting (due_at says from when it may be handed out) or
 * out (at a broker or a worker). The table speaks of facts about the *current* attempt; a fact
 * about any other attempt changes nothing and is answered PT_ANSWER_STALE.
 */
#ifndef PT_JOB_H
#define PT_JOB_H

#include "proto/message.h"

#include <stdio.h>

typedef enum {
    PT_WAITING,
    PT_OUT,
    PT_RUNNING,
    PT_COMPLETED,
    PT_FAILED,
    PT_CANCELED,
    PT_STATES
} pt_state_t;

typedef enum {
    PT_FACT_HANDED_OUT, /* the row was given to this attempt, before the job is sent */
    PT_FACT_STARTED,    /* a worker gave it to a pipeline */
    PT_FACT_PROGRESS,
    PT_FACT_COMPLETED, /* an ending with a result */
    PT_FACT_FAILED,    /* an ending without, and trying again cannot help or is used up */
    PT_FACT_RETRY,     /* an ending without, and another try is due */
    PT_FACT_LOST,      /* nobody holds it any more, and it may be handed out again */
    PT_FACT_CANCELED,
    PT_FACT_EXPIRED, /* nobody served its type for as long as it may wait */
    PT_FACTS
} pt_fact_kind_t;

/* What the sender of the fact is told. */
typedef enum {
    PT_ANSWER_NONE,
    PT_ANSWER_COMMITTED, /* settled: committed */
    PT_ANSWER_ENDED,     /* the job has ended: stop, or settled: ended */
    PT_ANSWER_STALE      /* not the current attempt: stop, or settled: superseded */
} pt_answer_t;

typedef struct {
    pt_state_t next;
    const char *event; /* the type of the event that is recorded, or NULL: nothing changes */
    pt_answer_t answer;
} pt_transition_t;

/* The row of the table; never fails, every pair has one. */
pt_transition_t pt_job_transition(pt_state_t state, pt_fact_kind_t fact);

/* pending, running, completed, failed, canceled: what clients and the table call it. */
const char *pt_state_status(pt_state_t state);

/* From the table's status and whether due_at is set; PT_STATES if the status is none. */
pt_state_t pt_state_of(const char *status, bool waiting);

static inline bool pt_state_ended(pt_state_t state)
{
    return state >= PT_COMPLETED;
}

/* The word that follows `settled`. */
const char *pt_answer_outcome(pt_answer_t answer);

/* Writes the table as Markdown, as it stands in PROTOCOL.md. */
void pt_job_table_print(FILE *to);

#endif
