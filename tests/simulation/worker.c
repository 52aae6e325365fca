#include "tests/simulation/worker_inside.h"

#include "tests/simulation/declarations.h"

#include <stdio.h>

/* Each worker serves all types, but not alike many. */
size_t worker_slots(const world_t *world, int worker, int type)
{
    size_t kind = (size_t)(worker + type) % 3;
    return world->settings.picky ? kind : kind == 0 ? 2 : 1;
}

/* ---- what the agent wants ---------------------------------------------------------------- */

static void plan_tick(worker_t *self, int64_t delay);

static void send_job_message(worker_t *self, const pt_output_t *output)
{
    pt_msg_t msg;
    if (pt_msg_decode(&msg, output->head, output->head_size)) {
        broken(self->world, "an agent said what is no message");
        return;
    }
    trace(self->world, self->node, "says %s to broker-%d job %02x%02x.%u", pt_verb_name(msg.verb),
          self->broker + 1, msg.job_id.bytes[14], msg.job_id.bytes[15], msg.attempt);
    if (msg.verb == PT_HELLO)
        worker_check_hello(self, &msg);
    if (msg.verb == PT_GONE && strcmp(msg.reason, "beyond the credit") == 0)
        broken(self->world, "%s refuses a job for its own credit", node_name(self->node));
    if (msg.verb == PT_GONE && strcmp(msg.reason, "the inputs do not come") == 0)
        sight(self->world, SIGHT_INPUTS_HANDED_BACK);
    if (msg.verb == PT_GONE) /* handed back, or lost with all that was kept of it */
        worker_drop_lease(self,
                          worker_find_lease(self, job_find(self->world, &msg.job_id), msg.attempt));
    pt_msg_clear(&msg);
    parcel_t *parcel =
        parcel_new(NULL, 0, output->head, output->head_size, output->payload, output->payload_size);
    if (!network_up(self->world, self->node, self->broker, parcel))
        self->send_failed = true;
}

static void publish(worker_t *self, const pt_output_t *output)
{
    worker_note_published(self, output);
    network_publish(self->world, self->node, self->broker,
                    parcel_new(output->topic, output->topic_size, output->head, output->head_size,
                               output->payload, output->payload_size));
}

static void carry_out(worker_t *self, const pt_output_t *output)
{
    switch (output->kind) {
    case PT_OUT_SEND:
        send_job_message(self, output);
        break;
    case PT_OUT_PUBLISH:
        publish(self, output);
        break;
    case PT_OUT_START:
        worker_start_job(self, output);
        break;
    case PT_OUT_KILL:
        worker_kill_slot(self, output->slot);
        break;
    case PT_OUT_SPOOL:
        worker_keep(self, output);
        break;
    case PT_OUT_UNSPOOL:
        spool_drop(&self->spool, &output->job_id, output->attempt);
        break;
    case PT_OUT_CHUNK:
        worker_send_chunk(self, output);
        break;
    case PT_OUT_CONNECT:
        trace(self->world, self->node, "opens broker-%zu: %s", output->broker + 1, output->text);
        network_close(self->world, self->node, self->broker, false);
        self->broker = (int)output->broker;
        self->in_session = false;
        network_open(self->world, self->node, self->broker);
        break;
    case PT_OUT_EXIT:
        self->exiting = true;
        break;
    default:
        break;
    }
}

static pt_now_t now(const worker_t *self)
{
    return (pt_now_t){local_ms(self->world, self->node), wall_us(self->world, self->node)};
}

void worker_step(worker_t *self, const pt_input_t *input)
{
    const pt_outputs_t *outputs = pt_agent_step(self->agent, now(self), input);
    self->send_failed = false;
    for (size_t i = 0; i < outputs->count; i++)
        carry_out(self, &outputs->items[i]);
    if (self->send_failed) {
        self->send_failed = false;
        worker_step(self, &(pt_input_t){.kind = PT_IN_SEND_FAILED});
    }
    plan_tick(self, input->kind == PT_IN_TICK
                        ? until_local(self->world, self->node, pt_agent_deadline(self->agent))
                        : draw(self->world, 0, 1 * MS));
}

/* ---- its loop ---------------------------------------------------------------------------- */

static void on_exited(world_t *world, node_t *node, event_t *event)
{
    (void)event;
    worker_die(world, node);
}

static void on_tick(world_t *world, node_t *node, event_t *event)
{
    worker_t *self = node->state;
    if (self->tick != event->number) /* one that is earlier was planned since */
        return;
    self->tick = INT64_MAX;
    if (node->unread > 0) { /* it reads before it looks at the clock */
        plan_tick(self, 0);
        return;
    }
    worker_step(self, &(pt_input_t){.kind = PT_IN_TICK});
    if (self->exiting) {
        network_close(world, node, self->broker, true);
        after(world, node, 0, on_exited, 0, NULL);
    }
}

