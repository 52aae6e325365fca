/*
 *  Immunogenicity as a JSON value: the shape that API.md gives it.
 */
#ifndef PT_IMMUNOGENICITY_RENDER_H
#define PT_IMMUNOGENICITY_RENDER_H

#include "worker/pipelines/fold/structure.h"
#include "worker/pipelines/immunogenicity/suggestions.h"
#include <jansson.h>

/* What was found; borrowed by the renderer. */
typedef struct {
    const pt_antigen_t *antigen;
    const pt_panel_t *panel;
    const pt_scan_t *scans;
    const pt_antigen_ddg_t *ddg;
    const pt_structure_source_t *structure;
    pt_risk_t risk;
    double humanness;
    size_t suggestion_count;
    pt_suggestion_t suggestions[PT_SUGGESTIONS_MAX];
} pt_immunogenicity_t;

/* New reference; NULL when memory is out. */
json_t *pt_json_immunogenicity(const pt_immunogenicity_t *found);

/* Names and versions of what took part, a new reference. */
json_t *pt_json_immunogenicity_versions(const pt_immunogenicity_t *found);

#endif
