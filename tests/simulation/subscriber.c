#include "tests/simulation/subscriber.h"

#include "proto/topic.h"
#include "tests/simulation/database.h"
#include "tests/simulation/network.h"

#include <stdio.h>

#define WAITING_MAX 64 /* events that wait while it reads; more are dropped, and read then */
#define PAGE 20
#define READ_MS 3000

typedef struct {
    uint64_t seq, timeline;
    int job;
    char type[16];
} heard_t;

typedef struct {
    world_t *world;
    node_t *node;
    int org;
    uint64_t last, timeline;
    bool reading;
    uint64_t serial;
    heard_t waiting[WAITING_MAX];
    size_t count;
} subscriber_t;

static void read_on(subscriber_t *self);

/* The next event of its log: each number once, in order, and as the table has it. */
static void take(subscriber_t *self, uint64_t seq, int job, const char *type)
{
    const char *recorded = "";
    if (seq != self->last + 1)
        broken(self->world, "%s takes event %llu after %llu", node_name(self->node),
               (unsigned long long)seq, (unsigned long long)self->last);
    if (database_event(self->world, self->org, seq, &recorded) != job ||
        strcmp(recorded, type) != 0)
        broken(self->world, "%s hears an event %llu that the table does not have",
               node_name(self->node), (unsigned long long)seq);
    self->last = seq;
}

/* False: there is a gap to be read first. */
static bool handle(subscriber_t *self, const heard_t *heard)
{
    if (heard->timeline != self->timeline && self->timeline != 0) {
        self->timeline = heard->timeline; /* a standby was promoted: what does the table say? */
        return false;
    }
    self->timeline = heard->timeline;
    if (heard->seq <= self->last)
        return true;
    if (heard->seq > self->last + 1 || heard->job < 0) /* a gap, or an edge beyond the last */
        return false;
    take(self, heard->seq, heard->job, heard->type);
    return true;
}

static void on_read_again(world_t *world, node_t *node, event_t *event)
{
    subscriber_t *self = node->state;
    (void)world, (void)event;
    self->reading = false;
    read_on(self);
}

static void handle_waiting(subscriber_t *self)
{
    size_t next = 0;
    while (next < self->count && handle(self, &self->waiting[next]))
        next++;
    bool gap = next < self->count;
    self->count -= next;
    memmove(self->waiting, self->waiting + next, self->count * sizeof *self->waiting);
    if (gap)
        read_on(self);
}

static void on_page(world_t *world, node_t *node, event_t *event)
{
    subscriber_t *self = node->state;
    const statement_t *page = event->data;
    if ((uint64_t)event->number != self->serial)
        return;
    self->serial = 0;
    if (!page || page->outcome != DB_OK) {
        after(world, node, 500 * MS, on_read_again, 0, NULL);
        return;
    }
    for (size_t i = 0; i < page->count; i++)
        take(self, page->items[i].seq, page->items[i].job, page->items[i].event.type);
    self->reading = false;
    if (page->count > 0) /* until one is empty */
        read_on(self);
    else
        handle_waiting(self);
}

static void read_on(subscriber_t *self)
{
    if (self->reading)
        return;
    statement_t *ask = statement_new(DB_READ_EVENTS, PAGE);
    ask->org = self->org;
    ask->number = (int64_t)self->last;
    self->reading = true;
    self->serial = database_ask(self->world, self->node, BY_REQUEST, ask, READ_MS, on_page);
}

void subscriber_hears(world_t *world, node_t *node, const parcel_t *parcel)
{
    subscriber_t *self = node->state;
    pt_msg_t msg;
    if (pt_msg_decode(&msg, parcel_head(parcel), parcel->head_size)) {
        broken(world, "a message that is none came to %s", node_name(node));
        return;
    }
    world->coverage->verbs[AT_SUBSCRIBER][msg.verb]++;
    heard_t heard = {msg.seq, msg.timeline, -1, ""};
    if (msg.verb == PT_EVENT) {
        heard.job = job_find(world, &msg.job_id);
        strcpy(heard.type, msg.type);
    }
    pt_msg_clear(&msg);
    if (self->reading) {
        if (self->count < WAITING_MAX)
            self->waiting[self->count++] = heard;
    } else if (!handle(self, &heard)) {
        self->waiting[self->count++] = heard;
        read_on(self);
    }
}

void subscriber_start(world_t *world, node_t *node)
{
    subscriber_t *self = must_alloc(sizeof *self);
    pt_uuid_t org = org_id(node->index);
    char id[PT_UUID_TEXT], topic[64];
    node->up = true;
    node->generation++;
    node->state = self;
    self->world = world;
    self->node = node;
    self->org = node->index;
    for (int broker = 0; broker < BROKERS; broker++) {
        network_open(world, node, broker);
        snprintf(topic, sizeof topic, "event.%s.", pt_uuid_format(&org, id));
        network_subscribe(world, node, broker, topic, true);
        snprintf(topic, sizeof topic, "edge.%s.", pt_uuid_format(&org, id));
        network_subscribe(world, node, broker, topic, true);
    }
    read_on(self);
}

void subscriber_stop(world_t *world, node_t *node)
{
    (void)world;
    free(node->state);
    node->state = NULL;
    node->up = false;
}

uint64_t subscriber_last(const node_t *node)
{
    return ((const subscriber_t *)node->state)->last;
}
