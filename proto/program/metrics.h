/* GET /metrics for Prometheus, inside a program's own poll loop.
 *
 * The smallest HTTP that scrapers need, over a ZMQ_STREAM socket: one request a connection, at most
 * PT_METRICS_REQUEST bytes within PT_METRICS_MS, at most PT_METRICS_PEERS connections. Whoever
 * sends more, something else or nothing is disconnected; no bytes can do harm.
 */
#ifndef PT_METRICS_H
#define PT_METRICS_H

#include <czmq.h>
#include <stdio.h>

#define PT_METRICS_REQUEST 8192
#define PT_METRICS_MS 5000
#define PT_METRICS_PEERS 64

typedef struct pt_metrics pt_metrics_t;

/* Writes the page, in the text format of Prometheus. */
typedef void pt_metrics_render_fn(void *arg, FILE *to);

/* Listens on HOST:PORT; NULL if it cannot (errno says why). */
pt_metrics_t *pt_metrics_new(const char *host_port);
void pt_metrics_destroy(pt_metrics_t **self);

/* To poll for input. Owned by it. */
zsock_t *pt_metrics_socket(pt_metrics_t *self);

/* Answers what has come and disconnects who is late; call it when the socket is readable and once
   a second. Never waits. `render` is called at most once a call. */
void pt_metrics_serve(pt_metrics_t *self, pt_metrics_render_fn *render, void *arg);

#endif
