/* The half of the gateway that these targets never reach. */
#include "gateway/gateway.h"

#include <stdlib.h>

pt_submit_t pt_committer_submit(pt_committer_t *self, const pt_submission_t *submission,
                                int wait_ms, pt_uuid_t *job_id, int64_t *created_at)
{
    (void)self, (void)submission, (void)wait_ms, (void)job_id, (void)created_at;
    abort();
}

pt_cancel_t pt_canceller_cancel(pt_canceller_t *self, const pt_uuid_t *org, const pt_uuid_t *job,
                                const char *request_id)
{
    (void)self, (void)org, (void)job, (void)request_id;
    abort();
}

pt_cancel_t pt_canceller_cancel_batch(pt_canceller_t *self, const pt_uuid_t *org,
                                      const pt_uuid_t *batch, const char *request_id)
{
    (void)self, (void)org, (void)batch, (void)request_id;
    abort();
}

uint64_t pt_gateway_token_generation(void *context)
{
    (void)context;
    abort();
}
