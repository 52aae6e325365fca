/*
 *  CDRs, frameworks and the Vernier zone of a domain.
 */
#ifndef PT_ANTIBODY_REGIONS_H
#define PT_ANTIBODY_REGIONS_H

#include "antibody.h"

typedef enum {
    PT_CDR_IMGT,  /* 27–38, 56–65, 105–117 */
    PT_CDR_KABAT, /* heavy 31–35B, 50–65, 95–102; light 24–34, 50–56, 89–97 */
    PT_CDR_UNION  /* a residue of either: what grafting takes by default */
} pt_cdr_definition_t;

const char *pt_cdr_definition_name(pt_cdr_definition_t definition);

/* For each residue 1, 2 or 3 (its CDR) or 0 (framework). */
void pt_mark_cdrs(const pt_domain_t *domain, pt_cdr_definition_t definition,
                  uint8_t cdr[PT_DOMAIN_MAX]);

/* Residues [*from, *to) of a CDR; false when the domain has none of it. */
bool pt_cdr_bounds(const pt_domain_t *domain, pt_cdr_definition_t definition, int cdr, size_t *from,
                   size_t *to);

/* "FR1", "CDR1" … "FR4", with the CDRs of a definition. */
const char *pt_region_name(const pt_domain_t *domain, pt_cdr_definition_t definition,
                           size_t residue);

/* Foote & Winter 1992: framework residues that carry the loops. */
bool pt_in_vernier_zone(char chain, pt_position_t position);

#endif
