/* Random gateways and workers, 200,000 steps from a seed: after each, what the scheduler holds must
   be consistent in itself and with what it said. PT_SEED and PT_STEPS choose others. */
#include "broker/share.h"
#include "consistent.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#define GATEWAYS 3
#define WORKERS 6
#define JOBS 400 /* ids in use at a time; each attempt is sent as a new one */
#define SLOTS 5

/* What the test knows of a job from what it said and heard. */
typedef struct {
    uint32_t attempt;
    bool held;     /* the scheduler took it, and has not said or been told that it is over */
    peer_t worker; /* who got it or named it at hello; -1: nobody */
} job_t;

typedef struct {
    world_t world;
    job_t jobs[JOBS + 1]; /* the id is the index; 0 is unused */
    uint64_t instances[PEERS], next_instance;
    uint64_t sent[PEERS];                 /* gateways: jobs, workers: credit said */
    uint64_t credit[PEERS], taken[PEERS]; /* gateways: as told; workers: jobs got in the session */
    bool in[PEERS];                       /* in session, as the test knows it */
    bool calm;                            /* one gateway, workers only come: the room only grows */
} model_t;

static uint64_t below(model_t *self, uint64_t n)
{
    return world_random(&self->world) % n;
}

static peer_t any_gateway(model_t *self)
{
    return G((peer_t)below(self, self->calm ? 1 : GATEWAYS));
}

static peer_t any_worker(model_t *self)
{
    return W((peer_t)below(self, WORKERS));
}

static void check_room(model_t *self)
{
    pt_scheduler_stats_t stats = world_stats(&self->world);
    if (stats.type_count == 0)
        return;
    uint64_t room = stats.types[0].slots + PT_SLACK, held = stats.queued + stats.leased;
    if (self->calm)
        assert_true(stats.types[0].credit + held <= room);
    uint64_t most = WORKERS * SLOTS + PT_SLACK; /* the room that there ever was */
    assert_true(stats.types[0].credit <= GATEWAYS * most);
    assert_true(stats.queued <= GATEWAYS * most + most);
    assert_true(stats.bytes <= 4096);
}

/* ---- the scheduler and what it says ------------------------------------------------------ */

static job_t *job_of(model_t *self, const pt_uuid_t *id)
{
    uint64_t n;
    memcpy(&n, id->bytes + 8, sizeof n);
    assert_in_range(n, 1, JOBS);
    return &self->jobs[n];
}

static void hear_job(model_t *self, const said_t *said)
{
    job_t *job = job_of(self, &said->msg.job_id);
    assert_true(job->held);
    assert_int_equal(job->worker, -1); /* an attempt is given to one worker, once */
    assert_int_equal(job->attempt, said->msg.attempt);
    job->worker = said->to;
    assert_true(++self->taken[said->to] <= self->sent[said->to]); /* within its credit */
}

static void hear_gone(model_t *self, const said_t *said)
{
    job_t *job = job_of(self, &said->msg.job_id);
    if (job->attempt == said->msg.attempt)
        job->held = false;
}

static void hear_credit(model_t *self, const said_t *said)
{
    uint64_t credit = pt_counts_get(&said->msg.credit, TYPE);
    assert_true(credit >= self->credit[said->to]); /* what was given is never taken back */
    self->credit[said->to] = credit;
}

static void hear(model_t *self, const said_t *said)
{
    if (said->msg.verb == PT_WELCOME) { /* the session is what it was, or all begins anew */
        self->in[said->to] = true;
    } else if (said->msg.verb == PT_HELLO_AGAIN) {
        self->in[said->to] = false;
    } else {
        assert_memory_equal(said->msg.session, self->world.sessions[said->to], PT_SESSION_SIZE);
    }
    if (said->msg.verb == PT_JOB)
        hear_job(self, said);
    if (said->msg.verb == PT_GONE)
        hear_gone(self, said);
    if (said->msg.verb == PT_CREDIT && said->to < 32)
        hear_credit(self, said);
}

