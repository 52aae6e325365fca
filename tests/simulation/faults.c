#include "tests/simulation/faults.h"

#include "tests/simulation/broker.h"
#include "tests/simulation/database.h"
#include "tests/simulation/gateway.h"
#include "tests/simulation/network.h"
#include "tests/simulation/worker.h"

/* ---- who, and in the middle of what ------------------------------------------------------ */

static node_t *any_gateway(world_t *world)
{
    return &world->gateways[draw(world, 0, world->settings.gateways - 1)];
}

static node_t *any_broker(world_t *world)
{
    return &world->brokers[draw(world, 0, BROKERS - 1)];
}

static node_t *any_worker(world_t *world)
{
    return &world->workers[draw(world, 0, world->settings.workers - 1)];
}

static node_t *any_peer(world_t *world)
{
    return random_chance(&world->random, 400) ? any_gateway(world) : any_worker(world);
}

static point_t point_of(const world_t *world, const node_t *node)
{
    switch (node->kind) {
    case GATEWAY:
        return gateway_point(world, node);
    case BROKER:
        return broker_holds(node) > 0 ? POINT_JOBS_HELD : POINT_IDLE;
    case WORKER:
        return worker_point(node);
    default:
        return database_busy(world) ? POINT_TRANSACTION_OPEN : POINT_IDLE;
    }
}

static void cover(world_t *world, fault_t fault, const node_t *node)
{
    world->coverage->faults[fault][point_of(world, node)]++;
}

/* ---- processes --------------------------------------------------------------------------- */

static void start(world_t *world, node_t *node)
{
    node->paused_until = 0;
    if (node->kind == GATEWAY)
        gateway_start(world, node);
    else if (node->kind == BROKER)
        broker_start(world, node);
    else
        worker_start(world, node);
}

static node_t *node_at(world_t *world, int64_t number)
{
    int index = (int)(number & 255);
    return number >> 8 == GATEWAY  ? &world->gateways[index]
           : number >> 8 == BROKER ? &world->brokers[index]
                                   : &world->workers[index];
}

/* Whoever supervises it starts it again, if it is down. */
static void on_supervise(world_t *world, node_t *client, event_t *event)
{
    node_t *node = node_at(world, event->number);
    (void)client;
    if (!node->up)
        start(world, node);
}

static int64_t down_time(world_t *world)
{
    return random_chance(&world->random, 700) ? draw(world, 10 * MS, 1 * SECOND)
                                              : draw(world, 1 * SECOND, 12 * SECOND);
}

/* Often within a peer's patience, sometimes far beyond it. */
static int64_t some_time(world_t *world)
{
    int64_t most = random_chance(&world->random, 500)   ? 2 * SECOND
                   : random_chance(&world->random, 700) ? 9 * SECOND
                                                        : 25 * SECOND;
    return draw(world, 100 * MS, most);
}

static void stop_for_a_while(world_t *world, node_t *node)
{
    int64_t us = some_time(world);
    trace(world, node, "is stopped for %.1f s", (double)us / SECOND);
    if (node->paused_until < world->now + us) /* what it has not read yet keeps its order */
        node->paused_until = world->now + us;
}

static void kill_one(world_t *world, fault_t fault, node_t *node,
                     void (*die)(world_t *world, node_t *node))
{
    if (!node->up)
        return;
    cover(world, fault, node);
    die(world, node);
    after(world, &world->client, down_time(world), on_supervise,
          (int64_t)node->kind << 8 | node->index, NULL);
}

/* ---- what can go wrong ------------------------------------------------------------------- */

static void jump_clock(world_t *world)
{
    node_t *nodes[] = {&world->database_node, any_gateway(world), any_worker(world)};
    node_t *node = nodes[draw(world, 0, 2)];
    int64_t most = node->kind == DATABASE ? 1500 * MS : 3600 * (int64_t)SECOND;
    if (node->up)
        cover(world, FAULT_CLOCK_JUMPS, node);
    node->wall += draw(world, -most, most);
    trace(world, node, "its wall clock jumps");
}

static void trouble_link(world_t *world, fault_t fault)
{
    node_t *peer = any_peer(world);
    int broker = (int)draw(world, 0, BROKERS - 1);
    int64_t us = some_time(world);
    bool up = random_chance(&world->random, 700), down = !up || random_chance(&world->random, 700);
    if (!peer->up)
        return;
    cover(world, fault, peer);
    trace(world, peer, "%s, broker-%d", fault_name(fault), broker + 1);
    if (fault == FAULT_CONNECTION_BREAKS)
        network_break(world, peer, broker);
    else if (fault == FAULT_LINK_STALLS)
        network_stall(world, peer, broker, up, down, us);
    else
        network_deafen(world, peer, broker, us);
    if (fault == FAULT_LINK_STALLS && random_chance(&world->random, 500))
        network_break(world, peer, broker);
}

static void kill_fleet(world_t *world)
{
    int64_t back = draw(world, 6 * SECOND, 20 * SECOND);
    for (int i = 0; i < world->settings.workers; i++) {
        node_t *worker = &world->workers[i];
        if (!worker->up)
            continue;
        cover(world, FAULT_FLEET_DIES, worker);
        worker_die(world, worker);
        after(world, &world->client, back, on_supervise, (int64_t)WORKER << 8 | i, NULL);
    }
}

