/* The broker's scheduler without sockets or threads: one gateway, many workers, all in this process.
 *   scheduler_alone WORKERS JOBS
 * A job is: the gateway's job, the scheduler's job to a worker, the worker's credit, the gateway's
 * settled, the scheduler's settled to the worker. Prints jobs and seconds. */
#include "broker/scheduler.h"

#include <czmq.h>

#define SLOTS 2
#define TYPE "humanization"
#define PAYLOAD 300 /* bytes, about an antibody */

typedef struct {
    uint8_t session[PT_SESSION_SIZE];
    uint64_t received;
} peer_t;

typedef struct {
    uint32_t worker;
    pt_uuid_t job_id;
} given_t;

typedef struct {
    pt_scheduler_t *scheduler;
    peer_t gateway, *workers;
    given_t *given; /* jobs that workers got and that are not settled */
    size_t given_count, given_room;
    uint64_t credit;
} world_t;

static pt_route_t route_of(pt_side_t side, uint32_t n)
{
    pt_route_t route = {.side = (uint8_t)side, .size = 5};
    memcpy(route.bytes + 1, &n, sizeof n);
    return route;
}

static void on_send(void *arg, const pt_route_t *to, const pt_msg_t *msg, void *payload, size_t size)
{
    world_t *world = arg;
    uint32_t n;
    (void)size;
    memcpy(&n, to->bytes + 1, sizeof n);
    peer_t *peer = to->side == PT_GATEWAYS ? &world->gateway : &world->workers[n];
    if (msg->verb == PT_WELCOME)
        memcpy(peer->session, msg->session, PT_SESSION_SIZE);
    if (msg->verb == PT_CREDIT)
        world->credit = pt_counts_get(&msg->credit, TYPE);
    if (msg->verb == PT_JOB) {
        assert(world->given_count < world->given_room);
        world->given[world->given_count++] = (given_t){n, msg->job_id};
        peer->received++;
    }
    free(payload);
}

static void draw(void *arg, void *data, size_t size)
{
    (void)arg;
    pt_random(data, size);
}

static void say(world_t *world, pt_side_t side, uint32_t n, pt_msg_t *msg, const void *payload)
{
    pt_route_t from = route_of(side, n);
    const peer_t *peer = side == PT_GATEWAYS ? &world->gateway : &world->workers[n];
    if (msg->verb != PT_HELLO) {
        memcpy(msg->session, peer->session, PT_SESSION_SIZE);
        pt_msg_set(msg, PT_F_SESSION);
    }
    pt_scheduler_step(world->scheduler, 1000,
                      &(pt_input_t){.kind = PT_IN_MESSAGE,
                                    .from = &from,
                                    .msg = msg,
                                    .payload = payload,
                                    .size = payload ? PAYLOAD : 0});
    pt_msg_clear(msg);
}

static void tick(world_t *world)
{
    pt_scheduler_step(world->scheduler, 1000,
                      &(pt_input_t){.kind = PT_IN_TICK, .drained = true, .events_at = 1000});
}

static void say_credit(world_t *world, uint32_t worker)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_CREDIT);
    pt_counts_set(&msg.credit, TYPE, world->workers[worker].received + SLOTS);
    pt_msg_set(&msg, PT_F_CREDIT);
    say(world, PT_WORKERS, worker, &msg, NULL);
}

static void say_hello(world_t *world, pt_side_t side, uint32_t n)
{
    pt_msg_t msg;
    char machine[32];
    pt_uuid_t instance = pt_uuid_random();
    snprintf(machine, sizeof machine, "machine %u", n);
    pt_msg_init(&msg, PT_HELLO);
    pt_msg_set_text(&msg, PT_F_ROLE, side == PT_GATEWAYS ? "gateway" : "worker");
    pt_msg_set_text(&msg, PT_F_MACHINE, machine);
    msg.instance = instance;
    pt_msg_set(&msg, PT_F_INSTANCE);
    if (side == PT_WORKERS) {
        pt_counts_set(&msg.slots, TYPE, SLOTS);
        pt_msg_set(&msg, PT_F_SLOTS);
    }
    say(world, side, n, &msg, NULL);
    if (side == PT_GATEWAYS)
        return;
    pt_scheduler_step(world->scheduler, 1000,
                      &(pt_input_t){.kind = PT_IN_ALIVE, .instance = &instance});
    say_credit(world, n);
}

