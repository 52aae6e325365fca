/* One seed: a world is made, runs through its faults, and must come to rest. */
#ifndef SIM_SEED_H
#define SIM_SEED_H

#include "tests/simulation/world.h"

/* Virtual seconds from the end of all faults within which every job has ended, every worker and
   broker holds nothing, and every subscriber knows all. */
#define REST_WITHIN 300

/* Runs it; false if a promise was broken, then `why` says which. `trace` may be NULL. */
bool seed_run(uint64_t seed, coverage_t *coverage, void (*trace)(const char *line), char *why,
              size_t why_size);

#endif
