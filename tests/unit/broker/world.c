#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t world_random(world_t *self)
{
    uint64_t z = self->seed += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

pt_uuid_t uuid_of(uint64_t n)
{
    pt_uuid_t uuid = {{0}};
    memcpy(uuid.bytes + 8, &n, sizeof n);
    return uuid;
}

static pt_route_t route_of(peer_t peer)
{
    pt_route_t route = {.side = peer < 32 ? PT_GATEWAYS : PT_WORKERS, .size = 5};
    route.bytes[4] = (uint8_t)(peer % 32);
    return route;
}

static void keep(void *arg, const pt_route_t *to, const pt_msg_t *msg, void *payload, size_t size)
{
    world_t *self = arg;
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 16;
        self->said = realloc(self->said, self->room * sizeof *self->said);
        assert_non_null(self->said);
    }
    said_t *said = &self->said[self->count++];
    *said = (said_t){.to = to->bytes[4] + (to->side == PT_WORKERS ? 32 : 0), .msg = *msg};
    said->msg.jobs = (pt_refs_t){0};
    for (size_t i = 0; i < msg->jobs.count; i++)
        pt_msg_add_ref(&said->msg, PT_F_JOBS, &msg->jobs.items[i].job_id,
                       msg->jobs.items[i].attempt, msg->jobs.items[i].job_type);
    said->size = size;
    memcpy(said->payload, payload ? payload : "", size < 16 ? size : 16);
    free(payload);
    if (msg->verb == PT_WELCOME) {
        memcpy(self->sessions[said->to], msg->session, PT_SESSION_SIZE);
        self->welcomed[said->to] = true;
    }
}

static void draw(void *arg, void *data, size_t size)
{
    uint64_t n = world_random(arg);
    assert_true(size <= sizeof n);
    memcpy(data, &n, size);
}

void world_open(world_t *self, uint64_t seed)
{
    memset(self, 0, sizeof *self);
    self->seed = seed;
    self->now = 1000000;
    self->events_at = -1;
    self->scheduler = pt_scheduler_new(
        &(pt_scheduler_config_t){.send = keep, .random = draw, .arg = self, .max_bytes = 4096});
    world_tick(self, true);
}

void world_clear(world_t *self)
{
    while (self->count > 0)
        pt_msg_clear(&self->said[--self->count].msg);
}

void world_close(world_t *self)
{
    world_clear(self);
    pt_scheduler_destroy(&self->scheduler);
    free(self->said);
}

void world_step(world_t *self, peer_t from, pt_msg_t *msg, const char *payload)
{
    pt_route_t route = route_of(from);
    if (msg->verb != PT_HELLO && msg->verb != PT_HELLO_AGAIN && !pt_msg_has(msg, PT_F_SESSION)) {
        memcpy(msg->session, self->sessions[from], PT_SESSION_SIZE);
        pt_msg_set(msg, PT_F_SESSION);
    }
    pt_scheduler_step(self->scheduler, self->now,
                      &(pt_input_t){.kind = PT_IN_MESSAGE,
                                    .from = &route,
                                    .right = self->rights[from],
                                    .msg = msg,
                                    .payload = payload,
                                    .size = payload ? strlen(payload) : 0});
    pt_msg_clear(msg);
}

void world_lost(world_t *self, peer_t peer)
{
    pt_route_t route = route_of(peer);
    pt_scheduler_step(self->scheduler, self->now,
                      &(pt_input_t){.kind = PT_IN_LOST, .from = &route});
}

void world_tick(world_t *self, bool drained)
{
    int64_t events_at = self->events_at < 0 ? self->now : self->events_at;
    pt_scheduler_step(
        self->scheduler, self->now,
        &(pt_input_t){.kind = PT_IN_TICK, .drained = drained, .events_at = events_at});
}

void world_pass(world_t *self, int64_t ms)
{
    for (; ms > 0; ms -= 100) {
        self->now += ms < 100 ? ms : 100;
        world_tick(self, true);
    }
}