static void cut_database(world_t *world)
{
    node_t *gateway = any_gateway(world);
    if (!gateway->up)
        return;
    cover(world, FAULT_DATABASE_CUT, gateway);
    database_cut(world, gateway, draw(world, 100 * MS, 6 * SECOND));
}

static void kill_database(world_t *world)
{
    cover(world, FAULT_DATABASE_DIES, &world->database_node);
    database_die(world, draw(world, 100 * MS, 5 * SECOND));
}

static void stop_one(world_t *world, fault_t fault)
{
    node_t *node = fault == FAULT_GATEWAY_STOPS  ? any_gateway(world)
                   : fault == FAULT_BROKER_STOPS ? any_broker(world)
                   : fault == FAULT_WORKER_STOPS ? any_worker(world)
                                                 : &world->database_node;
    if (!node->up)
        return;
    cover(world, fault, node);
    stop_for_a_while(world, node);
}

static void strike(world_t *world, fault_t fault)
{
    switch (fault) {
    case FAULT_GATEWAY_DIES:
        kill_one(world, fault, any_gateway(world), gateway_die);
        break;
    case FAULT_GATEWAY_DRAINS:
        kill_one(world, fault, any_gateway(world), gateway_drain);
        break;
    case FAULT_BROKER_DIES:
        kill_one(world, fault, any_broker(world), broker_die);
        break;
    case FAULT_BROKER_DRAINS:
        kill_one(world, fault, any_broker(world), broker_drain);
        break;
    case FAULT_WORKER_DIES:
        kill_one(world, fault, any_worker(world), worker_die);
        break;
    case FAULT_WORKER_DRAINS:
        kill_one(world, fault, any_worker(world), worker_drain);
        break;
    case FAULT_FLEET_DIES:
        kill_fleet(world);
        break;
    case FAULT_GATEWAY_STOPS:
    case FAULT_BROKER_STOPS:
    case FAULT_WORKER_STOPS:
    case FAULT_DATABASE_STOPS:
        stop_one(world, fault);
        break;
    case FAULT_DATABASE_DIES:
        kill_database(world);
        break;
    case FAULT_CLOCK_JUMPS:
        jump_clock(world);
        break;
    case FAULT_DATABASE_CUT:
        cut_database(world);
        break;
    default:
        trouble_link(world, fault);
    }
}

/* Gateways are in the middle of something for moments only: the fault waits for one. */
static void lie_in_ambush(world_t *world, fault_t fault)
{
    world->ambush = true;
    world->ambush_fault = fault;
    world->ambush_point = (point_t)draw(world, POINT_ROWS_LOCKED, POINT_UNSETTLED_YET);
}

void faults_look(world_t *world)
{
    for (int i = 0; i < world->settings.gateways; i++) {
        node_t *gateway = &world->gateways[i];
        if (!gateway->up || gateway->paused_until > world->now ||
            gateway_point(world, gateway) != world->ambush_point)
            continue;
        world->ambush = false;
        if (world->ambush_fault == FAULT_GATEWAY_STOPS) {
            cover(world, FAULT_GATEWAY_STOPS, gateway);
            stop_for_a_while(world, gateway);
        } else {
            kill_one(world, world->ambush_fault, gateway,
                     world->ambush_fault == FAULT_GATEWAY_DIES ? gateway_die : gateway_drain);
        }
        return;
    }
}

static void on_fault(world_t *world, node_t *client, event_t *event)
{
    (void)event;
    if (world->calm)
        return;
    fault_t fault = (fault_t)draw(world, 0, FAULTS - 1);
    if (!(world->settings.faults >> fault & 1))
        ; /* not in this seed */
    else if (fault <= FAULT_GATEWAY_STOPS && random_chance(&world->random, 600))
        lie_in_ambush(world, fault);
    else
        strike(world, fault);
    after(world, client, draw(world, 0, 2 * world->settings.fault_every), on_fault, 0, NULL);
}

void faults_start(world_t *world)
{
    if (world->settings.fault_every > 0)
        after(world, &world->client, draw(world, 0, 2 * SECOND), on_fault, 0, NULL);
}

static void start_all(world_t *world, node_t *nodes, int count)
{
    for (int i = 0; i < count; i++)
        if (!nodes[i].up)
            start(world, &nodes[i]);
}

/* Again and again, because some are still on their way out. */
static void on_supervise_all(world_t *world, node_t *client, event_t *event)
{
    (void)event;
    start_all(world, world->gateways, world->settings.gateways);
    start_all(world, world->brokers, BROKERS);
    start_all(world, world->workers, world->settings.workers);
    after(world, client, 1 * SECOND, on_supervise_all, 0, NULL);
}

void faults_end(world_t *world)
{
    world->calm = true;
    world->ambush = false;
    trace(world, &world->client, "from here on nothing goes wrong");
    network_heal(world);
    database_heal(world);
    after(world, &world->client, 500 * MS, on_supervise_all, 0, NULL);
}
