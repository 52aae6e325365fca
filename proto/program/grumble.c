#include "proto/program/grumble.h"

#include <czmq.h>

#define MINUTE_MS 60000
#define PEERS_MAX 20 /* in one minute */

struct pt_grumble {
    zhashx_t *heard; /* peers of this minute */
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

bool pt_grumble(pt_grumble_t *self, int64_t now, const char *peer)
{
    if (now - self->since > MINUTE_MS) {
        zhashx_purge(self->heard);
        self->since = now;
    }
    return zhashx_size(self->heard) < PEERS_MAX && zhashx_insert(self->heard, peer, "") == 0;
}
