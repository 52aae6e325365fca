#include "broker/state.h"
#include "broker/table.h"

#define SILENCE_MS (PT_MISSED_MAX * PT_INTERVAL_MS)
/* How often silence is judged and beats are looked at. */
#define JUDGE_MS (PT_INTERVAL_MS / 8)
/* After this without a worker, queued jobs go back: another broker may have one. Longer than a
   worker needs to fall silent, reconnect and be heard. */
#define UNSERVED_MS (2 * SILENCE_MS)

static size_t hash_route(const void *key)
{
    const pt_route_t *route = key;
    size_t hash = 14695981039346656037u ^ route->side; /* FNV-1a */
    for (size_t i = 0; i < route->size; i++)
        hash = (hash ^ route->bytes[i]) * 1099511628211u;
    return hash;
}

static int compare_routes(const void *a, const void *b)
{
    const pt_route_t *one = a, *other = b;
    if (one->side != other->side || one->size != other->size)
        return 1;
    return memcmp(one->bytes, other->bytes, one->size);
}

pt_scheduler_t *pt_scheduler_new(const pt_scheduler_config_t *config)
{
    pt_scheduler_t *self = zmalloc(sizeof *self);
    self->config = *config;
    self->admit = SIZE_MAX;
    self->by_route = pt_table_by_text();
    zhashx_set_key_hasher(self->by_route, hash_route);
    zhashx_set_key_comparator(self->by_route, compare_routes);
    for (int side = 0; side < PT_SIDES; side++) {
        TAILQ_INIT(&self->peers[side]);
        self->by_instance[side] = pt_table_by_uuid();
    }
    self->worker_by_machine = pt_table_by_text();
    self->jobs = pt_table_by_uuid();
    return self;
}

static void no_send(void *arg, const pt_route_t *to, const pt_msg_t *msg, void *payload,
                    size_t size)
{
    (void)arg, (void)to, (void)msg, (void)size;
    free(payload);
}

void pt_scheduler_destroy(pt_scheduler_t **self_p)
{
    pt_scheduler_t *self = *self_p;
    if (!self)
        return;
    self->config.send = no_send;
    for (int side = 0; side < PT_SIDES; side++) {
        while (!TAILQ_EMPTY(&self->peers[side]))
            pt_session_end(self, TAILQ_FIRST(&self->peers[side]), PT_GONE_SILENT, NULL);
        zhashx_destroy(&self->by_instance[side]);
    }
    for (size_t i = 0; i < self->type_count; i++) {
        pt_work_return(self, self->types[i], NULL);
        pt_queue_destroy(&self->types[i]->queue);
        free(self->types[i]);
    }
    zhashx_destroy(&self->by_route);
    zhashx_destroy(&self->worker_by_machine);
    zhashx_destroy(&self->jobs);
    free(self);
    *self_p = NULL;
}

pt_type_t *pt_type_find(const pt_scheduler_t *self, const char *name)
{
    for (size_t i = 0; i < self->type_count; i++)
        if (streq(self->types[i]->name, name))
            return self->types[i];
    return NULL;
}

pt_type_t *pt_type_need(pt_scheduler_t *self, const char *name)
{
    pt_type_t *type = pt_type_find(self, name);
    if (type || self->type_count == PT_TYPES_MAX)
        return type;
    type = zmalloc(sizeof *type);
    snprintf(type->name, sizeof type->name, "%s", name);
    type->index = self->type_count;
    type->queue = pt_queue_new();
    type->served_at = self->clock.value;
    pt_seats_init(&type->seats);
    self->types[self->type_count++] = type;
    return type;
}

/* ---- time -------------------------------------------------------------------------------- */

static void advance(pt_pausing_clock_t *clock, int64_t now)
{
    int64_t passed = clock->started ? now - clock->last : 0;
    if (passed < 0)
        return;
    if (passed <= PT_INTERVAL_MS)
        clock->value += passed; /* else it was us who slept, and nobody is judged by that */
    clock->last = now;
    clock->started = true;
}

static void beat(pt_scheduler_t *self, pt_peer_t *peer)
{
    peer->beat_at = self->now;
    pt_say_beat(self, peer);
}

/* Who serves what rides in beats. A gateway gives no job to a broker that serves its type no more,
   whatever credit it has, so it should not wait a whole interval for the word that it does again.
 */
static void tell_who_is_served(pt_scheduler_t *self)
{
    pt_peer_t *gateway;
    if (!self->served_changed)
        return;
    self->served_changed = false;
    TAILQ_FOREACH(gateway, &self->peers[PT_GATEWAYS], link)
    beat(self, gateway);
}

static void judge_peer(pt_scheduler_t *self, pt_peer_t *peer)
{
    bool worker = peer->route.side == PT_WORKERS;
    if (self->clock.value - peer->heard_at > SILENCE_MS) {
        pt_session_end(self, peer, PT_GONE_SILENT, "the worker fell silent");
    } else if (worker && self->events.value - peer->alive_at > SILENCE_MS) {
        pt_say_hello_again(self, &peer->route, NULL);
        pt_session_end(self, peer, PT_GONE_SILENT, "the worker is not heard on the event path");
    } else if (self->now - peer->beat_at >= PT_INTERVAL_MS) {
        beat(self, peer);
    }
}

static void judge_peers(pt_scheduler_t *self)
{
    for (int side = 0; side < PT_SIDES; side++) {
        pt_peer_t *next = TAILQ_FIRST(&self->peers[side]);
        while (next) {
            pt_peer_t *peer = next;
            next = TAILQ_NEXT(peer, link);
            judge_peer(self, peer);
        }
    }
}

