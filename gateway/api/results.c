/* What jobs came to: their results, and the files that these name. */
#include "gateway/api/api.h"
#include "gateway/http/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGE_WAIT_MS 10000 /* for one's turn, when many ask for large results */

/* Only a few are in memory at a time. False: there was no turn, and the answer says so. */
static bool enter_large(pt_pool_t *pool, const pt_request_t *request, pt_response_t *response)
{
    if (!pt_pool_enter_large(pool, &request->caller.org_id, LARGE_WAIT_MS)) {
        pt_problem_unavailable(request, response);
        return false;
    }
    response->large = pool;
    response->large_of = request->caller.org_id;
    return true;
}

static void answer_large(const pt_request_t *request, pt_response_t *response,
                         pt_pg_outcome_t outcome, char *json)
{
    if (json)
        pt_response_row(response, 200, json);
    else
        pt_api_answer_row(request, response, outcome, NULL, pt_api_no_job);
}

/* ---- results ----------------------------------------------------------------------------- */

/* 409 with the job's own error in it. */
static void answer_failed(const pt_request_t *request, pt_response_t *response,
                          const pt_store_result_t *result)
{
    bool canceled = strcmp(result->status, "canceled") == 0;
    const char *code = canceled ? "canceled" : result->error_code;
    const char *message = canceled ? "canceled" : result->error_message;
    json_t *partial =
        result->error_details ? json_loads(result->error_details, JSON_DECODE_ANY, NULL) : NULL;
    json_t *body = pt_problem_body(request, PT_JOB_FAILED, message ? message : "The job failed.");
    if (body)
        json_object_set_new(
            body, "error",
            json_pack("{s:s?, s:s?, s:O*}", "code", code, "message", message, "partial", partial));
    json_decref(partial);
    pt_problem_send(response, PT_JOB_FAILED, body);
}

static void answer_large_result(pt_pool_t *pool, const pt_request_t *request,
                                pt_response_t *response, const pt_which_t *which)
{
    char *json = NULL;
    if (!enter_large(pool, request, response))
        return;
    pt_pg_outcome_t outcome = pt_store_large_result(pool, which, &json);
    answer_large(request, response, outcome, json);
}

static void answer_result(pt_pool_t *pool, const pt_request_t *request, pt_response_t *response,
                          const pt_which_t *which, pt_store_result_t *result)
{
    if (!result->status)
        pt_problem(request, response, PT_NOT_FOUND, pt_api_no_job, NULL);
    else if (result->large)
        answer_large_result(pool, request, response, which);
    else if (result->json) {
        pt_response_row(response, 200, result->json);
        result->json = NULL;
    } else if (strcmp(result->status, "failed") == 0 || strcmp(result->status, "canceled") == 0)
        answer_failed(request, response, result);
    else
        pt_problem(request, response, PT_NOT_COMPLETED, "The job has not ended yet.", NULL);
}

void pt_api_job_results(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    pt_pool_t *pool = http->gateway->pool;
    pt_api_place_t place;
    pt_store_result_t result;
    if (!pt_api_place(http, request, response, &place))
        return;
    pt_pg_outcome_t outcome = pt_store_results(pool, &place.which, &result);
    if (outcome == PT_PG_OK)
        answer_result(pool, request, response, &place.which, &result);
    else
        pt_api_answer_failure(request, response, outcome);
    pt_store_result_clear(&result);
}

/* ---- typed resources --------------------------------------------------------------------- */

void pt_api_answer_typed(const pt_http_t *http, const pt_request_t *request,
                         pt_response_t *response, const pt_which_t *which)
{
    pt_pool_t *pool = http->gateway->pool;
    char *json = NULL;
    bool ended, large = false;
    pt_pg_outcome_t outcome = pt_store_typed(pool, which, &json, &ended, &large);
    if (!large) {
        pt_api_answer_row(request, response, outcome, json, pt_api_no_job);
        return;
    }
    free(json);
    if (enter_large(pool, request, response)) {
        outcome = pt_store_large_typed(pool, which, &json);
        answer_large(request, response, outcome, json);
    }
}

/* ---- files ------------------------------------------------------------------------------- */

/* As RFC 9110 has it, "type/subtype" and perhaps a character set; a pipeline may have said
 * anything. */
static bool is_media_type(const char *text)
{
    static const char token[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&^_.+-";
    size_t type = strspn(text, token);
    if (strlen(text) >= PT_MEDIA_TYPE_MAX || type == 0 || text[type] != '/')
        return false;
    size_t subtype = strspn(text + type + 1, token);
    const char *rest = text + type + 1 + subtype;
    return subtype > 0 &&
           (!*rest || strcmp(rest, "; charset=utf-8") == 0 || strcmp(rest, ";charset=utf-8") == 0);
}

/* Takes the content. Whatever it is, a browser stores it and does not show it: it is from a
 * pipeline. */
static void answer_content(const pt_request_t *request, pt_response_t *response,
                           const char *media_type, char *content)
{
    char disposition[PT_FILE_NAME_MAX + 32];
    snprintf(response->own_type, sizeof response->own_type, "%s",
             is_media_type(media_type) ? media_type : "application/octet-stream");
    snprintf(disposition, sizeof disposition, "attachment; filename=\"%s\"", request->name);
    pt_response_take(response, 200, response->own_type, content, strlen(content));
    pt_response_header(response, "Content-Disposition", disposition);
}

static void answer_file(pt_pool_t *pool, const pt_request_t *request, pt_response_t *response,
                        const pt_which_t *which, pt_store_file_t *file)
{
    if (!file->media_type) {
        pt_problem(request, response, PT_NOT_FOUND, "No such file.", NULL);
        return;
    }
    pt_pg_outcome_t outcome = PT_PG_OK;
    if (!file->content) {
        if (!enter_large(pool, request, response))
            return;
        outcome = pt_store_large_file(pool, which, request->name, &file->content);
    }
    if (file->content)
        answer_content(request, response, file->media_type, file->content);
    else
        pt_api_answer_row(request, response, outcome, NULL, "No such file.");
    file->content = NULL;
}

void pt_api_job_file(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    pt_pool_t *pool = http->gateway->pool;
    pt_api_place_t place;
    pt_store_file_t file;
    if (!pt_api_place(http, request, response, &place))
        return;
    pt_pg_outcome_t outcome = pt_store_file(pool, &place.which, request->name, &file);
    if (outcome == PT_PG_OK)
        answer_file(pool, request, response, &place.which, &file);
    else
        pt_api_answer_failure(request, response, outcome);
    pt_store_file_clear(&file);
}
