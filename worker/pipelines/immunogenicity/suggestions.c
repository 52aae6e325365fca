#include "worker/pipelines/immunogenicity/suggestions.h"
#include "worker/pipelines/antibody/germline.h"
#include "worker/pipelines/antibody/liabilities.h"
#include "worker/pipelines/antibody/regions.h"
#include "worker/pipelines/antibody/tables.h"
#include "worker/pipelines/humanization/humanization.h"
#include <stdlib.h>
#include <string.h>

/* Share of a V family's repertoires that a residue needs where the nearest gene has another. */
static const double COMMON = 0.05;

enum { CANDIDATES_MAX = 2 * PT_DOMAIN_MAX * PT_AMINO_COUNT };

typedef struct {
    pt_suggestion_t is;
    int net; /* pairs removed less pairs created */
    size_t order;
} candidate_t;

typedef struct {
    const pt_antigen_t *antigen;
    const pt_panel_t *panel;
    const pt_scan_t *scans;
    const pt_suggestion_choice_t *choice;
    pt_germline_match_t v[2], j[2];
    uint8_t cdr[2][PT_DOMAIN_MAX];
    size_t count;
    candidate_t candidates[CANDIDATES_MAX];
} search_t;

/* Cysteines, tryptophan and the J motif hold the fold; hallmarks hold a VHH's surface; CDR3 has no
   germline to take residues from. */
static bool may_change(const pt_antigen_t *antigen, pt_position_t p)
{
    static const uint8_t fixed[] = {23, 41, 104, 118, 119, 121};
    if (p.letter || memchr(fixed, p.number, sizeof fixed) || (p.number >= 105 && p.number <= 117))
        return false;
    return !antigen->nanobody || !pt_is_vhh_hallmark(p);
}

static const char *first_gene_with(char chain, pt_position_t p, char residue)
{
    for (size_t g = 0; g < pt_germline_count; g++) {
        const pt_germline_t *gene = &pt_germlines[g];
        if (gene->chain == chain && gene->aligned[p.number - 1] == residue &&
            strcmp(gene->species, pt_species_name(PT_HUMAN)) == 0)
            return gene->allele;
    }
    return NULL;
}

/* The human gene that a residue is taken from: the domain's nearest; else another, if people often
   have the residue here. NULL when it is not for choice. */
static const char *gene_with(const search_t *s, int d, pt_position_t p, char residue, bool *nearest)
{
    const pt_germline_match_t *near = p.number >= 118 ? &s->j[d] : &s->v[d];
    *nearest = near->aligned && near->aligned[p.number - 1] == residue;
    if (*nearest)
        return near->allele;
    if (!s->v[d].allele || pt_repertoire_share(s->v[d].allele, p, residue) < COMMON)
        return NULL;
    return first_gene_with(s->antigen->domains[d].chain, p, residue);
}

/* The alleles that a 9-mer counts for. */
static uint64_t against(const pt_core_t *core)
{
    return core->foreign ? core->binders[PT_MHC_2] : 0;
}

/* The 9-mers over place i of a stretch are [*from, *to). */
static void cores_over(const pt_scan_t *scan, size_t i, size_t *from, size_t *to)
{
    *from = i >= PT_CORE ? i - PT_CORE + 1 : 0;
    *to = i < scan->core_count ? i + 1 : scan->core_count;
}

/* What a residue at place i would remove and create there. */
static int net_of(const search_t *s, size_t stretch, size_t i, char residue)
{
    char mutated[PT_ANTIGEN_MAX + 1];
    const pt_stretch_t *where = &s->antigen->stretches[stretch];
    size_t from, to;
    int net = 0;
    memcpy(mutated, where->residues, where->length + 1);
    mutated[i] = residue;
    cores_over(&s->scans[stretch], i, &from, &to);
    for (size_t c = from; c < to; c++) {
        pt_core_t now = pt_core_of(s->panel, mutated + c);
        net += (int)pt_allele_count(against(&s->scans[stretch].cores[c]));
        net -= (int)pt_allele_count(against(&now));
    }
    return net;
}

static bool has_pairs(const search_t *s, size_t stretch, size_t i)
{
    size_t from, to;
    cores_over(&s->scans[stretch], i, &from, &to);
    for (size_t c = from; c < to; c++)
        if (against(&s->scans[stretch].cores[c]))
            return true;
    return false;
}

static void try_residues(search_t *s, size_t stretch, size_t i)
{
    const pt_stretch_t *where = &s->antigen->stretches[stretch];
    int d = where->domain[i], r = pt_antigen_residue(s->antigen, where, i);
    const pt_domain_t *domain = &s->antigen->domains[d];
    pt_position_t p = domain->positions[r];
    if (!may_change(s->antigen, p) || s->choice->keep[d][r])
        return;
    for (const char *to = PT_AMINO; *to; to++) {
        bool nearest;
        const char *allele = *to == where->residues[i] ? NULL : gene_with(s, d, p, *to, &nearest);
        int net = allele ? net_of(s, stretch, i, *to) : 0;
        if (net <= 0)
            continue;
        candidate_t *candidate = &s->candidates[s->count];
        *candidate = (candidate_t){.net = net, .order = s->count++};
        candidate->is = (pt_suggestion_t){.stretch = stretch,
                                          .place = i,
                                          .from = where->residues[i],
                                          .to = *to,
                                          .cdr = s->cdr[d][r] != 0,
                                          .vernier = pt_in_vernier_zone(domain->chain, p),
                                          .allele = allele,
                                          .nearest = nearest};
    }
}

