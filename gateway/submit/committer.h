/* The group committer: everything that waits becomes one transaction. Its thread owns one
 * connection; the handlers' threads wait for their row at most as long as they say.
 */
#ifndef PT_COMMITTER_H
#define PT_COMMITTER_H

#include "proto/uuid.h"
#include "proto/wire.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct pt_committer pt_committer_t;

#define PT_REQUEST_ID_MAX 128

typedef struct {
    pt_uuid_t org_id, variant_id;
    char job_type[PT_TYPE_MAX];
    int priority;                           /* 0 high, 1 normal, 2 low */
    int weight;                             /* turns of the organisation in a round */
    char request_id[PT_REQUEST_ID_MAX + 1]; /* X-Request-Id */
    pt_uuid_t resubmit_of;                  /* the job that this one repeats; all zero: none */
    pt_uuid_t batch_id;                     /* the panel that it belongs to; all zero: none */
    const char *options;                    /* JSON, borrowed; NULL: the pipeline's defaults */
} pt_submission_t;

typedef enum {
    PT_SUBMIT_CREATED,    /* durable */
    PT_SUBMIT_NOT_FOUND,  /* the organisation has no such variant */
    PT_SUBMIT_UNAVAILABLE /* the queue is full or the database away; the job may or may not exist */
} pt_submit_t;

/* Told of each job that has become waiting, and in how long it is due; called in the thread of who
   tells it, must not wait. */
typedef void pt_waits_fn(void *context, const char *job_type, int64_t due_in_ms);

/* Starts the thread. `links` is borrowed. A new job waits if no credit was free, or something of
   its organisation waited already. */
struct pt_links;
pt_committer_t *pt_committer_new(const char *uri, struct pt_links *links, pt_waits_fn *waits,
                                 void *context);
/* Answers what still waits with PT_SUBMIT_UNAVAILABLE and ends the thread. */
void pt_committer_destroy(pt_committer_t **self);

typedef struct {
    uint64_t queue, submitted, batches;
} pt_committer_counts_t;
pt_committer_counts_t pt_committer_counts(pt_committer_t *self);

/* Makes the job durable. On PT_SUBMIT_CREATED `job_id` and `created_at` (microseconds since 1970)
   are set. Called from any thread. */
pt_submit_t pt_committer_submit(pt_committer_t *self, const pt_submission_t *submission,
                                int wait_ms, pt_uuid_t *job_id, int64_t *created_at);

#endif
