#include "germline.h"
#include "tables.h"
#include <string.h>

static const char *const species_names[] = {"human", "mouse"};

const char *pt_species_name(pt_species_t species)
{
    return species_names[species];
}

double pt_identity(const pt_germline_match_t *match)
{
    return match->compared ? (double)match->matches / match->compared : 0.0;
}

void pt_domain_columns(const pt_domain_t *domain, char columns[PT_IMGT_COUNT + 1])
{
    memset(columns, '-', PT_IMGT_COUNT);
    columns[PT_IMGT_COUNT] = 0;
    for (size_t i = 0; i < domain->length; i++)
        if (!domain->positions[i].letter)
            columns[domain->positions[i].number - 1] = domain->residues[i];
}

/* What a domain lacks before its first and behind its last residue was cut off, and says nothing.
 */
typedef struct {
    char columns[PT_IMGT_COUNT + 1];
    uint8_t weight[PT_IMGT_COUNT]; /* 0 outside the domain's span */
    unsigned open_start; /* 1: a gap of the gene counts nothing; J genes begin inside CDR3 */
} query_t;

static query_t query_of(const pt_domain_t *domain, char segment,
                        const uint8_t weight[PT_IMGT_COUNT + 1])
{
    query_t q = {.open_start = segment == 'J'};
    pt_domain_columns(domain, q.columns);
    if (domain->length)
        for (int p = domain->positions[0].number; p <= domain->positions[domain->length - 1].number;
             p++)
            q.weight[p - 1] = weight[p];
    return q;
}

static pt_germline_match_t compare(const query_t *q, const pt_germline_t *gene, unsigned *worth)
{
    unsigned matches = 0, compared = 0, sum = 0;
    for (int p = 0; p < PT_IMGT_COUNT; p++) {
        char a = q->columns[p], b = gene->aligned[p];
        unsigned here = q->weight[p] != 0;
        unsigned gap = a == '-';
        unsigned gene_gap = b == '-';
        unsigned same = (a == b) & !gap & here;
        matches += same;
        sum += same * q->weight[p];
        compared += here & !(gap & gene_gap) & !(gene_gap & q->open_start);
    }
    *worth = sum;
    return (pt_germline_match_t){gene->allele,   gene->species, gene->aligned,
                                 gene->presence, matches,       compared};
}

pt_germline_match_t pt_germline_search(const pt_domain_t *domain, pt_species_t species,
                                       char segment, const uint8_t weight[PT_IMGT_COUNT + 1],
                                       pt_germline_bonus_fn bonus, void *context)
{
    query_t q = query_of(domain, segment, weight);
    pt_germline_match_t best = {0};
    double best_value = 0;
    for (size_t g = 0; g < pt_germline_count; g++) {
        const pt_germline_t *gene = &pt_germlines[g];
        if (gene->chain != domain->chain || gene->segment != segment ||
            strcmp(gene->species, species_names[species]) != 0)
            continue;
        unsigned worth;
        pt_germline_match_t match = compare(&q, gene, &worth);
        double value = worth + (bonus ? bonus(&match, context) : 0.0);
        if (match.compared && (!best.allele || value > best_value)) {
            best = match;
            best_value = value;
        }
    }
    return best;
}

static void weigh_span(uint8_t weight[PT_IMGT_COUNT + 1], int first, int last)
{
    memset(weight, 0, PT_IMGT_COUNT + 1);
    memset(weight + first, 1, (size_t)(last - first + 1));
}

/* Decides between genes that match equally well, so it is worth less than a residue: CDR3 as far as
   the gene reaches into it, then how common the gene is. */
static double likelier(const pt_germline_match_t *match, void *context)
{
    const char *columns = context;
    int alike = 0;
    for (int p = 105; p <= 111; p++)
        alike += columns[p - 1] != '-' && columns[p - 1] == match->aligned[p - 1];
    return alike / 16.0 + match->presence / 32.0;
}

pt_germline_match_t pt_nearest_v(const pt_domain_t *domain, pt_species_t species)
{
    char columns[PT_IMGT_COUNT + 1];
    uint8_t weight[PT_IMGT_COUNT + 1];
    pt_domain_columns(domain, columns);
    weigh_span(weight, 1, 104);
    return pt_germline_search(domain, species, 'V', weight, likelier, columns);
}

pt_germline_match_t pt_nearest_j(const pt_domain_t *domain, pt_species_t species)
{
    uint8_t weight[PT_IMGT_COUNT + 1];
    weigh_span(weight, 113, PT_IMGT_COUNT);
    return pt_germline_search(domain, species, 'J', weight, NULL, NULL);
}

pt_species_t pt_nearest_species(const pt_domain_t *domain)
{
    pt_germline_match_t human = pt_nearest_v(domain, PT_HUMAN);
    pt_germline_match_t mouse = pt_nearest_v(domain, PT_MOUSE);
    return pt_identity(&mouse) > pt_identity(&human) ? PT_MOUSE : PT_HUMAN;
}

size_t pt_gene_length(const char *allele)
{
    return strcspn(allele, "*");
}

size_t pt_family_length(const char *allele)
{
    return strcspn(allele, "-*");
}
