#include "tests/simulation/spool.h"

#include <stdlib.h>
#include <string.h>

bool spool_put(spool_t *self, const pt_uuid_t *job_id, uint32_t attempt, const void *data,
               size_t size)
{
    if (self->count == KEPT_MAX)
        return false;
    kept_t *kept = &self->items[self->count++];
    *kept = (kept_t){*job_id, attempt, malloc(size), size};
    if (!kept->data)
        abort();
    memcpy(kept->data, data, size);
    return true;
}

const kept_t *spool_find(const spool_t *self, const pt_uuid_t *job_id, uint32_t attempt)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].attempt == attempt && pt_uuid_equal(&self->items[i].job_id, job_id))
            return &self->items[i];
    return NULL;
}

void spool_drop(spool_t *self, const pt_uuid_t *job_id, uint32_t attempt)
{
    kept_t *kept = (kept_t *)(uintptr_t)spool_find(self, job_id, attempt);
    if (!kept)
        return;
    free(kept->data);
    *kept = self->items[--self->count];
}

void spool_clear(spool_t *self)
{
    while (self->count > 0)
        free(self->items[--self->count].data);
}
