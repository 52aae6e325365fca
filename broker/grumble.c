#include "broker/grumble.h"

#include "proto/program/log.h"

#include <czmq.h>

#define MINUTE_MS 60000
#define PEERS_MAX 20 /* in one minute */
#define SHOWN_MAX 16 /* bytes of a routing id */

struct pt_grumble {
    zhashx_t *heard; /* peers of this minute, as hex */
    int64_t since;
};

pt_grumble_t *pt_grumble_new(void)
{
    pt_grumble_t *self = zmalloc(sizeof *self);
    self->heard = zhashx_new();
    return self;
}

void pt_grumble_destroy(pt_grumble_t **self_p)
{
    pt_grumble_t *self = *self_p;
    if (!self)
        return;
    zhashx_destroy(&self->heard);
    free(self);
    *self_p = NULL;
}

/* ZeroMQ's own ids have 5 bytes; of longer ones, which a peer made up, the beginning is enough. */
static void format_route(char hex[2 * SHOWN_MAX + 1], const pt_route_t *route)
{
    hex[0] = 0;
    for (size_t i = 0; i < route->size && i < SHOWN_MAX; i++)
        snprintf(hex + 2 * i, 3, "%02x", route->bytes[i]);
}

void pt_grumble(pt_grumble_t *self, int64_t now, const pt_route_t *from, const char *reason)
{
    if (now - self->since > MINUTE_MS) {
        zhashx_purge(self->heard);
        self->since = now;
    }
    char peer[2 * SHOWN_MAX + 1];
    format_route(peer, from);
    if (zhashx_size(self->heard) >= PEERS_MAX || zhashx_insert(self->heard, peer, "") != 0)
        return;
    pt_log(PT_WARNING, "a message was dropped; more of this peer are only counted",
           PT_S("socket", from->side == PT_GATEWAYS ? "gateways" : "workers"), PT_S("peer", peer),
           PT_S("reason", reason));
}
