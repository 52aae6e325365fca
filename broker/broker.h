/* The sockets around the scheduler: reads, checks and feeds it, sends what it says. */
#ifndef PT_BROKER_H
#define PT_BROKER_H

#include "proto/program/certificate.h"

typedef struct {
    const char *gateways, *workers; /* job sockets */
    const char *events_in, *events; /* event path */
    const char *metrics;            /* HOST:PORT, or NULL */
    const pt_keyring_t *keyring;    /* the broker's own keys: CURVE on all four if it has any */
    const char *authorised;         /* then: the folder of the certificates that are let in */
} pt_broker_endpoints_t;

typedef struct pt_broker pt_broker_t;

/* Listens on all of them; NULL if one cannot be had, which is logged with the reason. */
pt_broker_t *pt_broker_new(const pt_broker_endpoints_t *endpoints);
void pt_broker_destroy(pt_broker_t **self);

/* Works until a signal comes (the descriptor of pt_process_start), then says bye to all. */
void pt_broker_run(pt_broker_t *self, int signals);

#endif
