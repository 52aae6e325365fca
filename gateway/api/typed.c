/* Typed resources (resources.h): their lists, one of them, its cancel. */
#include "gateway/api/api.h"
#include "gateway/http/problem.h"
#include "gateway/http/query.h"

#include <stdlib.h>

void pt_api_typed(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    pt_api_place_t place;
    if (pt_api_place(http, request, response, &place))
        pt_api_answer_typed(http, request, response, &place.which);
}

/* ---- list -------------------------------------------------------------------------------- */

void pt_api_typed_list(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    static const char *const statuses[] = {"pending", "running",  "completed",
                                           "failed",  "canceled", NULL};
    static const pt_query_param_t params[] = {{"status", PT_QUERY_WORD, 0, 0, 0, statuses},
                                              {"variant_id", PT_QUERY_UUID, 0, 0, 0, NULL},
                                              {"limit", PT_QUERY_NUMBER, 1, 1000, 100, NULL},
                                              {"cursor", PT_QUERY_CURSOR, 0, 0, 0, NULL}};
    enum { STATUS, VARIANT, LIMIT, CURSOR, COUNT };
    pt_query_value_t values[COUNT];
    pt_api_place_t place;
    if (!pt_api_place(http, request, response, &place) ||
        !pt_query_read(request, params, COUNT, values, response))
        return;
    const char *const type[] = {place.which.resource->job_type, NULL};
    const char *const status[] = {values[STATUS].word, NULL};
    pt_job_filter_t filter = {.job_types = type,
                              .statuses = values[STATUS].word ? status : statuses,
                              .variant = values[VARIANT].given ? &values[VARIANT].uuid : NULL,
                              .resource = place.which.resource,
                              .behind = values[CURSOR].given ? &values[CURSOR].position : NULL,
                              .limit = values[LIMIT].number};
    pt_job_page_t page;
    pt_pg_outcome_t outcome =
        pt_store_jobs(http->gateway->pool, &request->caller.org_id, &filter, &page);
    pt_api_answer_page(request, response, outcome, &page, NULL);
}

/* ---- cancel ------------------------------------------------------------------------------ */

/* Whether it is one of these; else the answer says so. A job's type never changes. */
static bool is_there(const pt_http_t *http, const pt_request_t *request, pt_response_t *response,
                     const pt_which_t *which)
{
    char *json = NULL;
    bool ended, large;
    pt_pg_outcome_t outcome = pt_store_typed(http->gateway->pool, which, &json, &ended, &large);
    bool there = json != NULL;
    free(json);
    if (!there)
        pt_api_answer_row(request, response, outcome, NULL, pt_api_no_job);
    return there;
}

void pt_api_cancel_typed(const pt_http_t *http, const pt_request_t *request,
                         pt_response_t *response)
{
    pt_api_place_t place;
    if (!pt_api_place(http, request, response, &place) ||
        !is_there(http, request, response, &place.which))
        return;
    pt_api_cancel_job(http, request, response);
    if (response->status == 200)
        pt_api_answer_typed(http, request, response, &place.which);
}
