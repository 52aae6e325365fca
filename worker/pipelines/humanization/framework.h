/*
 *  The human frameworks to graft on: the one that suits best, and what all that suit have in
 * common.
 *
 *  A framework's worth, in residues: those that are alike, minus two for each time that half as
 * many people use the V gene.
 */
#ifndef PT_HUMANIZATION_FRAMEWORK_H
#define PT_HUMANIZATION_FRAMEWORK_H

#include "worker/pipelines/antibody/germline.h"
#include "worker/pipelines/humanization/request.h"

/* Which IMGT positions are framework: neither in the grafted CDRs nor in their gaps. */
void pt_framework_positions(const pt_domain_t *domain, pt_cdr_definition_t cdrs,
                            uint8_t framework[PT_IMGT_COUNT + 1]);

/* V: the framework that is worth most, or the one of this allele (NULL: any). */
pt_germline_match_t pt_choose_v(const pt_domain_t *domain,
                                const uint8_t framework[PT_IMGT_COUNT + 1], const char *allele);

/* J: FR4 residues alike; the end of CDR3 only decides between equals. */
pt_germline_match_t pt_choose_j(const pt_domain_t *domain);

/*
 *  What stands at a position in the human frameworks that suit a parent. Each V gene counts
 * 2^worth, each J gene 2^(FR4 residues alike): a residue more doubles it.
 */
#define PT_LETTERS 26
typedef struct {
    double share[PT_IMGT_COUNT + 1][PT_LETTERS]; /* by letter - 'A'; what is missing are gaps */
} pt_consensus_t;

void pt_framework_consensus(const pt_domain_t *domain, const uint8_t framework[PT_IMGT_COUNT + 1],
                            const char *allele, pt_consensus_t *consensus);

/* The most frequent residue, '-' where most frameworks have none. */
char pt_consensus_at(const pt_consensus_t *consensus, int position);

/* How much likelier than the parental residue the human one is, in bits. */
double pt_consensus_gain(const pt_consensus_t *consensus, int position, char parental, char human);

#endif
