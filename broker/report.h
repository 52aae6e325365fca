/* The broker's numbers as Prometheus reads them. */
#ifndef PT_REPORT_H
#define PT_REPORT_H

#include "broker/events.h"
#include "broker/scheduler.h"

#include <stdio.h>

/* Messages on the two job sockets. */
typedef struct {
    uint64_t received[PT_SIDES][PT_VERBS], sent[PT_SIDES][PT_VERBS];
    pt_counters_t dropped[PT_SIDES]; /* before they reached the scheduler, by reason */
} pt_traffic_t;

void pt_report(FILE *to, const pt_scheduler_stats_t *stats, const pt_traffic_t *traffic,
               const pt_events_t *events);
void pt_report_descriptors(FILE *to, size_t open, size_t most);
/* What there is besides, with CURVE: certificates that are let in, and connections refused. */
void pt_report_keys(FILE *to, size_t certificates, const pt_counters_t *refused);

#endif
