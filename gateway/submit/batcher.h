/* Makes batches: many jobs that are durable together or not at all. One at a time, on a connection
 * of its own, so that neither the committer nor the readers wait for it.
 */
#ifndef PT_BATCHER_H
#define PT_BATCHER_H

#include "gateway/submit/committer.h"

#define PT_BATCH_JOBS_MAX 10000

/* A molecule that the batch brings along; all borrowed. */
typedef struct {
    const char *name, *format, *chains; /* as the tables keep them; chains is JSON */
} pt_batch_molecule_t;

/* What is asked for. All borrowed. */
typedef struct {
    pt_uuid_t org_id;
    const char *job_type, *name, *options; /* options is JSON; name and options may be NULL */
    const char *request_id;
    int priority;
    size_t count;                         /* 1 to PT_BATCH_JOBS_MAX */
    const pt_uuid_t *variants;            /* of the organisation; or NULL, and instead: */
    const pt_batch_molecule_t *molecules; /* each becomes a candidate with its variant */
} pt_new_batch_t;

typedef struct pt_batcher pt_batcher_t;

/* `links` is borrowed; `waits` is told once for each batch. */
struct pt_links;
pt_batcher_t *pt_batcher_new(const char *uri, struct pt_links *links, pt_waits_fn *waits,
                             void *context);
void pt_batcher_destroy(pt_batcher_t **self);

/* Makes the batch durable, with all its jobs, which run in the order that is given. Sets its id on
   PT_SUBMIT_CREATED. PT_SUBMIT_NOT_FOUND: a variant is not the organisation's, and nothing was
   made. Called from any thread; waits at most PT_BATCH_MS. */
#define PT_BATCH_MS 30000
pt_submit_t pt_batcher_make(pt_batcher_t *self, const pt_new_batch_t *batch, pt_uuid_t *id);

#endif