static void hear_all(model_t *self)
{
    for (size_t i = 0; i < self->world.count; i++)
        hear(self, &self->world.said[i]);
    world_clear(&self->world);
}

/* have? for all jobs must name exactly those that the test takes for held. */
static void check_have(model_t *self)
{
    uint64_t asked[2] = {0, 0};
    for (uint64_t id = 1; id <= JOBS; id += 1 + below(self, 40)) {
        if (self->jobs[id].attempt == 0)
            continue;
        asked[0] = id;
        say_have(&self->world, G(0), id, asked, self->jobs[id].attempt);
        const said_t *answer = said(&self->world, G(0), PT_HAVE, 0);
        assert_int_equal(answer->msg.jobs.count, self->jobs[id].held);
        hear_all(self);
    }
}

/* ---- what may happen --------------------------------------------------------------------- */

static void forget_session(model_t *self, peer_t peer)
{
    self->sent[peer] = self->credit[peer] = self->taken[peer] = 0;
    self->in[peer] = false;
}

static void gateway_hello(model_t *self)
{
    peer_t gateway = any_gateway(self);
    if (self->in[gateway])
        return;
    forget_session(self, gateway);
    say_hello(&self->world, gateway, 1 + (uint64_t)gateway, NULL, 0);
}

/* A worker that comes anew, or the same under another routing id, or under the same again. */
static void worker_hello(model_t *self)
{
    peer_t worker = any_worker(self);
    uint64_t leases[JOBS + 1] = {0}, *next = leases;
    if (self->in[worker])
        return;
    forget_session(self, worker);
    bool again = self->instances[worker] && below(self, 2);
    if (!again)
        self->instances[worker] = ++self->next_instance + 1000;
    uint32_t attempt = 0;
    for (uint64_t id = 1; again && id <= JOBS && next < leases + 8; id++)
        if (self->jobs[id].worker == worker && (!attempt || attempt == self->jobs[id].attempt)) {
            attempt = self->jobs[id].attempt;
            self->jobs[id].held = true;
            *next++ = id;
        }
    say_hello_holding(&self->world, worker, self->instances[worker], SLOTS, leases, NULL, attempt);
}

static void leave(model_t *self)
{
    peer_t peer = below(self, 2) ? any_worker(self) : any_gateway(self);
    if (self->calm || peer == G(0) || !self->in[peer])
        return;
    if (below(self, 2))
        say_bye(&self->world, peer);
    else
        world_lost(&self->world, peer);
    hear_all(self);
    forget_session(self, peer);
}

static void beat(model_t *self)
{
    peer_t peer = below(self, 2) ? any_worker(self) : any_gateway(self);
    if (self->in[peer])
        say_beat(&self->world, peer, peer == G(0));
}

static void alive(model_t *self)
{
    peer_t worker = any_worker(self);
    if (self->in[worker])
        say_alive(&self->world, self->instances[worker]);
}

static void credit(model_t *self)
{
    peer_t worker = any_worker(self);
    if (!self->in[worker])
        return;
    uint64_t most = self->taken[worker] + SLOTS;
    uint64_t n = self->taken[worker] + below(self, SLOTS + 1);
    if (n > self->sent[worker] && n <= most)
        self->sent[worker] = n;
    say_credit(&self->world, worker, n);
}

static void send_job(model_t *self)
{
    peer_t gateway = any_gateway(self);
    uint64_t id = 1 + below(self, JOBS);
    job_t *job = &self->jobs[id];
    bool beyond = self->sent[gateway] >= self->credit[gateway];
    if (!self->in[gateway] || (beyond && below(self, 20)))
        return;
    self->sent[gateway]++;
    bool again = job->held && below(self, 4) == 0;
    if (!again)
        *job = (job_t){job->attempt + 1, true, -1}; /* hear_gone takes it back */
    say_job(&self->world, gateway, id, below(self, 5), job->attempt);
}

static void settle(model_t *self)
{
    job_t *job = &self->jobs[1 + below(self, JOBS)];
    peer_t gateway = any_gateway(self);
    if (!self->in[gateway] || job->worker < 0)
        return;
    say_settled(&self->world, gateway, (uint64_t)(job - self->jobs), job->attempt);
    job->held = false;
    job->worker = -1;
}

