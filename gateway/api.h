/* The handlers that the table of routes names. */
#ifndef PT_API_H
#define PT_API_H

#include "gateway/store_read.h"

#define PT_HANDLER(NAME)                                                                           \
    void NAME(const pt_http_t *http, const pt_request_t *request, pt_response_t *response)

PT_HANDLER(pt_api_submit_job);
PT_HANDLER(pt_api_jobs);
PT_HANDLER(pt_api_job);
PT_HANDLER(pt_api_job_results);
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
PT_HANDLER(pt_api_job_type_list);
PT_HANDLER(pt_api_events);
PT_HANDLER(pt_api_make_candidate);
PT_HANDLER(pt_api_candidate);
PT_HANDLER(pt_api_variant);
PT_HANDLER(pt_api_me);
PT_HANDLER(pt_api_healthz);
PT_HANDLER(pt_api_readyz);
PT_HANDLER(pt_api_metrics);

/* The job types that are accepted, ended by NULL. */
extern const char *const pt_api_job_types[];

/* Those of them of which something waits and that nobody serves; NULL if that is not known. */
json_t *pt_api_unserved(const pt_http_t *http);

/* The end of most reads: the row's JSON (taken), 404 with `missing` if there is none, or 503. */
void pt_api_answer_row(const pt_request_t *request, pt_response_t *response,
                       pt_pg_outcome_t outcome, char *json, const char *missing);

/* What the database said about a statement that did not succeed: 503, or 500 and a line in the
   log if it was the statement's own fault. */
void pt_api_answer_failure(const pt_request_t *request, pt_response_t *response,
                           pt_pg_outcome_t outcome);

/* A page of a list; takes its data. */
void pt_api_answer_page(const pt_request_t *request, pt_response_t *response, pt_job_page_t *page);

/* Classes of jobs as clients say them, by their numbers; NULL at the end. */
extern const char *const pt_api_priorities[];
/* The class's number; normal if nothing (NULL) was said. */
int pt_api_priority(const char *word);

#endif