static void judge_types(pt_scheduler_t *self)
{
    for (size_t i = 0; i < self->type_count; i++) {
        pt_type_t *type = self->types[i];
        if (type->slots > 0 || type->queued == 0)
            type->served_at = self->clock.value;
        else if (self->leader && self->clock.value - type->served_at > UNSERVED_MS) {
            pt_work_return(self, type, "no worker serves this job type here");
            type->served_at = self->clock.value; /* what comes next waits as long */
        }
    }
}

static void on_tick(pt_scheduler_t *self, const pt_input_t *input)
{
    advance(&self->events, input->events_at);
    if (input->drained && self->clock.value - self->judged_at >= JUDGE_MS) {
        self->judged_at = self->clock.value;
        judge_peers(self);
        judge_types(self);
    }
    tell_who_is_served(self);
    pt_work_credit(self);
}

/* ---- inputs ------------------------------------------------------------------------------ */

static void on_message(pt_scheduler_t *self, const pt_input_t *input)
{
    const pt_msg_t *msg = input->msg;
    if (msg->verb == PT_HELLO) {
        pt_session_hello(self, input->from, input->right, msg);
        return;
    }
    pt_peer_t *peer = zhashx_lookup(self->by_route, input->from);
    if (msg->verb == PT_HELLO_AGAIN) { /* it has forgotten its session, and says hello elsewhere */
        if (peer)
            pt_session_end(self, peer, PT_GONE_SILENT, "the worker begins a new session");
        return;
    }
    if (!peer || !pt_msg_has(msg, PT_F_SESSION) ||
        memcmp(msg->session, peer->session, PT_SESSION_SIZE) != 0) {
        self->drops[PT_DROP_SESSION]++;
        pt_say_hello_again(self, input->from, NULL);
        return;
    }
    peer->heard_at = self->clock.value;
    pt_work_message(self, peer, input);
}

static void on_lost(pt_scheduler_t *self, const pt_route_t *route)
{
    pt_peer_t *peer = zhashx_lookup(self->by_route, route);
    if (peer)
        pt_session_end(self, peer, PT_GONE_SILENT, "the connection to the worker broke");
}

static void on_alive(pt_scheduler_t *self, const pt_uuid_t *instance)
{
    pt_peer_t *worker = zhashx_lookup(self->by_instance[PT_WORKERS], instance);
    if (worker)
        pt_session_alive(self, worker);
}

static void on_rights(pt_scheduler_t *self, const pt_input_t *input)
{
    for (int side = 0; side < PT_SIDES; side++) {
        pt_peer_t *next = TAILQ_FIRST(&self->peers[side]);
        while (next) {
            pt_peer_t *peer = next;
            next = TAILQ_NEXT(peer, link);
            if (!input->stands(input->arg, peer->right))
                pt_session_end(self, peer, PT_GONE_SILENT,
                               "the worker's certificate was changed or removed");
        }
    }
}

/* What is queued goes back to the leader; what runs moves on with its worker, which names it at its
   next hello. */
static void on_end(pt_scheduler_t *self)
{
    for (size_t i = 0; i < self->type_count; i++)
        pt_work_return(self, self->types[i], "the broker stops");
    for (int side = 0; side < PT_SIDES; side++) {
        pt_peer_t *peer;
        TAILQ_FOREACH(peer, &self->peers[side], link)
        pt_say_bye(self, peer, "the broker stops");
    }
}

void pt_scheduler_step(pt_scheduler_t *self, int64_t now, const pt_input_t *input)
{
    self->now = now;
    advance(&self->clock, now);
    switch (input->kind) {
    case PT_IN_MESSAGE:
        on_message(self, input);
        break;
    case PT_IN_ALIVE:
        on_alive(self, input->instance);
        break;
    case PT_IN_LOST:
        on_lost(self, input->from);
        break;
    case PT_IN_ADMIT:
        self->admit = input->admit;
        break;
    case PT_IN_TICK:
        on_tick(self, input);
        break;
    case PT_IN_RIGHTS:
        on_rights(self, input);
        break;
    case PT_IN_END:
        on_end(self);
        break;
    }
    pt_work_dispatch(self);
}

/* ---- numbers ----------------------------------------------------------------------------- */

const char *pt_drop_name(pt_drop_t drop)
{
    static const char *const names[PT_DROPS] = {"wrong session",
                                                "verb not for this side",
                                                "duplicate job",
                                                "job beyond credit",
                                                "about no such job",
                                                "hello refused",
                                                "chunk that is not under way"};
    return names[drop];
}

static uint64_t unused_credit(const pt_scheduler_t *self, const pt_type_t *type)
{
    uint64_t sum = 0;
    const pt_peer_t *gateway;
    TAILQ_FOREACH(gateway, &self->peers[PT_GATEWAYS], link)
    {
        const pt_account_t *account = &gateway->accounts[type->index];
        sum += account->given > account->received ? account->given - account->received : 0;
    }
    return sum;
}

void pt_scheduler_stats(const pt_scheduler_t *self, pt_scheduler_stats_t *stats)
{
    memset(stats, 0, sizeof *stats);
    stats->gateways = self->peer_count[PT_GATEWAYS];
    stats->workers = self->peer_count[PT_WORKERS];
    stats->heard = self->heard_count;
    stats->bytes = self->bytes;
    memcpy(stats->drops, self->drops, sizeof stats->drops);
    stats->type_count = self->type_count;
    for (size_t i = 0; i < self->type_count; i++) {
        const pt_type_t *type = self->types[i];
        stats->queued += type->queued;
        stats->leased += type->leased;
        stats->types[i] = (pt_type_stats_t){type->name,   type->slots,  type->seats.free,
                                            type->queued, type->leased, unused_credit(self, type)};
    }
}