static void stop(model_t *self)
{
    job_t *job = &self->jobs[1 + below(self, JOBS)];
    peer_t gateway = any_gateway(self);
    if (!self->in[gateway] || below(self, 4))
        return;
    say_stop(&self->world, gateway, (uint64_t)(job - self->jobs), job->attempt);
    job->held = false;
    job->worker = -1;
}

static void hand_back(model_t *self)
{
    peer_t worker = any_worker(self);
    job_t *job = &self->jobs[1 + below(self, JOBS)];
    if (self->in[worker] && job->worker == worker) {
        say_gone(&self->world, worker, (uint64_t)(job - self->jobs), job->attempt);
        job->worker = -1;
    }
}

static void time_passes(model_t *self)
{
    if (!self->calm && below(self, 1000) == 0)
        self->world.now += 5000;
    world_pass(&self->world, (int64_t)below(self, self->calm ? 20 : 60));
}

typedef void action_t(model_t *self);

static action_t *const actions[] = {
    gateway_hello, worker_hello, beat,     beat,     beat,   alive,     alive,
    credit,        credit,       credit,   send_job, settle, settle,    settle,
    send_job,      send_job,     send_job, stop,     leave,  hand_back, time_passes,
};
#define ACTIONS (sizeof actions / sizeof *actions)

/* The peers that the scheduler has dropped in silence know nothing of it yet. */
static void notice_lost_sessions(model_t *self)
{
    const pt_peer_t *peer;
    bool there[PEERS] = {false};
    for (int side = 0; side < PT_SIDES; side++)
        TAILQ_FOREACH(peer, &self->world.scheduler->peers[side], link)
    there[peer->route.bytes[4] + (side == PT_WORKERS ? 32 : 0)] = true;
    for (peer_t p = 0; p < PEERS; p++)
        if (self->in[p] && !there[p])
            forget_session(self, p);
}

/* The one that leads is always there, so that every gone is heard. */
static void keep_leader(model_t *self)
{
    if (!self->in[G(0)]) {
        forget_session(self, G(0));
        say_hello(&self->world, G(0), 1, NULL, 0);
    }
    say_beat(&self->world, G(0), true);
    hear_all(self);
}

static void run_model(bool calm, uint64_t seed, uint64_t steps)
{
    model_t *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->calm = calm;
    world_open(&self->world, seed);
    for (uint64_t i = 0; i <= JOBS; i++)
        self->jobs[i].worker = -1;
    for (uint64_t i = 0; i < steps; i++) {
        keep_leader(self);
        actions[below(self, ACTIONS)](self);
        hear_all(self);
        notice_lost_sessions(self);
        check_room(self);
        if (i % 16 == 0)
            check_scheduler(self->world.scheduler);
        if (i % 256 == 0)
            check_have(self);
    }
    pt_scheduler_stats_t stats = world_stats(&self->world);
    print_message("seed %llu: %zu queued, %zu leased, %zu workers, dropped %llu duplicates, "
                  "%llu beyond credit\n",
                  (unsigned long long)seed, stats.queued, stats.leased, stats.workers,
                  (unsigned long long)stats.drops[PT_DROP_DUPLICATE],
                  (unsigned long long)stats.drops[PT_DROP_BEYOND]);
    assert_true(stats.drops[PT_DROP_DUPLICATE] > 0); /* it did happen */
    world_close(&self->world);
    free(self);
}

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void anything_at_all_leaves_it_consistent(void **state)
{
    (void)state;
    run_model(false, number("PT_SEED", 1), number("PT_STEPS", 150000));
}

static void never_more_than_the_room_while_it_only_grows(void **state)
{
    (void)state;
    run_model(true, number("PT_SEED", 2), number("PT_STEPS", 50000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anything_at_all_leaves_it_consistent),
        cmocka_unit_test(never_more_than_the_room_while_it_only_grows),
    };
    return cmocka_run_group_tests_name("broker random", tests, NULL, NULL);
}
