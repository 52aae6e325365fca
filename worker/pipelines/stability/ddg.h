/*
 *  Change of folding free energy by one substitution, in kcal/mol; negative destabilises. Exactly
 * antisymmetric: mutant → wild is minus wild → mutant in the same surroundings.
 */
#ifndef PT_DDG_H
#define PT_DDG_H

#include <stdbool.h>
#include <stddef.h>

#define PT_DDG_METHOD "antisymmetric sequence model + SimBa-SYM"
#define PT_DDG_VERSION "1"
#define PT_DDG_AMINO 20

/* The relative solvent accessibility of a residue is not known. */
#define PT_RSA_UNKNOWN (-1.0)

/*
 *  All substitutions (order of PT_AMINO) of the residue `at` (from 0): the mean of the sequence
 * model and of SimBa-SYM at that accessibility (0 to 1; 0.25 when it is unknown). False when
 * the residue is none of the 20; others in the sequence that are none count nothing.
 */
bool pt_ddg(const char *sequence, size_t length, size_t at, double rsa, double ddg[PT_DDG_AMINO]);

/*
 *  What relatives say, to be added: 0.3 kcal/mol times the natural logarithm of the mutant's share
 * over the wild residue's among them at that place (each 0 to 1).
 */
double pt_ddg_evidence(double wild_share, double mutant_share);

/* SimBa-SYM (Baek & Kepp 2022); amino acids as indices of PT_AMINO. */
double pt_simba_sym(int wild, int mutant, double rsa);

#endif
