/* Who asks. */
#include "gateway/api/api.h"

void pt_api_me(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    (void)http;
    char org[PT_UUID_TEXT];
    /* Nothing is charged on the unlimited plan, so there is nothing that a balance could say. */
    pt_response_json(response, 200, "application/json",
                     json_pack("{s:s, s:s, s:s, s:n, s:n, s:n, s:n}", "object", "organisation",
                               "org_id", pt_uuid_format(&request->caller.org_id, org), "plan",
                               "unlimited", "subscription_balance", "purchased_balance",
                               "total_credits", "monthly_grant"));
}
