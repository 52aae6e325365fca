/* The large inputs that a gateway keeps in memory while workers fetch them, pure: those used last,
 * up to so many jobs and bytes, and none that nobody has asked for for a while. Times are those of
 * a clock that only goes forward, in milliseconds.
 */
#ifndef PT_SUPPLIES_H
#define PT_SUPPLIES_H

#include "proto/uuid.h"

#include <stddef.h>

#define PT_SUPPLIES_MAX 16        /* jobs */
#define PT_SUPPLIES_KEEP_MS 30000 /* since a piece was asked for last */

/* The inputs of a job at an attempt. */
typedef struct {
    pt_uuid_t job_id;
    uint32_t attempt;
    char *data; /* owned; NULL: the place is free */
    size_t size;
    int64_t used;
} pt_supply_t;

/* All zero but for `most`: empty. */
typedef struct {
    pt_supply_t items[PT_SUPPLIES_MAX];
    size_t bytes, most; /* what is kept, and how much may be, one job's inputs aside */
} pt_supplies_t;

/* What is kept of it, which counts as used now; NULL: nothing. */
const pt_supply_t *pt_supplies_find(pt_supplies_t *self, const pt_uuid_t *job_id, uint32_t attempt,
                                    int64_t now);

/* Takes `data`, malloc'ed. What was not used for longest makes room for it. */
const pt_supply_t *pt_supplies_keep(pt_supplies_t *self, const pt_uuid_t *job_id, uint32_t attempt,
                                    char *data, size_t size, int64_t now);

void pt_supplies_drop_unused(pt_supplies_t *self, int64_t now);
void pt_supplies_clear(pt_supplies_t *self);

#endif
