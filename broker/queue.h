/* The jobs of one type that wait for a slot: organisations take turns, each first in, first out.
   Every call costs the same however many jobs or organisations wait. */
#ifndef PT_QUEUE_H
#define PT_QUEUE_H

#include "proto/uuid.h"

#include <sys/queue.h>

typedef struct pt_peer pt_peer_t;

/* A job that the broker holds. Owned by the scheduler's table; a queue only links it. */
typedef struct pt_held {
    pt_uuid_t job_id, org_id; /* org_id only while queued: an adopted lease has none */
    uint32_t attempt;
    struct pt_type *type;
    pt_peer_t *worker;         /* who holds the lease; NULL while queued */
    struct pt_turn *turn;      /* its organisation's place while queued */
    TAILQ_ENTRY(pt_held) link; /* among the organisation's jobs, or the worker's leases */
    void *payload;             /* malloc'ed, of exactly this size, while queued */
    size_t size;
} pt_held_t;

typedef struct pt_queue pt_queue_t;

pt_queue_t *pt_queue_new(void);

/* Jobs that are still in it are not touched. */
void pt_queue_destroy(pt_queue_t **self);

void pt_queue_add(pt_queue_t *self, pt_held_t *job);

/* Takes the first job of the organisation whose turn it is; NULL if none waits. */
pt_held_t *pt_queue_take(pt_queue_t *self);

/* Takes one out of the middle. */
void pt_queue_remove(pt_queue_t *self, pt_held_t *job);

#endif
