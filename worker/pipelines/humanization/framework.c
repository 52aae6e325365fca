#include "worker/pipelines/humanization/framework.h"
#include <math.h>
#include <string.h>

/* A gene that nobody was seen to use counts as one in fifty. */
static const double RESIDUES_PER_HALVING = 2.0, RAREST_GENE = 0.02;
/* A share below this is as good as none. */
static const double RAREST_RESIDUE = 0.003;

enum { V_LAST = 104, FR4_FIRST = 118 };

static double commonness(const pt_germline_match_t *match)
{
    return RESIDUES_PER_HALVING *
           log2(match->presence > RAREST_GENE ? match->presence : RAREST_GENE);
}

void pt_framework_positions(const pt_domain_t *domain, pt_cdr_definition_t cdrs,
                            uint8_t framework[PT_IMGT_COUNT + 1])
{
    memset(framework, 1, PT_IMGT_COUNT + 1);
    for (int cdr = 1; cdr <= 3; cdr++) {
        size_t from, to;
        if (pt_cdr_bounds(domain, cdrs, cdr, &from, &to))
            memset(framework + domain->positions[from].number, 0,
                   (size_t)(domain->positions[to - 1].number - domain->positions[from].number + 1));
    }
}

/* The framework of V alone. */
static void v_positions(const uint8_t framework[PT_IMGT_COUNT + 1],
                        uint8_t wanted[PT_IMGT_COUNT + 1])
{
    memcpy(wanted, framework, PT_IMGT_COUNT + 1);
    memset(wanted + V_LAST + 1, 0, PT_IMGT_COUNT - V_LAST);
}

static void j_positions(uint8_t wanted[PT_IMGT_COUNT + 1])
{
    memset(wanted, 0, PT_IMGT_COUNT + 1);
    memset(wanted + FR4_FIRST, 1, PT_IMGT_COUNT + 1 - FR4_FIRST);
}

static bool suits(const pt_germline_match_t *match, const char *allele)
{
    return !allele || strcmp(match->allele, allele) == 0;
}

static double bonus_of_v(const pt_germline_match_t *match, void *allele)
{
    return suits(match, allele) ? commonness(match) : -INFINITY;
}

pt_germline_match_t pt_choose_v(const pt_domain_t *domain,
                                const uint8_t framework[PT_IMGT_COUNT + 1], const char *allele)
{
    uint8_t wanted[PT_IMGT_COUNT + 1];
    v_positions(framework, wanted);
    return pt_germline_search(domain, PT_HUMAN, 'V', wanted, bonus_of_v, (void *)allele);
}

/* Decides between genes alike in FR4: worth less than one residue of it, all together. */
static double alike_in_cdr3(const pt_germline_match_t *match, void *context)
{
    const char *columns = context;
    int alike = 0;
    for (int p = 113; p < FR4_FIRST; p++)
        alike += columns[p - 1] != '-' && columns[p - 1] == match->aligned[p - 1];
    return alike / 8.0;
}

pt_germline_match_t pt_choose_j(const pt_domain_t *domain)
{
    char columns[PT_IMGT_COUNT + 1];
    uint8_t wanted[PT_IMGT_COUNT + 1];
    pt_domain_columns(domain, columns);
    j_positions(wanted);
    return pt_germline_search(domain, PT_HUMAN, 'J', wanted, alike_in_cdr3, columns);
}

/* --- what the frameworks that suit have in common -----------------------------------------------
 */

typedef struct {
    pt_consensus_t *consensus;
    const uint8_t *wanted;
    const char *allele;
    double weights;
} sum_t;

static void add_gene(const pt_germline_match_t *match, double worth, sum_t *sum)
{
    double weight = exp2(worth);
    for (int p = 1; p <= PT_IMGT_COUNT; p++)
        if (sum->wanted[p] && match->aligned[p - 1] != '-')
            sum->consensus->share[p][match->aligned[p - 1] - 'A'] += weight;
    sum->weights += weight;
}

static void add_v(const pt_germline_match_t *match, void *context)
{
    sum_t *sum = context;
    if (suits(match, sum->allele))
        add_gene(match, match->matches + commonness(match), sum);
}

static void add_j(const pt_germline_match_t *match, void *context)
{
    add_gene(match, match->matches, context);
}

static void to_shares(const sum_t *sum)
{
    for (int p = 1; p <= PT_IMGT_COUNT; p++)
        for (int a = 0; sum->wanted[p] && sum->weights > 0 && a < PT_LETTERS; a++)
            sum->consensus->share[p][a] /= sum->weights;
}

void pt_framework_consensus(const pt_domain_t *domain, const uint8_t framework[PT_IMGT_COUNT + 1],
                            const char *allele, pt_consensus_t *consensus)
{
    uint8_t v[PT_IMGT_COUNT + 1], j[PT_IMGT_COUNT + 1];
    memset(consensus, 0, sizeof *consensus);
    v_positions(framework, v);
    j_positions(j);
    sum_t of_v = {consensus, v, allele, 0}, of_j = {consensus, j, NULL, 0};
    pt_germline_each(domain, PT_HUMAN, 'V', v, add_v, &of_v);
    pt_germline_each(domain, PT_HUMAN, 'J', j, add_j, &of_j);
    to_shares(&of_v);
    to_shares(&of_j);
}

char pt_consensus_at(const pt_consensus_t *consensus, int position)
{
    const double *share = consensus->share[position];
    double known = 0;
    int best = 0;
    for (int a = 0; a < PT_LETTERS; a++) {
        known += share[a];
        if (share[a] > share[best])
            best = a;
    }
    return share[best] >= 1 - known && share[best] > 0 ? (char)('A' + best) : '-';
}

double pt_consensus_gain(const pt_consensus_t *consensus, int position, char parental, char human)
{
    const double *share = consensus->share[position];
    return log2((share[human - 'A'] + RAREST_RESIDUE) / (share[parental - 'A'] + RAREST_RESIDUE));
}
