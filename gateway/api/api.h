/* The handlers that the table of routes names. */
#ifndef PT_API_H
#define PT_API_H

#include "gateway/store/results.h"

#define PT_HANDLER(NAME)                                                                           \
    void NAME(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)

PT_HANDLER(pt_api_submit_job);
PT_HANDLER(pt_api_jobs);
PT_HANDLER(pt_api_job);
PT_HANDLER(pt_api_job_results);
PT_HANDLER(pt_api_job_file);
PT_HANDLER(pt_api_job_events);
PT_HANDLER(pt_api_job_logs);
PT_HANDLER(pt_api_job_position);
PT_HANDLER(pt_api_cancel_job);
PT_HANDLER(pt_api_resubmit_job);
PT_HANDLER(pt_api_make_batch);
PT_HANDLER(pt_api_batches);
PT_HANDLER(pt_api_batch);
PT_HANDLER(pt_api_batch_jobs);
PT_HANDLER(pt_api_batch_results);
PT_HANDLER(pt_api_cancel_batch);
PT_HANDLER(pt_api_make_typed);
PT_HANDLER(pt_api_typed_list);
PT_HANDLER(pt_api_typed);
PT_HANDLER(pt_api_cancel_typed);
PT_HANDLER(pt_api_job_type_list);
PT_HANDLER(pt_api_events);
PT_HANDLER(pt_api_make_candidate);
PT_HANDLER(pt_api_candidate);
PT_HANDLER(pt_api_variant);
PT_HANDLER(pt_api_me);
PT_HANDLER(pt_api_healthz);
PT_HANDLER(pt_api_readyz);
PT_HANDLER(pt_api_metrics);

/* The job types that there are: those of resources.h, and others that pipelines have declared. */
typedef struct {
    const pt_declarations_t *declarations; /* NULL: never read */
    const char *words[PT_TYPES_MAX + 1];   /* ended by NULL, valid until the end */
    char own[PT_TYPE_MAX];                 /* one that was there, see pt_api_types_add_own */
} pt_api_types_t;
/* `of_jobs`: only those that POST /v1/jobs takes. */
void pt_api_types_begin(const pt_http_t *http, bool of_jobs, pt_api_types_t *self);
void pt_api_types_end(const pt_http_t *http, pt_api_types_t *self);
/* Adds the query's `job_type` if nobody declares it any more and the caller has jobs of it. */
void pt_api_types_add_own(const pt_http_t *http, const pt_request_t *request, pt_api_types_t *self);

/* Appends to `errors` what is wrong with the options (an object that stands at `pointer`) of a job
   of that type. False: nobody has declared yet which there are. */
bool pt_api_check_options(const pt_declarations_t *declarations, const char *job_type,
                          json_t *options, const char *pointer, json_t *errors);

/* 503, because of that. */
void pt_api_answer_undeclared(const pt_request_t *request, pt_response_t *response);

/* Which job a path names: its {id}, and of which resource it must be. */
typedef struct {
    pt_which_t which; /* resource: NULL under /v1/jobs */
    pt_resource_t other;
    char path[PT_RESOURCE_PATH_MAX];
} pt_api_place_t;
/* False: there is no such job type, and the answer says so. Jobs stay where they are when nobody
   declares their type any more; only new ones need that. */
bool pt_api_place_to_make(const pt_http_t *http, const pt_request_t *request,
                          pt_response_t *response, pt_api_place_t *place);
bool pt_api_place(const pt_http_t *http, const pt_request_t *request, pt_response_t *response,
                  pt_api_place_t *place);

/* The one that `which` names, as a typed resource, however large; 404 if there is none. */
void pt_api_answer_typed(const pt_http_t *http, const pt_request_t *request,
                         pt_response_t *response, const pt_which_t *which);

extern const char pt_api_no_job[];

/* Takes the rest of a submission from the request: who asks, and as which request. */
void pt_api_set_origin(pt_submission_t *submission, const pt_request_t *request);

/* Those of all job types of which something waits and that nobody serves; NULL if that is not
 * known. */
json_t *pt_api_unserved(const pt_http_t *http);

/* The end of most reads: the row's JSON (taken), 404 with `missing` if there is none, or 503. */
void pt_api_answer_row(const pt_request_t *request, pt_response_t *response,
                       pt_pg_outcome_t outcome, char *json, const char *missing);

/* What the database said about a statement that did not succeed: 503, or 500 and a line in the
   log if it was the statement's own fault. */
void pt_api_answer_failure(const pt_request_t *request, pt_response_t *response,
                           pt_pg_outcome_t outcome);

/* The end of lists: the page (its data is taken), or as answer_failure; 404 with `missing` if there
   is nothing to list. */
void pt_api_answer_page(const pt_request_t *request, pt_response_t *response,
                        pt_pg_outcome_t outcome, pt_job_page_t *page, const char *missing);

/* Why a job was not made. */
void pt_api_answer_refused(const pt_request_t *request, pt_response_t *response,
                           pt_submit_t result);

/* Classes of jobs as clients say them, by their numbers; NULL at the end. */
extern const char *const pt_api_priorities[];
/* The class's number; normal if nothing (NULL) was said. */
int pt_api_priority(const char *word);

#endif
