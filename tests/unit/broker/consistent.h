/* Whether what the scheduler holds is consistent in itself; asserted. */
#ifndef CONSISTENT_H
#define CONSISTENT_H

#include "broker/state.h"

void check_scheduler(const pt_scheduler_t *scheduler);

#endif
