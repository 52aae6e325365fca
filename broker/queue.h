/* The jobs of one type that wait for a slot. In a round each organisation has as many turns as its
   weight, one after the other with those of the others; its own jobs go by priority, and first in,
   first out. Every call costs the same however many jobs or organisations wait. */
#ifndef PT_QUEUE_H
#define PT_QUEUE_H

#include "proto/message.h"

#include <sys/queue.h>

typedef struct pt_peer pt_peer_t;

/* Inputs that stay with the gateway: their bytes (0: they are in the payload), SHA-256, and the
   gateway's instance. */
typedef struct {
    uint64_t size;
    uint8_t digest[PT_DIGEST_SIZE];
    pt_uuid_t gateway;
} pt_elsewhere_t;

/* A job that the broker holds. Owned by the scheduler's table; a queue only links it. */
typedef struct pt_held {
    pt_uuid_t job_id, org_id; /* org_id only while queued: an adopted lease has none */
    uint32_t attempt;
    uint32_t priority; /* below PT_PRIORITIES; 0 goes first */
    struct pt_type *type;
    pt_peer_t *worker;         /* who holds the lease; NULL while queued */
    struct pt_turns *turns;    /* its organisation's place while queued */
    TAILQ_ENTRY(pt_held) link; /* among the organisation's jobs, or the worker's leases */
    void *payload;             /* malloc'ed, of exactly this size, while queued; or NULL and 0 */
    size_t size;
    pt_elsewhere_t inputs;
    struct pt_asked *asked; /* owned: the chunks of it that are under way; NULL before the first */
} pt_held_t;

typedef struct pt_queue pt_queue_t;

pt_queue_t *pt_queue_new(void);

/* Jobs that are still in it are not touched. */
void pt_queue_destroy(pt_queue_t **self);

/* `weight`, 1 to PT_WEIGHT_MAX, is its organisation's from now on. */
void pt_queue_add(pt_queue_t *self, pt_held_t *job, uint32_t weight);

/* Takes the first job of the organisation whose turn it is; NULL if none waits. */
pt_held_t *pt_queue_take(pt_queue_t *self);

/* Takes one out of the middle. */
void pt_queue_remove(pt_queue_t *self, pt_held_t *job);

#endif
