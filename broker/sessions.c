/* Who is in session: hello, alive, and the end. */
#include "broker/state.h"

static const char *const roles[PT_SIDES] = {"gateway", "worker"};

/* ---- beginning --------------------------------------------------------------------------- */

static bool types_known(pt_scheduler_t *self, const pt_msg_t *msg)
{
    for (size_t i = 0; i < msg->slots.count; i++)
        if (!pt_type_need(self, msg->slots.items[i].job_type))
            return false;
    const pt_refs_t *lists[] = {&msg->leases, &msg->unsettled};
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < lists[l]->count; i++)
            if (!pt_type_need(self, lists[l]->items[i].job_type))
                return false;
    return true;
}

static bool is_buried(pt_scheduler_t *self, const pt_msg_t *msg)
{
    const pt_peer_t *owner = zhashx_lookup(self->worker_by_machine, msg->machine);
    for (size_t i = 0; owner && i < owner->buried.count; i++)
        if (pt_uuid_equal(&owner->buried.instances[i], &msg->instance))
            return true;
    return false;
}

/* A name belongs to one certificate as long as its owner is in session: else any worker could bury
   any other. */
static bool is_anothers(pt_scheduler_t *self, const pt_route_t *from, uint64_t right,
                        const pt_msg_t *msg)
{
    const pt_peer_t *owners[] = {
        zhashx_lookup(self->by_instance[from->side], &msg->instance),
        from->side == PT_WORKERS ? zhashx_lookup(self->worker_by_machine, msg->machine) : NULL};
    return (owners[0] && owners[0]->right != right) || (owners[1] && owners[1]->right != right);
}

/* Why this hello cannot be welcomed, or NULL. */
static const char *refusal(pt_scheduler_t *self, const pt_route_t *from, uint64_t right,
                           const pt_msg_t *msg)
{
    if (!streq(msg->role, roles[from->side]))
        return from->side == PT_GATEWAYS ? "this socket is for gateways"
                                         : "this socket is for workers";
    if (self->admit == 0)
        return "the broker has no more descriptors: raise its limit of open files (ulimit -n)";
    if (from->side == PT_WORKERS && !types_known(self, msg))
        return "the broker knows as many job types as it can";
    if (from->side == PT_WORKERS && is_buried(self, msg))
        return "another worker has taken this name; give each worker a --name of its own";
    if (is_anothers(self, from, right, msg))
        return "this name is in use under another certificate";
    return NULL;
}

static void make_seats(pt_scheduler_t *self, pt_peer_t *worker, const pt_counts_t *slots)
{
    worker->seats = zmalloc((slots->count + 1) * sizeof *worker->seats);
    for (; worker->seat_count < slots->count; worker->seat_count++) {
        pt_seat_t *seat = &worker->seats[worker->seat_count];
        uint64_t n = slots->items[worker->seat_count].n;
        seat->worker = worker;
        seat->type = pt_type_need(self, slots->items[worker->seat_count].job_type);
        seat->slots = n < PT_SLOTS_MAX ? (size_t)n : PT_SLOTS_MAX;
        worker->slots += seat->slots;
    }
}

static pt_peer_t *begin(pt_scheduler_t *self, const pt_route_t *from, uint64_t right,
                        const pt_msg_t *msg)
{
    pt_peer_t *peer = zmalloc(sizeof *peer);
    peer->route = *from;
    peer->right = right;
    peer->instance = msg->instance;
    memcpy(peer->machine, msg->machine, sizeof peer->machine);
    self->config.random(self->config.arg, peer->session, sizeof peer->session);
    peer->heard_at = self->clock.value;
    peer->beat_at = self->now;
    peer->alive_at = self->events.value;
    TAILQ_INIT(&peer->held);
    if (from->side == PT_WORKERS)
        make_seats(self, peer, &msg->slots);
    else
        self->dirty = UINT64_MAX; /* the shares change */
    TAILQ_INSERT_TAIL(&self->peers[from->side], peer, link);
    self->peer_count[from->side]++;
    self->admit -= self->admit < SIZE_MAX;
    zhashx_insert(self->by_route, &peer->route, peer);
    return peer;
}

/* The names by which it is found; after a former owner of them is gone. */
static void enter_names(pt_scheduler_t *self, pt_peer_t *peer)
{
    zhashx_insert(self->by_instance[peer->route.side], &peer->instance, peer);
    if (peer->route.side == PT_WORKERS)
        zhashx_insert(self->worker_by_machine, peer->machine, peer);
}

/* Another process on the same machine: the one before is dead, whatever it held is gone. */
static pt_buried_t bury_former(pt_scheduler_t *self, const pt_msg_t *msg)
{
    pt_buried_t buried = {.count = 0};
    pt_peer_t *former = zhashx_lookup(self->worker_by_machine, msg->machine);
    if (!former)
        return buried;
    buried = former->buried;
    if (pt_uuid_equal(&former->instance, &msg->instance))
        return buried;
    memmove(&buried.instances[1], &buried.instances[0],
            (PT_BURIED_MAX - 1) * sizeof *buried.instances);
    buried.instances[0] = former->instance;
    buried.count += buried.count < PT_BURIED_MAX;
    pt_session_end(self, former, PT_GONE_CERTAIN, "the worker was started anew");
    return buried;
}

