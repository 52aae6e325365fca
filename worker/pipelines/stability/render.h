/*
 *  A stability analysis as JSON values; every function returns a new reference, NULL only when
 * memory is out.
 */
#ifndef PT_STABILITY_RENDER_H
#define PT_STABILITY_RENDER_H

#include "worker/pipelines/stability/stability.h"
#include <jansson.h>

/* Where the model came from, for people and programs. */
typedef struct {
    const char *source;     /* "structure job", "made here" or "none" */
    const char *job_id;     /* of the structure job; NULL without */
    const char *why_none;   /* why there is no model; NULL if there is one */
    const json_t *versions; /* of what made it here; NULL otherwise */
} pt_structure_source_t;

json_t *pt_json_stability(const pt_stability_t *result, const pt_structure_source_t *source);
json_t *pt_json_stability_versions(const pt_stability_t *result,
                                   const pt_structure_source_t *source);

#endif
