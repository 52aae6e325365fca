/* Which large results are being fetched, pure: what an ending names by size and digest comes in
 * chunks (PROTOCOL.md section 3), from the worker that keeps it until the ending is settled.
 *
 * One that waits is first looked up in the table, so that nothing is fetched that nobody records.
 * At most PT_TRANSFERS_BYTES are on their way or wait to be recorded; others wait for their turn,
 * PT_TRANSFERS_WAITING at most. Whatever is forgotten here begins anew with the next time that its
 * worker says the ending.
 */
#ifndef PT_TRANSFERS_H
#define PT_TRANSFERS_H

#include "gateway/record/fact.h"

#define PT_TRANSFERS_BYTES (2 * (size_t)PT_LARGE_MAX)
#define PT_TRANSFERS_WAITING 1000
#define PT_TRANSFERS_IDLE_MS 10000 /* after which one that gets nothing is forgotten */

typedef struct pt_transfers pt_transfers_t;

/* What is wanted; called from inside the functions below, and must not call back. */
typedef struct {
    void *context;
    void (*fetch)(void *context, const pt_ticket_t *to, const pt_uuid_t *job_id, uint32_t attempt,
                  uint64_t offset);
    /* The ending with its payload, or a loss if its bytes are twice not what the digest says.
       Takes the payload. False: nobody could take it. */
    bool (*done)(void *context, pt_fact_t *fact);
} pt_transfers_sink_t;

pt_transfers_t *pt_transfers_new(const pt_transfers_sink_t *sink);
void pt_transfers_destroy(pt_transfers_t **self);

/* Forgets everything: leadership is gone. */
void pt_transfers_reset(pt_transfers_t *self);

/* An ending with size and digest. One that is known already goes on, from wherever it comes now. */
void pt_transfers_offer(pt_transfers_t *self, int64_t now, const pt_fact_t *ending);

/* The next that there is room for, copied, to be looked up; false if there is none. */
bool pt_transfers_next(pt_transfers_t *self, pt_fact_t *ending);

/* What was found: it is fetched if its job still waits for this ending, else forgotten. */
void pt_transfers_judged(pt_transfers_t *self, int64_t now, const pt_uuid_t *job_id,
                         uint32_t attempt, bool wanted);

/* The payload of a chunk. */
void pt_transfers_chunk(pt_transfers_t *self, int64_t now, const pt_msg_t *chunk,
                        const void *payload, size_t size);

/* Nobody needs it any more: it is recorded, or its worker has lost it. */
void pt_transfers_forget(pt_transfers_t *self, const pt_uuid_t *job_id, uint32_t attempt);

/* Asks again for what did not come. */
void pt_transfers_tick(pt_transfers_t *self, int64_t now);

/* When to tick next; INT64_MAX if nothing is under way. */
int64_t pt_transfers_due(const pt_transfers_t *self);

typedef struct {
    size_t waiting, running; /* running: on their way or to be recorded */
    size_t bytes;            /* of the running ones */
} pt_transfers_counts_t;
pt_transfers_counts_t pt_transfers_counts(const pt_transfers_t *self);

#endif
