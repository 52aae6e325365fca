/* For operators: is it up, is all of it there, and what has it done. */
#include "gateway/api/api.h"
#include "gateway/http/metrics.h"
#include "gateway/http/problem.h"

#include <stdlib.h>
#include <string.h>

static void read_health(const pt_http_t *http, pt_health_t *health)
{
    memset(health, 0, sizeof *health);
    http->gateway->health(http->gateway->context, health);
}

void pt_api_healthz(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    (void)http, (void)request;
    pt_response_json(response, 200, "application/json", json_pack("{s:s}", "status", "ok"));
}

void pt_api_readyz(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    (void)request;
    pt_health_t health;
    read_health(http, &health);
    bool broker = health.brokers_in_session > 0;
    bool ready = health.database && broker && health.recorder;
    json_t *unserved = health.database ? pt_api_unserved(http) : NULL;
    pt_response_json(response, ready ? 200 : 503, "application/json",
                     json_pack("{s:b, s:b, s:b, s:b, s:o?}", "ready", ready, "database",
                               health.database, "broker", broker, "recorder", health.recorder,
                               "unserved", unserved));
    if (!ready)
        pt_response_header(response, "Retry-After", "1");
}

void pt_api_metrics(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    pt_health_t health;
    read_health(http, &health);
    char *text = pt_metrics_text(http->metrics, &health);
    if (text)
        pt_response_text(response, 200, "text/plain; version=0.0.4; charset=utf-8", text,
                         strlen(text));
    else
        pt_problem(request, response, PT_INTERNAL, NULL, NULL);
    free(text);
}
