#include "tests/simulation/seed.h"

#include "tests/simulation/broker.h"
#include "tests/simulation/database.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/gateway.h"
#include "tests/simulation/network.h"
#include "tests/simulation/rest.h"
#include "tests/simulation/subscriber.h"
#include "tests/simulation/worker.h"

#include <stdio.h>

#define LOOK (250 * MS) /* how often it is looked whether all is done */

typedef struct {
    world_t world;
    bool at_rest;
} seed_t;

/* ---- how hard it is ---------------------------------------------------------------------- */

/* 0 in half of the seeds. */
static int maybe(random_t *random, int most)
{
    return random_chance(random, 500) ? (int)random_between(random, 1, most) : 0;
}

static void draw_size(settings_t *settings, random_t *random)
{
    settings->gateways = (int)random_between(random, 1, GATEWAYS_MAX);
    settings->workers = (int)random_between(random, 1, WORKERS_MAX);
    bool alike = random_chance(random, 400); /* all jobs wait for each other */
    settings->orgs = alike ? 1 : (int)random_between(random, 1, ORGS_MAX);
    settings->types = alike ? 1 : (int)random_between(random, 1, TYPES_MAX);
    settings->jobs = (int)random_between(random, 3, 50);
    if (random_chance(random, 15)) /* more than brokers have room for */
        settings->jobs = (int)random_between(random, 150, 250);
    settings->chaos_us = random_between(random, 5, 45) * SECOND;
    if (random_chance(random, 200)) { /* a long one */
        settings->chaos_us = random_between(random, 60, 300) * SECOND;
        settings->jobs = (int)random_between(random, 50, 250);
    }
    settings->batch_max = (int)random_between(random, 1, 32);
    settings->facts_max = (int)random_between(random, 3, 64);
    settings->page_max = (int)random_between(random, 2, 32);
    settings->broker_bytes =
        random_chance(random, 200) ? (size_t)random_between(random, 1, 40) : 1048576;
    settings->cancel = maybe(random, 400);
    settings->large = random_chance(random, 150) ? (int)random_between(random, 50, 400) : 0;
    settings->large_inputs = random_chance(random, 150) ? (int)random_between(random, 50, 400) : 0;
    settings->fetch_loss = random_chance(random, 150) ? 990 : maybe(random, 60);
    settings->supply_bytes = (size_t)random_between(random, 100, 1500) * 1000;
    settings->logs = random_chance(random, 250) ? (int)random_between(random, 100, 1000) : 0;
    settings->versions = random_chance(random, 200) ? (int)random_between(random, 1, 6) : 0;
    settings->spool_fails = maybe(random, 50);
    settings->queue_timeout_us = 86400 * (int64_t)SECOND;
    if (random_chance(random, 300)) { /* else all must be served in the end */
        settings->queue_timeout_us = random_between(random, 200, 8000) * MS;
        settings->picky = random_chance(random, 500);
    }
}

/* In a fifth of the seeds one limit or several, of an organisation, a type or both. */
static void draw_limits(settings_t *settings, random_t *random)
{
    bool any = random_chance(random, 200);
    for (int org = 0; org <= ORGS_MAX; org++)
        for (int type = 0; any && type <= TYPES_MAX; type++)
            if ((org != ANY_ORG || type != ANY_TYPE) && random_chance(random, 250))
                settings->limits[org][type] = (int)random_between(random, 1, 4);
    for (int org = 0; org < ORGS_MAX; org++)
        settings->weights[org] =
            random_chance(random, 600) ? 1 : (int)random_between(random, 1, 10);
}

static void draw_trouble(settings_t *settings, random_t *random)
{
    settings->fault_every = random_chance(random, 900) ? random_between(random, 50, 1500) * MS : 0;
    settings->faults = random_bits(random) | random_bits(random);
    settings->event_loss = maybe(random, 300);
    settings->event_twice = maybe(random, 100);
    settings->slow = maybe(random, 300);
    settings->slow_us = random_between(random, 1, 400) * MS;
    settings->send_fails = maybe(random, 3);
    settings->db_away = maybe(random, random_chance(random, 200) ? 400 : 80);
    settings->db_locked = maybe(random, 50);
    settings->db_slow = maybe(random, random_chance(random, 200) ? 250 : 30);
    if (settings->queue_timeout_us < 60 * (int64_t)SECOND && random_chance(random, 400)) {
        /* What has expired may be handed out before that is recorded; few faults beside it, because
           each makes the leader wait longer before it calls a type unserved. */
        settings->db_slow = 300;
        settings->faults &= random_bits(random) & random_bits(random);
        settings->faults |= (uint64_t)1 << FAULT_FLEET_DIES;
        settings->fault_every = random_between(random, 300, 900) * MS;
        settings->cancel = maybe(random, 700);
    }
}

/* ---- its nodes --------------------------------------------------------------------------- */

