#include "worker/pipelines/humanization/graft.h"
#include "worker/pipelines/antibody/exposure.h"
#include "worker/pipelines/humanization/framework.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Relative solvent accessibility from which a residue is surface (Roguska et al. 1994). */
static const double SURFACE = 0.30;

/*
 *  What a change of a residue may cost, in bits, where it carries the loops: in the Vernier zone,
 * and where all crystal structures have its side chain touch a CDR, or the other chain. What is
 * gained must be a bit more. Round numbers, set by hand.
 */
static const double VERNIER_RISK = 2, CDR_RISK = 2, PARTNER_RISK = 2, LEAST_WORTH = 1;

enum { FR4_FIRST = 118 };

typedef struct {
    const pt_molecule_t *molecule;
    const pt_strategy_t *strategy;
    const bool *keep; /* by parental residue */
    uint8_t framework[PT_IMGT_COUNT + 1];
    pt_consensus_t consensus; /* if the strategy weighs */
    pt_humanized_t *h;
} graft_t;

static const char *gene_at(const graft_t *g, int position)
{
    const char *allele = position >= FR4_FIRST ? g->h->j.allele : g->h->v.allele;
    return allele ? allele : "none";
}

static char human_at(const graft_t *g, pt_position_t p)
{
    const pt_germline_match_t *gene = p.number >= FR4_FIRST ? &g->h->j : &g->h->v;
    if (p.letter)
        return '-';
    if (g->strategy->weighs)
        return pt_consensus_at(&g->consensus, p.number);
    return gene->aligned ? gene->aligned[p.number - 1] : '-';
}

static pt_change_t *add_change(pt_humanized_t *h, size_t i, pt_position_t position, char parental,
                               char human)
{
    pt_change_t *change = &h->changes[h->change_count++];
    *change =
        (pt_change_t){.position = position, .residue = i, .parental = parental, .human = human};
    return change;
}

__attribute__((format(printf, 2, 3))) static void explain(pt_change_t *change, const char *format,
                                                          ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(change->reason, sizeof change->reason, format, args);
    va_end(args);
}

static void append(pt_domain_t *domain, pt_position_t position, char residue)
{
    domain->positions[domain->length] = position;
    domain->residues[domain->length++] = residue;
    domain->residues[domain->length] = 0;
}

/* --- whether a residue changes
 * ------------------------------------------------------------------------------------------ */

/* "the human germline IGHV3-23*04 has S" */
static const char *human_text(const graft_t *g, const pt_change_t *change, char *text, size_t size)
{
    if (g->strategy->weighs)
        snprintf(text, size, "human frameworks that suit have %c", change->human);
    else
        snprintf(text, size, "human germline %s has %c", gene_at(g, change->position.number),
                 change->human);
    return text;
}

/* Why a framework residue of the parent is kept whatever it could gain, NULL when it is not. */
static const char *reason_to_keep(const graft_t *g, size_t i)
{
    const pt_domain_t *d = &g->h->parental;
    if (g->keep[i])
        return "asked to be kept";
    if (g->molecule->nanobody && pt_is_vhh_hallmark(d->positions[i]))
        return "VHH hallmark: parental residue kept";
    if (g->strategy->keeps_vernier_zone && pt_in_vernier_zone(d->chain, d->positions[i]))
        return "Vernier zone (Foote & Winter 1992): parental residue kept";
    if (g->strategy->surface_only &&
        pt_exposure(d->chain, g->molecule->nanobody, d->positions[i]) < SURFACE)
        return "buried in crystal structures: parental residue kept";
    return NULL;
}

static const char *risk_text(bool vernier, double cdr, double partner)
{
    if (vernier)
        return cdr + partner > 0.5 ? "Vernier zone, touches CDR or other chain" : "Vernier zone";
    if (cdr > 0.5 && partner > 0.5)
        return "touches CDR and other chain";
    return cdr > 0.5 ? "touches CDR" : partner > 0.5 ? "touches other chain" : "little contact";
}

/* By what is gained and what is risked. */
static void weigh(const graft_t *g, pt_change_t *change)
{
    char chain = g->h->parental.chain;
    bool vernier = pt_in_vernier_zone(chain, change->position);
    double cdr = pt_touches_cdr(chain, change->position);
    double partner = g->molecule->nanobody ? 0 : pt_touches_partner(chain, change->position);
    change->weighed = true;
    change->gain =
        pt_consensus_gain(&g->consensus, change->position.number, change->parental, change->human);
    change->risk = VERNIER_RISK * vernier + CDR_RISK * cdr + PARTNER_RISK * partner;
    change->mutated = change->gain - change->risk >= LEAST_WORTH;
    explain(change,
            "human frameworks that suit have %c: %.1f bits likelier than %c, risk %.1f bits (%s)%s",
            change->human, change->gain, change->parental, change->risk,
            risk_text(vernier, cdr, partner),
            change->mutated ? "" : ": not worth it, parental residue kept");
}

