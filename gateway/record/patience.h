/* How often and how long a job of a type is tried, pure: the rows of the table job_types, as the
 * recorder keeps them.
 */
#ifndef PT_PATIENCE_H
#define PT_PATIENCE_H

#include "proto/uuid.h"
#include "proto/wire.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t max_tries;     /* failures, time-outs and deaths before it fails for good: 3 */
    uint32_t max_losses;    /* workers and brokers lost under it, apart: 20 */
    int64_t retry_after_us; /* the wait behind the first failed try: 2 s; then doubled each time */
    int64_t retry_most_us;  /* up to this: 60 s */
} pt_patience_t;

/* Of a type without settings of its own. */
extern const pt_patience_t pt_patience_default;

#define PT_PATIENCES_MAX 256 /* types with settings; what is set beyond has the defaults */

typedef struct {
    struct {
        char job_type[PT_TYPE_MAX];
        pt_patience_t patience;
    } items[PT_PATIENCES_MAX];
    size_t count;
} pt_patiences_t;

void pt_patience_add(pt_patiences_t *self, const char *job_type, const pt_patience_t *patience);
const pt_patience_t *pt_patience_of(const pt_patiences_t *self, const char *job_type);

/* How long the job waits behind its failed try number `tries` (from 1): doubled each time, and up
   to a quarter more or less, so that what failed together does not come back together. The same job
   and number have the same wait, whoever asks. */
int64_t pt_patience_backoff(const pt_patience_t *self, const pt_uuid_t *job_id, uint32_t tries);

#endif
