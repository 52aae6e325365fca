#include "gateway/api/resources.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
const pt_resource_t pt_resources[] = {
    {"humanizations",          "humanization",            "humanization",       "Humanization",       1, false},
    {"structure-predictions",  "structure_prediction",    "structure",          "Structure",          2, false},
    {"stability-analyses",     "stability_analysis",      "stability",          "Stability",          2, false},
    {"immunogenicity-analyses", "immunogenicity_analysis", "immunogenicity",    "Immunogenicity",     2, false},
    {"complex-predictions",    "complex_prediction",      "complex_prediction", "Complex prediction", 0, true},
    {"codon-exports",          "codon_export",            "codon_export",       "Codon export",       0, true},
};
/* clang-format on */
const size_t pt_resource_count = sizeof pt_resources / sizeof *pt_resources;

const pt_resource_t *pt_resource_of_path(const char *segment, size_t size)
{
    for (size_t i = 0; i < pt_resource_count; i++)
        if (strlen(pt_resources[i].path) == size &&
            memcmp(pt_resources[i].path, segment, size) == 0)
            return &pt_resources[i];
    return NULL;
}

const pt_resource_t *pt_resource_of_type(const char *job_type)
{
    for (size_t i = 0; i < pt_resource_count; i++)
        if (strcmp(pt_resources[i].job_type, job_type) == 0)
            return &pt_resources[i];
    return NULL;
}

const pt_resource_t *pt_resource_for(const char *job_type, pt_resource_t *other,
                                     char path[PT_RESOURCE_PATH_MAX])
{
    const pt_resource_t *known = pt_resource_of_type(job_type);
    if (known)
        return known;
    snprintf(path, PT_RESOURCE_PATH_MAX, "job-types/%s/jobs", job_type);
    *other =
        (pt_resource_t){.path = path, .object = job_type, .job_type = job_type, .title = job_type};
    return other;
}
