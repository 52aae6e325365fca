#include "worker/pipelines/humanization/humanization.h"
#include "worker/pipelines/humanization/framework.h"
#include <stdio.h>
#include <string.h>

const pt_strategy_t pt_strategies[PT_STRATEGY_COUNT] = {
    {"cdr_grafting", false},
    {"vernier_grafting", true},
};

bool pt_is_vhh_hallmark(pt_position_t position)
{
    static const uint8_t hallmarks[] = {42, 49, 50, 52};
    return !position.letter && memchr(hallmarks, position.number, sizeof hallmarks) != NULL;
}

/* Why a framework residue of the parent is kept, NULL when it is not. */
static const char *reason_to_keep(const pt_molecule_t *molecule, const pt_strategy_t *strategy,
                                  const pt_domain_t *domain, size_t i)
{
    if (molecule->nanobody && pt_is_vhh_hallmark(domain->positions[i]))
        return "VHH hallmark: parental residue kept";
    if (strategy->keeps_vernier_zone && pt_in_vernier_zone(domain->chain, domain->positions[i]))
        return "Vernier zone (Foote & Winter 1992): parental residue kept";
    return NULL;
}

static void decide(const pt_molecule_t *molecule, const pt_strategy_t *strategy, pt_humanized_t *h,
                   size_t i)
{
    pt_position_t p = h->parental.positions[i];
    const pt_germline_match_t *gene = p.number >= 118 ? &h->j : &h->v;
    char human = gene->aligned && !p.letter ? gene->aligned[p.number - 1] : '-';
    if (human == '-' || human == h->parental.residues[i])
        return;
    const char *keep = reason_to_keep(molecule, strategy, &h->parental, i);
    pt_change_t *change = &h->changes[h->change_count++];
    change->residue = i;
    change->parental = h->parental.residues[i];
    change->human = human;
    change->mutated = !keep;
    if (keep)
        snprintf(change->reason, sizeof change->reason, "%s (human germline %s has %c)", keep,
                 gene->allele, human);
    else {
        snprintf(change->reason, sizeof change->reason, "framework: human germline %s has %c here",
                 gene->allele, human);
        h->humanized.residues[i] = human;
    }
}

static void graft(const pt_molecule_t *molecule, const pt_strategy_t *strategy, pt_humanized_t *h)
{
    uint8_t cdr[PT_DOMAIN_MAX];
    pt_mark_cdrs(&h->parental, PT_CDR_UNION, cdr);
    h->humanized = h->parental;
    h->change_count = 0;
    for (size_t i = 0; i < h->parental.length; i++)
        if (!cdr[i])
            decide(molecule, strategy, h, i);
}

/* --- liabilities --------------------------------------------------------------------------------------- */

static size_t find(const pt_humanization_t *out, bool parental, pt_liability_t *found)
{
    const pt_domain_t *domains[2];
    for (size_t d = 0; d < out->count; d++)
        domains[d] = parental ? &out->domains[d].parental : &out->domains[d].humanized;
    return pt_find_liabilities(domains, out->count, found, PT_LIABILITIES_MAX);
}

static bool same(const pt_liability_t *a, const pt_liability_t *b)
{
    return a->domain == b->domain && a->from == b->from && a->to == b->to &&
           strcmp(a->name, b->name) == 0;
}

static bool among(const pt_liability_t *what, const pt_liability_t *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (same(what, &all[i]))
            return true;
    return false;
}

/* Takes back one mutation inside the motif. False when there is none: then the germline is not its cause. */
static bool take_back(pt_humanized_t *h, const pt_liability_t *what)
{
    for (size_t c = 0; c < h->change_count; c++) {
        pt_change_t *change = &h->changes[c];
        if (!change->mutated || change->residue < what->from || change->residue >= what->to)
            continue;
        change->mutated = false;
        h->humanized.residues[change->residue] = change->parental;
        snprintf(change->reason, sizeof change->reason,
                 "%c would complete a liability (%s): parental residue kept", change->human, what->name);
        return true;
    }
    return false;
}

/* One that no strategy may bring in: a glycosylation site, an unpaired cysteine. */
static bool is_forbidden(const pt_liability_t *what)
{
    return what->whole_fv && strcmp(what->severity, "high") == 0;
}

/* Every turn takes back a mutation, so this ends; taking one back can complete another motif. */
static void avoid_forbidden(pt_humanization_t *out, const pt_liability_t *parental, size_t count)
{
    pt_liability_t now[PT_LIABILITIES_MAX];
    bool changed;
    do {
        changed = false;
        size_t n = find(out, false, now);
        for (size_t i = 0; i < n && !changed; i++)
            if (is_forbidden(&now[i]) && !among(&now[i], parental, count))
                changed = take_back(&out->domains[now[i].domain], &now[i]);
    } while (changed);
}

static void judge_liabilities(pt_humanization_t *out)
{
    pt_liability_t parental[PT_LIABILITIES_MAX], now[PT_LIABILITIES_MAX];
    size_t count = find(out, true, parental);
    avoid_forbidden(out, parental, count);
    out->liability_count = find(out, false, now);
    for (size_t i = 0; i < out->liability_count; i++) {
        out->liabilities[i].what = now[i];
        out->liabilities[i].introduced = !among(&now[i], parental, count);
    }
}

/* --- all together -------------------------------------------------------------------------------------- */

static void say(pt_step_fn step, void *context, const char *what, double fraction)
{
    if (step)
        step(what, fraction, context);
}

void pt_humanize(const pt_molecule_t *molecule, const pt_strategy_t *strategy, pt_step_fn step,
                 void *context, pt_humanization_t *out)
{
    out->strategy = strategy;
    out->count = molecule->light.there ? 2 : 1;
    out->domains[0].parental = molecule->heavy.domain;
    out->domains[1].parental = molecule->light.domain;
    say(step, context, "germline search", 0.0);
    for (size_t d = 0; d < out->count; d++) {
        out->domains[d].v = pt_choose_v(&out->domains[d].parental);
        out->domains[d].j = pt_choose_j(&out->domains[d].parental);
    }
    say(step, context, "grafting", 0.4);
    for (size_t d = 0; d < out->count; d++)
        graft(molecule, strategy, &out->domains[d]);
    say(step, context, "liabilities", 0.6);
    judge_liabilities(out);
    say(step, context, "humanness", 0.8);
    for (size_t d = 0; d < out->count; d++) {
        out->domains[d].before = pt_humanness(&out->domains[d].parental);
        out->domains[d].after = pt_humanness(&out->domains[d].humanized);
    }
}