/* What becomes of the parent's framework residue i. */
static char decide(const graft_t *g, size_t i)
{
    pt_position_t p = g->h->parental.positions[i];
    char parental = g->h->parental.residues[i], human = human_at(g, p), text[96];
    if (human == parental)
        return parental;
    pt_change_t *change = add_change(g->h, i, p, parental, human);
    const char *keep = reason_to_keep(g, i);
    if (human == '-')
        explain(change, "the human framework has no residue here: parental residue kept");
    else if (keep)
        explain(change, "%s (%s)", keep, human_text(g, change, text, sizeof text));
    else if (g->strategy->weighs)
        weigh(g, change);
    else {
        change->mutated = true;
        explain(change, "%s: %s here",
                g->strategy->surface_only ? "exposed framework" : "framework",
                human_text(g, change, text, sizeof text));
    }
    return change->mutated ? human : parental;
}

/* --- the domain, residue by residue
 * ------------------------------------------------------------------------------------- */

/* Where the parent's numbering jumps to residue i, the human framework's residues in between. An N
   terminus that lacks more than two residues was cut off, and stays so. */
static void fill_gap(const graft_t *g, size_t i)
{
    pt_humanized_t *h = g->h;
    int to = h->parental.positions[i].number;
    int from = i ? h->parental.positions[i - 1].number + 1 : to <= 3 ? 1 : to;
    for (int p = from; p < to; p++) {
        pt_position_t position = {(uint8_t)p, 0};
        char human = human_at(g, position), text[96];
        if (!g->framework[p] || human == '-' || h->humanized.length == PT_DOMAIN_MAX)
            continue;
        pt_change_t *change = add_change(h, i, position, '-', human);
        change->mutated = true;
        explain(change, "framework: %s here, the parent no residue",
                human_text(g, change, text, sizeof text));
        append(&h->humanized, position, human);
    }
}

static void build(const graft_t *g)
{
    pt_humanized_t *h = g->h;
    h->humanized = h->parental;
    h->humanized.length = 0;
    h->change_count = 0;
    size_t room = PT_DOMAIN_MAX - h->parental.length; /* for insertions */
    for (size_t i = 0; i < h->parental.length; i++) {
        if (!g->strategy->surface_only && h->humanized.length - i < room)
            fill_gap(g, i);
        bool fixed = !g->framework[h->parental.positions[i].number];
        append(&h->humanized, h->parental.positions[i],
               fixed ? h->parental.residues[i] : decide(g, i));
    }
    h->humanized.end = h->humanized.start + h->humanized.length;
}

void pt_choose_genes(const pt_humanization_request_t *request, size_t domain, pt_humanized_t *h)
{
    uint8_t framework[PT_IMGT_COUNT + 1];
    pt_framework_positions(&h->parental, request->cdrs, framework);
    h->v = pt_choose_v(&h->parental, framework, request->v[domain]);
    h->j = pt_choose_j(&h->parental);
}

void pt_graft(const pt_molecule_t *molecule, const pt_strategy_t *strategy,
              const pt_humanization_request_t *request, size_t domain, pt_humanized_t *h)
{
    graft_t g = {.molecule = molecule, .strategy = strategy, .keep = request->keep[domain], .h = h};
    pt_framework_positions(&h->parental, request->cdrs, g.framework);
    if (strategy->weighs)
        pt_framework_consensus(&h->parental, g.framework, request->v[domain], &g.consensus);
    build(&g);
}

static void remove_residue(pt_domain_t *d, size_t at)
{
    memmove(d->residues + at, d->residues + at + 1, d->length - at);
    memmove(d->positions + at, d->positions + at + 1,
            (d->length - at - 1) * sizeof d->positions[0]);
    d->length--;
    d->end--;
}

void pt_set_change(pt_humanized_t *h, pt_change_t *change, bool mutated)
{
    size_t at = (size_t)pt_domain_find(&h->humanized, change->position);
    change->mutated = mutated;
    if (change->parental != '-')
        h->humanized.residues[at] = mutated ? change->human : change->parental;
    else if (!mutated)
        remove_residue(&h->humanized, at);
}
