/*
 *  Which germline gene a domain is nearest to. Genes and domains meet on IMGT positions, so there
 * is no alignment to do, only counting.
 */
#ifndef PT_ANTIBODY_GERMLINE_H
#define PT_ANTIBODY_GERMLINE_H

#include "antibody.h"

typedef enum { PT_HUMAN, PT_MOUSE } pt_species_t;

typedef struct {
    const char *allele;  /* "IGHV3-23*04"; NULL when the domain has nothing to compare */
    const char *species; /* "human" or "mouse" */
    const char *aligned; /* 128 letters, '-' for a gap */
    double presence;     /* V: share of people whose repertoire uses the gene, 0 to 1; 0 unknown */
    unsigned matches;
    unsigned compared; /* positions where domain or gene has a residue, inside the domain's span */
} pt_germline_match_t;

/* matches / compared; 0 when nothing was compared. */
double pt_identity(const pt_germline_match_t *match);

/* The domain as a letter for each IMGT position, '-' for a gap and beyond its ends; insertions left
 * out. */
void pt_domain_columns(const pt_domain_t *domain, char columns[PT_IMGT_COUNT + 1]);

/* Nearest V over positions 1 to 104, nearest J over 113 to 128. */
pt_germline_match_t pt_nearest_v(const pt_domain_t *domain, pt_species_t species);
pt_germline_match_t pt_nearest_j(const pt_domain_t *domain, pt_species_t species);

/* The species whose V gene is nearer; human where both are equally near. */
pt_species_t pt_nearest_species(const pt_domain_t *domain);
const char *pt_species_name(pt_species_t species);

/*
 *  Compares the domain with every gene of its chain type, in the table's order. `wanted` marks the
 * IMGT positions (index 1 to 128) that count; `segment` is 'V' or 'J'.
 */
typedef void (*pt_germline_fn)(const pt_germline_match_t *match, void *context);
void pt_germline_each(const pt_domain_t *domain, pt_species_t species, char segment,
                      const uint8_t wanted[PT_IMGT_COUNT + 1], pt_germline_fn each, void *context);

/*
 *  A search with another measure: the gene with the most matches plus bonus (match, context) wins,
 * the first in the table between equals.
 */
typedef double (*pt_germline_bonus_fn)(const pt_germline_match_t *match, void *context);
pt_germline_match_t pt_germline_search(const pt_domain_t *domain, pt_species_t species,
                                       char segment, const uint8_t wanted[PT_IMGT_COUNT + 1],
                                       pt_germline_bonus_fn bonus, void *context);

/* "IGHV3-23*04" → "IGHV3-23": the length of the gene's name in the allele's, and of its family
 * ("IGHV3"). */
size_t pt_gene_length(const char *allele);
size_t pt_family_length(const char *allele);

/*
 *  The human V gene of a name: an allele ("IGHV3-23*04"; also one that has another's protein), or a
 * gene, which is its first allele in the table. Its allele as the table has it, NULL if there is
 * none.
 */
const char *pt_find_v(const char *name);

/* The human V alleles whose names are most like it, up to `max`; returns how many. */
size_t pt_near_v(const char *name, const char **near, size_t max);

/* 'H', 'K' or 'L': of which chain type the gene is. */
char pt_gene_chain(const char *allele);

#endif
