/* Who serves what: job types, their settings and the slots for them. */
#include "gateway/api.h"
#include "gateway/store_lifecycle.h"

static int64_t slots_of(const pt_http_t *http, const char *job_type)
{
    return http->gateway->slots(http->gateway->context, job_type);
}

void pt_api_job_type_list(const pt_http_t *http, const pt_request_t *request,
                          pt_response_t *response)
{
    int64_t slots[PT_TYPES_MAX];
    char *json = NULL;
    for (size_t i = 0; pt_api_job_types[i]; i++)
        slots[i] = slots_of(http, pt_api_job_types[i]);
    pt_pg_outcome_t outcome =
        pt_store_job_types(http->gateway->pool, pt_api_job_types, slots, &json);
    pt_api_answer_row(request, response, outcome, json, NULL);
}

json_t *pt_api_unserved(const pt_http_t *http)
{
    const char *unserved[PT_TYPES_MAX] = {NULL};
    size_t count = 0;
    for (size_t i = 0; pt_api_job_types[i]; i++)
        if (slots_of(http, pt_api_job_types[i]) == 0)
            unserved[count++] = pt_api_job_types[i];
    return count > 0 ? pt_store_waiting(http->gateway->pool, unserved) : json_array();
}
