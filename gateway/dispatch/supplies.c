#include "gateway/dispatch/supplies.h"

#include <stdlib.h>
#include <string.h>

static void drop(pt_supplies_t *self, pt_supply_t *supply)
{
    self->bytes -= supply->size;
    free(supply->data);
    memset(supply, 0, sizeof *supply);
}

const pt_supply_t *pt_supplies_find(pt_supplies_t *self, const pt_uuid_t *job_id, uint32_t attempt,
                                    int64_t now)
{
    for (size_t i = 0; i < PT_SUPPLIES_MAX; i++) {
        pt_supply_t *supply = &self->items[i];
        if (!supply->data || supply->attempt != attempt || !pt_uuid_equal(&supply->job_id, job_id))
            continue;
        supply->used = now;
        return supply;
    }
    return NULL;
}

/* The one that was not used for longest; a free place counts as never. */
static pt_supply_t *oldest(pt_supplies_t *self, bool with_bytes)
{
    pt_supply_t *found = NULL;
    for (size_t i = 0; i < PT_SUPPLIES_MAX; i++)
        if ((!with_bytes || self->items[i].data) && (!found || self->items[i].used < found->used))
            found = &self->items[i];
    return found;
}

const pt_supply_t *pt_supplies_keep(pt_supplies_t *self, const pt_uuid_t *job_id, uint32_t attempt,
                                    char *data, size_t size, int64_t now)
{
    while (self->bytes > 0 && self->bytes + size > self->most)
        drop(self, oldest(self, true));
    pt_supply_t *supply = oldest(self, false);
    drop(self, supply);
    *supply = (pt_supply_t){*job_id, attempt, data, size, now};
    self->bytes += size;
    return supply;
}

void pt_supplies_drop_unused(pt_supplies_t *self, int64_t now)
{
    for (size_t i = 0; i < PT_SUPPLIES_MAX; i++)
        if (self->items[i].data && now - self->items[i].used >= PT_SUPPLIES_KEEP_MS)
            drop(self, &self->items[i]);
}

void pt_supplies_clear(pt_supplies_t *self)
{
    for (size_t i = 0; i < PT_SUPPLIES_MAX; i++)
        drop(self, &self->items[i]);
}
