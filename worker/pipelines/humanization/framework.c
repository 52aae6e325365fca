#include "worker/pipelines/humanization/framework.h"
#include <math.h>
#include <string.h>

/*
 *  What a rare gene must make up for, in residues: a gene that half as many people use has to match
 * two residues more. A gene that nobody was seen to use counts as one in fifty.
 */
static const double RESIDUES_PER_HALVING = 2.0, RAREST = 0.02;

static double commonness(const pt_germline_match_t *match, void *context)
{
    (void)context;
    return RESIDUES_PER_HALVING * log2(match->presence > RAREST ? match->presence : RAREST);
}

void pt_framework_positions(const pt_domain_t *domain, uint8_t framework[PT_IMGT_COUNT + 1])
{
    memset(framework, 1, PT_IMGT_COUNT + 1);
    for (int cdr = 1; cdr <= 3; cdr++) {
        size_t from, to;
        if (pt_cdr_bounds(domain, PT_CDR_UNION, cdr, &from, &to))
            memset(framework + domain->positions[from].number, 0,
                   (size_t)(domain->positions[to - 1].number - domain->positions[from].number + 1));
    }
}

pt_germline_match_t pt_choose_v(const pt_domain_t *domain)
{
    uint8_t wanted[PT_IMGT_COUNT + 1];
    pt_framework_positions(domain, wanted);
    memset(wanted + 105, 0, PT_IMGT_COUNT + 1 - 105);
    return pt_germline_search(domain, PT_HUMAN, 'V', wanted, commonness, NULL);
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
    uint8_t wanted[PT_IMGT_COUNT + 1] = {0};
    pt_domain_columns(domain, columns);
    memset(wanted + 118, 1, 11);
    return pt_germline_search(domain, PT_HUMAN, 'J', wanted, alike_in_cdr3, columns);
}
