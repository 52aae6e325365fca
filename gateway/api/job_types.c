/* Job types: which there are, who serves them, what options they take. */
#include "gateway/api/api.h"
#include "gateway/http/json.h"
#include "gateway/http/problem.h"
#include "gateway/http/query.h"
#include "gateway/store/lifecycle.h"
#include "proto/options_schema.h"

#include <string.h>

/* ---- which there are --------------------------------------------------------------------- */

void pt_api_types_begin(const pt_http_t *http, bool of_jobs, pt_api_types_t *self)
{
    pt_catalogue_t *catalogue = http->gateway->catalogue;
    const pt_declaration_t *declaration;
    size_t count = 0;
    self->declarations = catalogue ? pt_catalogue_take(catalogue) : NULL;
    for (size_t i = 0; i < pt_resource_count; i++)
        if (!of_jobs || !pt_resources[i].is_elsewhere)
            self->words[count++] = pt_resources[i].job_type;
    for (size_t i = 0; (declaration = pt_declaration_at(self->declarations, i)); i++)
        if (count < PT_TYPES_MAX && !pt_resource_of_type(declaration->job_type))
            self->words[count++] = declaration->job_type;
    self->words[count] = NULL;
}

void pt_api_types_end(const pt_http_t *http, pt_api_types_t *self)
{
    if (self->declarations)
        pt_catalogue_give_back(http->gateway->catalogue, self->declarations);
}

static int64_t slots_of(const pt_http_t *http, const char *job_type)
{
    return http->gateway->slots(http->gateway->context, job_type);
}

void pt_api_job_type_list(const pt_http_t *http, const pt_request_t *request,
                          pt_response_t *response)
{
    pt_api_types_t types;
    pt_known_type_t known[PT_TYPES_MAX];
    pt_resource_t others[PT_TYPES_MAX];
    char paths[PT_TYPES_MAX][PT_RESOURCE_PATH_MAX], *json = NULL;
    size_t count = 0;
    pt_api_types_begin(http, false, &types);
    for (; types.words[count]; count++) {
        const char *word = types.words[count];
        known[count] = (pt_known_type_t){pt_resource_for(word, &others[count], paths[count]),
                                         slots_of(http, word)};
    }
    pt_pg_outcome_t outcome = pt_store_job_types(http->gateway->pool, known, count, &json);
    pt_api_types_end(http, &types);
    pt_api_answer_row(request, response, outcome, json, NULL);
}

json_t *pt_api_unserved(const pt_http_t *http)
{
    json_t *waiting = pt_store_waiting(http->gateway->pool);
    for (size_t i = json_array_size(waiting); i-- > 0;)
        if (slots_of(http, json_string_value(json_array_get(waiting, i))) != 0)
            json_array_remove(waiting, i);
    return waiting;
}

/* ---- a job's place ----------------------------------------------------------------------- */

/* An operator's own type takes jobs as long as it is declared. */
static bool is_declared(const pt_http_t *http, const char *job_type)
{
    const pt_declarations_t *declarations = pt_catalogue_take(http->gateway->catalogue);
    bool found = pt_declaration_of(declarations, job_type) != NULL;
    if (declarations)
        pt_catalogue_give_back(http->gateway->catalogue, declarations);
    return found;
}

/* Its jobs stay there. Where the database does not say so, whatever is asked for of them says that.
 */
static bool has_jobs(const pt_http_t *http, const pt_request_t *request, const char *job_type)
{
    bool has;
    return pt_store_has_type(http->gateway->pool, &request->caller.org_id, job_type, &has) !=
               PT_PG_OK ||
           has;
}

/* False: nothing stands there, and the answer says so. */
static bool find_place(const pt_http_t *http, const pt_request_t *request, pt_response_t *response,
                       pt_api_place_t *place, bool to_make)
{
    const char *own = request->job_type;
    place->which = (pt_which_t){&request->caller.org_id, &request->argument, request->resource};
    if (!*own)
        return true;
    place->which.resource = pt_resource_for(own, &place->other, place->path);
    if (!pt_resource_of_type(own) &&
        (is_declared(http, own) || (!to_make && has_jobs(http, request, own))))
        return true;
    pt_problem(request, response, PT_NOT_FOUND,
               "There is no such job type of the operator's own; GET /v1/job-types has those that "
               "workers declared, each with its path.",
               NULL);
    return false;
}

bool pt_api_place_to_make(const pt_http_t *http, const pt_request_t *request,
                          pt_response_t *response, pt_api_place_t *place)
{
    return find_place(http, request, response, place, true);
}

bool pt_api_place(const pt_http_t *http, const pt_request_t *request, pt_response_t *response,
                  pt_api_place_t *place)
{
    return find_place(http, request, response, place, false);
}

void pt_api_types_add_own(const pt_http_t *http, const pt_request_t *request, pt_api_types_t *self)
{
    size_t count = 0;
    if (!pt_query_find(request, "job_type", self->own, sizeof self->own) ||
        !pt_job_type_valid(self->own, strlen(self->own)))
        return;
    for (; self->words[count]; count++)
        if (strcmp(self->words[count], self->own) == 0)
            return;
    if (count < PT_TYPES_MAX && has_jobs(http, request, self->own)) {
        self->words[count] = self->own;
        self->words[count + 1] = NULL;
    }
}

/* ---- options ----------------------------------------------------------------------------- */

bool pt_api_check_options(const pt_declarations_t *declarations, const char *job_type,
                          json_t *options, const char *pointer, json_t *errors)
{
    const pt_declaration_t *declaration = pt_declaration_of(declarations, job_type);
    pt_options_error_t found[PT_OPTIONS_ERRORS_MAX];
    if (!declaration)
        return json_object_size(options) == 0;
    size_t count = pt_options_validate(declaration->schema, options, found, PT_OPTIONS_ERRORS_MAX);
    for (size_t i = 0; i < count; i++) {
        char at[sizeof found->pointer + 32];
        snprintf(at, sizeof at, "%.31s%.127s", pointer, found[i].pointer);
        pt_json_error(errors, at, "%s", found[i].message);
    }
    return true;
}

void pt_api_answer_undeclared(const pt_request_t *request, pt_response_t *response)
{
    pt_problem(request, response, PT_UNAVAILABLE,
               "No worker that serves this job type has been there yet, so its options are not"
               " known. Submit without options, or try again once it is served.",
               NULL);
}
