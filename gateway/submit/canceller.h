/* Ends jobs because their organisation says so: recorded first, then whoever has the job is told to
 * stop. Against an ending in flight the first commit wins.
 */
#ifndef PT_CANCELLER_H
#define PT_CANCELLER_H

#include "gateway/database/pool.h"
#include "proto/uuid.h"

typedef struct pt_canceller pt_canceller_t;

typedef enum {
    PT_CANCEL_DONE,
    PT_CANCEL_ENDED, /* it had ended before */
    PT_CANCEL_NOT_FOUND,
    PT_CANCEL_UNAVAILABLE /* the database is away; it may be canceled or not */
} pt_cancel_t;

/* Both are borrowed. */
struct pt_links;
pt_canceller_t *pt_canceller_new(pt_pool_t *pool, struct pt_links *links);
void pt_canceller_destroy(pt_canceller_t **self);

/* `request_id` stands in the job's history. Called from any thread; waits at most PT_CANCEL_MS. */
#define PT_CANCEL_MS 5000
pt_cancel_t pt_canceller_cancel(pt_canceller_t *self, const pt_uuid_t *org, const pt_uuid_t *job,
                                const char *request_id);

/* Ends all jobs of a batch that have not ended, in pieces; done again it goes on where it was
   broken off. PT_CANCEL_DONE also if the batch was canceled before, PT_CANCEL_ENDED if it had ended
   otherwise. Waits at most PT_CANCEL_BATCH_MS. */
#define PT_CANCEL_BATCH_MS 20000
pt_cancel_t pt_canceller_cancel_batch(pt_canceller_t *self, const pt_uuid_t *org,
                                      const pt_uuid_t *batch, const char *request_id);

#endif
