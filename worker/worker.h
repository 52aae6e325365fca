/* The loop around the agent: the two sockets, the slots, the signals, the clock. */
#ifndef PT_WORKER_H
#define PT_WORKER_H

#include "proto/program/certificate.h"
#include "worker/agent.h"
#include "worker/cgroup.h"

typedef struct {
    char **brokers, **events_in; /* endpoints, the same number and order; config.brokers says it */
    const char **programs;       /* for each of the agent's types with slots, its pipeline */
    const char *const **arguments; /* and that one's arguments, ended by NULL */
    const char *keeper;            /* paratope-keeper */
    pt_cgroup_t cgroup;            /* where the memory of pipelines is limited; empty: nowhere */
    pt_keyring_t keyring;          /* may be empty */
    pt_agent_config_t agent;
    const char *spool; /* a folder for large results, or NULL: a private one */
    int signals;       /* from pt_process_start */
} pt_worker_config_t;

/* Serves until it is told to end; returns the exit status. Everything is borrowed. Call it in the
   main thread, which is the one whose children are ours. */
int pt_worker_run(const pt_worker_config_t *config);

#endif
