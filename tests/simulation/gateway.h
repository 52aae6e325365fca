/* A gateway: the real rules (link, credit, edges, fact, judge, fold, rounds) in models of what is
 * not pure. links_loop.c is modelled by gateway.c, committer.c, recorder.c and sweep.c by their
 * namesakes here, control.c by gateway.c.
 */
#ifndef SIM_GATEWAY_H
#define SIM_GATEWAY_H

#include "tests/simulation/world.h"

void gateway_start(world_t *world, node_t *node);
void gateway_die(world_t *world, node_t *node);
/* SIGTERM: gives leadership up, says bye, ends. */
void gateway_drain(world_t *world, node_t *node);
point_t gateway_point(const world_t *world, const node_t *node);
/* Facts that wait for it, messages to be sent, or submissions under way. */
bool gateway_busy(const node_t *node);

/* Requests; the number is the job's. */
void gateway_submit(world_t *world, node_t *node, event_t *event);
void gateway_cancel(world_t *world, node_t *node, event_t *event);

#endif
