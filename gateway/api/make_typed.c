/* Jobs with options, submitted as typed resources; and who wants to wait for the end of one. */
#include "gateway/api/api.h"
#include "gateway/http/json.h"
#include "gateway/http/problem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MAX_S 120

/* A body, taken apart. */
typedef struct {
    json_t *head, *options; /* what every job has; the rest */
    char *text;             /* of the options; NULL: none */
} body_t;

static void body_clear(body_t *self)
{
    json_decref(self->head);
    json_decref(self->options);
    free(self->text);
}

static void take_apart(body_t *self, json_t *body)
{
    static const char *const heads[] = {"variant_id", "priority"};
    self->head = json_object();
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        json_t *value = json_object_get(body, heads[i]);
        if (value)
            json_object_set(self->head, heads[i], value);
        json_object_del(body, heads[i]);
    }
    self->options = json_incref(body);
}

/* False: it does not fit, and the answer says all that is wrong. */
static bool check(body_t *self, const pt_api_types_t *types, const pt_resource_t *resource,
                  const pt_request_t *request, pt_response_t *response)
{
    static const pt_json_field_t fields[] = {
        {.name = "variant_id", .kind = PT_JSON_UUID, .required = true},
        {.name = "priority", .kind = PT_JSON_WORD, .words = pt_api_priorities},
        {.name = NULL}};
    json_t *errors = json_array();
    pt_json_check(self->head, fields, "", errors);
    bool known =
        pt_api_check_options(types->declarations, resource->job_type, self->options, "", errors);
    if (!pt_json_fits(request, errors, response))
        return false;
    if (!known)
        pt_api_answer_undeclared(request, response);
    if (json_object_size(self->options) > 0)
        self->text = pt_json_text(self->options);
    return known;
}

static bool read_body(body_t *self, const pt_api_types_t *types, const pt_resource_t *resource,
                      const pt_request_t *request, pt_response_t *response)
{
    json_t *body = pt_json_parse(request, response);
    bool fits = json_is_object(body);
    if (fits) {
        take_apart(self, body);
        fits = check(self, types, resource, request, response);
    } else if (body) {
        pt_problem(request, response, PT_INVALID_REQUEST, "The body must be a JSON object.", NULL);
    }
    json_decref(body);
    return fits;
}

/* ---- the answer -------------------------------------------------------------------------- */

static char *pending_text(const pt_resource_t *resource, const body_t *body, const char *id,
                          int64_t created_at)
{
    char at[PT_TIME_TEXT];
    json_t *inputs = json_copy(body->options);
    json_object_set(inputs, "variant_id", json_object_get(body->head, "variant_id"));
    json_t *answer = json_pack("{s:s, s:s, s:s, s:s, s:n, s:n, s:n, s:n, s:i, s:o, s:n, s:n}", "id",
                               id, "object", resource->object, "status", "pending", "created_at",
                               pt_time_iso(created_at, at), "started_at", "completed_at",
                               "failed_at", "canceled_at", "credit_cost", resource->cost, "inputs",
                               inputs, "error", "results");
    char *text = pt_json_text(answer);
    json_decref(answer);
    return text;
}

static void answer_pending(const pt_request_t *request, pt_response_t *response, char *text)
{
    if (text)
        pt_response_take(response, 202, "application/json", text, strlen(text));
    else
        pt_problem(request, response, PT_INTERNAL, NULL, NULL);
}

/* ---- Prefer: wait ------------------------------------------------------------------------ */

/* Seconds; 0: it does not want to wait. What is no number is passed over, as RFC 7240 has it. */
static int wait_of(const pt_request_t *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        const char *at = request->headers[i].value;
        if (strcasecmp(request->headers[i].name, "Prefer") != 0)
            continue;
        for (; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
            at += strspn(at, " \t");
            if (strncasecmp(at, "wait=", 5) == 0 && isdigit((unsigned char)at[5])) {
                long seconds = strtol(at + 5, NULL, 10);
                return seconds < WAIT_MAX_S ? (int)seconds : WAIT_MAX_S;
            }
        }
    }
    return 0;
}

typedef struct {
    pt_pool_t *pool;
    pt_which_t which;
} asker_t;

static bool has_ended(void *context)
{
    asker_t *asker = context;
    char *json = NULL;
    bool ended = false, large;
    pt_pg_outcome_t outcome = pt_store_typed(asker->pool, &asker->which, &json, &ended, &large);
    bool there = json != NULL;
    free(json);
    return outcome == PT_PG_OK && there && ended;
}

/* True: it has ended within the time, and is the answer. */
static bool wait_for_end(const pt_http_t *http, const pt_request_t *request,
                         pt_response_t *response, const pt_resource_t *resource,
                         const pt_uuid_t *job_id)
{
    int seconds = wait_of(request);
    asker_t asker = {http->gateway->pool, {&request->caller.org_id, job_id, resource}};
    if (seconds == 0 || !pt_awaits_wait(http->gateway->awaits, &request->caller.org_id, job_id,
                                        seconds * INT64_C(1000), has_ended, &asker))
        return false;
    char applied[24];
    pt_api_answer_typed(http, request, response, &asker.which);
    if (response->status != 200) {
        pt_response_clear(response);
        return false;
    }
    snprintf(applied, sizeof applied, "wait=%d", seconds);
    pt_response_header(response, "Preference-Applied", applied);
    return true;
}

/* ---- the submission ---------------------------------------------------------------------- */

static void answer_created(const pt_http_t *http, const pt_request_t *request,
                           pt_response_t *response, const pt_resource_t *resource,
                           const body_t *body, const pt_uuid_t *job_id, int64_t created_at)
{
    char id[PT_UUID_TEXT], location[PT_RESOURCE_PATH_MAX + PT_UUID_TEXT + 8];
    pt_uuid_format(job_id, id);
    if (!wait_for_end(http, request, response, resource, job_id))
        answer_pending(request, response, pending_text(resource, body, id, created_at));
    snprintf(location, sizeof location, "/v1/%s/%s", resource->path, id);
    pt_response_header(response, "Location", location);
}

static void submit(const pt_http_t *http, const pt_request_t *request, pt_response_t *response,
                   const pt_resource_t *resource, const body_t *body)
{
    const char *variant = json_string_value(json_object_get(body->head, "variant_id"));
    const char *priority = json_string_value(json_object_get(body->head, "priority"));
    pt_submission_t submission = {.priority = pt_api_priority(priority), .options = body->text};
    pt_uuid_t job_id;
    int64_t created_at;
    pt_uuid_parse(&submission.variant_id, variant, strlen(variant));
    pt_job_type_copy(submission.job_type, resource->job_type);
    pt_api_set_origin(&submission, request);
    pt_submit_t result = pt_committer_submit(http->gateway->committer, &submission, PT_SUBMIT_MS,
                                             &job_id, &created_at);
    if (result == PT_SUBMIT_CREATED)
        answer_created(http, request, response, resource, body, &job_id, created_at);
    else
        pt_api_answer_refused(request, response, result);
}

void pt_api_make_typed(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    pt_api_place_t place;
    pt_api_types_t types;
    body_t body = {.head = NULL};
    if (!pt_api_place_to_make(http, request, response, &place))
        return;
    pt_api_types_begin(http, false, &types);
    bool fits = read_body(&body, &types, place.which.resource, request, response);
    pt_api_types_end(http, &types);
    if (fits)
        submit(http, request, response, place.which.resource, &body);
    body_clear(&body);
}
