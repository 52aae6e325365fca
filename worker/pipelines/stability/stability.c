#include "stability.h"
#include "tables.h"
#include "worker/pipelines/antibody/germline.h"
#include "worker/pipelines/antibody/humanness.h"
#include "worker/pipelines/antibody/regions.h"
#include "worker/pipelines/humanization/humanization.h"
#include <string.h>

static const double USUAL = 0.05;      /* a share from which a residue is no exception */
static const double STABILIZING = 0.5; /* kcal/mol from which a substitution is proposed */

static double evidence(const char *allele, pt_position_t position, char wild, char mutant)
{
    double from = pt_repertoire_share(allele, position, wild);
    double to = pt_repertoire_share(allele, position, mutant);
    return from < 0 || to < 0 ? 0 : pt_ddg_evidence(from, to);
}

/* A nanobody's hallmarks are what a human heavy chain does not have there. */
static bool is_hallmark(bool alone, const pt_domain_t *domain, size_t i)
{
    return alone && pt_is_vhh_hallmark(domain->positions[i]);
}

void pt_substitutions(const pt_exposed_t *part, bool alone, double ddg[PT_DOMAIN_MAX][PT_DDG_AMINO])
{
    const pt_domain_t *domain = part->domain;
    pt_germline_match_t v = pt_nearest_v(domain, PT_HUMAN);
    for (size_t i = 0; i < domain->length; i++) {
        pt_ddg(domain->residues, domain->length, i, part->rsa[i], ddg[i]);
        for (int a = 0; v.allele && !is_hallmark(alone, domain, i) && a < PT_DDG_AMINO; a++)
            ddg[i][a] += evidence(v.allele, domain->positions[i], domain->residues[i], PT_AMINO[a]);
    }
}

/* How many motifs that count anywhere in the Fv the domain has. */
static size_t sites(const pt_domain_t *domain)
{
    pt_liability_t found[PT_LIABILITIES_MAX];
    size_t n = pt_find_liabilities(&domain, 1, found, PT_LIABILITIES_MAX), count = 0;
    for (size_t i = 0; i < n; i++)
        count += found[i].whole_fv;
    return count;
}

static bool makes_site(const pt_domain_t *domain, size_t residue, char mutant)
{
    pt_domain_t changed = *domain;
    changed.residues[residue] = mutant;
    return sites(&changed) > sites(domain);
}

/* Keeps the list sorted, the first of equals first. */
static void propose(pt_stability_t *r, pt_stabilizing_t proposal)
{
    size_t at = r->stabilizing_count;
    while (at > 0 && r->stabilizing[at - 1].ddg < proposal.ddg)
        at--;
    if (at == PT_STABILIZING_MAX)
        return;
    size_t last =
        r->stabilizing_count < PT_STABILIZING_MAX ? r->stabilizing_count++ : PT_STABILIZING_MAX - 1;
    memmove(&r->stabilizing[at + 1], &r->stabilizing[at], (last - at) * sizeof proposal);
    r->stabilizing[at] = proposal;
}

/* Do human repertoires of the V family have the mutant at least as often, and not rarely? Without
 * their word there is no proposal: the model alone likes large hydrophobic residues too much. */
static bool is_usual(const char *allele, const pt_domain_t *domain, size_t i, char mutant)
{
    double from = pt_repertoire_share(allele, domain->positions[i], domain->residues[i]);
    double to = pt_repertoire_share(allele, domain->positions[i], mutant);
    return to >= USUAL && to >= from;
}

/* Nothing was measured for proline; a cysteine is never a proposal and never replaced. */
static bool may_propose(const pt_stability_t *r, const pt_domain_t *domain, size_t i, char mutant)
{
    char wild = domain->residues[i];
    return mutant != wild && !strchr("CP", mutant) && !strchr("CP", wild) &&
           !is_hallmark(r->count == 1, domain, i) && !makes_site(domain, i, mutant);
}

/* Framework only: the CDRs are the binding site. The best substitution of each residue. */
static void find_stabilizing(pt_stability_t *r, size_t d)
{
    const pt_domain_t *domain = r->parts[d].domain;
    pt_germline_match_t v = pt_nearest_v(domain, PT_HUMAN);
    uint8_t cdr[PT_DOMAIN_MAX];
    pt_mark_cdrs(domain, PT_CDR_UNION, cdr);
    for (size_t i = 0; v.allele && i < domain->length; i++) {
        pt_stabilizing_t best = {d, i, 0, STABILIZING};
        for (int a = 0; !cdr[i] && r->choice->wanted[d][i] && a < PT_DDG_AMINO; a++)
            if (r->ddg[d][i][a] >= best.ddg && is_usual(v.allele, domain, i, PT_AMINO[a]) &&
                may_propose(r, domain, i, PT_AMINO[a]))
                best = (pt_stabilizing_t){d, i, PT_AMINO[a], r->ddg[d][i][a]};
        if (best.mutant)
            propose(r, best);
    }
}