static void plan_tick(worker_t *self, int64_t delay)
{
    int64_t most = SECOND; /* as its loop's poll */
    int64_t at = self->world->now + (delay < most ? delay : most);
    if (at >= self->tick)
        return;
    self->tick = at;
    after(self->world, self->node, at - self->world->now, on_tick, at, NULL);
}

void worker_receives(world_t *world, node_t *node, int broker, const parcel_t *parcel)
{
    worker_t *self = node->state;
    pt_msg_t msg;
    const char *why = pt_msg_decode(&msg, parcel_head(parcel), parcel->head_size);
    if (why) {
        broken(world, "a message that is none came to %s: %s", node_name(node), why);
        return;
    }
    world->coverage->verbs[AT_WORKER][msg.verb]++;
    trace(world, node, "gets %s from broker-%d job %02x%02x.%u", pt_verb_name(msg.verb), broker + 1,
          msg.job_id.bytes[14], msg.job_id.bytes[15], msg.attempt);
    self->reading = &msg;
    worker_note_received(self, &msg);
    worker_step(self, &(pt_input_t){.kind = PT_IN_MESSAGE,
                                    .msg = &msg,
                                    .payload = parcel_payload(parcel),
                                    .payload_size = parcel->payload_size});
    self->reading = NULL;
    worker_check_stopped(self, &msg);
    pt_msg_clear(&msg);
}

/* ---- its life ---------------------------------------------------------------------------- */

/* A version and a title of each type that it serves, new with each start. */
static void draw_declared(worker_t *self)
{
    world_t *world = self->world;
    self->by_configuration = random_chance(&world->random, 500);
    for (int type = 0; type < TYPES_MAX; type++) {
        msgpack_sbuffer_init(&self->declares[type]);
        if (world->settings.versions == 0 || worker_slots(world, self->node->index, type) == 0)
            continue;
        self->declared[type] =
            (declaration_t){.version = (int)draw(world, 1, world->settings.versions),
                            .title = (int)draw(world, 1, 2)};
        declaration_write(&self->declared[type], &self->declares[type]);
    }
}

static pt_agent_config_t config_of(worker_t *self)
{
    world_t *world = self->world;
    const node_t *node = self->node;
    pt_agent_config_t config = {.brokers = BROKERS};
    snprintf(config.machine, sizeof config.machine, "machine-%d", node->index);
    config.instance = make_id(world, 0);
    config.grace_ms = draw(world, 0, 1) * draw(world, 0, 6000);
    config.first = (size_t)draw(world, 0, BROKERS - 1);
    for (int type = 0; type < world->settings.types; type++) {
        pt_agent_type_t *served = &config.types[config.type_count];
        strcpy(served->job_type, job_types[type]);
        served->slots = worker_slots(world, node->index, type);
        served->timeout_ms = 4000;
        served->declared = self->by_configuration ? self->declares[type].data : NULL;
        served->declared_size = self->declares[type].size;
        config.type_count += served->slots > 0;
    }
    return config;
}

void worker_start(world_t *world, node_t *node)
{
    worker_t *self = must_alloc(sizeof *self);
    node->up = true;
    node->generation++;
    node->unread = 0;
    node->state = self;
    self->world = world;
    self->node = node;
    self->tick = INT64_MAX;
    draw_declared(self);
    pt_agent_config_t config = config_of(self);
    self->agent = pt_agent_new(&config);
    for (size_t type = 0; type < config.type_count; type++)
        self->slot_count += config.types[type].slots;
    trace(world, node, "starts");
    worker_start_slots(self);
    plan_tick(self, 0);
}

void worker_die(world_t *world, node_t *node)
{
    worker_t *self = node->state;
    trace(world, node, "dies");
    node->up = false;
    node->state = NULL;
    pt_agent_destroy(&self->agent);
    spool_clear(&self->spool);
    for (int type = 0; type < TYPES_MAX; type++)
        msgpack_sbuffer_destroy(&self->declares[type]);
    free(self);
    network_died(world, node);
}

void worker_drain(world_t *world, node_t *node)
{
    trace(world, node, "drains");
    ((worker_t *)node->state)->draining = true;
    worker_step(node->state, &(pt_input_t){.kind = PT_IN_SHUTDOWN});
}

declaration_t worker_declares(const node_t *node, int type)
{
    return ((const worker_t *)node->state)->declared[type];
}

size_t worker_holds(const node_t *node)
{
    const worker_t *self = node->state;
    return self->lease_count + self->spool.count;
}

point_t worker_point(const node_t *node)
{
    const worker_t *self = node->state;
    if (!self->in_session)
        return POINT_IN_HELLO;
    for (size_t i = 0; i < self->lease_count; i++)
        if (self->leases[i].ended)
            return POINT_UNSETTLED;
    return self->lease_count > 0 ? POINT_RUNNING : POINT_IDLE;
}
