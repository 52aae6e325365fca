/* The organisation's events, page by page. */
#include "gateway/api/api.h"
#include "gateway/http/query.h"
#include "gateway/store/read.h"

void pt_api_events(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    static const pt_query_param_t params[] = {{"after", PT_QUERY_NUMBER, 0, PT_SEQ_MAX, 0, NULL},
                                              {"limit", PT_QUERY_NUMBER, 1, 1000, 100, NULL}};
    pt_query_value_t values[2];
    if (!pt_query_read(request, params, 2, values, response))
        return;
    char *json = NULL;
    pt_pg_outcome_t outcome = pt_store_events(http->gateway->pool, &request->caller.org_id,
                                              values[0].number, values[1].number, &json);
    pt_api_answer_row(request, response, outcome, json, "No such organisation.");
}
