/*
 *  How well a 9-mer binds the MHC molecules of a panel: position matrices, summed.
 */
#ifndef PT_IMMUNOGENICITY_MHC_H
#define PT_IMMUNOGENICITY_MHC_H

#include "worker/pipelines/immunogenicity/tables.h"
#include <stdbool.h>

/* Nine residues of the 20 amino acids (capital letters), in the matrix's whole numbers. */
int32_t pt_mhc_score(const pt_mhc_matrix_t *matrix, const char *core);

/* Of random 9-mers, so many percent or fewer score like this or better: the panel's smallest level
   that the score reaches; negative when it reaches none. */
double pt_mhc_rank(const pt_mhc_panel_t *panel, const pt_mhc_matrix_t *matrix, int32_t score);

/* The score as its source gives it: Sturniolo's sum, or the IC50 in nM. */
double pt_mhc_value(pt_mhc_class_t which, int32_t score);

#endif