void world_live(world_t *self, int64_t ms, const peer_t *peers)
{
    for (; ms > 0; ms -= 500) {
        for (const peer_t *peer = peers; *peer >= 0; peer++) {
            say_beat(self, *peer, *peer == G(0));
            if (*peer >= 32)
                say_alive(self, (uint64_t)*peer);
        }
        world_pass(self, ms < 500 ? ms : 500);
    }
}

pt_scheduler_stats_t world_stats(world_t *self)
{
    pt_scheduler_stats_t stats;
    pt_scheduler_stats(self->scheduler, &stats);
    return stats;
}

/* ---- what peers say ---------------------------------------------------------------------- */

static void start_hello(pt_msg_t *msg, peer_t from, uint64_t instance, const char *machine,
                        uint64_t slots)
{
    char own[32];
    snprintf(own, sizeof own, "machine %d", from);
    pt_msg_init(msg, PT_HELLO);
    pt_msg_set_text(msg, PT_F_ROLE, from < 32 ? "gateway" : "worker");
    pt_msg_set_text(msg, PT_F_MACHINE, machine ? machine : own);
    msg->instance = uuid_of(instance);
    if (from >= 32)
        pt_counts_set(&msg->slots, TYPE, slots);
}

void say_hello(world_t *self, peer_t from, uint64_t instance, const char *machine, uint64_t slots)
{
    pt_msg_t msg;
    start_hello(&msg, from, instance, machine, slots);
    world_step(self, from, &msg, NULL);
}

static void add_refs(pt_msg_t *msg, pt_field_t field, const uint64_t *jobs, uint32_t attempt)
{
    for (; jobs && *jobs; jobs++) {
        pt_uuid_t job = uuid_of(*jobs);
        pt_msg_add_ref(msg, field, &job, attempt, TYPE);
    }
}

void say_hello_holding(world_t *self, peer_t from, uint64_t instance, uint64_t slots,
                       const uint64_t *leases, const uint64_t *unsettled, uint32_t attempt)
{
    pt_msg_t msg;
    start_hello(&msg, from, instance, NULL, slots);
    add_refs(&msg, PT_F_LEASES, leases, attempt);
    add_refs(&msg, PT_F_UNSETTLED, unsettled, attempt);
    world_step(self, from, &msg, NULL);
}

void say_beat(world_t *self, peer_t from, bool leader)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_BEAT);
    msg.leader = leader;
    if (from < 32)
        pt_msg_set(&msg, PT_F_LEADER);
    world_step(self, from, &msg, NULL);
}

void say_alive(world_t *self, uint64_t instance)
{
    pt_uuid_t uuid = uuid_of(instance);
    pt_scheduler_step(self->scheduler, self->now,
                      &(pt_input_t){.kind = PT_IN_ALIVE, .instance = &uuid});
}

void say_credit(world_t *self, peer_t from, uint64_t n)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_CREDIT);
    pt_counts_set(&msg.credit, TYPE, n);
    world_step(self, from, &msg, NULL);
}

static void start_job(pt_msg_t *msg, pt_verb_t verb, uint64_t job, uint32_t attempt)
{
    pt_msg_init(msg, verb);
    msg->job_id = uuid_of(job);
    msg->attempt = attempt;
}

void say_job(world_t *self, peer_t from, uint64_t job, uint64_t org, uint32_t attempt)
{
    pt_msg_t msg;
    char payload[16];
    start_job(&msg, PT_JOB, job, attempt);
    msg.org_id = uuid_of(org);
    pt_msg_set_text(&msg, PT_F_JOB_TYPE, TYPE);
    snprintf(payload, sizeof payload, "inputs %d", (int)job % 10000);
    world_step(self, from, &msg, payload);
}

