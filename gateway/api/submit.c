/* Jobs made durable by the committer: new ones, and those that failed once more. */
#include "gateway/api/api.h"
#include "gateway/http/json.h"
#include "gateway/http/problem.h"
#include "gateway/store/lifecycle.h"

#include <stdio.h>
#include <string.h>

const char *const pt_api_priorities[] = {"high", "normal", "low", NULL};
#define PRIORITY_NORMAL 1

int pt_api_priority(const char *word)
{
    for (int class = 0; word && pt_api_priorities[class]; class ++)
        if (strcmp(pt_api_priorities[class], word) == 0)
            return class;
    return PRIORITY_NORMAL;
}

void pt_api_set_origin(pt_submission_t *submission, const pt_request_t *request)
{
    submission->org_id = request->caller.org_id;
    submission->weight = request->caller.weight;
    snprintf(submission->request_id, sizeof submission->request_id, "%s", request->id);
}

/* Jobs of some types are made by their typed resource alone; NULL: of this type they are not. */
static const pt_resource_t *made_elsewhere(const json_t *body)
{
    const char *word = json_string_value(json_object_get(body, "job_type"));
    const pt_resource_t *resource = word ? pt_resource_of_type(word) : NULL;
    return resource && resource->is_elsewhere ? resource : NULL;
}

/* The body, if it fits; else NULL, and the answer says why. */
static json_t *read_body(const pt_request_t *request, const pt_api_types_t *types,
                         pt_response_t *response)
{
    json_t *body = pt_json_parse(request, response), *errors = json_array();
    const pt_resource_t *elsewhere = made_elsewhere(body);
    const pt_json_field_t fields[] = {
        {.name = "variant_id", .kind = PT_JSON_UUID, .required = true},
        {.name = "job_type",
         .kind = elsewhere ? PT_JSON_STRING : PT_JSON_WORD,
         .required = true,
         .words = types->words},
        {.name = "priority", .kind = PT_JSON_WORD, .words = pt_api_priorities},
        {.name = NULL}};
    if (body)
        pt_json_check(body, fields, "", errors);
    if (elsewhere)
        pt_json_error(errors, "/job_type", "%s jobs are made by POST /v1/%s", elsewhere->job_type,
                      elsewhere->path);
    return pt_json_judge(request, body, errors, response);
}

static bool read_submission(const pt_http_t *http, const pt_request_t *request,
                            pt_submission_t *submission, pt_response_t *response)
{
    pt_api_types_t types;
    pt_api_types_begin(http, true, &types);
    json_t *body = read_body(request, &types, response);
    pt_api_types_end(http, &types);
    if (!body)
        return false;
    const char *variant = json_string_value(json_object_get(body, "variant_id"));
    pt_uuid_parse(&submission->variant_id, variant, strlen(variant));
    pt_job_type_copy(submission->job_type, json_string_value(json_object_get(body, "job_type")));
    submission->priority = pt_api_priority(json_string_value(json_object_get(body, "priority")));
    pt_api_set_origin(submission, request);
    json_decref(body);
    return true;
}

static void answer_created(pt_response_t *response, const pt_submission_t *submission,
                           const pt_uuid_t *job_id, int64_t created_at)
{
    char id[PT_UUID_TEXT], variant[PT_UUID_TEXT], at[PT_TIME_TEXT], location[64], body[512];
    pt_uuid_format(job_id, id);
    int size = snprintf(body, sizeof body,
                        "{\"id\":\"%s\",\"variant_id\":\"%s\",\"job_type\":\"%s\","
                        "\"status\":\"pending\",\"created_at\":\"%s\",\"started_at\":null,"
                        "\"completed_at\":null,\"error_message\":null}",
                        id, pt_uuid_format(&submission->variant_id, variant), submission->job_type,
                        pt_time_iso(created_at, at));
    pt_response_text(response, 202, "application/json", body, (size_t)size);
    snprintf(location, sizeof location, "/v1/jobs/%s", id);
    pt_response_header(response, "Location", location);
}

static void submit(const pt_http_t *http, const pt_request_t *request, pt_response_t *response,
                   const pt_submission_t *submission)
{
    pt_uuid_t job_id;
    int64_t created_at;
    pt_submit_t result = pt_committer_submit(http->gateway->committer, submission, PT_SUBMIT_MS,
                                             &job_id, &created_at);
    if (result == PT_SUBMIT_CREATED)
        answer_created(response, submission, &job_id, created_at);
    else
        pt_api_answer_refused(request, response, result);
}

void pt_api_submit_job(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    pt_submission_t submission = {0};
    if (read_submission(http, request, &submission, response))
        submit(http, request, response, &submission);
}

/* A job that has failed or was canceled stays so: that it ended once cannot change meanwhile. */
void pt_api_resubmit_job(const pt_http_t *http, const pt_request_t *request,
                         pt_response_t *response)
{
    pt_submission_t submission = {.resubmit_of = request->argument};
    bool found, dead;
    pt_api_set_origin(&submission, request);
    pt_pg_outcome_t outcome = pt_store_dead(http->gateway->pool, &submission, &found, &dead);
    if (outcome != PT_PG_OK)
        pt_api_answer_failure(request, response, outcome);
    else if (!found)
        pt_problem(request, response, PT_NOT_FOUND, "No such job.", NULL);
    else if (!dead)
        pt_problem(request, response, PT_CONFLICT,
                   "Only a job that failed or was canceled is submitted again.", NULL);
    else
        submit(http, request, response, &submission);
}
