#include "tests/simulation/broker.h"

#include "broker/check.h"
#include "broker/scheduler.h"
#include "tests/simulation/broker_queue.h"
#include "tests/simulation/network.h"

#define TICK_MS 100 /* as broker.c's WAIT_MS */
#define LOST_MAX 32

typedef struct {
    world_t *world;
    node_t *node;
    pt_scheduler_t *scheduler;
    msgpack_sbuffer head;
    int64_t lost[LOST_MAX]; /* routes to which sending failed */
    size_t lost_count;
    broker_queue_t queue;
    bool turn_planned, leaving; /* leaving: it reads no more */
    int64_t events_at;          /* until when its event path has read everything */
} broker_t;

static pt_route_t route_of(int64_t route, pt_side_t side)
{
    pt_route_t self = {.side = (uint8_t)side, .size = sizeof route};
    memcpy(self.bytes, &route, sizeof route);
    return self;
}

static int64_t number_of(const pt_route_t *route)
{
    int64_t number;
    memcpy(&number, route->bytes, sizeof number);
    return number;
}

/* Exact credit means that nobody is ever refused for it. */
static void check_said(broker_t *self, const pt_msg_t *msg)
{
    if (msg->verb == PT_GONE && strcmp(msg->reason, "the job is beyond the credit") == 0)
        broken(self->world, "%s refuses a job for its own credit", node_name(self->node));
}

static void send_message(void *arg, const pt_route_t *to, const pt_msg_t *msg, void *payload,
                         size_t size)
{
    broker_t *self = arg;
    check_said(self, msg);
    broker_queue_says(&self->queue, self->world, msg);
    msgpack_sbuffer_clear(&self->head);
    pt_msg_encode(msg, &self->head);
    parcel_t *parcel = parcel_new(NULL, 0, self->head.data, self->head.size, payload, size);
    free(payload);
    trace(self->world, self->node, "says %s to %lld job %02x%02x.%u", pt_verb_name(msg->verb),
          (long long)number_of(to), msg->job_id.bytes[14], msg->job_id.bytes[15], msg->attempt);
    if (!network_down(self->world, number_of(to), parcel) && self->lost_count < LOST_MAX)
        self->lost[self->lost_count++] = to->side == PT_WORKERS ? number_of(to) : ~number_of(to);
}

static void draw_random(void *arg, void *data, size_t size)
{
    broker_t *self = arg;
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)data)[i] = (uint8_t)random_bits(&self->world->random);
}

/* ---- what must always hold --------------------------------------------------------------- */

static void check_bounds(broker_t *self)
{
    pt_scheduler_stats_t stats;
    pt_scheduler_stats(self->scheduler, &stats);
    if (stats.bytes > self->world->settings.broker_bytes)
        broken(self->world, "%s queues %zu bytes", node_name(self->node), stats.bytes);
    for (size_t i = 0; i < stats.type_count; i++) {
        const pt_type_stats_t *type = &stats.types[i];
        size_t room = type->slots + PT_SLACK + WORKERS_MAX * 4 * 64;
        if (type->queued + type->leased > room)
            broken(self->world, "%s holds %zu jobs of a type", node_name(self->node),
                   type->queued + type->leased);
    }
}

/* Silence is judged only after everything readable was read. */
static void check_patience(broker_t *self, const pt_input_t *input,
                           const pt_scheduler_stats_t *former)
{
    pt_scheduler_stats_t stats;
    pt_scheduler_stats(self->scheduler, &stats);
    if (input->kind == PT_IN_TICK && !input->drained &&
        (stats.workers < former->workers || stats.gateways < former->gateways))
        broken(self->world, "%s ended a session for silence before it had read everything",
               node_name(self->node));
}

static void step(broker_t *self, const pt_input_t *input)
{
    pt_scheduler_stats_t former = {0};
    int64_t now = local_ms(self->world, self->node);
    bool judged = input->kind == PT_IN_TICK && !input->drained;
    if (judged)
        pt_scheduler_stats(self->scheduler, &former);
    pt_scheduler_step(self->scheduler, now, input);
    if (judged)
        check_patience(self, input, &former);
    while (self->lost_count > 0) {
        int64_t lost = self->lost[--self->lost_count];
        pt_route_t route = route_of(lost < 0 ? ~lost : lost, lost < 0 ? PT_GATEWAYS : PT_WORKERS);
        pt_scheduler_step(self->scheduler, now, &(pt_input_t){.kind = PT_IN_LOST, .from = &route});
    }
}

/* ---- its loop ---------------------------------------------------------------------------- */

static void turn(broker_t *self)
{
    bool drained = self->node->unread == 0 && !chance(self->world, 100);
    if (drained)
        self->events_at = local_ms(self->world, self->node);
    step(self, &(pt_input_t){.kind = PT_IN_TICK, .drained = drained, .events_at = self->events_at});
    check_bounds(self);
}

