#include "worker/pipelines/humanization/render.h"
#include "worker/pipelines/render.h"
#include <stdio.h>
#include <string.h>

static const char *const chain_names[] = {"vh", "vl"};

/* A chain of the result as people know it: a domain, or for a chain that has more than its domain
   (tags, constant part) the whole chain with the domain changed. */
typedef struct {
    size_t shift; /* of the domain in it */
    char parental[PT_SEQUENCE_MAX + 1];
    char humanized[PT_SEQUENCE_MAX + PT_DOMAIN_MAX + 1];
} whole_t;

/* `from` with the stretch [start, end) replaced. */
static void replace(const char *from, size_t length, size_t start, size_t end, const char *with,
                    char *to)
{
    size_t n = strlen(with);
    memcpy(to, from, start);
    memcpy(to + start, with, n);
    memcpy(to + start + n, from + end, length - end);
    to[length - (end - start) + n] = 0;
}

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
    replace(whole->parental, length, whole->shift, whole->shift + h->parental.length,
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

static json_t *change_detail(const pt_humanized_t *h, const pt_change_t *c, size_t shift)
{
    char imgt[8], from[2] = {c->parental, 0}, human[2] = {c->human, 0};
    pt_position_text(c->position, imgt);
    const char *region = pt_region_name(&h->parental, PT_CDR_UNION, c->residue);
    json_int_t index = (json_int_t)(c->residue + shift + (c->parental == '-' ? 0 : 1));
    if (!c->mutated)
        return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s}", "index", index, "imgt", imgt, "region",
                         region, "kept", from, "human", human, "reason", c->reason);
    return json_pack("{s:o, s:I, s:s, s:s, s:s, s:s, s:s}", "mutation", mutation_text(c, shift),
                     "index", index, "imgt", imgt, "region", region, "from", from, "to", human,
                     "reason", c->reason);
}

static json_t *mutations(const pt_humanized_t *h, size_t shift)
{
    json_t *list = json_array();
    for (size_t i = 0; i < h->change_count; i++)
        if (h->changes[i].mutated)
            json_array_append_new(list, mutation_text(&h->changes[i], shift));
    return list;
}

static json_t *details(const pt_humanized_t *h, size_t shift, bool mutated)
{
    json_t *list = json_array();
    for (size_t i = 0; i < h->change_count; i++)
        if (h->changes[i].mutated == mutated)
            json_array_append_new(list, change_detail(h, &h->changes[i], shift));
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

/* "H100": chain and IMGT position of the motif's first residue. */
static void liability_place(const pt_humanization_t *r, const pt_liability_t *what, char text[16])
{
    char position[8];
    const pt_domain_t *domain = &r->domains[what->domain].humanized;
    snprintf(text, 16, "%c%s", what->domain ? 'L' : 'H',
             pt_position_text(domain->positions[what->from], position));
}

static json_t *liabilities(const pt_humanization_t *r)
{
    json_t *groups = json_object();
    for (size_t i = 0; i < r->liability_count; i++) {
        const pt_liability_t *what = &r->liabilities[i].what;
        char place[16];
        liability_place(r, what, place);
        json_t *list = json_object_get(groups, what->group);
        if (!list) {
            list = json_array();
            json_object_set_new(groups, what->group, list);
        }
        json_array_append_new(list, json_string(place));
    }
    return groups;
}

static json_t *liability_details(const pt_humanization_t *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->liability_count; i++) {
        const pt_liability_t *what = &r->liabilities[i].what;
        const pt_domain_t *domain = &r->domains[what->domain].humanized;
        char place[16];
        liability_place(r, what, place);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s#, s:s, s:s, s:b}", "name", what->name, "position",
                            place, "motif", domain->residues + what->from, what->to - what->from,
                            "region", pt_region_name(domain, PT_CDR_UNION, what->from), "severity",
                            what->severity, "introduced", r->liabilities[i].introduced));
    }
    return list;
}

/* The hallmark residues; `parental` differs where one was not kept. */
static json_t *vhh_analysis(const pt_humanized_t *h)
{
    json_t *hallmarks = json_array();
    for (size_t i = 0; i < h->parental.length; i++) {
        char position[8];
        int now = pt_domain_find(&h->humanized, h->parental.positions[i]);
        if (now >= 0 && pt_is_vhh_hallmark(h->parental.positions[i]))
            json_array_append_new(hallmarks,
                                  json_pack("{s:s, s:s#, s:s#}", "imgt",
                                            pt_position_text(h->parental.positions[i], position),
                                            "parental", h->parental.residues + i, (size_t)1,
                                            "residue", h->humanized.residues + now, (size_t)1));
    }
    return json_pack("{s:o}", "hallmarks", hallmarks);
}

