/* A scheduler without a network: peers are small numbers, what it says is kept in a list. */
#ifndef WORLD_H
#define WORLD_H

#include "broker/scheduler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PEERS 64
#define TYPE "humanization"

/* A peer of the tests: gateways are 0 to 31, workers 32 to 63. */
typedef int peer_t;
#define G(N) (N)
#define W(N) (32 + (N))

typedef struct {
    peer_t to;
    pt_msg_t msg; /* of `jobs` a copy */
    size_t size;  /* of its payload */
    char payload[16];
} said_t;

typedef struct {
    pt_scheduler_t *scheduler;
    int64_t now, events_at; /* events_at < 0: as now */
    said_t *said;           /* since world_clear */
    size_t count, room;
    uint8_t sessions[PEERS][PT_SESSION_SIZE]; /* as welcomed last */
    bool welcomed[PEERS];
    uint64_t rights[PEERS]; /* numbers of their certificates; 0 as without CURVE */
    uint64_t seed;
} world_t;

void world_open(world_t *self, uint64_t seed);
void world_close(world_t *self);
void world_clear(world_t *self);
uint64_t world_random(world_t *self);
pt_uuid_t uuid_of(uint64_t n);

/* Hands it in from that peer, in its session; clears `msg`. */
void world_step(world_t *self, peer_t from, pt_msg_t *msg, const char *payload);
void world_lost(world_t *self, peer_t peer);
/* Time passes, as the loop of a broker lets it: a tick each 100 ms. */
void world_pass(world_t *self, int64_t ms);
/* The same, while these peers beat (and workers say alive) each 500 ms; ends with -1. */
void world_live(world_t *self, int64_t ms, const peer_t *peers);
void world_tick(world_t *self, bool drained);
pt_scheduler_stats_t world_stats(world_t *self);

/* hello; `instance` is a number, the machine "machine N" of the peer if NULL. */
void say_hello(world_t *self, peer_t from, uint64_t instance, const char *machine, uint64_t slots);
void say_hello_holding(world_t *self, peer_t from, uint64_t instance, uint64_t slots,
                       const uint64_t *leases, const uint64_t *unsettled, uint32_t attempt);
void say_beat(world_t *self, peer_t from, bool leader);
void say_alive(world_t *self, uint64_t instance);
void say_credit(world_t *self, peer_t from, uint64_t n);
void say_job(world_t *self, peer_t from, uint64_t job, uint64_t org, uint32_t attempt);
void say_stop(world_t *self, peer_t from, uint64_t job, uint32_t attempt);
void say_settled(world_t *self, peer_t from, uint64_t job, uint32_t attempt);
void say_gone(world_t *self, peer_t from, uint64_t job, uint32_t attempt);
/* A fetch of job's chunk at that place, and the answer, whose payload is `bytes`. */
void say_fetch(world_t *self, peer_t from, uint64_t job, uint32_t attempt, uint64_t chunk);
void say_chunk(world_t *self, peer_t from, uint64_t job, uint32_t attempt, uint64_t chunk,
               const char *bytes);
void say_bye(world_t *self, peer_t from);
void say_have(world_t *self, peer_t from, uint64_t round, const uint64_t *jobs, uint32_t attempt);

/* A worker with instance = its number, heard on both paths, with credit for its slots. */
void add_worker(world_t *self, peer_t worker, uint64_t slots);
/* A gateway in session; G(0) leads. */
void add_gateway(world_t *self, peer_t gateway);

/* The n-th (from 0) of what was said with this verb to this peer; NULL if there are fewer. */
const said_t *said(const world_t *self, peer_t to, pt_verb_t verb, size_t n);
size_t times_said(const world_t *self, peer_t to, pt_verb_t verb);
/* Whether it was said about this job. */
const said_t *said_of(const world_t *self, peer_t to, pt_verb_t verb, uint64_t job);
/* Whether a gone says certain and handed back. */
bool handed_back(const said_t *gone);
uint64_t credit_told(const world_t *self, peer_t to);

/* A worker that takes `n` jobs, so that all others queue. */
void occupy(world_t *self, uint64_t n);

#endif
