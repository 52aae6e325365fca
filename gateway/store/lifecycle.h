/* What handlers ask about jobs that wait or have failed, and about job types. */
#ifndef PT_STORE_LIFECYCLE_H
#define PT_STORE_LIFECYCLE_H

#include "gateway/http/http.h"

/* {position, more}: the job's place among its organisation's waiting jobs of the type, counted up
   to 10,000. `*json` as in read.h. */
pt_pg_outcome_t pt_store_position(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *job,
                                  char **json);

/* The job that `submission->resubmit_of` names and its organisation has: `*dead` if it failed or
   was canceled; then the rest of the submission is read from it. */
pt_pg_outcome_t pt_store_dead(pt_pool_t *pool, pt_submission_t *submission, bool *found,
                              bool *dead);

typedef struct {
    const pt_resource_t *resource;
    int64_t slots; /* -1: not known */
} pt_known_type_t;
/* {data} of the types, in this order, with what was declared of them and their settings. */
pt_pg_outcome_t pt_store_job_types(pt_pool_t *pool, const pt_known_type_t *types, size_t count,
                                   char **json);

/* The job types of which something waits; NULL if the database does not say at once. */
json_t *pt_store_waiting(pt_pool_t *pool);

/* Whether the organisation has jobs of the type, ended or not. */
pt_pg_outcome_t pt_store_has_type(pt_pool_t *pool, const pt_uuid_t *org, const char *job_type,
                                  bool *has);

#endif
