#include "worker/pipelines/immunogenicity/mhc.h"
#include "worker/pipelines/antibody/align.h"
#include <math.h>

int32_t pt_mhc_score(const pt_mhc_matrix_t *matrix, const char *core)
{
    int32_t sum = matrix->constant;
    for (int p = 0; p < PT_CORE; p++)
        sum += matrix->score[p][pt_amino_index(core[p])];
    return sum;
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
