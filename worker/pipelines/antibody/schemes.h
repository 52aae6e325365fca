/*
 *  The other numbering schemes, all derived from a domain's IMGT positions.
 */
#ifndef PT_ANTIBODY_SCHEMES_H
#define PT_ANTIBODY_SCHEMES_H

#include "antibody.h"

typedef enum {
    PT_SCHEME_IMGT,
    PT_SCHEME_KABAT,
    PT_SCHEME_CHOTHIA,
    PT_SCHEME_MARTIN,
    PT_SCHEME_AHO,
    PT_SCHEMES
} pt_scheme_t;

/* "imgt", "kabat" … */
const char *pt_scheme_name(pt_scheme_t scheme);
bool pt_scheme_parse(const char *name, pt_scheme_t *scheme);

/*
 *  The position of each of the domain's residues. Insertions are lettered A, B, C … in every scheme
 * but IMGT, which also counts them down. False when a loop is longer than there are letters.
 */
bool pt_scheme_positions(const pt_domain_t *domain, pt_scheme_t scheme,
                         pt_position_t positions[PT_DOMAIN_MAX]);

/* AHo has a position, 149, for the residue that follows a light chain's J region; no other scheme
 * has. */
bool pt_scheme_takes_next(const pt_domain_t *domain, pt_scheme_t scheme, pt_position_t *position);

#endif
