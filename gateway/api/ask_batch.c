#include "gateway/api/ask_batch.h"

#include "gateway/api/api.h"
#include "gateway/http/json.h"
#include "gateway/http/problem.h"
#include "gateway/http/query.h"
#include "gateway/molecules/fasta_molecule.h"
#include "gateway/molecules/molecule.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pt_asked_batch {
    pt_new_batch_t batch;
    json_t *body; /* of JSON */
    char job_type[PT_TYPE_MAX], name[PT_QUERY_CODE_MAX + 1];
    char *options;
    pt_uuid_t *variants;
    pt_fasta_t fasta;
    pt_batch_molecule_t *molecules; /* names are of `fasta`, chains owned */
};

void pt_asked_batch_destroy(pt_asked_batch_t **self_p)
{
    pt_asked_batch_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; self->molecules && i < self->batch.count; i++)
        free((char *)(uintptr_t)self->molecules[i].chains);
    free(self->molecules);
    free(self->variants);
    free(self->options);
    pt_fasta_clear(&self->fasta);
    json_decref(self->body);
    free(self);
    *self_p = NULL;
}

const pt_new_batch_t *pt_asked_batch(const pt_asked_batch_t *self)
{
    return &self->batch;
}

/* Takes the errors; false if there are any, and the answer names them. */
static bool refuse_if(const pt_request_t *request, pt_response_t *response, pt_problem_t problem,
                      const char *detail, json_t *errors)
{
    bool good = json_array_size(errors) == 0;
    if (good)
        json_decref(errors);
    else
        pt_problem(request, response, problem, detail, errors);
    return good;
}

/* ---- antibodies of a FASTA --------------------------------------------------------------- */

static size_t count_antibodies(const pt_fasta_t *fasta)
{
    size_t count = 0;
    for (size_t i = 0; i < fasta->count; i++)
        count += !pt_fasta_is_second(&fasta->records[i]);
    return count;
}

static void complain(json_t *errors, const char *pointer, size_t record, const char *name,
                     const pt_fasta_molecule_t *molecule)
{
    json_t *error = pt_json_error(errors, pointer, "%s", molecule->fault);
    if (!error)
        return;
    json_object_set_new(error, "record", json_integer((json_int_t)record + 1));
    json_object_set_new(error, "name", json_string(name)); /* left out if it is no text */
    if (molecule->position > 0)
        json_object_set_new(error, "position", json_integer((json_int_t)molecule->position));
}

/* Each antibody that is one; the others are named. */
static json_t *take_antibodies(pt_asked_batch_t *self, const char *pointer)
{
    json_t *errors = json_array();
    for (size_t i = 0; i < self->fasta.count; i++) {
        const pt_fasta_record_t *record = &self->fasta.records[i];
        pt_fasta_molecule_t molecule;
        if (pt_fasta_is_second(record) || json_array_size(errors) == PT_JSON_ERRORS_MAX)
            continue;
        if (pt_fasta_whole_molecule(record, &molecule))
            self->molecules[self->batch.count++] =
                (pt_batch_molecule_t){record->name, molecule.format, molecule.chains};
        else
            complain(errors, pointer, i, record->name, &molecule);
    }
    return errors;
}

/* `pointer`: where the text stands in the body. */
static bool read_fasta(pt_asked_batch_t *self, const char *text, size_t size, const char *pointer,
                       const pt_request_t *request, pt_response_t *response)
{
    json_t *errors = json_array();
    const char *why = pt_fasta_read(&self->fasta, text, size);
    size_t count = why ? 0 : count_antibodies(&self->fasta);
    if (why)
        pt_json_error(errors, pointer, "is no FASTA: %s", why);
    else if (count > PT_BATCH_JOBS_MAX)
        pt_json_error(errors, pointer, "must have 1 to %d antibodies, not %zu", PT_BATCH_JOBS_MAX,
                      count);
    if (!refuse_if(request, response, PT_INVALID_REQUEST, "The body does not fit; see errors.",
                   errors))
        return false;
    self->molecules = calloc(count, sizeof *self->molecules);
    assert(self->molecules);
    self->batch.molecules = self->molecules;
    return refuse_if(request, response, PT_INVALID_SEQUENCE,
                     "A record failed its check, so nothing was made; see errors.",
                     take_antibodies(self, pointer));
}

/* ---- a body of FASTA --------------------------------------------------------------------- */

static bool read_plain(pt_asked_batch_t *self, const pt_api_types_t *types,
                       const pt_request_t *request, pt_response_t *response)
{
    const pt_query_param_t params[] = {{"job_type", PT_QUERY_WORD, 0, 0, 0, types->words},
                                       {"priority", PT_QUERY_WORD, 0, 0, 0, pt_api_priorities},
                                       {"name", PT_QUERY_CODE, 0, 0, 0, NULL}};
    pt_query_value_t values[3];
    if (!pt_query_read(request, params, 3, values, response))
        return false;
    if (!values[0].word) {
        pt_problem(request, response, PT_INVALID_REQUEST, "There must be a ?job_type=.", NULL);
        return false;
    }
    pt_job_type_copy(self->job_type, values[0].word);
    self->batch.priority = pt_api_priority(values[1].word);
    snprintf(self->name, sizeof self->name, "%s", values[2].given ? values[2].code : "");
    self->batch.name = values[2].given ? self->name : NULL;
    return read_fasta(self, request->body ? request->body : "", request->body_size, "", request,
                      response);
}

