/* Requests that wait for a job's end (Prefer: wait). Each holds a handler's thread, so only so many
 * wait at once, of one organisation half of that. Events wake them; what the event path has lost
 * they find in the table, where they look ever more rarely.
 */
#ifndef PT_AWAITS_H
#define PT_AWAITS_H

#include "proto/uuid.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct pt_awaits pt_awaits_t;

/* At most `most` at once. `listen (context, on)`: from now on somebody waits, or nobody does any
   more; called with a lock held, must not wait. */
pt_awaits_t *pt_awaits_new(int most, void (*listen)(void *context, bool on), void *context);
void pt_awaits_destroy(pt_awaits_t **self);

/* An event said that the job has ended; from any thread. */
void pt_awaits_ended(pt_awaits_t *self, const pt_uuid_t *job_id);

/* All that wait give up at once, and nobody waits from here on. */
void pt_awaits_close(pt_awaits_t *self);

/* Waits until `has_ended (asker)` says so: asked at once, on the job's event, and now and then.
   False: it did not within wait_ms, or there is no room to wait. */
bool pt_awaits_wait(pt_awaits_t *self, const pt_uuid_t *org_id, const pt_uuid_t *job_id,
                    int64_t wait_ms, bool (*has_ended)(void *asker), void *asker);

#endif