static void init_node(world_t *world, node_t *node, kind_t kind, int index)
{
    node->kind = kind;
    node->index = index;
    node->rate = 1 + (double)random_between(&world->random, -20, 20) / 1000;
    node->offset = random_between(&world->random, 1000, 1000000);
    node->wall = random_chance(&world->random, 300)
                     ? random_between(&world->random, -3600, 3600) * SECOND
                     : random_between(&world->random, -50, 50) * MS;
}

static void make_nodes(world_t *world)
{
    init_node(world, &world->database_node, DATABASE, 0);
    init_node(world, &world->client, CLIENT, 0);
    world->database_node.up = world->client.up = true;
    for (int i = 0; i < GATEWAYS_MAX; i++)
        init_node(world, &world->gateways[i], GATEWAY, i);
    for (int i = 0; i < BROKERS; i++)
        init_node(world, &world->brokers[i], BROKER, i);
    for (int i = 0; i < WORKERS_MAX; i++)
        init_node(world, &world->workers[i], WORKER, i);
    for (int i = 0; i < ORGS_MAX; i++)
        init_node(world, &world->subscribers[i], SUBSCRIBER, i);
}

static void start_all(world_t *world)
{
    for (int i = 0; i < BROKERS; i++)
        broker_start(world, &world->brokers[i]);
    for (int i = 0; i < world->settings.gateways; i++)
        gateway_start(world, &world->gateways[i]);
    for (int i = 0; i < world->settings.workers; i++)
        worker_start(world, &world->workers[i]);
    for (int i = 0; i < world->settings.orgs; i++)
        subscriber_start(world, &world->subscribers[i]);
}

/* ---- rest -------------------------------------------------------------------------------- */

static void on_look(world_t *world, node_t *client, event_t *event)
{
    seed_t *self = (seed_t *)world;
    int64_t since = world->now - event->number;
    const char *why = unrest(world);
    check_not_stuck(world, since);
    self->at_rest = !why;
    if (self->at_rest && (uint64_t)since / MS > world->coverage->most_settle_ms)
        world->coverage->most_settle_ms = (uint64_t)since / MS;
    if (why && since > (int64_t)REST_WITHIN * SECOND)
        broken(world, "%d s after all faults, %s", REST_WITHIN, why);
    after(world, client, LOOK, on_look, event->number, NULL);
}

static void on_calm(world_t *world, node_t *client, event_t *event)
{
    (void)event;
    faults_end(world);
    after(world, client, LOOK, on_look, world->now, NULL);
}

/* ---- the run ----------------------------------------------------------------------------- */

static void clear(world_t *world)
{
    for (int i = 0; i < BROKERS; i++)
        if (world->brokers[i].up)
            broker_die(world, &world->brokers[i]);
    for (int i = 0; i < world->settings.gateways; i++)
        if (world->gateways[i].up)
            gateway_die(world, &world->gateways[i]);
    for (int i = 0; i < world->settings.workers; i++)
        if (world->workers[i].up)
            worker_die(world, &world->workers[i]);
    for (int i = 0; i < world->settings.orgs; i++)
        subscriber_stop(world, &world->subscribers[i]);
    world_clear_queue(world);
    network_destroy(world);
    database_destroy(world);
    free(world->jobs);
}

static void run(seed_t *self)
{
    world_t *world = &self->world;
    const settings_t *settings = &world->settings;
    trace(world, &world->client,
          "%d gateways, %d workers, %d organisations, %d types, %d jobs, faults %llx for %.0f s, "
          "database slow %d away %d, queue time-out %.1f s",
          settings->gateways, settings->workers, settings->orgs, settings->types, settings->jobs,
          (unsigned long long)settings->faults, (double)settings->chaos_us / SECOND,
          settings->db_slow, settings->db_away, (double)settings->queue_timeout_us / SECOND);
    start_all(world);
    clients_start(world);
    faults_start(world);
    after(world, &world->client, world->settings.chaos_us, on_calm, 0, NULL);
    while (!self->at_rest && !world->failed && world_step(world))
        if (world->ambush)
            faults_look(world);
    if (!world->failed)
        database_check_end(world);
}

bool seed_run(uint64_t seed, coverage_t *coverage, void (*trace)(const char *line), char *why,
              size_t why_size)
{
    seed_t self = {.world.random.state = seed * 1000003, .world.coverage = coverage};
    world_t *world = &self.world;
    world->tracing = trace != NULL;
    world->show = trace;
    draw_size(&world->settings, &world->random);
    draw_limits(&world->settings, &world->random);
    draw_trouble(&world->settings, &world->random);
    make_nodes(world);
    network_new(world);
    database_new(world);
    jobs_new(world);
    run(&self);
    coverage->seeds++;
    coverage->steps += world->steps;
    snprintf(why, why_size, "%s", world->why);
    world->tracing = false;
    clear(world);
    return !world->failed;
}
