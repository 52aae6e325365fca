/*
 *  The human framework to graft on.
 */
#ifndef PT_HUMANIZATION_FRAMEWORK_H
#define PT_HUMANIZATION_FRAMEWORK_H

#include "worker/pipelines/antibody/germline.h"
#include "worker/pipelines/antibody/regions.h"

/* Which IMGT positions are framework: neither in the grafted CDRs (Kabat and IMGT) nor in their
 * gaps. */
void pt_framework_positions(const pt_domain_t *domain, uint8_t framework[PT_IMGT_COUNT + 1]);

/* V: framework residues alike, weighed against how common the gene is in people. */
pt_germline_match_t pt_choose_v(const pt_domain_t *domain);

/* J: FR4 residues alike; the end of CDR3 only decides between equals. */
pt_germline_match_t pt_choose_j(const pt_domain_t *domain);

#endif
