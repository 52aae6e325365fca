/* A broker: the real scheduler, with a loop like broker.c's around it. */
#ifndef SIM_BROKER_H
#define SIM_BROKER_H

#include "tests/simulation/world.h"

void broker_start(world_t *world, node_t *node);
void broker_die(world_t *world, node_t *node);
/* SIGTERM: bye to all, and then it ends. */
void broker_drain(world_t *world, node_t *node);
/* Jobs queued or leased. */
size_t broker_holds(const node_t *node);

#endif
