/* Who has a free slot of one type: workers in lists by how many are free, so that the one with the
   most is found without looking at the others, however many there are. */
#ifndef PT_SEATS_H
#define PT_SEATS_H

#include "broker/scheduler.h"

#include <sys/queue.h>

typedef struct pt_peer pt_peer_t;

/* A worker's place for one type. Owned by the worker. */
typedef struct pt_seat {
    pt_peer_t *worker;
    struct pt_type *type;
    size_t slots;
    uint64_t credit, sent; /* absolute, since its hello */
    size_t listed;         /* the list that it is in; 0: in none, nothing is free */
    TAILQ_ENTRY(pt_seat) link;
} pt_seat_t;

typedef struct {
    TAILQ_HEAD(, pt_seat) lists[PT_SLOTS_MAX + 1];
    uint64_t used[PT_SLOTS_MAX / 64 + 1]; /* a bit for each list that is not empty */
    size_t free;                          /* in all */
} pt_seats_t;

void pt_seats_init(pt_seats_t *self);

/* Says how many of its slots are free now, at most PT_SLOTS_MAX; 0 takes it out. */
void pt_seats_put(pt_seats_t *self, pt_seat_t *seat, size_t free);

/* One of those with the most free, the one that waits longest; NULL if nobody has any. */
pt_seat_t *pt_seats_best(const pt_seats_t *self);

#endif
