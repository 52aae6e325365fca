#include "gateway/record/patience.h"

#include <string.h>

const pt_patience_t pt_patience_default = {
    .max_tries = 3, .max_losses = 20, .retry_after_us = 2000000, .retry_most_us = 60000000};

void pt_patience_add(pt_patiences_t *self, const char *job_type, const pt_patience_t *patience)
{
    if (self->count == PT_PATIENCES_MAX)
        return;
    pt_job_type_copy(self->items[self->count].job_type, job_type);
    self->items[self->count++].patience = *patience;
}

const pt_patience_t *pt_patience_of(const pt_patiences_t *self, const char *job_type)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->items[i].job_type, job_type) == 0)
            return &self->items[i].patience;
    return &pt_patience_default;
}

/* FNV-1a, then mixed: the low bits of neighbours differ as much as the high ones. */
static uint64_t hash(const pt_uuid_t *job_id, uint32_t tries)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ tries;
    const unsigned char *bytes = (const unsigned char *)job_id;
    for (size_t i = 0; i < PT_UUID_SIZE; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    return hash * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

int64_t pt_patience_backoff(const pt_patience_t *self, const pt_uuid_t *job_id, uint32_t tries)
{
    int64_t wait = self->retry_after_us;
    for (uint32_t i = 1; i < tries && wait < self->retry_most_us; i++)
        wait *= 2;
    if (wait > self->retry_most_us)
        wait = self->retry_most_us;
    double place = (double)hash(job_id, tries) / 4294967296.0; /* from 0 to below 1 */
    return wait - wait / 4 + (int64_t)((double)wait / 2 * place);
}
