#include "worker/pipelines/humanization/render.h"
#include "worker/pipelines/humanization/formats.h"
#include "worker/pipelines/render.h"
#include <stdio.h>
#include <string.h>

static const char *const chain_names[] = {"vh", "vl"};

/* A humanized antibody, with the names of its residues in the scheme that was asked for. */
typedef struct {
    const pt_molecule_t *molecule;
    const pt_humanization_choices_t *choices;
    const pt_humanization_t *r;
    pt_position_t names[2][PT_DOMAIN_MAX]; /* of the humanized domains */
} view_t;

static void name_residues(view_t *view)
{
    for (size_t d = 0; d < view->r->count; d++) {
        const pt_domain_t *domain = &view->r->domains[d].humanized;
        if (!pt_scheme_positions(domain, view->choices->scheme, view->names[d]))
            pt_scheme_positions(domain, PT_SCHEME_IMGT, view->names[d]);
    }
}

/* "H100", of a residue of a humanized domain. */
static json_t *place(const view_t *view, size_t d, size_t residue)
{
    char text[16] = {d ? 'L' : 'H'};
    pt_position_text(view->names[d][residue], text + 1);
    return json_string(text);
}

/* A chain of the result as people know it: a domain, or for a chain that has more than its domain
   (tags, constant part) the whole chain with the domain changed. */
typedef struct {
    size_t shift; /* of the domain in it */
    char parental[PT_SEQUENCE_MAX + 1];
    char humanized[PT_SEQUENCE_MAX + PT_DOMAIN_MAX + 1];
} whole_t;

static void make_whole(const pt_molecule_t *molecule, const pt_humanization_t *r, size_t d,
                       whole_t *whole)
{
    const pt_humanized_t *h = &r->domains[d];
    const pt_part_t *part = d ? &molecule->light : &molecule->heavy;
    size_t begin = molecule->scfv ? h->parental.start : 0;
    size_t length = molecule->scfv ? h->parental.length : part->chain->length;
    whole->shift = h->parental.start - begin;
    memcpy(whole->parental, part->chain->sequence + begin, length);
    whole->parental[length] = 0;
    pt_splice(whole->parental, length, whole->shift, whole->shift + h->parental.length,
              h->humanized.residues, whole->humanized);
}

/* "Q5V": the index counts from 1 in the parent's sequence. "70insN": N behind the parent's
 * residue 70. */
static json_t *mutation_text(const pt_change_t *change, size_t shift)
{
    char text[32];
    if (change->parental == '-')
        snprintf(text, sizeof text, "%zuins%c", change->residue + shift, change->human);
    else
        snprintf(text, sizeof text, "%c%zu%c", change->parental, change->residue + shift + 1,
                 change->human);
    return json_string(text);
}

/* Of a residue that the humanized domain has. */
static json_t *place_of_change(const view_t *view, size_t d, const pt_change_t *c)
{
    int at = pt_domain_find(&view->r->domains[d].humanized, c->position);
    return at >= 0 ? place(view, d, (size_t)at) : json_null();
}

static json_t *change_detail(const view_t *view, size_t d, const pt_change_t *c, size_t shift)
{
    const pt_humanized_t *h = &view->r->domains[d];
    char imgt[8], from[2] = {c->parental, 0}, human[2] = {c->human, 0};
    pt_position_text(c->position, imgt);
    const char *region = pt_region_name(&h->parental, view->choices->request.cdrs, c->residue);
    json_int_t index = (json_int_t)(c->residue + shift + (c->parental == '-' ? 0 : 1));
    json_t *detail =
        json_pack("{s:I, s:s, s:o, s:s, s:s}", "index", index, "imgt", imgt, "position",
                  place_of_change(view, d, c), "region", region, "reason", c->reason);
    if (c->mutated)
        json_object_set_new(detail, "mutation", mutation_text(c, shift));
    json_object_set_new(detail, c->mutated ? "from" : "kept", json_string(from));
    json_object_set_new(detail, c->mutated ? "to" : "human", json_string(human));
    if (c->weighed) {
        json_object_set_new(detail, "gain_bits", pt_json_number(c->gain));
        json_object_set_new(detail, "risk_bits", pt_json_number(c->risk));
    }
    return detail;
}

