/*
 *  How common alleles are in a population: a table that an operator configures, with its source.
 */
#ifndef PT_IMMUNOGENICITY_WEIGHTS_H
#define PT_IMMUNOGENICITY_WEIGHTS_H

#include "worker/pipelines/immunogenicity/panel.h"
#include "worker/pipelines/molecule.h"

#define PT_ALLELE_TABLE "PARATOPE_ALLELE_TABLE" /* environment: the table's file */

/*
 *  Weighs the panel's alleles by the table that the environment names; without one they stay equal.
 * The file's first line is `# source: TEXT`, the second `allele<TAB>frequency`, then an allele a
 * line with its frequency, above 0 and at most 1; alleles that the panel has not are left out. A
 * class of which it has none stays equal. False with *error (allele_table_invalid) otherwise.
 */
bool pt_panel_weigh_by_table(pt_panel_t *panel, pt_error_t *error);

#endif
