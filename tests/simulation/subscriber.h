/* Who follows one organisation's events as PROTOCOL.md, section 6 says, and misses nothing. */
#ifndef SIM_SUBSCRIBER_H
#define SIM_SUBSCRIBER_H

#include "tests/simulation/world.h"

void subscriber_start(world_t *world, node_t *node);
void subscriber_stop(world_t *world, node_t *node);
/* The number of its last event. */
uint64_t subscriber_last(const node_t *node);

#endif
