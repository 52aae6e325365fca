#include "worker/pipelines/immunogenicity/mhc.h"
#include "worker/pipelines/antibody/align.h"
#include <math.h>

static void encode(const char *core, int codes[PT_CORE])
{
    for (int p = 0; p < PT_CORE; p++)
        codes[p] = pt_amino_index(core[p]);
}

static int32_t sum_of(const pt_mhc_matrix_t *matrix, const int codes[PT_CORE])
{
    int32_t sum = matrix->constant;
    for (int p = 0; p < PT_CORE; p++)
        sum += matrix->score[p][codes[p]];
    return sum;
}

int32_t pt_mhc_score(const pt_mhc_matrix_t *matrix, const char *core)
{
    int codes[PT_CORE];
    encode(core, codes);
    return sum_of(matrix, codes);
}

uint64_t pt_mhc_binders(const pt_mhc_panel_t *panel, const char *core)
{
    int codes[PT_CORE];
    uint64_t binders = 0;
    encode(core, codes);
    for (size_t a = 0; a < panel->count; a++)
        if (sum_of(&panel->matrices[a], codes) >= panel->matrices[a].binder)
            binders |= UINT64_C(1) << a;
    return binders;
}

double pt_mhc_rank(const pt_mhc_panel_t *panel, const pt_mhc_matrix_t *matrix, int32_t score)
{
    for (size_t l = 0; l < panel->level_count; l++)
        if (score >= matrix->threshold[l])
            return panel->levels[l];
    return -1;
}

double pt_mhc_value(pt_mhc_class_t which, int32_t score)
{
    return which == PT_MHC_2 ? score / 100.0 : pow(10.0, -score / 100000.0);
}
