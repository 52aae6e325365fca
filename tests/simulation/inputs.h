/* The inputs of a seed's jobs: an empty map, or one that does not fit into a message, with bytes
 * that are no other job's.
 */
#ifndef SIM_INPUTS_H
#define SIM_INPUTS_H

#include "tests/simulation/jobs.h"

#include <msgpack.h>

/* Appends them, the same bytes each time. */
void inputs_write(const world_t *world, int job, msgpack_sbuffer *to);
/* The message that starts a pipeline ends with exactly these. */
bool inputs_end_of(const world_t *world, int job, const void *message, size_t size);

#endif
