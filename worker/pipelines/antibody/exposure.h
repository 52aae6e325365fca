/*
 *  What crystal structures say of an IMGT position, whatever residue stands there. All 0 to 1; 0
 * where nothing is known.
 */
#ifndef PT_ANTIBODY_EXPOSURE_H
#define PT_ANTIBODY_EXPOSURE_H

#include "antibody.h"

/* Mean relative solvent accessibility, in an Fv, or in a domain that is alone (a nanobody). */
double pt_exposure(char chain, bool alone, pt_position_t position);

/* Of the framework residues here, the share whose side chain touches a CDR, or the other chain. */
double pt_touches_cdr(char chain, pt_position_t position);
double pt_touches_partner(char chain, pt_position_t position);

#endif
