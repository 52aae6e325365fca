/* Which job types a worker serves or declares, and how: --slots, --pipeline, --timeout and
 * --limits, and the entries of `pipelines`. Where both speak of a type, the former count.
 */
#ifndef PT_TYPES_H
#define PT_TYPES_H

#include "worker/entry.h"
#include "worker/worker.h"

/* Fills in types, programs and arguments; `usual` is the program of types that name none and
   have no paratope-TYPE beside it; it gets the type as its argument. What is wrong is said in one
   line and ends the program with 2. */
void pt_types_read(pt_worker_config_t *config, const pt_options_t *options, const char *usual);

size_t pt_types_slots(const pt_agent_config_t *agent);

#endif
