/* The network, as ZeroMQ makes it (../../docs/platform.md):
 *
 * - Job sockets. A DEALER's connection to a ROUTER is a stream each way: in order, nothing lost,
 *   nothing twice. When it breaks, what was on its way is lost, and the DEALER connects again by
 *   itself, under a new routing id; what it had queued may go to the successor, before anything
 *   else. Nobody is told, but a ROUTER's sends begin to fail.
 * - Event path. PUB to XSUB, XPUB to SUB: in order on one path, but what is published before the
 *   subscription has come, or while there is no connection, or now and then, is lost in silence.
 */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "tests/simulation/world.h"

/* A message's frames. */
typedef struct {
    size_t topic_size, head_size, payload_size;
    bool has_payload;
    uint64_t number; /* in its stream */
    char bytes[];    /* topic, head, payload */
} parcel_t;

parcel_t *parcel_new(const char *topic, size_t topic_size, const void *head, size_t head_size,
                     const void *payload, size_t payload_size);
static inline const char *parcel_head(const parcel_t *self)
{
    return self->bytes + self->topic_size;
}
/* NULL if there is none. */
static inline const char *parcel_payload(const parcel_t *self)
{
    return self->has_payload ? self->bytes + self->topic_size + self->head_size : NULL;
}

void network_new(world_t *world);
void network_destroy(world_t *world);

/* The peer opens its job and event sockets to a broker, after closing those it had. */
void network_open(world_t *world, node_t *peer, int broker);
/* Closes them; `all_sent`: what was sent still arrives. */
void network_close(world_t *world, node_t *peer, int broker, bool all_sent);
void network_died(world_t *world, node_t *node);

/* Takes the parcel. False: there is no connection, or none any more. */
bool network_up(world_t *world, node_t *peer, int broker, parcel_t *parcel);
bool network_down(world_t *world, int64_t route, parcel_t *parcel);

/* Whether it came in at the gateways' socket. */
bool network_is_gateway(const world_t *world, int64_t route);

/* Takes the parcel. */
void network_publish(world_t *world, node_t *peer, int broker, parcel_t *parcel);
/* To all who subscribed at this broker. */
void network_relay(world_t *world, int broker, const parcel_t *parcel);
/* The SUB of that peer: topics begin with that text. */
void network_subscribe(world_t *world, node_t *peer, int broker, const char *topics, bool on);

/* Faults. */
void network_break(world_t *world, node_t *peer, int broker);
void network_stall(world_t *world, node_t *peer, int broker, bool up, bool down, int64_t us);
void network_deafen(world_t *world, node_t *peer, int broker, int64_t us);
/* What is deaf hears; links that stall go on by themselves, with all that they hold up. */
void network_heal(world_t *world);

/* Where messages arrive; each borrows the parcel. */
void broker_receives(world_t *world, node_t *broker, int64_t route, const parcel_t *parcel);
void broker_hears(world_t *world, node_t *broker, const parcel_t *parcel);
void gateway_receives(world_t *world, node_t *gateway, int broker, const parcel_t *parcel);
void gateway_hears(world_t *world, node_t *gateway, int broker, const parcel_t *parcel);
void worker_receives(world_t *world, node_t *worker, int broker, const parcel_t *parcel);
void subscriber_hears(world_t *world, node_t *subscriber, const parcel_t *parcel);

#endif
