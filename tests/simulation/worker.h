/* A worker: the real agent, with a loop like worker.c's and pipelines that do as their jobs'
 * scripts say. It writes down what was promised to it and checks each hello against that.
 */
#ifndef SIM_WORKER_H
#define SIM_WORKER_H

#include "tests/simulation/world.h"

void worker_start(world_t *world, node_t *node);
void worker_die(world_t *world, node_t *node);
/* SIGTERM: hands back what runs, and ends. */
void worker_drain(world_t *world, node_t *node);
/* Of a worker for a type. */
size_t worker_slots(const world_t *world, int worker, int type);
/* What it declares of a type. */
declaration_t worker_declares(const node_t *node, int type);
/* Jobs that it computes, endings that nobody has settled, large results that it keeps. */
size_t worker_holds(const node_t *node);
point_t worker_point(const node_t *node);

#endif
