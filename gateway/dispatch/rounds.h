/* The leader's `have?` rounds, pure: which jobs that are out does nobody hold any more.
 *
 * A round reads all jobs that are out, a page of at most 1,000 at a time, and asks every broker in
 * session for each page. Only answers count: a page that not all of them answered says nothing. A
 * job that nobody named in two rounds at least three intervals apart is lost. Rounds go on while
 * anything is out and stop when nothing is, until they are woken.
 */
#ifndef PT_ROUNDS_H
#define PT_ROUNDS_H

#include "proto/message.h"

/* A job is sent so soon after the commit that hands it out, or not at all: later, the rounds may
   have given it up. */
#define PT_SEND_WITHIN_MS 2000

typedef struct pt_rounds pt_rounds_t;

pt_rounds_t *pt_rounds_new(void);
void pt_rounds_destroy(pt_rounds_t **self);

/* Forgets everything: leadership is new. */
void pt_rounds_reset(pt_rounds_t *self);

/* Something is out, or may be. `now_please`: do not wait for the next interval. */
void pt_rounds_wake(pt_rounds_t *self, bool now_please);

/* Whether a page is to be read now, and from behind which id (all zero: from the start). */
bool pt_rounds_wants_page(const pt_rounds_t *self, int64_t now, pt_uuid_t *after);

/* When to call pt_rounds_wants_page or pt_rounds_tick again; INT64_MAX if only a wake can help. */
int64_t pt_rounds_due(const pt_rounds_t *self, int64_t now);

/* The page that was read (copied; `more`: it was full), and the brokers that will be asked, a bit
   each. Returns the number of the question. Without brokers the round ends without a result. */
uint64_t pt_rounds_page(pt_rounds_t *self, int64_t now, const pt_ref_t *refs, size_t count,
                        bool more, uint32_t brokers);

/* A broker's answer. When it is the last one of its page, calls `lost` for each job to give up. */
typedef void pt_rounds_lost_fn(void *context, const pt_ref_t *ref);
void pt_rounds_answer(pt_rounds_t *self, int64_t now, int broker, uint64_t number,
                      const pt_refs_t *held, pt_rounds_lost_fn *lost, void *context);

/* A broker that was asked is gone: the page says nothing, the round goes on with the next. */
void pt_rounds_broker_gone(pt_rounds_t *self, int broker);

/* A page without all its answers after two intervals says nothing. */
void pt_rounds_tick(pt_rounds_t *self, int64_t now);

#endif
