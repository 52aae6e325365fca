#include "tests/simulation/world.h"

#include <stdarg.h>
#include <stdio.h>

void *must_alloc(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        abort();
    return memory;
}

/* ---- the queue: a binary heap ------------------------------------------------------------ */

static bool before(const event_t *a, const event_t *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(world_t *world, event_t event)
{
    if (world->queued == world->room) {
        world->room = world->room ? 2 * world->room : 256;
        world->queue = realloc(world->queue, world->room * sizeof *world->queue);
        if (!world->queue)
            abort();
    }
    event.order = world->order++;
    size_t i = world->queued++;
    while (i > 0 && before(&event, &world->queue[(i - 1) / 2])) {
        world->queue[i] = world->queue[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    world->queue[i] = event;
}

static event_t pop(world_t *world)
{
    event_t first = world->queue[0], last = world->queue[--world->queued];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < world->queued) {
        if (child + 1 < world->queued && before(&world->queue[child + 1], &world->queue[child]))
            child++;
        if (!before(&world->queue[child], &last))
            break;
        world->queue[i] = world->queue[child];
        i = child;
    }
    world->queue[i] = last;
    return first;
}

void world_clear_queue(world_t *world)
{
    while (world->queued > 0)
        free(world->queue[--world->queued].data);
    free(world->queue);
    world->queue = NULL;
    world->room = 0;
}

void after(world_t *world, node_t *node, int64_t delay, handler_t *handler, int64_t number,
           void *data)
{
    push(world, (event_t){.at = world->now + (delay > 0 ? delay : 0),
                          .handler = handler,
                          .node = node,
                          .generation = node->generation,
                          .number = number,
                          .data = data});
}

void message_at(world_t *world, node_t *node, int64_t at, handler_t *handler, int64_t number,
                void *data)
{
    push(world, (event_t){.at = at > world->now ? at : world->now,
                          .handler = handler,
                          .node = node,
                          .generation = node->generation,
                          .is_message = true,
                          .number = number,
                          .data = data});
}

/* What a stopped node has not read yet, in the order in which it came. */
static void defer(world_t *world, event_t event)
{
    node_t *node = event.node;
    node->unread += event.is_message && !event.was_deferred;
    event.was_deferred = event.is_message;
    event.at = node->paused_until;
    push(world, event);
}

bool world_step(world_t *world)
{
    if (world->queued == 0)
        return false;
    event_t event = pop(world);
    node_t *node = event.node;
    world->now = event.at;
    if (node->generation != event.generation || !node->up) {
        free(event.data);
        return true;
    }
    if (node->paused_until > world->now) {
        defer(world, event);
        return true;
    }
    node->unread -= event.was_deferred;
    world->steps++;
    event.handler(world, node, &event);
    free(event.data);
    return true;
}

/* ---- clocks ------------------------------------------------------------------------------ */

int64_t local_ms(const world_t *world, const node_t *node)
{
    return node->offset + (int64_t)((double)world->now * node->rate) / MS;
}

int64_t wall_us(const world_t *world, const node_t *node)
{
    return 1764000000 * (int64_t)SECOND + (int64_t)((double)world->now * node->rate) + node->wall;
}

int64_t until_local(const world_t *world, const node_t *node, int64_t ms)
{
    double at = (double)(ms - node->offset) * MS / node->rate;
    return at < (double)world->now ? 0 : (int64_t)(at - (double)world->now) + 1;
}

/* ---- what is said ------------------------------------------------------------------------ */

const char *node_name(const node_t *node)
{
    static const char *const names[][GATEWAYS_MAX + 2] = {
        {"database"},
        {"gateway-1", "gateway-2", "gateway-3"},
        {"broker-1", "broker-2"},
        {"worker-1", "worker-2", "worker-3", "worker-4", "worker-5"},
        {"subscriber-1", "subscriber-2", "subscriber-3"},
        {"client"}};
    return names[node->kind][node->index];
}

void broken(world_t *world, const char *format, ...)
{
    if (world->failed)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(world->why, sizeof world->why, format, args);
    va_end(args);
    world->failed = true;
    trace(world, &world->client, "BROKEN: %s", world->why);
}

void trace_line(world_t *world, const node_t *node, const char *format, ...)
{
    char line[400];
    int size =
        snprintf(line, sizeof line, "%10.4f %-12s ", (double)world->now / SECOND, node_name(node));
    va_list args;
    va_start(args, format);
    vsnprintf(line + size, sizeof line - (size_t)size, format, args);
    va_end(args);
    world->show(line);
}