static void on_tick(world_t *world, node_t *node, event_t *event)
{
    (void)event;
    if (((broker_t *)node->state)->leaving)
        return;
    turn(node->state);
    after(world, node, TICK_MS * MS, on_tick, 0, NULL);
}

static void on_turn(world_t *world, node_t *node, event_t *event)
{
    broker_t *self = node->state;
    (void)world, (void)event;
    self->turn_planned = false;
    if (!self->leaving)
        turn(self);
}

/* The end of a turn follows what was read. */
static void plan_turn(broker_t *self)
{
    if (!self->turn_planned)
        after(self->world, self->node, draw(self->world, 0, 1 * MS), on_turn, 0, NULL);
    self->turn_planned = true;
}

void broker_receives(world_t *world, node_t *node, int64_t number, const parcel_t *parcel)
{
    broker_t *self = node->state;
    pt_msg_t msg;
    pt_bytes_t head = {parcel_head(parcel), parcel->head_size};
    pt_bytes_t payload = {parcel_payload(parcel), parcel->payload_size};
    if (self->leaving)
        return;
    const char *why = pt_check_job(&msg, head, payload);
    if (why) {
        broken(world, "a message that is none came to %s: %s", node_name(node), why);
        return;
    }
    world->coverage->verbs[AT_BROKER][msg.verb]++;
    trace(world, node, "gets %s from %lld job %02x%02x.%u", pt_verb_name(msg.verb),
          (long long)number, msg.job_id.bytes[14], msg.job_id.bytes[15], msg.attempt);
    pt_route_t from =
        route_of(number, network_is_gateway(world, number) ? PT_GATEWAYS : PT_WORKERS);
    broker_queue_receives(&self->queue, world, &msg);
    step(self, &(pt_input_t){.kind = PT_IN_MESSAGE,
                             .from = &from,
                             .msg = &msg,
                             .payload = payload.data,
                             .size = payload.size});
    pt_msg_clear(&msg);
    plan_turn(self);
}

void broker_hears(world_t *world, node_t *node, const parcel_t *parcel)
{
    broker_t *self = node->state;
    pt_msg_t msg;
    pt_bytes_t topic = {parcel->bytes, parcel->topic_size};
    pt_bytes_t head = {parcel_head(parcel), parcel->head_size};
    pt_bytes_t payload = {parcel_payload(parcel), parcel->payload_size};
    const char *why = pt_check_event(&msg, topic, head, payload);
    if (why) {
        broken(world, "a message that is none came to %s: %s", node_name(node), why);
        return;
    }
    world->coverage->verbs[AT_BROKER][msg.verb]++;
    if (msg.verb == PT_ALIVE && !self->leaving) { /* its event path goes on until it ends */
        step(self, &(pt_input_t){.kind = PT_IN_ALIVE, .instance = &msg.instance});
        plan_turn(self);
    }
    network_relay(world, node->index, parcel);
    pt_msg_clear(&msg);
}

/* ---- its life ---------------------------------------------------------------------------- */

void broker_start(world_t *world, node_t *node)
{
    broker_t *self = must_alloc(sizeof *self);
    node->up = true;
    node->generation++;
    node->unread = 0;
    node->state = self;
    self->world = world;
    self->node = node;
    msgpack_sbuffer_init(&self->head);
    self->scheduler =
        pt_scheduler_new(&(pt_scheduler_config_t){.send = send_message,
                                                  .random = draw_random,
                                                  .arg = self,
                                                  .max_bytes = world->settings.broker_bytes});
    trace(world, node, "starts");
    after(world, node, draw(world, 0, TICK_MS * MS), on_tick, 0, NULL);
}

void broker_die(world_t *world, node_t *node)
{
    broker_t *self = node->state;
    trace(world, node, "dies");
    node->up = false;
    node->state = NULL;
    pt_scheduler_destroy(&self->scheduler);
    msgpack_sbuffer_destroy(&self->head);
    free(self);
    network_died(world, node);
}

static void on_end(world_t *world, node_t *node, event_t *event)
{
    (void)event;
    broker_die(world, node);
}

void broker_drain(world_t *world, node_t *node)
{
    trace(world, node, "drains");
    broker_t *self = node->state;
    if (!self->leaving)
        step(self, &(pt_input_t){.kind = PT_IN_END});
    self->leaving = true;
    after(world, node, draw(world, 0, 50 * MS), on_end, 0, NULL);
}

size_t broker_holds(const node_t *node)
{
    pt_scheduler_stats_t stats;
    pt_scheduler_stats(((const broker_t *)node->state)->scheduler, &stats);
    return stats.queued + stats.leased;
}
