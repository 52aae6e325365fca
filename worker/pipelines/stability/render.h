/*
 *  A stability analysis as JSON values; every function returns a new reference, NULL only when
 * memory is out.
 */
#ifndef PT_STABILITY_RENDER_H
#define PT_STABILITY_RENDER_H

#include "worker/pipelines/fold/structure.h"
#include "worker/pipelines/stability/stability.h"
#include <jansson.h>

json_t *pt_json_stability(const pt_stability_t *result, const pt_structure_source_t *source);
json_t *pt_json_stability_versions(const pt_stability_t *result,
                                   const pt_structure_source_t *source);

#endif
