/*
 *  The fewest changes that make a chain as human as was asked for.
 */
#ifndef PT_HUMANIZATION_TARGET_H
#define PT_HUMANIZATION_TARGET_H

#include "worker/pipelines/humanization/humanization.h"

/*
 *  Makes the changes of V that were weighed, those that are worth most first, until the humanness
 * score is at least `target`, then takes back each that is not needed for it, least worth first.
 * Others stay as they are. A target that cannot be reached leaves all of them made.
 */
void pt_reach_target(pt_humanized_t *h, double target);

#endif