static json_t *domain_span(const char *name, const pt_domain_t *domain)
{
    return json_pack("{s:s, s:I, s:I}", "domain", name, "start", (json_int_t)domain->start + 1,
                     "end", (json_int_t)domain->end);
}

/* An scFv: where its domains stand in the parent; the chain with both changed, linker and order
 * untouched. */
static json_t *scfv_analysis(const pt_molecule_t *molecule, const pt_humanization_t *r)
{
    const pt_domain_t *vh = &r->domains[0].parental, *vl = &r->domains[1].parental;
    bool heavy_first = vh->start < vl->start;
    const pt_domain_t *first = heavy_first ? vh : vl, *second = heavy_first ? vl : vh;
    const pt_chain_t *chain = molecule->heavy.chain;
    char half[PT_SEQUENCE_MAX + PT_DOMAIN_MAX + 1], sequence[sizeof half + PT_DOMAIN_MAX];
    const pt_humanized_t *one = &r->domains[heavy_first ? 0 : 1],
                         *two = &r->domains[heavy_first ? 1 : 0];
    /* The second domain first: what stands before it keeps its place. */
    replace(chain->sequence, chain->length, two->parental.start, two->parental.end,
            two->humanized.residues, half);
    replace(half, strlen(half), one->parental.start, one->parental.end, one->humanized.residues,
            sequence);
    return json_pack("{s:s, s:[o, o], s:s#, s:s}", "order", heavy_first ? "vh-vl" : "vl-vh",
                     "domains", domain_span(heavy_first ? "vh" : "vl", first),
                     domain_span(heavy_first ? "vl" : "vh", second), "linker",
                     chain->sequence + first->end, second->start - first->end, "humanized_sequence",
                     sequence);
}

static json_t *numbering(const pt_humanization_t *r)
{
    json_t *all = json_pack("{s:s, s:s}", "scheme", "imgt", "grafted_cdrs",
                            pt_cdr_definition_name(PT_CDR_UNION));
    for (size_t d = 0; d < r->count; d++)
        json_object_set_new(all, chain_names[d], pt_json_numbering(&r->domains[d].humanized));
    return all;
}

/* What belongs to one chain goes into the maps by chain. */
static void add_chain(const pt_molecule_t *molecule, const pt_humanization_t *r, size_t d,
                      json_t *all)
{
    const pt_humanized_t *h = &r->domains[d];
    const char *name = chain_names[d];
    whole_t whole;
    make_whole(molecule, r, d, &whole);
    json_object_set_new(all, d ? "parental_vl" : "parental_vh", json_string(whole.parental));
    json_object_set_new(all, d ? "humanized_vl" : "humanized_vh", json_string(whole.humanized));
    json_object_set_new(json_object_get(all, "germlines"), name, germlines(h));
    json_object_set_new(json_object_get(all, "mutations"), name, mutations(h, whole.shift));
    json_object_set_new(json_object_get(all, "mutation_details"), name,
                        details(h, whole.shift, true));
    json_object_set_new(json_object_get(all, "back_mutations"), name,
                        details(h, whole.shift, false));
}

json_t *pt_json_humanization(const pt_molecule_t *molecule, const pt_humanization_t *r)
{
    json_t *all =
        json_pack("{s:s, s:n, s:n, s:n, s:n, s:{}, s:o, s:{}, s:{}, s:{}, s:o, s:o, s:o}",
                  "strategy", r->strategy->name, "humanized_vh", "humanized_vl", "parental_vh",
                  "parental_vl", "germlines", "humanness", humanness(r), "mutations",
                  "mutation_details", "back_mutations", "liabilities", liabilities(r),
                  "liability_details", liability_details(r), "numbering", numbering(r));
    if (!all)
        return NULL;
    for (size_t d = 0; d < r->count; d++)
        add_chain(molecule, r, d, all);
    if (molecule->nanobody)
        json_object_set_new(all, "vhh_analysis", vhh_analysis(&r->domains[0]));
    if (molecule->scfv)
        json_object_set_new(all, "scfv_analysis", scfv_analysis(molecule, r));
    return all;
}

json_t *pt_json_humanization_versions(void)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "humanization",
        "germline grafting " PT_HUMANIZATION_VERSION, "numbering",
        "profile alignment " PT_NUMBERING_VERSION, "humanness",
        PT_HUMANNESS_METHOD " " PT_HUMANNESS_VERSION, "germlines", "OGRDB/AIRR-C 2025-01",
        "repertoire", "Observed Antibody Space as counted by Merck/BioPhi-2021-publication",
        "vernier_zone", "Foote & Winter 1992", "liabilities", "ab-characterisation, Satlawa 2024");
}
