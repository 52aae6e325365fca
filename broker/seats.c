#include "broker/seats.h"

#include <assert.h>

void pt_seats_init(pt_seats_t *self)
{
    *self = (pt_seats_t){0};
    for (size_t i = 0; i <= PT_SLOTS_MAX; i++)
        TAILQ_INIT(&self->lists[i]);
}

static void leave(pt_seats_t *self, pt_seat_t *seat)
{
    TAILQ_REMOVE(&self->lists[seat->listed], seat, link);
    if (TAILQ_EMPTY(&self->lists[seat->listed]))
        self->used[seat->listed / 64] &= ~((uint64_t)1 << seat->listed % 64);
    self->free -= seat->listed;
}

static void enter(pt_seats_t *self, pt_seat_t *seat, size_t free)
{
    TAILQ_INSERT_TAIL(&self->lists[free], seat, link);
    self->used[free / 64] |= (uint64_t)1 << free % 64;
    self->free += free;
}

void pt_seats_put(pt_seats_t *self, pt_seat_t *seat, size_t free)
{
    assert(free <= PT_SLOTS_MAX);
    if (free == seat->listed)
        return;
    if (seat->listed)
        leave(self, seat);
    if (free)
        enter(self, seat, free);
    seat->listed = free;
}

pt_seat_t *pt_seats_best(const pt_seats_t *self)
{
    for (size_t word = PT_SLOTS_MAX / 64 + 1; word-- > 0;)
        if (self->used[word]) {
            size_t bit = 63 - (size_t)__builtin_clzll(self->used[word]);
            return TAILQ_FIRST(&self->lists[word * 64 + bit]);
        }
    return NULL;
}
