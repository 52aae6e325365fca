/* Whether the world comes to rest, once faults are over. */
#ifndef SIM_REST_H
#define SIM_REST_H

#include "tests/simulation/world.h"

/* What is not done yet, or NULL. */
const char *unrest(const world_t *world);

/* What may be handed out, and has a slot, does not wait for long when faults have been over for
   `since` µs. */
void check_not_stuck(world_t *world, int64_t since);

#endif
