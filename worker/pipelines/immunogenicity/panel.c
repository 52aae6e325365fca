#include "worker/pipelines/immunogenicity/panel.h"
#include <string.h>

enum { USUAL_THRESHOLD = 5 };

static uint64_t all_of(pt_mhc_class_t which)
{
    size_t count = pt_mhc_panels[which].count;
    return count ? UINT64_MAX >> (PT_ALLELES_MAX - count) : 0;
}

void pt_panel_usual(pt_panel_t *panel)
{
    memset(panel, 0, sizeof *panel);
    panel->threshold = USUAL_THRESHOLD;
    for (pt_mhc_class_t m = 0; m < PT_MHC_CLASSES; m++) {
        panel->alleles[m] = all_of(m);
        pt_panel_weigh_equally(panel, m);
    }
}

int pt_panel_find(pt_mhc_class_t which, const char *allele)
{
    for (size_t a = 0; a < pt_mhc_panels[which].count; a++)
        if (strcmp(pt_mhc_panels[which].matrices[a].allele, allele) == 0)
            return (int)a;
    return -1;
}

bool pt_panel_weigh(pt_panel_t *panel, pt_mhc_class_t which, const double frequency[PT_ALLELES_MAX])
{
    double sum = 0;
    for (size_t a = 0; a < PT_ALLELES_MAX; a++)
        sum += panel->alleles[which] >> a & 1 ? frequency[a] : 0;
    if (!(sum > 0))
        return false;
    for (size_t a = 0; a < PT_ALLELES_MAX; a++)
        panel->weight[which][a] = panel->alleles[which] >> a & 1 ? frequency[a] / sum : 0;
    panel->weighed[which] = true;
    return true;
}

void pt_panel_weigh_equally(pt_panel_t *panel, pt_mhc_class_t which)
{
    double alike[PT_ALLELES_MAX];
    for (size_t a = 0; a < PT_ALLELES_MAX; a++)
        alike[a] = 1;
    pt_panel_weigh(panel, which, alike);
    panel->weighed[which] = false;
}

/* The panel's levels of class II are whole percents from 1 to 10. */
static int32_t binder_of(const pt_panel_t *panel, pt_mhc_class_t which, size_t a)
{
    const pt_mhc_matrix_t *matrix = &pt_mhc_panels[which].matrices[a];
    return which == PT_MHC_2 ? matrix->threshold[panel->threshold - 1] : matrix->binder;
}

uint64_t pt_panel_binders(const pt_panel_t *panel, pt_mhc_class_t which, const char *core)
{
    uint64_t binders = 0;
    for (size_t a = 0; a < pt_mhc_panels[which].count; a++)
        if (panel->alleles[which] >> a & 1 &&
            pt_mhc_score(&pt_mhc_panels[which].matrices[a], core) >= binder_of(panel, which, a))
            binders |= UINT64_C(1) << a;
    return binders;
}

double pt_panel_share(const pt_panel_t *panel, pt_mhc_class_t which, uint64_t alleles)
{
    double sum = 0;
    for (size_t a = 0; a < PT_ALLELES_MAX; a++)
        sum += alleles >> a & 1 ? panel->weight[which][a] : 0;
    return sum;
}
