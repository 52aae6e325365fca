/* Panels: many jobs that are submitted, watched and canceled as one. */
#include "gateway/api/api.h"
#include "gateway/api/ask_batch.h"
#include "gateway/http/json.h"
#include "gateway/http/problem.h"
#include "gateway/http/query.h"
#include "gateway/results/batch_results.h"
#include "gateway/results/fasta.h"
#include "gateway/store/read_batches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char no_batch[] = "No such batch.";

/* ---- make -------------------------------------------------------------------------------- */

static json_t *name_missing(const PGresult *rows)
{
    json_t *errors = json_array();
    for (int row = 0; row < PQntuples(rows); row++) {
        char pointer[40];
        snprintf(pointer, sizeof pointer, "/variants/%.20s", PQgetvalue(rows, row, 0));
        pt_json_error(errors, pointer, "No such variant.");
    }
    return errors;
}

/* Before anything is written, so that all that are missing are named. */
static bool check_variants(const pt_http_t *http, const pt_request_t *request,
                           pt_response_t *response, const pt_new_batch_t *batch)
{
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome =
        pt_store_missing_variants(http->gateway->pool, &batch->org_id, batch->variants,
                                  batch->count, PT_JSON_ERRORS_MAX, &rows);
    bool good = outcome == PT_PG_OK && PQntuples(rows) == 0;
    if (outcome != PT_PG_OK)
        pt_api_answer_failure(request, response, outcome);
    else if (!good)
        pt_problem(request, response, PT_NOT_FOUND,
                   "A variant is not there, so nothing was made; see errors.", name_missing(rows));
    PQclear(rows);
    return good;
}

/* It is durable, so that it was is said whatever the database does now. */
static void answer_made(const pt_http_t *http, const pt_request_t *request, pt_response_t *response,
                        const pt_uuid_t *batch)
{
    char *json = NULL, id[PT_UUID_TEXT], location[64], bare[80];
    pt_uuid_format(batch, id);
    pt_store_batch(http->gateway->pool, &request->caller.org_id, batch, &json);
    snprintf(bare, sizeof bare, "{\"id\":\"%s\",\"object\":\"batch\"}", id);
    if (json)
        pt_response_row(response, 202, json);
    else
        pt_response_text(response, 202, "application/json", bare, strlen(bare));
    snprintf(location, sizeof location, "/v1/batches/%s", id);
    pt_response_header(response, "Location", location);
}

static void make(const pt_http_t *http, const pt_request_t *request, pt_response_t *response,
                 const pt_new_batch_t *batch)
{
    pt_uuid_t id;
    switch (pt_batcher_make(http->gateway->batcher, batch, &id)) {
    case PT_SUBMIT_CREATED:
        answer_made(http, request, response, &id);
        break;
    case PT_SUBMIT_NOT_FOUND:
        pt_problem(request, response, PT_NOT_FOUND, "A variant is not there.", NULL);
        break;
    case PT_SUBMIT_UNAVAILABLE:
        pt_problem_unavailable(request, response);
        break;
    }
}

void pt_api_make_batch(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    pt_asked_batch_t *asked = pt_ask_batch(http, request, response);
    if (!asked)
        return;
    const pt_new_batch_t *batch = pt_asked_batch(asked);
    if (!batch->variants || check_variants(http, request, response, batch))
        make(http, request, response, batch);
    pt_asked_batch_destroy(&asked);
}

/* ---- read -------------------------------------------------------------------------------- */

void pt_api_batch(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    char *json = NULL;
    pt_pg_outcome_t outcome =
        pt_store_batch(http->gateway->pool, &request->caller.org_id, &request->argument, &json);
    pt_api_answer_row(request, response, outcome, json, no_batch);
}

void pt_api_batches(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    static const pt_query_param_t params[] = {{"limit", PT_QUERY_NUMBER, 1, 50, 20, NULL},
                                              {"cursor", PT_QUERY_CURSOR, 0, 0, 0, NULL}};
    pt_query_value_t values[2];
    pt_job_page_t page;
    if (!pt_query_read(request, params, 2, values, response))
        return;
    pt_pg_outcome_t outcome =
        pt_store_batches(http->gateway->pool, &request->caller.org_id,
                         values[1].given ? &values[1].position : NULL, values[0].number, &page);
    pt_api_answer_page(request, response, outcome, &page, NULL);
}

