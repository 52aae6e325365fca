/* The line of submissions that wait for the committer: handlers join it and wait there, the
 * committer's thread takes who waits, many at once, and answers them.
 */
#ifndef PT_SUBMISSIONS_H
#define PT_SUBMISSIONS_H

#include "gateway/links/links.h"
#include "gateway/submit/committer.h"

#include <pthread.h>

#define PT_SUBMISSIONS_MAX 4096 /* that wait */

typedef enum {
    PT_WAITER_QUEUED,
    PT_WAITER_IN_FLIGHT,
    PT_WAITER_DONE,
    PT_WAITER_ABANDONED
} pt_waiter_state_t;

/* One request. The handler gives it back, or, if it gave up while the batch was in flight, the
   committer. Given back, it is kept for the next one: so its condition outlives each wait, and is
   signalled without the lock that whoever it wakes takes first. */
typedef struct pt_waiter pt_waiter_t;
struct pt_waiter {
    pt_waiter_t *next;
    pt_submission_t submission;
    char *options; /* the submission's, a copy: who asked may not wait for the end */
    pt_uuid_t job_id;
    int64_t created_at, until;
    pt_submit_t outcome; /* the committer's to set, before it answers */
    pt_waiter_state_t state;
    pthread_cond_t done;
    pt_ticket_t ticket;
    /* What the statement answered of it: */
    int row;
    bool out, made; /* by this very statement */
    uint64_t seq;
};

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pt_waiter_t *first, **last;
    pt_waiter_t *spare; /* no more than there were at one time */
    size_t queued;
    bool stop;
} pt_submissions_t;

void pt_submissions_init(pt_submissions_t *self);
/* Once nobody takes any more. */
void pt_submissions_clear(pt_submissions_t *self);

/* A handler: joins the line and waits for its answer, at most `wait_ms`. */
pt_submit_t pt_submissions_join(pt_submissions_t *self, const pt_submission_t *submission,
                                int wait_ms, pt_uuid_t *job_id, int64_t *created_at);

/* The committer: takes up to `room` of those who wait. If `may_wait`, waits for the first; 0 when
   all ends. */
size_t pt_submissions_take(pt_submissions_t *self, pt_waiter_t **taken, size_t room, bool may_wait);
/* Answers those with their outcomes. */
void pt_submissions_answer(pt_submissions_t *self, pt_waiter_t **taken, size_t count);

/* From now on nobody may join; who waits is taken no more, and answered by _turn_away. */
void pt_submissions_stop(pt_submissions_t *self);
bool pt_submissions_stopping(pt_submissions_t *self);
void pt_submissions_turn_away(pt_submissions_t *self);

size_t pt_submissions_count(pt_submissions_t *self);

#endif
