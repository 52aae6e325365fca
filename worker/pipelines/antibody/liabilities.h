/*
 *  Sequence motifs that make an antibody hard to develop, where they count.
 */
#ifndef PT_ANTIBODY_LIABILITIES_H
#define PT_ANTIBODY_LIABILITIES_H

#include "antibody.h"

#define PT_LIABILITIES_MAX 256

typedef struct {
    const char *name;     /* "n_glycosylation" */
    const char *group;    /* "glycosylation" */
    const char *severity; /* "high", "medium", "low" */
    bool whole_fv;        /* counts anywhere, not only near the CDRs */
    int domain;           /* which of the domains that were given */
    size_t from, to;      /* residues of that domain */
} pt_liability_t;

/*
 *  Finds the liabilities of an antibody's domains, in order of domain, rule and place; at most
 * `max`. Two domains are taken for the two chains of one Fv.
 */
size_t pt_find_liabilities(const pt_domain_t *const domains[], size_t count, pt_liability_t *found,
                           size_t max);

#endif
