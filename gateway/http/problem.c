#include "gateway/http/problem.h"

#include <stdio.h>
#include <string.h>

static const struct {
    int status;
    const char *code, *title;
} kinds[PT_PROBLEMS] = {
    [PT_INVALID_REQUEST] = {400, "invalid_request", "The request is not valid"},
    [PT_UNAUTHORIZED] = {401, "unauthorized", "A valid token is needed"},
    [PT_NOT_FOUND] = {404, "not_found", "Not found"},
    [PT_METHOD_NOT_ALLOWED] = {405, "method_not_allowed", "The method is not allowed here"},
    [PT_NOT_ACCEPTABLE] = {406, "not_acceptable", "Answers are JSON"},
    [PT_REQUEST_TIMEOUT] = {408, "request_timeout", "The request did not come in time"},
    [PT_CONFLICT] = {409, "conflict", "The state of the thing does not allow it"},
    [PT_NOT_COMPLETED] = {409, "not_completed", "The job has not completed"},
    [PT_JOB_FAILED] = {409, "job_failed", "The job failed"},
    [PT_TOO_LARGE] = {413, "content_too_large", "The body is too large"},
    [PT_UNSUPPORTED_TYPE] = {415, "unsupported_media_type", "Bodies are JSON"},
    [PT_INVALID_SEQUENCE] = {422, "invalid_sequence", "A sequence failed its check"},
    [PT_HEADERS_TOO_LARGE] = {431, "headers_too_large", "Too many headers"},
    [PT_INTERNAL] = {500, "internal_error", "Something went wrong on our side"},
    [PT_UNAVAILABLE] = {503, "unavailable", "Not available at the moment"},
    [PT_BAD_VERSION] = {505, "http_version_not_supported", "Only HTTP/1.0 and HTTP/1.1"},
};

/* Text of the client that is no UTF-8 is left out, not passed on. */
static const char *valid(const char *text)
{
    return text && pt_text_valid(text, strlen(text)) ? text : NULL;
}

json_t *pt_problem_body(const pt_request_t *request, pt_problem_t problem, const char *detail)
{
    char type[80];
    snprintf(type, sizeof type, "urn:paratope:problem:%s", kinds[problem].code);
    return json_pack("{s:s, s:s, s:i, s:s*, s:s*, s:s}", "type", type, "title",
                     kinds[problem].title, "status", kinds[problem].status, "detail", valid(detail),
                     "instance", valid(request->path), "code", kinds[problem].code);
}

void pt_problem_send(pt_response_t *response, pt_problem_t problem, json_t *body)
{
    pt_response_json(response, kinds[problem].status, "application/problem+json", body);
    if (problem == PT_UNAUTHORIZED)
        pt_response_header(response, "WWW-Authenticate", "Bearer");
    if (problem == PT_UNAVAILABLE)
        pt_response_header(response, "Retry-After", "2");
}

void pt_problem(const pt_request_t *request, pt_response_t *response, pt_problem_t problem,
                const char *detail, json_t *errors)
{
    json_t *body = pt_problem_body(request, problem, detail);
    if (body && json_array_size(errors) > 0)
        json_object_set(body, "errors", errors);
    json_decref(errors);
    pt_problem_send(response, problem, body);
}

void pt_problem_unavailable(const pt_request_t *request, pt_response_t *response)
{
    pt_problem(request, response, PT_UNAVAILABLE,
               "The database does not answer or the queue is full. Try again.", NULL);
}