static void say_beat(world_t *world)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_BEAT);
    msg.leader = true;
    pt_msg_set(&msg, PT_F_LEADER);
    say(world, PT_GATEWAYS, 0, &msg, NULL);
}

static void say_job(world_t *world, const pt_uuid_t *org, uint64_t n, const void *payload)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_JOB);
    uint64_t random = n * 0x9e3779b97f4a7c15u; /* the half that is hashed, as in a real id */
    memcpy(msg.job_id.bytes, &n, sizeof n);
    memcpy(msg.job_id.bytes + 8, &random, sizeof random);
    msg.org_id = *org;
    msg.attempt = 1;
    pt_msg_set_text(&msg, PT_F_JOB_TYPE, TYPE);
    pt_msg_set(&msg, PT_F_JOB_ID);
    pt_msg_set(&msg, PT_F_ORG_ID);
    pt_msg_set(&msg, PT_F_ATTEMPT);
    say(world, PT_GATEWAYS, 0, &msg, payload);
}

static void settle(world_t *world, const given_t *given)
{
    pt_msg_t msg;
    say_credit(world, given->worker);
    pt_msg_init(&msg, PT_SETTLED);
    msg.job_id = given->job_id;
    msg.attempt = 1;
    pt_msg_set(&msg, PT_F_JOB_ID);
    pt_msg_set(&msg, PT_F_ATTEMPT);
    pt_msg_set_text(&msg, PT_F_OUTCOME, "committed");
    say(world, PT_GATEWAYS, 0, &msg, NULL);
}

/* All that workers have got so far ends. */
static size_t end_given(world_t *world)
{
    size_t count = world->given_count;
    given_t *ended = malloc((count + 1) * sizeof *ended);
    assert(ended);
    memcpy(ended, world->given, count * sizeof *ended);
    world->given_count = 0;
    for (size_t i = 0; i < count; i++)
        settle(world, &ended[i]);
    free(ended);
    return count;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    uint32_t workers = (uint32_t)atoi(argv[1]);
    uint64_t jobs = strtoull(argv[2], NULL, 10), sent = 0, settled = 0;
    char payload[PAYLOAD] = "\x81\xa1x\xda\x01\x26"; /* {x: a text of 294 bytes} */
    pt_uuid_t org = pt_uuid_random();
    world_t world = {.workers = calloc(workers, sizeof(peer_t)),
                     .given = calloc(workers * SLOTS * 2 + 64, sizeof(given_t)),
                     .given_room = workers * SLOTS * 2 + 64};
    world.scheduler = pt_scheduler_new(&(pt_scheduler_config_t){
        .send = on_send, .random = draw, .arg = &world, .max_bytes = 512u << 20});
    pt_scheduler_step(world.scheduler, 1000, &(pt_input_t){.kind = PT_IN_ADMIT, .admit = 100000});
    say_hello(&world, PT_GATEWAYS, 0);
    say_beat(&world);
    for (uint32_t n = 0; n < workers; n++)
        say_hello(&world, PT_WORKERS, n);
    tick(&world);
    int64_t began = zclock_usecs();
    while (settled < jobs) {
        for (; sent < jobs && sent < world.credit; sent++)
            say_job(&world, &org, sent, payload);
        settled += end_given(&world);
        tick(&world);
    }
    printf("{\"jobs\": %llu, \"seconds\": %.6f}\n", (unsigned long long)settled,
           (double)(zclock_usecs() - began) / 1e6);
    pt_scheduler_destroy(&world.scheduler);
    free(world.workers);
    free(world.given);
    return 0;
}