/* Best first. */
static int by_worth(const void *a, const void *b)
{
    const candidate_t *x = a, *y = b;
    if (x->is.cdr != y->is.cdr)
        return x->is.cdr ? 1 : -1;
    if (x->is.nearest != y->is.nearest)
        return x->is.nearest ? -1 : 1;
    if (x->net != y->net)
        return y->net - x->net;
    return (x->order > y->order) - (x->order < y->order);
}

/* --- the check
 * ----------------------------------------------------------------------------------------- */

static size_t liabilities_of(const pt_antigen_t *antigen, pt_liability_t *found)
{
    const pt_domain_t *domains[2] = {&antigen->domains[0], &antigen->domains[1]};
    return pt_find_liabilities(domains, antigen->domain_count, found, PT_LIABILITIES_MAX);
}

static bool holds(const pt_liability_t *list, size_t count, const pt_liability_t *what)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].domain == what->domain && list[i].from == what->from &&
            strcmp(list[i].name, what->name) == 0)
            return true;
    return false;
}

static bool brings_liability(const pt_antigen_t *before, const pt_antigen_t *after)
{
    pt_liability_t old[PT_LIABILITIES_MAX], now[PT_LIABILITIES_MAX];
    size_t had = liabilities_of(before, old), has = liabilities_of(after, now);
    for (size_t i = 0; i < has; i++)
        if (!holds(old, had, &now[i]))
            return true;
    return false;
}

static void count_pairs(const search_t *s, const pt_scan_t after[2], pt_suggestion_t *is)
{
    for (size_t t = 0; t < s->antigen->stretch_count; t++)
        for (size_t c = 0; c < after[t].core_count; c++) {
            uint64_t had = against(&s->scans[t].cores[c]), has = against(&after[t].cores[c]);
            is->removed += pt_allele_count(had & ~has);
            is->created += pt_allele_count(has & ~had);
            if (t == is->stretch && c <= is->place && is->place - c < PT_CORE)
                is->gone[c + PT_CORE - 1 - is->place] = had & ~has;
        }
}

/* The mutated antibody from the beginning. False when it has a liability that the first has not. */
static bool check(const search_t *s, pt_suggestion_t *is, pt_antigen_t *mutated, pt_scan_t after[2])
{
    *mutated = *s->antigen;
    pt_antigen_mutate(mutated, is->stretch, is->place, is->to);
    if (brings_liability(s->antigen, mutated))
        return false;
    pt_scan(mutated, s->panel, after);
    count_pairs(s, after, is);
    is->risk = pt_risk_of(mutated, s->panel, after);
    is->humanness = pt_antigen_humanness(mutated);
    return is->removed > is->created;
}

static void search(search_t *s)
{
    for (size_t d = 0; d < s->antigen->domain_count; d++) {
        s->v[d] = pt_nearest_v(&s->antigen->domains[d], PT_HUMAN);
        s->j[d] = pt_nearest_j(&s->antigen->domains[d], PT_HUMAN);
        pt_mark_cdrs(&s->antigen->domains[d], PT_CDR_UNION, s->cdr[d]);
    }
    for (size_t t = 0; t < s->antigen->stretch_count; t++)
        for (size_t i = 0; i < s->antigen->stretches[t].length; i++)
            if (s->antigen->stretches[t].domain[i] != PT_NO_DOMAIN && has_pairs(s, t, i))
                try_residues(s, t, i);
    qsort(s->candidates, s->count, sizeof s->candidates[0], by_worth);
}

bool pt_suggest(const pt_antigen_t *antigen, const pt_panel_t *panel, const pt_scan_t scans[2],
                const pt_suggestion_choice_t *choice, pt_suggestion_t found[PT_SUGGESTIONS_MAX],
                size_t *count)
{
    *count = 0;
    search_t *s = calloc(1, sizeof *s);
    pt_antigen_t *mutated = malloc(sizeof *mutated);
    pt_scan_t *after = malloc(2 * sizeof *after);
    bool ok = s && mutated && after;
    if (ok) {
        s->antigen = antigen;
        s->panel = panel;
        s->choice = choice;
        s->scans = scans;
        search(s);
        for (size_t c = 0; c < s->count && *count < choice->most; c++)
            if (check(s, &s->candidates[c].is, mutated, after))
                found[(*count)++] = s->candidates[c].is;
    }
    free(s);
    free(mutated);
    free(after);
    return ok;
}
