#include "worker/pipelines/humanization/framework.h"
#include <math.h>
#include <string.h>

/*
 *  What a rare gene must make up for, in residues: a gene that half as many people use has to match two
 *  residues more. A gene that nobody was seen to use counts as one in fifty.
 */
static const double RESIDUES_PER_HALVING = 2.0, RAREST = 0.02;

static double commonness(const pt_germline_match_t *match, void *context)
{
    (void)context;
    return RESIDUES_PER_HALVING * log2(match->presence > RAREST ? match->presence : RAREST);
}

/* 1 for the framework positions of the V part; a CDR is left out from its first to its last position,
   whatever gaps it has. */
static void weigh_framework(const pt_domain_t *domain, uint8_t weight[PT_IMGT_COUNT + 1])
{
    memset(weight, 0, PT_IMGT_COUNT + 1);
    memset(weight + 1, 1, 104);
    for (int cdr = 1; cdr <= 3; cdr++) {
        size_t from, to;
        if (pt_cdr_bounds(domain, PT_CDR_UNION, cdr, &from, &to))
            for (int p = domain->positions[from].number; p <= domain->positions[to - 1].number; p++)
                weight[p] = 0;
    }
}

pt_germline_match_t pt_choose_v(const pt_domain_t *domain)
{
    uint8_t weight[PT_IMGT_COUNT + 1];
    weigh_framework(domain, weight);
    return pt_germline_search(domain, PT_HUMAN, 'V', weight, commonness, NULL);
}

/* Decides between genes alike in FR4: worth less than one residue of it, all together. */
static double alike_in_cdr3(const pt_germline_match_t *match, void *context)
{
    const char *columns = context;
    int alike = 0;
    for (int p = 113; p <= 117; p++)
        alike += columns[p - 1] != '-' && columns[p - 1] == match->aligned[p - 1];
    return alike / 8.0;
}

pt_germline_match_t pt_choose_j(const pt_domain_t *domain)
{
    char columns[PT_IMGT_COUNT + 1];
    uint8_t weight[PT_IMGT_COUNT + 1] = {0};
    pt_domain_columns(domain, columns);
    memset(weight + 118, 1, 11);
    return pt_germline_search(domain, PT_HUMAN, 'J', weight, alike_in_cdr3, columns);
}
