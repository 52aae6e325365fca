/* What goes wrong: one fault after the other at times that nobody chose, until all is calm. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "tests/simulation/world.h"

void faults_start(world_t *world);
/* After each step, while a fault waits for its moment (world->ambush). */
void faults_look(world_t *world);
/* From now on nothing goes wrong by itself, and what is down comes back. */
void faults_end(world_t *world);

#endif
