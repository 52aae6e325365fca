/* A request for one of the gateway's handlers, and the checks of every answer. */
#ifndef FUZZ_REQUEST_H
#define FUZZ_REQUEST_H

#include "fuzz.h"
#include "gateway/api/api.h"
#include "gateway/http/json.h"
#include "gateway/store/read.h"

/* The handler's answer: of a status that HTTP knows, its body JSON, its headers lines. */
static inline int answer_request(pt_handler_t handler, pt_request_t request)
{
    const pt_gateway_t gateway = {0};
    const pt_http_t http = {.gateway = &gateway};
    pt_response_t response = {0};
    char reason[200];
    request.method = "POST";
    request.path = "/";
    snprintf(request.id, sizeof request.id, "fuzz");
    handler(&http, &request, &response);
    int status = response.status;
    CHECK(status >= 200 && status <= 503 && status != 500);
    json_t *json = pt_json_read(response.body, response.size, reason, sizeof reason);
    CHECK(json);
    json_decref(json);
    size_t lines = strlen(response.headers);
    CHECK(lines == 0 || strcmp(response.headers + lines - 2, "\r\n") == 0);
    pt_response_clear(&response);
    return status;
}

static inline int answer(pt_handler_t handler, const char *query, const char *body, size_t size)
{
    return answer_request(handler, (pt_request_t){.query = query, .body = body, .body_size = size});
}

#endif
