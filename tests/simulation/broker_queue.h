/* Which jobs wait at a broker, written down beside its own queue to check in what order it gives
 * them to workers: within an organisation by class.
 */
#ifndef SIM_BROKER_QUEUE_H
#define SIM_BROKER_QUEUE_H

#include "proto/message.h"
#include "tests/simulation/jobs.h"

typedef struct {
    uint32_t waiting[JOBS_MAX]; /* the attempt that does; 0: none */
    uint32_t given[JOBS_MAX];   /* the last attempt that a worker had */
    int latest;                 /* the job that is being read */
} broker_queue_t;

/* Before the broker looks at what came in, and whenever it says something. */
void broker_queue_receives(broker_queue_t *self, const world_t *world, const pt_msg_t *msg);
void broker_queue_says(broker_queue_t *self, world_t *world, const pt_msg_t *msg);

#endif
