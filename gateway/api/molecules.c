/* Candidates and variants: checked at the door, so that no job fails for what could be seen here.
 */
#include "gateway/api/api.h"
#include "gateway/http/json.h"
#include "gateway/http/problem.h"
#include "gateway/molecules/molecule.h"
#include "gateway/store/read.h"
#include "proto/program/process.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *read_candidate(const pt_request_t *request, pt_response_t *response)
{
    static const pt_json_field_t chain[] = {
        {.name = "kind", .kind = PT_JSON_WORD, .required = true, .words = pt_molecule_kinds},
        /* Its letters are looked at by the antibody's own check. */
        {.name = "sequence", .kind = PT_JSON_STRING, .required = true},
        {.name = NULL}};
    static const pt_json_field_t candidate[] = {
        {.name = "name",
         .kind = PT_JSON_TEXT,
         .required = true,
         .min = 1,
         .max = PT_MOLECULE_NAME_MAX},
        {.name = "format", .kind = PT_JSON_WORD, .required = true, .words = pt_molecule_formats},
        {.name = "chains",
         .kind = PT_JSON_LIST,
         .required = true,
         .min = 1,
         .max = PT_CHAINS_MAX,
         .fields = chain},
        {.name = NULL}};
    return pt_json_body(request, candidate, response);
}

/* [{kind, sequence}] as the table keeps them, made before the check adds what it found. */
static char *chains_to_store(const json_t *chains)
{
    return json_dumps(chains, JSON_COMPACT);
}

/* Whether it is a molecule; if not, the answer says why. */
static bool check(const pt_request_t *request, json_t *candidate, pt_response_t *response)
{
    const char *format = json_string_value(json_object_get(candidate, "format"));
    json_t *chains = json_object_get(candidate, "chains"), *errors = json_array();
    if (!pt_molecule_check_kinds(format, chains, errors)) {
        pt_problem(request, response, PT_INVALID_REQUEST, "The chains do not fit the format.",
                   errors);
        return false;
    }
    pt_molecule_check_sequences(chains, errors);
    if (json_array_size(errors) > 0) {
        pt_problem(request, response, PT_INVALID_SEQUENCE,
                   "A sequence failed its check; see errors.", errors);
        return false;
    }
    json_decref(errors);
    return true;
}

static void answer_made(pt_response_t *response, json_t *body, const pt_candidate_t *made,
                        const char *created_at)
{
    char id[PT_UUID_TEXT], variant[PT_UUID_TEXT], location[80];
    pt_uuid_format(&made->candidate_id, id);
    json_t *answer = json_pack("{s:s, s:s, s:O, s:O, s:s, s:O, s:s}", "id", id, "object",
                               "therapeutic_candidate", "name", json_object_get(body, "name"),
                               "format", json_object_get(body, "format"), "variant_id",
                               pt_uuid_format(&made->variant_id, variant), "chains",
                               json_object_get(body, "chains"), "created_at", created_at);
    pt_response_json(response, 201, "application/json", answer);
    snprintf(location, sizeof location, "/v1/therapeutic-candidates/%s", id);
    pt_response_header(response, "Location", location);
}

static void make(const pt_http_t *http, const pt_request_t *request, json_t *body,
                 const char *chains, pt_response_t *response)
{
    int64_t now = pt_wall_us();
    pt_candidate_t candidate = {.org_id = request->caller.org_id,
                                .candidate_id = pt_uuid_new(now),
                                .variant_id = pt_uuid_new(now),
                                .name = json_string_value(json_object_get(body, "name")),
                                .format = json_string_value(json_object_get(body, "format")),
                                .chains = chains};
    char created_at[PT_TIME_TEXT];
    pt_pg_outcome_t outcome = pt_store_candidate(http->gateway->pool, &candidate, created_at);
    if (outcome == PT_PG_OK)
        answer_made(response, body, &candidate, created_at);
    else
        pt_api_answer_failure(request, response, outcome);
}

void pt_api_make_candidate(const pt_http_t *http, const pt_request_t *request,
                           pt_response_t *response)
{
    json_t *body = read_candidate(request, response);
    if (!body)
        return;
    char *chains = chains_to_store(json_object_get(body, "chains"));
    if (!chains)
        pt_problem(request, response, PT_INTERNAL, NULL, NULL);
    else if (check(request, body, response))
        make(http, request, body, chains, response);
    free(chains);
    json_decref(body);
}

void pt_api_candidate(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    char *json = NULL;
    pt_pg_outcome_t outcome = pt_store_read_candidate(http->gateway->pool, &request->caller.org_id,
                                                      &request->argument, &json);
    pt_api_answer_row(request, response, outcome, json, "No such candidate.");
}

void pt_api_variant(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    char *json = NULL;
    pt_pg_outcome_t outcome =
        pt_store_variant(http->gateway->pool, &request->caller.org_id, &request->argument, &json);
    pt_api_answer_row(request, response, outcome, json, "No such variant.");
}
