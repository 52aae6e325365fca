/* What the parts of a worker share, and nobody else: worker.c (the agent's loop), worker_ledger.c
 * (what was promised), worker_pipelines.c, worker_large.c (large results).
 */
#ifndef SIM_WORKER_INSIDE_H
#define SIM_WORKER_INSIDE_H

#include "tests/simulation/jobs.h"
#include "tests/simulation/network.h"
#include "tests/simulation/spool.h"
#include "tests/simulation/worker.h"
#include "worker/agent.h"

#define SLOTS 8
#define LEASES_MAX 256

/* A slot's process. */
typedef struct {
    bool up, busy;
    int job;
    uint32_t attempt;
    unsigned serial;  /* of its job: what an older one does is void */
    unsigned process; /* of its process: an older one is dead */
    int step;
} slot_t;

/* What it began and has not been told to forget. */
typedef struct {
    int job;
    uint32_t attempt;
    bool ended, unsure;
} lease_t;

typedef struct {
    world_t *world;
    node_t *node;
    pt_agent_t *agent;
    size_t slot_count;
    slot_t slots[SLOTS];
    lease_t leases[LEASES_MAX];
    size_t lease_count;
    spool_t spool;
    bool by_configuration;               /* declares, or its pipelines do */
    declaration_t declared[TYPES_MAX];   /* of each type, version 0: nothing */
    msgpack_sbuffer declares[TYPES_MAX]; /* the same as bytes */
    int broker;
    bool in_session, draining, send_failed, exiting;
    int64_t tick;            /* when it is planned, µs; the number of the event */
    const pt_msg_t *reading; /* the message that is being handled */
} worker_t;

/* worker.c */
void worker_step(worker_t *self, const pt_input_t *input);

/* worker_ledger.c */
lease_t *worker_find_lease(worker_t *self, int job, uint32_t attempt);
void worker_drop_lease(worker_t *self, lease_t *lease);
void worker_add_lease(worker_t *self, int job, uint32_t attempt);
/* What it says of its jobs, and hears, against what it began. */
void worker_check_hello(worker_t *self, const pt_msg_t *hello);
void worker_note_published(worker_t *self, const pt_output_t *output);
void worker_note_received(worker_t *self, const pt_msg_t *msg);
void worker_check_stopped(worker_t *self, const pt_msg_t *msg);

/* worker_pipelines.c */
void worker_start_slots(worker_t *self);
void worker_start_job(worker_t *self, const pt_output_t *output);
void worker_kill_slot(worker_t *self, size_t number);

/* worker_large.c */
void worker_keep(worker_t *self, const pt_output_t *output);
void worker_send_chunk(worker_t *self, const pt_output_t *output);

#endif