/* ---- a body of JSON ---------------------------------------------------------------------- */

typedef struct {
    pt_uuid_t id;
    size_t place;
} placed_t;

static int by_id(const void *a, const void *b)
{
    const placed_t *left = a, *right = b;
    int order = pt_uuid_compare(&left->id, &right->id);
    return order ? order : left->place < right->place ? -1 : left->place > right->place;
}

/* The same variant twice would be the same result twice. */
static json_t *find_repeated(const pt_uuid_t *variants, size_t count)
{
    json_t *errors = json_array();
    placed_t *sorted = malloc(count * sizeof *sorted);
    assert(sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = (placed_t){variants[i], i};
    qsort(sorted, count, sizeof *sorted, by_id);
    for (size_t i = 1; i < count; i++) {
        char pointer[40];
        if (!pt_uuid_equal(&sorted[i].id, &sorted[i - 1].id))
            continue;
        snprintf(pointer, sizeof pointer, "/variants/%zu", sorted[i].place);
        pt_json_error(errors, pointer, "is the same as /variants/%zu", sorted[i - 1].place);
    }
    free(sorted);
    return errors;
}

static bool read_variants(pt_asked_batch_t *self, const json_t *list, const pt_request_t *request,
                          pt_response_t *response)
{
    size_t count = json_array_size(list);
    self->variants = malloc(count * sizeof *self->variants);
    assert(self->variants);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        pt_uuid_parse(&self->variants[i], text, strlen(text));
    }
    self->batch.variants = self->variants;
    self->batch.count = count;
    return refuse_if(request, response, PT_INVALID_REQUEST, "A variant is there twice; see errors.",
                     find_repeated(self->variants, count));
}

/* False: they do not fit the type, and the answer says why. */
static bool read_options(pt_asked_batch_t *self, const pt_api_types_t *types,
                         const pt_request_t *request, pt_response_t *response)
{
    json_t *options = json_object_get(self->body, "options"), *errors = json_array();
    if (json_object_size(options) == 0) {
        json_decref(errors);
        return true;
    }
    bool known =
        pt_api_check_options(types->declarations, self->job_type, options, "/options", errors);
    self->options = pt_json_text(options);
    self->batch.options = self->options;
    if (self->options && strlen(self->options) > PT_BATCH_OPTIONS_MAX)
        pt_json_error(errors, "/options", "must have at most %d bytes as JSON",
                      PT_BATCH_OPTIONS_MAX);
    if (!pt_json_fits(request, errors, response))
        return false;
    if (!known)
        pt_api_answer_undeclared(request, response);
    return known;
}

static bool read_json(pt_asked_batch_t *self, const pt_api_types_t *types,
                      const pt_request_t *request, pt_response_t *response)
{
    const pt_json_field_t fields[] = {
        {.name = "job_type", .kind = PT_JSON_WORD, .required = true, .words = types->words},
        {.name = "options", .kind = PT_JSON_OBJECT},
        {.name = "variants", .kind = PT_JSON_UUIDS, .min = 1, .max = PT_BATCH_JOBS_MAX},
        {.name = "fasta", .kind = PT_JSON_STRING},
        {.name = "name", .kind = PT_JSON_TEXT, .min = 1, .max = PT_MOLECULE_NAME_MAX},
        {.name = "priority", .kind = PT_JSON_WORD, .words = pt_api_priorities},
        {.name = NULL}};
    self->body = pt_json_body(request, fields, response);
    if (!self->body)
        return false;
    const json_t *variants = json_object_get(self->body, "variants");
    const char *fasta = json_string_value(json_object_get(self->body, "fasta"));
    if (!variants == !fasta) {
        pt_problem(request, response, PT_INVALID_REQUEST,
                   "There must be either \"variants\" or \"fasta\".", NULL);
        return false;
    }
    pt_job_type_copy(self->job_type, json_string_value(json_object_get(self->body, "job_type")));
    self->batch.name = json_string_value(json_object_get(self->body, "name"));
    self->batch.priority =
        pt_api_priority(json_string_value(json_object_get(self->body, "priority")));
    if (!read_options(self, types, request, response))
        return false;
    return fasta ? read_fasta(self, fasta, strlen(fasta), "/fasta", request, response)
                 : read_variants(self, variants, request, response);
}

pt_asked_batch_t *pt_ask_batch(const pt_http_t *http, const pt_request_t *request,
                               pt_response_t *response)
{
    pt_api_types_t types;
    pt_asked_batch_t *self = calloc(1, sizeof *self);
    assert(self);
    pt_api_types_begin(http, false, &types);
    self->batch.job_type = self->job_type;
    self->batch.org_id = request->caller.org_id;
    self->batch.request_id = request->id;
    bool good = pt_request_is_fasta(request) ? read_plain(self, &types, request, response)
                                             : read_json(self, &types, request, response);
    pt_api_types_end(http, &types);
    if (!good)
        pt_asked_batch_destroy(&self);
    return self;
}
