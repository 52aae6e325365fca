/* Requests by route and status, and how long they took; written as Prometheus reads it. */
#ifndef PT_METRICS_H
#define PT_METRICS_H

#include "gateway/http/http.h"

pt_metrics_t *pt_metrics_new(void);
void pt_metrics_destroy(pt_metrics_t **self);

/* One answered request; `route` is NULL for what no route fits. From any thread. */
void pt_metrics_count(pt_metrics_t *self, const pt_route_t *route, int status, int64_t us);

/* Connections that a thread of the server holds. */
void pt_metrics_connections(pt_metrics_t *self, int change);
int pt_metrics_open_connections(const pt_metrics_t *self);

/* Connections that were ended early, because few threads were free. */
void pt_metrics_ended(pt_metrics_t *self);

/* The whole page, with the figures of the other half; owned by the caller, NULL without memory. */
char *pt_metrics_text(const pt_metrics_t *self, const pt_health_t *health);

#endif
