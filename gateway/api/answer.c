/* What handlers answer alike. */
#include "gateway/api/api.h"
#include "gateway/http/problem.h"
#include "proto/program/log.h"

#include <stdio.h>
#include <stdlib.h>

const char pt_api_no_job[] = "No such job.";

void pt_api_answer_failure(const pt_request_t *request, pt_response_t *response,
                           pt_pg_outcome_t outcome)
{
    if (outcome != PT_PG_REFUSED) {
        pt_problem_unavailable(request, response);
        return;
    }
    pt_log(PT_ERROR, "the database refused a statement", PT_S("request_id", request->id));
    pt_problem(request, response, PT_INTERNAL, NULL, NULL);
}

void pt_api_answer_row(const pt_request_t *request, pt_response_t *response,
                       pt_pg_outcome_t outcome, char *json, const char *missing)
{
    if (outcome == PT_PG_OK && json) {
        pt_response_row(response, 200, json);
        return;
    }
    if (outcome != PT_PG_OK)
        pt_api_answer_failure(request, response, outcome);
    else
        pt_problem(request, response, PT_NOT_FOUND, missing, NULL);
    free(json);
}

static void answer_data(const pt_request_t *request, pt_response_t *response,
                        const pt_job_page_t *page)
{
    char cursor[PT_CURSOR_TEXT + 2] = "null";
    if (page->more) {
        pt_cursor_write(&page->last, &request->caller.org_id, cursor + 1);
        cursor[0] = cursor[PT_CURSOR_TEXT] = '"';
        cursor[PT_CURSOR_TEXT + 1] = 0;
    }
    char *body = NULL;
    int size = asprintf(&body, "{\"data\":%s,\"next_cursor\":%s}", page->data, cursor);
    if (size >= 0)
        pt_response_row(response, 200, body);
    else
        pt_problem(request, response, PT_INTERNAL, NULL, NULL);
}

void pt_api_answer_page(const pt_request_t *request, pt_response_t *response,
                        pt_pg_outcome_t outcome, pt_job_page_t *page, const char *missing)
{
    if (outcome != PT_PG_OK) {
        pt_api_answer_failure(request, response, outcome);
        return;
    }
    if (page->data)
        answer_data(request, response, page);
    else
        pt_problem(request, response, PT_NOT_FOUND, missing, NULL);
    free(page->data);
}

void pt_api_answer_refused(const pt_request_t *request, pt_response_t *response, pt_submit_t result)
{
    if (result == PT_SUBMIT_NOT_FOUND)
        pt_problem(request, response, PT_NOT_FOUND, "No such variant.", NULL);
    else
        pt_problem_unavailable(request, response);
}
