/* Bodies of POST /v1/jobs. */
#include "request.h"

static pt_submission_t seen;
static bool submitted;

pt_submit_t pt_committer_submit(pt_committer_t *self, const pt_submission_t *submission,
                                int wait_ms, pt_uuid_t *job_id, int64_t *created_at)
{
    (void)self, (void)wait_ms;
    seen = *submission;
    submitted = true;
    *job_id = submission->variant_id;
    *created_at = 1795500000123456;
    return (pt_submit_t)(submission->variant_id.bytes[15] % 3);
}

pt_cancel_t pt_canceller_cancel(pt_canceller_t *self, const pt_uuid_t *org, const pt_uuid_t *job,
                                const char *request_id)
{
    (void)self, (void)org, (void)job, (void)request_id;
    return PT_CANCEL_NOT_FOUND;
}

uint64_t pt_gateway_token_generation(void *context)
{
    (void)context;
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    uint8_t *body = take(&reader, &size);
    submitted = false;
    int status = answer(pt_api_submit_job, NULL, (char *)body, size);
    CHECK(submitted == (status != 400));
    if (submitted)
        CHECK(pt_job_type_valid(seen.job_type, strlen(seen.job_type)));
    free(body);
    return 0;
}
