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

static pt_change_t *add_change(pt_humanized_t *h, size_t i, pt_position_t position, char parental,
                               char human)
{
    pt_change_t *change = &h->changes[h->change_count++];
    *change = (pt_change_t){position, i, parental, human, false, ""};
    return change;
}

static void append(pt_domain_t *domain, pt_position_t position, char residue)
{
    domain->positions[domain->length] = position;
    domain->residues[domain->length++] = residue;
    domain->residues[domain->length] = 0;
}

static const pt_germline_match_t *gene_at(const pt_humanized_t *h, int position)
{
    return position >= 118 ? &h->j : &h->v;
}

static char human_at(const pt_humanized_t *h, pt_position_t p)
{
    const pt_germline_match_t *gene = gene_at(h, p.number);
    return gene->aligned && !p.letter ? gene->aligned[p.number - 1] : '-';
}

/* What becomes of the parent's framework residue i. */
static char decide(const pt_molecule_t *molecule, const pt_strategy_t *strategy, pt_humanized_t *h,
                   size_t i)
{
    pt_position_t p = h->parental.positions[i];
    char parental = h->parental.residues[i], human = human_at(h, p);
    if (human == parental)
        return parental;
    pt_change_t *change = add_change(h, i, p, parental, human);
    const char *gene = gene_at(h, p.number)->allele;
    const char *keep = reason_to_keep(molecule, strategy, &h->parental, i);
    change->mutated = human != '-' && !keep;
    if (human == '-')
        snprintf(change->reason, sizeof change->reason,
                 "human germline %s has no residue here: parental residue kept", gene);
    else if (keep)
        snprintf(change->reason, sizeof change->reason, "%s (human germline %s has %c)", keep, gene,
                 human);
    else
        snprintf(change->reason, sizeof change->reason, "framework: human germline %s has %c here",
                 gene, human);
    return change->mutated ? human : parental;
}

/* Where the parent's numbering jumps to residue i, the germline's framework residues in between. An
   N terminus that lacks more than two residues was cut off, and stays so. */
static void fill_gap(pt_humanized_t *h, const uint8_t *framework, size_t i)
{
    int to = h->parental.positions[i].number;
    int from = i ? h->parental.positions[i - 1].number + 1 : to <= 3 ? 1 : to;
    for (int p = from; p < to; p++) {
        pt_position_t position = {(uint8_t)p, 0};
        char human = human_at(h, position);
        if (!framework[p] || human == '-' || h->humanized.length == PT_DOMAIN_MAX)
            continue;
        pt_change_t *change = add_change(h, i, position, '-', human);
        change->mutated = true;
        snprintf(change->reason, sizeof change->reason,
                 "framework: human germline %s has %c here, the parent no residue",
                 gene_at(h, p)->allele, human);
        append(&h->humanized, position, human);
    }
}

static void graft(const pt_molecule_t *molecule, const pt_strategy_t *strategy, pt_humanized_t *h)
{
    uint8_t framework[PT_IMGT_COUNT + 1];
    pt_framework_positions(&h->parental, framework);
    h->humanized = h->parental;
    h->humanized.length = 0;
    h->change_count = 0;
    size_t room = PT_DOMAIN_MAX - h->parental.length; /* for insertions */
    for (size_t i = 0; i < h->parental.length; i++) {
        if (h->humanized.length - i < room)
            fill_gap(h, framework, i);
        bool fixed = !framework[h->parental.positions[i].number];
        append(&h->humanized, h->parental.positions[i],
               fixed ? h->parental.residues[i] : decide(molecule, strategy, h, i));
    }
    h->humanized.end = h->humanized.start + h->humanized.length;
}

/* --- liabilities
 * --------------------------------------------------------------------------------------- */

static size_t find(const pt_humanization_t *out, bool parental, pt_liability_t *found)
{
    const pt_domain_t *domains[2];
    for (size_t d = 0; d < out->count; d++)
        domains[d] = parental ? &out->domains[d].parental : &out->domains[d].humanized;
    return pt_find_liabilities(domains, out->count, found, PT_LIABILITIES_MAX);
}

/* The place of a motif: the position of its first residue, which insertions do not shift. */
static pt_position_t place(const pt_humanization_t *out, const pt_liability_t *what, bool parental)
{
    const pt_humanized_t *h = &out->domains[what->domain];
    return (parental ? h->parental : h->humanized).positions[what->from];
}

/* Does the parent have this liability of the humanized antibody? */
static bool in_parent(const pt_humanization_t *out, const pt_liability_t *what,
                      const pt_liability_t *parental, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (parental[i].domain == what->domain && strcmp(parental[i].name, what->name) == 0 &&
            pt_position_compare(place(out, &parental[i], true), place(out, what, false)) == 0)
            return true;
    return false;
}

static void undo(pt_humanized_t *h, pt_change_t *change, const char *name)
{
    pt_domain_t *d = &h->humanized;
    size_t at = (size_t)pt_domain_find(d, change->position);
    change->mutated = false;
    if (change->parental != '-') {
        d->residues[at] = change->parental;
    } else {
        memmove(d->residues + at, d->residues + at + 1, d->length - at);
        memmove(d->positions + at, d->positions + at + 1,
                (d->length - at - 1) * sizeof d->positions[0]);
        d->length--;
        d->end--;
    }
    snprintf(change->reason, sizeof change->reason,
             "%c would complete a liability (%s): kept as in the parent", change->human, name);
}

/* Takes back one mutation inside the motif. False when there is none: then the germline is not its
 * cause. */
static bool take_back(pt_humanized_t *h, const pt_liability_t *what)
{
    for (size_t i = what->from; i < what->to; i++)
        for (size_t c = 0; c < h->change_count; c++)
            if (h->changes[c].mutated &&
                pt_position_compare(h->changes[c].position, h->humanized.positions[i]) == 0) {
                undo(h, &h->changes[c], what->name);
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
            if (is_forbidden(&now[i]) && !in_parent(out, &now[i], parental, count))
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
        out->liabilities[i].introduced = !in_parent(out, &now[i], parental, count);
    }
}

/* --- all together
 * -------------------------------------------------------------------------------------- */

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
