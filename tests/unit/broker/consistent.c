#include "consistent.h"

#include "world.h"

static void check_seats(const pt_peer_t *worker)
{
    for (size_t i = 0; i < worker->seat_count; i++) {
        const pt_seat_t *seat = &worker->seats[i];
        uint64_t free = seat->credit > seat->sent ? seat->credit - seat->sent : 0;
        bool full = worker->leases >= 4 * worker->slots + 16;
        free = free < seat->slots ? free : seat->slots;
        assert_int_equal(seat->listed, worker->alive && !full ? free : 0);
    }
}

static void check_worker(const pt_peer_t *worker)
{
    size_t n = 0;
    const pt_held_t *held;
    TAILQ_FOREACH(held, &worker->held, link)
    {
        assert_ptr_equal(held->worker, worker);
        assert_null(held->turns);
        assert_null(held->payload);
        n++;
    }
    assert_int_equal(worker->leases, n);
    check_seats(worker);
}

static size_t slots_of(const pt_scheduler_t *scheduler, const pt_type_t *type)
{
    size_t slots = 0;
    const pt_peer_t *worker;
    TAILQ_FOREACH(worker, &scheduler->peers[PT_WORKERS], link)
    for (size_t i = 0; worker->alive && i < worker->seat_count; i++)
        slots += worker->seats[i].type == type ? worker->seats[i].slots : 0;
    return slots;
}

/* Returns the bytes of what is queued. */
static size_t check_type(const pt_scheduler_t *scheduler, const pt_type_t *type)
{
    size_t queued = 0, leased = 0, bytes = 0;
    for (pt_held_t *held = zhashx_first(scheduler->jobs); held;
         held = zhashx_next(scheduler->jobs)) {
        if (held->type != type)
            continue;
        assert_true((held->worker == NULL) == (held->turns != NULL)); /* one, and not both */
        held->worker ? leased++ : queued++;
        bytes += held->size;
    }
    assert_int_equal(type->queued, queued);
    assert_int_equal(type->leased, leased);
    assert_int_equal(type->slots, slots_of(scheduler, type));
    assert_true(!queued || !pt_seats_best(&type->seats)); /* nobody waits beside a free slot */
    return bytes;
}

void check_scheduler(const pt_scheduler_t *scheduler)
{
    size_t leased = 0, peers = 0, bytes = 0;
    const pt_peer_t *peer;
    for (int side = 0; side < PT_SIDES; side++)
        TAILQ_FOREACH(peer, &scheduler->peers[side], link)
        {
            peers++;
            if (side == PT_WORKERS)
                check_worker(peer);
            leased += peer->leases;
            assert_ptr_equal(zhashx_lookup(scheduler->by_route, &peer->route), peer);
            assert_ptr_equal(zhashx_lookup(scheduler->by_instance[side], &peer->instance), peer);
        }
    assert_int_equal(zhashx_size(scheduler->by_route), peers);
    assert_int_equal(scheduler->peer_count[0] + scheduler->peer_count[1], peers);
    for (size_t i = 0; i < scheduler->type_count; i++) {
        bytes += check_type(scheduler, scheduler->types[i]);
        leased -= scheduler->types[i]->leased;
    }
    assert_int_equal(leased, 0);
    assert_int_equal(scheduler->bytes, bytes);
}
