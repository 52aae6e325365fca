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

/*
 *  What a domain asks of every gene. What it lacks before its first and behind its last residue was
 * cut off, and says nothing. Bytes and a fixed count, so that the compiler compares sixteen
 * positions at a time.
 */
typedef struct {
    char letter[PT_IMGT_COUNT];    /* 0 where nothing can match */
    uint8_t no_gap[PT_IMGT_COUNT]; /* 1 where a gap of the gene leaves the position uncounted */
    unsigned wanted;               /* positions that count when the gene has a residue there */
} query_t;

static query_t query_of(const pt_domain_t *domain, char segment,
                        const uint8_t wanted[PT_IMGT_COUNT + 1])
{
    char columns[PT_IMGT_COUNT + 1];
    query_t q = {0};
    pt_domain_columns(domain, columns);
    if (!domain->length)
        return q;
    int last = domain->positions[domain->length - 1].number;
    for (int p = domain->positions[0].number; p <= last; p++) {
        bool gap = columns[p - 1] == '-';
        if (!wanted[p])
            continue;
        q.wanted++;
        q.letter[p - 1] = gap ? 0 : columns[p - 1];
        q.no_gap[p - 1] = gap || segment == 'J'; /* J genes begin inside CDR3 */
    }
    return q;
}

static pt_germline_match_t compare(const query_t *q, const pt_germline_t *gene)
{
    uint8_t matches = 0, uncounted = 0;
    for (int p = 0; p < PT_IMGT_COUNT; p++)
        matches = (uint8_t)(matches + (q->letter[p] == gene->aligned[p]));
    for (int p = 0; p < PT_IMGT_COUNT; p++)
        uncounted = (uint8_t)(uncounted + (q->no_gap[p] & (gene->aligned[p] == '-')));
    return (pt_germline_match_t){gene->allele,   gene->species, gene->aligned,
                                 gene->presence, matches,       q->wanted - uncounted};
}

void pt_germline_each(const pt_domain_t *domain, pt_species_t species, char segment,
                      const uint8_t wanted[PT_IMGT_COUNT + 1], pt_germline_fn each, void *context)
{
    query_t q = query_of(domain, segment, wanted);
    for (size_t g = 0; g < pt_germline_count; g++) {
        const pt_germline_t *gene = &pt_germlines[g];
        if (gene->chain != domain->chain || gene->segment != segment ||
            strcmp(gene->species, species_names[species]) != 0)
            continue;
        pt_germline_match_t match = compare(&q, gene);
        if (match.compared)
            each(&match, context);
    }
}

typedef struct {
    pt_germline_bonus_fn bonus;
    void *context;
    pt_germline_match_t best;
    double best_value;
} search_t;

static void keep_better(const pt_germline_match_t *match, void *context)
{
    search_t *s = context;
    double value = match->matches + (s->bonus ? s->bonus(match, s->context) : 0.0);
    if (!s->best.allele || value > s->best_value) {
        s->best = *match;
        s->best_value = value;
    }
}

pt_germline_match_t pt_germline_search(const pt_domain_t *domain, pt_species_t species,
                                       char segment, const uint8_t wanted[PT_IMGT_COUNT + 1],
                                       pt_germline_bonus_fn bonus, void *context)
{
    search_t s = {.bonus = bonus, .context = context};
    pt_germline_each(domain, species, segment, wanted, keep_better, &s);
    return s.best;
}

static void want_span(uint8_t wanted[PT_IMGT_COUNT + 1], int first, int last)
{
    memset(wanted, 0, PT_IMGT_COUNT + 1);
    memset(wanted + first, 1, (size_t)(last - first + 1));
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
    uint8_t wanted[PT_IMGT_COUNT + 1];
    pt_domain_columns(domain, columns);
    want_span(wanted, 1, 104);
    return pt_germline_search(domain, species, 'V', wanted, likelier, columns);
}

pt_germline_match_t pt_nearest_j(const pt_domain_t *domain, pt_species_t species)
{
    uint8_t wanted[PT_IMGT_COUNT + 1];
    want_span(wanted, 113, PT_IMGT_COUNT);
    return pt_germline_search(domain, species, 'J', wanted, NULL, NULL);
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
