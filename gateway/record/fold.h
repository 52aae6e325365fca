/* The recorder's rules, pure: what the facts about one job do to its row.
 *
 * The recorder locks the rows of a batch, gives each row its facts in the order of arrival, and
 * writes what comes out in the same transaction.
 */
#ifndef PT_FOLD_H
#define PT_FOLD_H

#include "gateway/record/patience.h"
#include "proto/job.h"

/* A row of jobs, as far as the rules need it. Times are microseconds since 1970, 0 for none. */
typedef struct {
    pt_uuid_t job_id, org_id;
    char job_type[PT_TYPE_MAX];
    pt_state_t state;
    uint32_t attempt, tries, losses;
    int64_t created_at, started_at, completed_at;
    int64_t due_in_us; /* when it has become waiting: from now */
    char step[PT_NAME_MAX];
    double fraction; /* below 0: none yet */
    char code[PT_NAME_MAX];
    char message[PT_TEXT_MAX + 1];
} pt_row_t;

/* Why an attempt was lost of which nobody had said that it runs. */
#define PT_CODE_NOT_STARTED "not_started"

/* What somebody says of a job. */
typedef enum {
    PT_SAID_STARTED,
    PT_SAID_PROGRESS,
    PT_SAID_ENDING,
    PT_SAID_LOST,   /* by the sweep, as the next */
    PT_SAID_EXPIRED /* it waited too long for somebody to serve its type */
} pt_said_t;

/* Whether it was said by ourselves: nobody waits for an answer. */
static inline bool pt_said_by_us(pt_said_t said)
{
    return said >= PT_SAID_LOST;
}

typedef struct {
    pt_said_t said;
    pt_uuid_t job_id;
    uint32_t attempt;
    int64_t at, started_at; /* by the sender's clock */
    char step[PT_NAME_MAX];
    double fraction;
    bool completed; /* of an ending: it carries a result */
    bool retry;     /* of an ending without: trying again can help */
    bool refused;   /* of an ending: its payload is not acceptable; `message` says why */
    bool counts;    /* of a loss: a drain or a job handed back counts nowhere */
    bool unusable;  /* of a loss: there was an ending, but its result is damaged */
    char code[PT_NAME_MAX];
    char message[PT_TEXT_MAX + 1];
} pt_said_fact_t;

/* An event to append; detail is what the row says after it. */
typedef struct {
    const char *type, *status;
    uint32_t attempt;
    int64_t at;
    bool has_progress, has_reason, has_origin;
    char step[PT_NAME_MAX];
    double fraction;
    char code[PT_NAME_MAX];
    char message[PT_TEXT_MAX + 1];
    pt_uuid_t variant_id; /* of `created`: what it is about, and the request that made it */
    char request[PT_NAME_MAX];
} pt_event_t;

/* What one fact did. */
typedef struct {
    pt_answer_t answer;
    bool changed;     /* the row is another, and `event` is to be appended */
    bool took_result; /* the fact's result is the job's */
    pt_event_t event;
} pt_fold_t;

/* Applies one fact to the row. `now` is the transaction's time. Times by other clocks are brought
   between created_at and now, so that created_at ≤ started_at ≤ completed_at always holds. */
pt_fold_t pt_fold(pt_row_t *row, const pt_said_fact_t *fact, int64_t now,
                  const pt_patience_t *patience);

#endif
