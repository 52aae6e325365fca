/*
 *  From profile columns to IMGT positions: frameworks keep their columns, loops are laid out anew
 * by their length alone, gaps in the middle and insertions on both sides of it, as IMGT defines it.
 */
#ifndef PT_ANTIBODY_NUMBERING_H
#define PT_ANTIBODY_NUMBERING_H

#include "antibody.h"
#include "tables.h"

/*
 *  Fills domain->positions from `columns` (see align.h), one for each of domain->length residues.
 *  False when a loop is longer than the scheme has letters for.
 */
bool pt_number_columns(const pt_profile_t *profile, const int *columns, pt_domain_t *domain);

#endif