/* The same process under a new routing id: what it names moves over, what it does not name was
   lost on the way to its old socket, which it closed. Only a list that is full may be cut off. */
static void take_over(pt_scheduler_t *self, pt_peer_t *peer, pt_peer_t *former, const pt_msg_t *msg)
{
    if (peer->route.side == PT_WORKERS) {
        pt_work_adopt(self, peer, former, &msg->leases);
        pt_work_adopt(self, peer, former, &msg->unsettled);
    }
    bool whole = msg->leases.count < PT_REFS_MAX && msg->unsettled.count < PT_REFS_MAX;
    if (former)
        pt_session_end(self, former, whole ? PT_GONE_CERTAIN : PT_GONE_SILENT,
                       "the job was lost on the way to the worker");
}

/* It had no patience, or did not get the answer: all that it should know, once more. */
static void welcome_again(pt_scheduler_t *self, pt_peer_t *peer)
{
    peer->heard_at = self->clock.value;
    pt_say_welcome(self, peer);
    for (size_t i = 0; i < self->type_count; i++)
        if (peer->accounts[i].given)
            peer->told |= (uint64_t)1 << i;
    self->dirty |= peer->told;
}

void pt_session_hello(pt_scheduler_t *self, const pt_route_t *from, uint64_t right,
                      const pt_msg_t *msg)
{
    pt_peer_t *known = zhashx_lookup(self->by_route, from);
    if (known && pt_uuid_equal(&known->instance, &msg->instance)) {
        welcome_again(self, known);
        return;
    }
    const char *why = refusal(self, from, right, msg);
    if (why) {
        self->drops[PT_DROP_HELLO]++;
        pt_say_hello_again(self, from, why);
        return;
    }
    pt_buried_t buried = {.count = 0};
    if (from->side == PT_WORKERS)
        buried = bury_former(self, msg);
    known = zhashx_lookup(self->by_route, from);
    if (known) /* another instance on the same socket, and not the same machine: odd, but it can */
        pt_session_end(self, known, PT_GONE_SILENT, "another worker took its place");
    pt_peer_t *former = zhashx_lookup(self->by_instance[from->side], &msg->instance);
    pt_peer_t *peer = begin(self, from, right, msg);
    peer->buried = buried;
    pt_say_welcome(self, peer);
    take_over(self, peer, former, msg);
    enter_names(self, peer);
}

/* ---- on both paths ----------------------------------------------------------------------- */

static void count_slots(pt_scheduler_t *self, pt_peer_t *worker, bool in)
{
    for (size_t i = 0; i < worker->seat_count; i++) {
        pt_seat_t *seat = &worker->seats[i];
        bool served = seat->type->slots > 0;
        seat->type->slots = in ? seat->type->slots + seat->slots : seat->type->slots - seat->slots;
        self->served_changed |= served != (seat->type->slots > 0);
        self->dirty |= (uint64_t)1 << seat->type->index;
    }
}

static void set_alive(pt_scheduler_t *self, pt_peer_t *worker, bool alive)
{
    if (worker->alive == alive)
        return;
    worker->alive = alive;
    self->heard_count = alive ? self->heard_count + 1 : self->heard_count - 1;
    count_slots(self, worker, alive);
    pt_work_refresh(self, worker);
}

void pt_session_alive(pt_scheduler_t *self, pt_peer_t *worker)
{
    worker->alive_at = self->events.value;
    set_alive(self, worker, true);
}

/* ---- the end ----------------------------------------------------------------------------- */

static void lose_leases(pt_scheduler_t *self, pt_peer_t *worker, pt_gone_t how, const char *reason)
{
    pt_held_t *held;
    while ((held = TAILQ_FIRST(&worker->held))) {
        pt_say_gone(self, NULL, &held->job_id, held->attempt, how, reason);
        pt_work_forget(self, held);
    }
}

void pt_session_end(pt_scheduler_t *self, pt_peer_t *peer, pt_gone_t how, const char *reason)
{
    int side = peer->route.side;
    if (self->leader == peer)
        self->leader = NULL;
    set_alive(self, peer, false);
    lose_leases(self, peer, how, reason);
    zhashx_delete(self->by_route, &peer->route);
    zhashx_delete(self->by_instance[side], &peer->instance);
    if (side == PT_WORKERS)
        zhashx_delete(self->worker_by_machine, peer->machine);
    else
        self->dirty = UINT64_MAX; /* its unused credit is free again */
    TAILQ_REMOVE(&self->peers[side], peer, link);
    self->peer_count[side]--;
    free(peer->seats);
    free(peer);
}