void pt_api_batch_jobs(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)
{
    static const pt_query_param_t params[] = {{"limit", PT_QUERY_NUMBER, 1, 1000, 100, NULL},
                                              {"cursor", PT_QUERY_CURSOR, 0, 0, 0, NULL}};
    pt_query_value_t values[2];
    pt_job_page_t page;
    if (!pt_query_read(request, params, 2, values, response))
        return;
    pt_pg_outcome_t outcome =
        pt_store_batch_jobs(http->gateway->pool, &request->caller.org_id, &request->argument,
                            values[1].given ? &values[1].position : NULL, values[0].number, &page);
    pt_api_answer_page(request, response, outcome, &page, no_batch);
}

/* ---- cancel ------------------------------------------------------------------------------ */

void pt_api_cancel_batch(const pt_http_t *http, const pt_request_t *request,
                         pt_response_t *response)
{
    switch (pt_canceller_cancel_batch(http->gateway->canceller, &request->caller.org_id,
                                      &request->argument, request->id)) {
    case PT_CANCEL_DONE:
        pt_api_batch(http, request, response);
        break;
    case PT_CANCEL_ENDED:
        pt_problem(request, response, PT_CONFLICT, "The batch has ended already.", NULL);
        break;
    case PT_CANCEL_NOT_FOUND:
        pt_problem(request, response, PT_NOT_FOUND, no_batch, NULL);
        break;
    case PT_CANCEL_UNAVAILABLE:
        pt_problem_unavailable(request, response);
        break;
    }
}

/* ---- results ----------------------------------------------------------------------------- */

/* The formats by name, by type as it is asked for, and as it is answered. */
static const char *const formats[] = {"jsonl", "csv", "fasta", NULL};
static const char *const types[] = {"application/jsonl", "text/csv", "text/x-fasta", NULL};
static const char *const answered[] = {"application/jsonl", "text/csv; charset=utf-8",
                                       "text/x-fasta; charset=utf-8"};

/* The place of the format that is asked for, -1: there is none. */
static int pick_format(const pt_request_t *request, const char *word)
{
    if (!word)
        return pt_request_pick(request, types);
    int format = 0;
    while (strcmp(formats[format], word) != 0)
        format++;
    return format;
}

static void answer_results(const pt_http_t *http, const pt_request_t *request,
                           pt_response_t *response, const char *job_type, int format)
{
    char id[PT_UUID_TEXT], disposition[128];
    pt_pg_outcome_t outcome =
        pt_batch_results_new(http->gateway->pool, &request->caller.org_id, &request->argument,
                             job_type, (pt_batch_format_t)format, &response->stream);
    if (outcome != PT_PG_OK) {
        pt_api_answer_failure(request, response, outcome);
        return;
    }
    response->status = 200;
    response->type = answered[format];
    snprintf(disposition, sizeof disposition, "attachment; filename=\"batch-%s.%s\"",
             pt_uuid_format(&request->argument, id), formats[format]);
    pt_response_header(response, "Content-Disposition", disposition);
}

void pt_api_batch_results(const pt_http_t *http, const pt_request_t *request,
                          pt_response_t *response)
{
    static const pt_query_param_t params[] = {{"format", PT_QUERY_WORD, 0, 0, 0, formats}};
    pt_query_value_t value;
    char job_type[PT_TYPE_MAX];
    if (!pt_query_read(request, params, 1, &value, response))
        return;
    pt_pg_outcome_t outcome = pt_store_batch_type(http->gateway->pool, &request->caller.org_id,
                                                  &request->argument, job_type);
    int format = pick_format(request, value.word);
    bool fasta = pt_result_has_fasta(job_type);
    if (outcome != PT_PG_OK)
        pt_api_answer_failure(request, response, outcome);
    else if (!*job_type)
        pt_problem(request, response, PT_NOT_FOUND, no_batch, NULL);
    else if (format < 0 || (format == PT_BATCH_FASTA && !fasta))
        pt_problem(request, response, PT_NOT_ACCEPTABLE,
                   fasta ? "There are application/jsonl, text/csv and text/x-fasta."
                         : "There are application/jsonl and text/csv: results of this type have no"
                           " sequences.",
                   NULL);
    else
        answer_results(http, request, response, job_type, format);
}
