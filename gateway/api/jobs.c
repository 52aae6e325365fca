/* Jobs, as the table says. */
#include "gateway/api/api.h"
#include "gateway/http/problem.h"
#include "gateway/http/query.h"
#include "gateway/store/lifecycle.h"
#include "gateway/store/read.h"

#include <stdlib.h>
#include <string.h>

/* ---- read -------------------------------------------------------------------------------- */

void pt_api_job(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    char *json = NULL;
    pt_pg_outcome_t outcome = pt_gather_read(http->gateway->jobs, &request->caller.org_id,
                                             &request->argument, PT_READ_MS, &json);
    pt_api_answer_row(request, response, outcome, json, pt_api_no_job);
}

void pt_api_cancel_job(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    switch (pt_canceller_cancel(http->gateway->canceller, &request->caller.org_id,
                                &request->argument, request->id)) {
    case PT_CANCEL_DONE:
        pt_api_job(http, request, response);
        break;
    case PT_CANCEL_ENDED:
        pt_problem(request, response, PT_CONFLICT, "The job has ended already.", NULL);
        break;
    case PT_CANCEL_NOT_FOUND:
        pt_problem(request, response, PT_NOT_FOUND, pt_api_no_job, NULL);
        break;
    case PT_CANCEL_UNAVAILABLE:
        pt_problem_unavailable(request, response);
        break;
    }
}

void pt_api_job_events(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    static const pt_query_param_t params[] = {{"after", PT_QUERY_NUMBER, 0, PT_SEQ_MAX, 0, NULL},
                                              {"limit", PT_QUERY_NUMBER, 1, 1000, 1000, NULL}};
    pt_query_value_t values[2];
    if (!pt_query_read(request, params, 2, values, response))
        return;
    char *json = NULL;
    pt_pg_outcome_t outcome =
        pt_store_job_events(http->gateway->pool, &request->caller.org_id, &request->argument,
                            values[0].number, values[1].number, &json);
    pt_api_answer_row(request, response, outcome, json, pt_api_no_job);
}

void pt_api_job_logs(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    static const pt_query_param_t params[] = {{"attempt", PT_QUERY_NUMBER, 1, INT32_MAX, 0, NULL},
                                              {"after", PT_QUERY_NUMBER, 0, PT_SEQ_MAX, 0, NULL}};
    pt_query_value_t values[2];
    if (!pt_query_read(request, params, 2, values, response))
        return;
    char *answer = NULL;
    bool as_text = pt_request_prefers_text(request);
    pt_pg_outcome_t outcome =
        pt_store_job_logs(http->gateway->pool, &request->caller.org_id, &request->argument,
                          values[0].number, values[1].number, as_text, &answer);
    if (as_text && outcome == PT_PG_OK && answer)
        pt_response_take(response, 200, "text/plain; charset=utf-8", answer, strlen(answer));
    else
        pt_api_answer_row(request, response, outcome, answer, pt_api_no_job);
}

void pt_api_job_position(const pt_http_t *http, const pt_request_t *request,
                         pt_response_t *response)
{
    char *json = NULL;
    pt_pg_outcome_t outcome =
        pt_store_position(http->gateway->pool, &request->caller.org_id, &request->argument, &json);
    pt_api_answer_row(request, response, outcome, json, pt_api_no_job);
}

/* ---- list -------------------------------------------------------------------------------- */

/* What a client calls a status, and what the table does. */
static const char *const *statuses_of(const char *word)
{
    static const char *const all[] = {"pending", "running",  "completed",
                                      "failed",  "canceled", NULL};
    static const char *const failed[] = {"failed", "canceled", NULL};
    static const char *const others[][2] = {
        {"pending", NULL}, {"running", NULL}, {"completed", NULL}};
    if (!word)
        return all;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(word, others[i][0]) == 0)
            return others[i];
    return failed;
}

static void list(const pt_http_t *http, const pt_request_t *request, pt_response_t *response,
                 const pt_api_types_t *types)
{
    static const char *const statuses[] = {"pending", "running", "completed", "failed", NULL};
    const pt_query_param_t params[] = {{"status", PT_QUERY_WORD, 0, 0, 0, statuses},
                                       {"job_type", PT_QUERY_WORD, 0, 0, 0, types->words},
                                       {"variant_id", PT_QUERY_UUID, 0, 0, 0, NULL},
                                       {"limit", PT_QUERY_NUMBER, 1, 1000, 100, NULL},
                                       {"cursor", PT_QUERY_CURSOR, 0, 0, 0, NULL},
                                       {"error_code", PT_QUERY_CODE, 0, 0, 0, NULL}};
    enum { STATUS, JOB_TYPE, VARIANT, LIMIT, CURSOR, ERROR_CODE, COUNT };
    pt_query_value_t values[COUNT];
    if (!pt_query_read(request, params, COUNT, values, response))
        return;
    const char *const one_type[] = {values[JOB_TYPE].word, NULL};
    pt_job_filter_t filter = {.job_types = values[JOB_TYPE].word ? one_type : NULL,
                              .statuses = statuses_of(values[STATUS].word),
                              .any_kind = !values[JOB_TYPE].word && !values[STATUS].word,
                              .variant = values[VARIANT].given ? &values[VARIANT].uuid : NULL,
                              .behind = values[CURSOR].given ? &values[CURSOR].position : NULL,
                              .error_code =
                                  values[ERROR_CODE].given ? values[ERROR_CODE].code : NULL,
                              .limit = values[LIMIT].number};
    pt_job_page_t page;
    pt_pg_outcome_t outcome =
        pt_store_jobs(http->gateway->pool, &request->caller.org_id, &filter, &page);
    pt_api_answer_page(request, response, outcome, &page, NULL);
}

void pt_api_jobs(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    pt_api_types_t types;
    pt_api_types_begin(http, false, &types);
    pt_api_types_add_own(http, request, &types);
    list(http, request, response, &types);
    pt_api_types_end(http, &types);
}
