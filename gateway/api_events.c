/* The organisation's events, page by page. */
#include "gateway/api.h"
#include "gateway/query.h"
#include "gateway/store_read.h"

void pt_api_events(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    static const pt_query_number_t numbers[] = {{"after", 0, INT64_C(1000000000000000000), 0},
                                                {"limit", 1, 1000, 100}};
    int64_t values[2];
    if (!pt_query_numbers(request, numbers, 2, values, response))
        return;
    char *json = NULL;
    pt_pg_outcome_t outcome =
        pt_store_events(http->gateway->pool, &request->caller.org_id, values[0], values[1], &json);
    pt_api_answer_row(request, response, outcome, json, "No such organisation.");
}