static json_t *mutations(const pt_humanized_t *h, size_t shift)
{
    json_t *list = json_array();
    for (size_t i = 0; i < h->change_count; i++)
        if (h->changes[i].mutated)
            json_array_append_new(list, mutation_text(&h->changes[i], shift));
    return list;
}

static json_t *details(const view_t *view, size_t d, size_t shift, bool mutated)
{
    const pt_humanized_t *h = &view->r->domains[d];
    json_t *list = json_array();
    for (size_t i = 0; i < h->change_count; i++)
        if (h->changes[i].mutated == mutated)
            json_array_append_new(list, change_detail(view, d, &h->changes[i], shift));
    return list;
}

static json_t *germlines(const pt_humanized_t *h)
{
    json_t *v = pt_json_germline(&h->v), *j = pt_json_germline(&h->j);
    json_object_set_new(v, "presence", pt_json_number(h->v.presence));
    json_object_set_new(v, "nearest_identity", pt_json_number(h->after.germline_identity));
    return json_pack("{s:o, s:o}", "v", v, "j", j);
}

static json_t *before_and_after(const pt_humanized_t *h)
{
    return json_pack("{s:o, s:o}", "before", pt_json_humanness(&h->before), "after",
                     pt_json_humanness(&h->after));
}

static json_t *humanness(const pt_humanization_t *r)
{
    json_t *all = json_pack("{s:o}", "method", pt_json_humanness_method());
    double before = 0, after = 0;
    for (size_t d = 0; d < r->count; d++) {
        json_object_set_new(all, chain_names[d], before_and_after(&r->domains[d]));
        before += r->domains[d].before.score / (double)r->count;
        after += r->domains[d].after.score / (double)r->count;
    }
    json_object_set_new(all, "before", pt_json_number(before));
    json_object_set_new(all, "after", pt_json_number(after));
    return all;
}

static json_t *place_of_motif(const view_t *view, const pt_liability_t *what)
{
    return place(view, (size_t)what->domain, what->from);
}

/* {group: [place of each motif's first residue]} */
static json_t *liabilities(const view_t *view)
{
    json_t *groups = json_object();
    for (size_t i = 0; i < view->r->liability_count; i++) {
        const pt_liability_t *what = &view->r->liabilities[i].what;
        json_t *list = json_object_get(groups, what->group);
        if (!list) {
            list = json_array();
            json_object_set_new(groups, what->group, list);
        }
        json_array_append_new(list, place_of_motif(view, what));
    }
    return groups;
}

static json_t *liability_details(const view_t *view)
{
    json_t *list = json_array();
    for (size_t i = 0; i < view->r->liability_count; i++) {
        const pt_liability_t *what = &view->r->liabilities[i].what;
        const pt_domain_t *domain = &view->r->domains[what->domain].humanized;
        const char *region = pt_region_name(domain, view->choices->request.cdrs, what->from);
        json_array_append_new(list, json_pack("{s:s, s:o, s:s#, s:s, s:s, s:b}", "name", what->name,
                                              "position", place_of_motif(view, what), "motif",
                                              domain->residues + what->from, what->to - what->from,
                                              "region", region, "severity", what->severity,
                                              "introduced", view->r->liabilities[i].introduced));
    }
    return list;
}

static json_t *numbering(const view_t *view)
{
    json_t *all = json_pack("{s:s, s:s}", "scheme", pt_scheme_name(view->choices->scheme),
                            "grafted_cdrs", pt_cdr_definition_name(view->choices->request.cdrs));
    for (size_t d = 0; d < view->r->count; d++)
        json_object_set_new(
            all, chain_names[d],
            pt_json_numbering(&view->r->domains[d].humanized, view->choices->scheme));
    return all;
}

