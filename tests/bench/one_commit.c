/* The gateway's committer as most programs would write it: each request commits for itself, on one
   of CONNECTIONS connections. Jobs wait for the sweep. Only for scripts/bench. */
#include "gateway/database/array.h"
#include "gateway/database/pool.h"
#include "gateway/store/move.h"
#include "gateway/submit/committer.h"
#include "proto/program/process.h"

#include <assert.h>
#include <stdatomic.h>

#define CONNECTIONS 32

struct pt_committer {
    pt_pool_t *pool;
    pt_waits_fn *waits;
    void *context;
    _Atomic uint64_t submitted;
};

pt_committer_t *pt_committer_new(const char *uri, struct pt_links *links, pt_waits_fn *waits,
                                 void *context)
{
    (void)links;
    pt_committer_t *self = zmalloc(sizeof *self);
    self->pool = pt_pool_new(uri, CONNECTIONS);
    self->waits = waits;
    self->context = context;
    return self;
}

void pt_committer_destroy(pt_committer_t **self_p)
{
    if (!*self_p)
        return;
    pt_pool_destroy(&(*self_p)->pool);
    free(*self_p);
    *self_p = NULL;
}

pt_committer_counts_t pt_committer_counts(pt_committer_t *self)
{
    uint64_t submitted = atomic_load(&self->submitted);
    return (pt_committer_counts_t){0, submitted, submitted};
}

pt_submit_t pt_committer_submit(pt_committer_t *self, const pt_submission_t *submission,
                                int wait_ms, pt_uuid_t *job_id, int64_t *created_at)
{
    static const pt_uuid_t none;
    assert(!submission->options && pt_uuid_equal(&submission->batch_id, &none) &&
           pt_uuid_equal(&submission->resubmit_of, &none)); /* nothing here sends such */
    pt_array_t arrays[PT_SUBMIT_PARAMS] = {{0}};
    *job_id = pt_uuid_new(pt_wall_us());
    pt_array_uuid(&arrays[0], job_id);
    pt_array_uuid(&arrays[1], &submission->org_id);
    pt_array_uuid(&arrays[2], &submission->variant_id);
    pt_array_text(&arrays[3], submission->job_type);
    pt_array_text(&arrays[4], "f");
    pt_array_int(&arrays[5], submission->priority);
    pt_array_text(&arrays[6], submission->request_id);
    for (int i = 7; i < PT_SUBMIT_PARAMS; i++)
        pt_array_text(&arrays[i], NULL);
    const char *params[PT_SUBMIT_PARAMS];
    for (int i = 0; i < PT_SUBMIT_PARAMS; i++)
        params[i] = pt_array_end(&arrays[i]);
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome =
        pt_pool_run(self->pool, &pt_sql_submit, params, PT_SUBMIT_PARAMS, wait_ms, &rows);
    for (int i = 0; i < PT_SUBMIT_PARAMS; i++)
        pt_array_clear(&arrays[i]);
    bool made = outcome == PT_PG_OK && PQntuples(rows) == 1;
    if (made) {
        *created_at = strtoll(PQgetvalue(rows, 0, 2), NULL, 10);
        atomic_fetch_add(&self->submitted, 1);
        self->waits(self->context, submission->job_type, 0);
    }
    PQclear(rows);
    return made                  ? PT_SUBMIT_CREATED
           : outcome == PT_PG_OK ? PT_SUBMIT_NOT_FOUND
                                 : PT_SUBMIT_UNAVAILABLE;
}
