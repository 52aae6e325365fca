/* The one table of typed resources: where they stand, what their objects are called, which jobs
 * they are. The jobs of any other type stand under /v1/job-types/{job_type}/jobs.
 */
#ifndef PT_RESOURCES_H
#define PT_RESOURCES_H

#include "proto/wire.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *path;   /* under /v1/ */
    const char *object; /* what its objects call themselves */
    const char *job_type, *title;
    int cost;          /* credits that a job will take, once they are counted */
    bool is_elsewhere; /* POST /v1/jobs does not take it */
} pt_resource_t;

extern const pt_resource_t pt_resources[];
extern const size_t pt_resource_count;

/* NULL if there is none. */
const pt_resource_t *pt_resource_of_path(const char *segment, size_t size);
const pt_resource_t *pt_resource_of_type(const char *job_type);

#define PT_RESOURCE_PATH_MAX (sizeof "job-types//jobs" + PT_TYPE_MAX)
/* That of a type: from the table, or `other`, whose path is written to `path`. */
const pt_resource_t *pt_resource_for(const char *job_type, pt_resource_t *other,
                                     char path[PT_RESOURCE_PATH_MAX]);

#endif
