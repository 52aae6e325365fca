/* The HTTP side: civetweb, routes, authentication, answers. */
#ifndef PT_HTTP_SERVER_H
#define PT_HTTP_SERVER_H

#include "gateway/admin/admin.h"
#include "gateway/gateway.h"

typedef struct pt_http_server pt_http_server_t;

typedef struct {
    const char *listen;        /* HOST:PORT */
    const char *health_listen; /* HOST:PORT for /healthz, /readyz, /metrics alone, or NULL */
    int threads;
    bool access_log;             /* a line for each request */
    const char *trusted_proxies; /* whose X-Forwarded-For is believed, see client.h; or NULL */
} pt_http_settings_t;

/* Starts to listen; NULL after logging in one line why it cannot. `gateway` is borrowed. */
pt_http_server_t *pt_http_server_new(const pt_gateway_t *gateway,
                                     const pt_http_settings_t *settings);

/* From now on every request that comes is told that this gateway is ending. */
void pt_http_server_refuse(pt_http_server_t *self);

/* Ends: no new connection, open requests are answered, then it is gone. */
void pt_http_server_destroy(pt_http_server_t **self);

#endif