void say_stop(world_t *self, peer_t from, uint64_t job, uint32_t attempt)
{
    pt_msg_t msg;
    start_job(&msg, PT_STOP, job, attempt);
    world_step(self, from, &msg, NULL);
}

void say_settled(world_t *self, peer_t from, uint64_t job, uint32_t attempt)
{
    pt_msg_t msg;
    start_job(&msg, PT_SETTLED, job, attempt);
    pt_msg_set_text(&msg, PT_F_OUTCOME, "refused");
    pt_msg_set_text(&msg, PT_F_REASON, "too good");
    world_step(self, from, &msg, NULL);
}

void say_gone(world_t *self, peer_t from, uint64_t job, uint32_t attempt)
{
    pt_msg_t msg;
    start_job(&msg, PT_GONE, job, attempt);
    msg.certain = msg.handed_back = true;
    pt_msg_set(&msg, PT_F_HANDED_BACK);
    world_step(self, from, &msg, NULL);
}

void say_fetch(world_t *self, peer_t from, uint64_t job, uint32_t attempt, uint64_t chunk)
{
    pt_msg_t msg;
    start_job(&msg, PT_FETCH, job, attempt);
    msg.offset = chunk * PT_CHUNK_MAX;
    world_step(self, from, &msg, NULL);
}

void say_chunk(world_t *self, peer_t from, uint64_t job, uint32_t attempt, uint64_t chunk,
               const char *bytes)
{
    pt_msg_t msg;
    start_job(&msg, PT_CHUNK, job, attempt);
    msg.offset = chunk * PT_CHUNK_MAX;
    world_step(self, from, &msg, bytes);
}

void say_bye(world_t *self, peer_t from)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_BYE);
    world_step(self, from, &msg, NULL);
}

void say_have(world_t *self, peer_t from, uint64_t round, const uint64_t *jobs, uint32_t attempt)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_HAVE);
    msg.round = round;
    add_refs(&msg, PT_F_JOBS, jobs, attempt);
    world_step(self, from, &msg, NULL);
}

void add_worker(world_t *self, peer_t worker, uint64_t slots)
{
    say_hello(self, worker, (uint64_t)worker, NULL, slots);
    say_alive(self, (uint64_t)worker);
    say_credit(self, worker, slots);
    world_tick(self, true);
}

void add_gateway(world_t *self, peer_t gateway)
{
    say_hello(self, gateway, (uint64_t)gateway, NULL, 0);
    say_beat(self, gateway, gateway == G(0));
    world_tick(self, true);
}

/* ---- what it said ------------------------------------------------------------------------ */

const said_t *said(const world_t *self, peer_t to, pt_verb_t verb, size_t n)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->said[i].to == to && self->said[i].msg.verb == verb && n-- == 0)
            return &self->said[i];
    return NULL;
}

size_t times_said(const world_t *self, peer_t to, pt_verb_t verb)
{
    size_t n = 0;
    while (said(self, to, verb, n))
        n++;
    return n;
}

const said_t *said_of(const world_t *self, peer_t to, pt_verb_t verb, uint64_t job)
{
    pt_uuid_t uuid = uuid_of(job);
    const said_t *found;
    for (size_t n = 0; (found = said(self, to, verb, n)); n++)
        if (pt_uuid_equal(&found->msg.job_id, &uuid))
            return found;
    return NULL;
}

bool handed_back(const said_t *gone)
{
    return gone && gone->msg.certain && pt_msg_has(&gone->msg, PT_F_HANDED_BACK);
}

uint64_t credit_told(const world_t *self, peer_t to)
{
    size_t n = times_said(self, to, PT_CREDIT);
    return n ? pt_counts_get(&said(self, to, PT_CREDIT, n - 1)->msg.credit, TYPE) : 0;
}

void occupy(world_t *self, uint64_t n)
{
    add_worker(self, W(0), n);
    for (uint64_t job = 1; job <= n; job++)
        say_job(self, G(0), job, 99, 1);
    world_clear(self);
}
