/* The check of a molecule at the door: the letters, the chains that its format has, and that each
 * of them numbers as the antibody domain that it is said to be.
 */
#ifndef PT_MOLECULE_H
#define PT_MOLECULE_H

#include <jansson.h>
#include <stdbool.h>

#define PT_CHAINS_MAX 8
#define PT_MOLECULE_NAME_MAX 120 /* characters */

extern const char *const pt_molecule_formats[]; /* ended by NULL */
extern const char *const pt_molecule_kinds[];

/* Whether a molecule of that format has these chains ([{kind, sequence}]); if not, appends the
   reason to `errors` with the pointer "/chains". */
bool pt_molecule_check_kinds(const char *format, const json_t *chains, json_t *errors);

/* Checks each sequence. Appends {pointer, position?, message} to `errors` for what is wrong, and
   to each chain that is right chain_type (heavy, kappa, lambda, or scfv), its domains
   [{chain_type, start, end, length}], counted from 1, both ends included, and, if there are any,
   warnings [{code, message, position?}]. */
void pt_molecule_check_sequences(json_t *chains, json_t *errors);

/* What a sequence that comes alone is taken for: "scfv" with two domains, else "vhh". */
const char *pt_molecule_lone_kind(const char *sequence);

#endif