static void find_liabilities(pt_stability_t *r)
{
    const pt_domain_t *domains[2] = {r->parts[0].domain, r->parts[1].domain};
    r->liability_count = pt_find_liabilities(domains, r->count, r->liabilities, PT_LIABILITIES_MAX);
}

static pt_state_t state_of_load(double load, bool alone)
{
    pt_load_limits_t limits = pt_load_limits(alone);
    return load > limits.amber ? PT_RED : load > limits.green ? PT_AMBER : PT_GREEN;
}

static double worth(pt_state_t state)
{
    static const double of_state[] = {[PT_GREEN] = 1, [PT_AMBER] = 0.5, [PT_RED] = 0};
    return of_state[state];
}

/* The guidelines are of heavy and light chain together. */
bool pt_tap_judged(const pt_stability_t *r, pt_tap_metric_t metric)
{
    return r->count == 2 && (r->model || metric == PT_TAP_CDR_LENGTH);
}

/* How many of its states are good: flags, of which each says little. */
static double flags(const pt_stability_t *r)
{
    double sum = worth(r->liability_state);
    int judged = 1;
    for (pt_tap_metric_t m = 0; m < PT_TAP_METRICS; m++)
        if (pt_tap_judged(r, m)) {
            sum += worth(pt_tap_state(m, r->tap.value[m]));
            judged++;
        }
    return sum / judged;
}

static double developability(const pt_stability_t *r)
{
    double sum = flags(r);
    for (pt_property_t p = 0; p < PT_RANKS; p++)
        sum += 1 - r->rank[p];
    return sum / (1 + PT_RANKS);
}

static void compare(pt_stability_t *r)
{
    pt_exposed_t usual[2];
    bool alone = r->count == 1;
    for (size_t d = 0; d < r->count; d++)
        pt_exposed_by_table(r->parts[d].domain, alone, &usual[d]);
    r->rank[PT_CDR_HYDROPHOBICITY] =
        pt_rank(PT_CDR_HYDROPHOBICITY, alone, pt_cdr_hydrophobicity(usual, r->count));
    r->rank[PT_CDR_CHARGE] = pt_rank(PT_CDR_CHARGE, alone, pt_cdr_charge(usual, r->count));
    r->liability_load = pt_liability_load(usual, r->liabilities, r->liability_count);
    r->liability_state = state_of_load(r->liability_load, alone);
}

static void score(pt_stability_t *r)
{
    compare(r);
    r->isoelectric_point = pt_isoelectric_point(r->parts, r->count);
    for (size_t i = 0; i < r->choice->ph_count; i++)
        r->charge[i] = pt_net_charge(r->parts, r->count, r->choice->ph[i]);
    r->cdr_hydropathy = pt_cdr_hydropathy(r->parts, r->count);
    r->cdr_hydrophobicity = pt_cdr_hydrophobicity(r->parts, r->count);
    r->cdr_charge = pt_cdr_charge(r->parts, r->count);
    r->solubility = -r->cdr_hydrophobicity;
    r->aggregation = pt_hydrophobic_peak(r->parts, r->count);
    r->thermostability = pt_consensus(r->parts, r->count);
    r->tap.value[PT_TAP_CDR_LENGTH] = (double)pt_total_cdr_length(r->parts, r->count);
    r->developability = developability(r);
}

static void look_at_surface(const pt_molecule_t *molecule, pt_stability_t *r)
{
    const pt_domain_t *domains[2] = {&molecule->heavy.domain, &molecule->light.domain};
    for (size_t d = 0; d < r->count; d++) {
        pt_exposed_by_table(domains[d], r->count == 1, &r->parts[d]);
        if (r->model)
            pt_exposed_by_model(r->model, d, &r->parts[d]);
    }
    if (r->model)
        pt_tap(domains, r->count, r->model, &r->tap);
}

void pt_analyse_stability(const pt_molecule_t *molecule, const pt_model_t *model,
                          const pt_scan_choice_t *choice, pt_stability_progress_fn progress,
                          void *context, pt_stability_t *r)
{
    memset(r, 0, sizeof *r);
    r->count = molecule->light.there ? 2 : 1;
    r->fab = r->count == 2 && !molecule->scfv;
    r->model = model;
    r->choice = choice;
    progress("surface", 0.9, context);
    look_at_surface(molecule, r);
    for (size_t d = 0; d < r->count; d++) {
        progress(d ? "substitutions of the light domain" : "substitutions of the heavy domain",
                 0.92 + 0.03 * (double)d, context);
        pt_substitutions(&r->parts[d], r->count == 1, r->ddg[d]);
        find_stabilizing(r, d);
    }
    progress("developability", 0.98, context);
    find_liabilities(r);
    score(r);
}
