/*
 *  How human a variable domain is, from 0 to 1, by the open human germlines alone.
 *
 *  The score is the mean of two: identity to the nearest human V gene over IMGT 1 to 104, which
 * asks for one gene as a whole; and germline window identity, the mean over all windows of nine
 * residues of the best identity that any human V gene of the chain type has at the same positions,
 * which forgives a patchwork. CDR3 is left out: no germline says what is human there.
 */
#ifndef PT_ANTIBODY_HUMANNESS_H
#define PT_ANTIBODY_HUMANNESS_H

#include "antibody.h"

#define PT_HUMANNESS_METHOD "germline+window"
#define PT_HUMANNESS_VERSION "1"

typedef struct {
    double score;             /* (germline_identity + window_identity) / 2 */
    double germline_identity; /* to the nearest human V gene */
    double window_identity;
    double peptide_share; /* of the domain's 9-mers, those that stand in a human V or J gene */
    double repertoire;    /* geometric mean of the residues' shares in human repertoires of the V
                             family */
} pt_humanness_t;

pt_humanness_t pt_humanness(const pt_domain_t *domain);

/* Do these nine residues (of the 20 amino acids) stand in a human germline V or J gene? */
bool pt_is_germline_peptide(const char *residues);

/* Share (0 to 1) of an amino acid at an IMGT position in human repertoires, by the V family of a
   germline allele ("IGHV3-23*04"), by chain type where the family is unknown; negative where
   nothing is known. */
double pt_repertoire_share(const char *allele, pt_position_t position, char residue);

#endif
