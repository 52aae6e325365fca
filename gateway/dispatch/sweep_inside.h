/* What sweep.c (wake-ups and the thread) and the two works of the sweep share, and nobody else. */
#ifndef PT_SWEEP_INSIDE_H
#define PT_SWEEP_INSIDE_H

#include "gateway/database/array.h"
#include "gateway/database/pg.h"
#include "gateway/dispatch/rounds.h"
#include "gateway/dispatch/sweep.h"
#include "gateway/dispatch/turns.h"
#include "gateway/links/announce.h"

#include <stdatomic.h>

#define PT_SWEEP_STATEMENT_MS 5000
#define PT_SWEEP_LARGE_MS 30000 /* of one that reads up to 64 MiB */
#define PT_SWEEP_AGAIN_MS 500   /* after an error, or for a row that somebody else holds */

/* What is known of a type's backlog, and whose turn it is. */
typedef struct {
    char job_type[PT_TYPE_MAX];
    int64_t due;      /* clock ms of the next that may be handed out; INT64_MAX: nothing waits */
    bool held;        /* a limit holds something back until something ends */
    uint64_t endings; /* when it was looked at last, how much had ended */
    int64_t unserved_since; /* clock ms; 0: somebody serves it, or nobody knows */
    int at_once;            /* the thread's own: how many are taken with one statement */
    pt_turns_t turns;       /* the thread's own */
} backlog_t;

struct pt_sweep {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, active, fresh; /* fresh: leadership is new, nothing is known */
    bool woken;
    int64_t sleeps_until; /* clock ms; INT64_MIN: it works */
    backlog_t backlogs[PT_TYPES_MAX];
    size_t backlog_count;
    pt_rounds_t *rounds;
    uint64_t endings; /* batches of jobs that are out no longer */
    int64_t look_at, edges_at, expire_at;
    char unserved[PT_TYPES_MAX * (PT_TYPE_MAX + 1)]; /* as noted in the table last */
    pt_array_t hinted;                               /* ids of organisations, under lock */
    pthread_t thread;
    pt_pg_t *pg;
    pt_links_t *links;
    pt_recorder_t *recorder;
    _Atomic uint64_t handed_out, asked, lost, out;
};

/* The attempt is over, and another is due: `counts`: a worker may have had it. */
void pt_sweep_report_lost(pt_sweep_t *self, const pt_uuid_t *job_id, uint32_t attempt, bool counts,
                          const char *code, const char *reason);

/* Something waits; `due` is the time of pt_clock_ms. With the lock held. */
void pt_sweep_waits_locked(pt_sweep_t *self, const char *job_type, int64_t due);

/* sweep_hand_out.c: hands out what is due by `now`, as far as credit goes. */
pt_pg_outcome_t pt_sweep_hand_out(pt_sweep_t *self, int64_t now);

/* sweep_expire.c: notes what nobody serves, and fails what has waited too long for it. */
pt_pg_outcome_t pt_sweep_expire(pt_sweep_t *self, int64_t now);

/* sweep_ask.c: asks the brokers for the next page of what is out, if it is time. */
pt_pg_outcome_t pt_sweep_ask(pt_sweep_t *self, int64_t now);

#endif