/* Whether each chain is as human as was asked for. */
static json_t *target_reached(const view_t *view)
{
    double target = view->choices->request.humanness_target;
    json_t *all = json_pack("{s:o}", "target", pt_json_number(target));
    for (size_t d = 0; d < view->r->count; d++)
        json_object_set_new(all, chain_names[d],
                            json_boolean(view->r->domains[d].after.score >= target));
    return all;
}

/* What belongs to one chain goes into the maps by chain. */
static void add_chain(const view_t *view, size_t d, json_t *all)
{
    const pt_humanized_t *h = &view->r->domains[d];
    const char *name = chain_names[d];
    whole_t whole;
    make_whole(view->molecule, view->r, d, &whole);
    json_object_set_new(all, d ? "parental_vl" : "parental_vh", json_string(whole.parental));
    json_object_set_new(all, d ? "humanized_vl" : "humanized_vh", json_string(whole.humanized));
    json_object_set_new(json_object_get(all, "germlines"), name, germlines(h));
    json_object_set_new(json_object_get(all, "mutations"), name, mutations(h, whole.shift));
    json_object_set_new(json_object_get(all, "mutation_details"), name,
                        details(view, d, whole.shift, true));
    json_object_set_new(json_object_get(all, "back_mutations"), name,
                        details(view, d, whole.shift, false));
}

json_t *pt_json_humanization(const pt_molecule_t *molecule,
                             const pt_humanization_choices_t *choices, const pt_humanization_t *r)
{
    view_t view = {.molecule = molecule, .choices = choices, .r = r};
    name_residues(&view);
    json_t *all =
        json_pack("{s:s, s:n, s:n, s:n, s:n, s:{}, s:o, s:{}, s:{}, s:{}, s:o, s:o, s:o}",
                  "strategy", r->strategy->name, "humanized_vh", "humanized_vl", "parental_vh",
                  "parental_vl", "germlines", "humanness", humanness(r), "mutations",
                  "mutation_details", "back_mutations", "liabilities", liabilities(&view),
                  "liability_details", liability_details(&view), "numbering", numbering(&view));
    if (!all)
        return NULL;
    for (size_t d = 0; d < r->count; d++)
        add_chain(&view, d, all);
    if (r->strategy->weighs && choices->request.humanness_target > 0)
        json_object_set_new(all, "humanness_target", target_reached(&view));
    if (molecule->nanobody)
        json_object_set_new(all, "vhh_analysis", pt_json_vhh_analysis(&r->domains[0]));
    if (molecule->scfv)
        json_object_set_new(all, "scfv_analysis", pt_json_scfv_analysis(molecule, r));
    return all;
}

static json_t *oasis(const pt_oasis_score_t *score)
{
    json_t *identity = json_object();
    for (int t = 0; t < PT_OASIS_THRESHOLDS; t++)
        json_object_set_new(identity, pt_oasis_threshold_names[t],
                            pt_json_number(score->identity[t]));
    return json_pack("{s:o, s:o, s:o}", "mean", pt_json_number(score->mean), "median",
                     pt_json_number(score->median), "identity", identity);
}

json_t *pt_json_oasis(const pt_oasis_score_t *humanized, const pt_oasis_score_t *parental)
{
    json_t *all = oasis(humanized);
    json_object_set_new(all, "parental", oasis(parental));
    return all;
}

json_t *pt_json_humanization_versions(void)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "humanization",
        "grafting, resurfacing, weighed consensus " PT_HUMANIZATION_VERSION, "numbering",
        "profile alignment " PT_NUMBERING_VERSION, "humanness",
        PT_HUMANNESS_METHOD " " PT_HUMANNESS_VERSION, "germlines", "OGRDB/AIRR-C 2025-01",
        "repertoire", "Observed Antibody Space as counted by Merck/BioPhi-2021-publication",
        "vernier_zone", "Foote & Winter 1992", "contacts", "150 Fv and 46 VHH crystal structures 1",
        "liabilities", "ab-characterisation, Satlawa 2024");
}
