#include "proto/job.h"

#include <string.h>

static const char *const state_names[PT_STATES] = {"waiting",   "out",    "running",
                                                   "completed", "failed", "canceled"};
static const char *const statuses[PT_STATES] = {"pending",   "pending", "running",
                                                "completed", "failed",  "canceled"};
static const char *const fact_names[PT_FACTS] = {"handed out", "started",  "progress",
                                                 "completed",  "failed",   "retry",
                                                 "lost",       "canceled", "expired"};

#define NO(STATE, ANSWER)                                                                          \
    {                                                                                              \
        STATE, NULL, PT_ANSWER_##ANSWER                                                            \
    }
#define TO(STATE, EVENT, ANSWER)                                                                   \
    {                                                                                              \
        STATE, EVENT, PT_ANSWER_##ANSWER                                                           \
    }

/* clang-format off */
static const pt_transition_t table[PT_STATES][PT_FACTS] = {
    /* The current attempt of a waiting job has not been handed out, so nobody can speak of it. */
    [PT_WAITING] = {
        [PT_FACT_HANDED_OUT] = TO(PT_OUT, NULL, NONE),
        [PT_FACT_STARTED]    = NO(PT_WAITING, STALE),
        [PT_FACT_PROGRESS]   = NO(PT_WAITING, STALE),
        [PT_FACT_COMPLETED]  = NO(PT_WAITING, STALE),
        [PT_FACT_FAILED]     = NO(PT_WAITING, STALE),
        [PT_FACT_RETRY]      = NO(PT_WAITING, STALE),
        [PT_FACT_LOST]       = NO(PT_WAITING, NONE),
        [PT_FACT_CANCELED]   = TO(PT_CANCELED, "canceled", NONE),
        [PT_FACT_EXPIRED]    = TO(PT_FAILED, "failed", NONE),
    },
    /* A lost `started` is normal, so every ending may come straight to a job that is out. */
    [PT_OUT] = {
        [PT_FACT_HANDED_OUT] = NO(PT_OUT, NONE),
        [PT_FACT_STARTED]    = TO(PT_RUNNING, "started", NONE),
        [PT_FACT_PROGRESS]   = TO(PT_RUNNING, "progress", NONE),
        [PT_FACT_COMPLETED]  = TO(PT_COMPLETED, "completed", COMMITTED),
        [PT_FACT_FAILED]     = TO(PT_FAILED, "failed", COMMITTED),
        [PT_FACT_RETRY]      = TO(PT_WAITING, "attempt_lost", COMMITTED),
        [PT_FACT_LOST]       = TO(PT_WAITING, "attempt_lost", NONE),
        [PT_FACT_CANCELED]   = TO(PT_CANCELED, "canceled", NONE),
        [PT_FACT_EXPIRED]    = NO(PT_OUT, NONE),
    },
    [PT_RUNNING] = {
        [PT_FACT_HANDED_OUT] = NO(PT_RUNNING, NONE),
        [PT_FACT_STARTED]    = NO(PT_RUNNING, NONE),
        [PT_FACT_PROGRESS]   = TO(PT_RUNNING, "progress", NONE),
        [PT_FACT_COMPLETED]  = TO(PT_COMPLETED, "completed", COMMITTED),
        [PT_FACT_FAILED]     = TO(PT_FAILED, "failed", COMMITTED),
        [PT_FACT_RETRY]      = TO(PT_WAITING, "attempt_lost", COMMITTED),
        [PT_FACT_LOST]       = TO(PT_WAITING, "attempt_lost", NONE),
        [PT_FACT_CANCELED]   = TO(PT_CANCELED, "canceled", NONE),
        [PT_FACT_EXPIRED]    = NO(PT_RUNNING, NONE),
    },
#define ENDED(STATE)                                                                               \
    {                                                                                              \
        [PT_FACT_HANDED_OUT] = NO(STATE, ENDED), [PT_FACT_STARTED] = NO(STATE, ENDED),             \
        [PT_FACT_PROGRESS] = NO(STATE, ENDED), [PT_FACT_COMPLETED] = NO(STATE, ENDED),             \
        [PT_FACT_FAILED] = NO(STATE, ENDED), [PT_FACT_RETRY] = NO(STATE, ENDED),                   \
        [PT_FACT_LOST] = NO(STATE, ENDED), [PT_FACT_CANCELED] = NO(STATE, ENDED),                  \
        [PT_FACT_EXPIRED] = NO(STATE, ENDED),                                                      \
    }
    [PT_COMPLETED] = ENDED(PT_COMPLETED),
    [PT_FAILED] = ENDED(PT_FAILED),
    [PT_CANCELED] = ENDED(PT_CANCELED),
};
/* clang-format on */

pt_transition_t pt_job_transition(pt_state_t state, pt_fact_kind_t fact)
{
    return table[state][fact];
}

const char *pt_state_status(pt_state_t state)
{
    return statuses[state];
}

pt_state_t pt_state_of(const char *status, bool waiting)
{
    if (strcmp(status, "pending") == 0)
        return waiting ? PT_WAITING : PT_OUT;
    for (int state = PT_RUNNING; state < PT_STATES; state++)
        if (strcmp(status, statuses[state]) == 0)
            return (pt_state_t)state;
    return PT_STATES;
}

const char *pt_answer_outcome(pt_answer_t answer)
{
    switch (answer) {
    case PT_ANSWER_ENDED:
        return "ended";
    case PT_ANSWER_STALE:
        return "superseded";
    default:
        return "committed";
    }
}

static const char *answer_text(pt_answer_t answer)
{
    static const char *const texts[] = {"–", "committed", "ended", "stale"};
    return texts[answer];
}

void pt_job_table_print(FILE *to)
{
    fprintf(to, "| state | fact | next | event | answer |\n|---|---|---|---|---|\n");
    for (int state = 0; state < PT_STATES; state++)
        for (int fact = 0; fact < PT_FACTS; fact++) {
            const pt_transition_t *row = &table[state][fact];
            fprintf(to, "| %s | %s | %s | %s | %s |\n", state_names[state], fact_names[fact],
                    state_names[row->next], row->event ? row->event : "–",
                    answer_text(row->answer));
        }
}
