#include "worker/pipelines/humanization/formats.h"
#include "worker/pipelines/render.h"
#include <string.h>

void pt_splice(const char *from, size_t length, size_t start, size_t end, const char *with,
               char *to)
{
    size_t n = strlen(with);
    memcpy(to, from, start);
    memcpy(to + start, with, n);
    memcpy(to + start + n, from + end, length - end);
    to[length - (end - start) + n] = 0;
}

/* --- nanobodies
 * ---------------------------------------------------------------------------------------------- */

/* What stands at the hallmarks in camelid VHHs and in VHs (Muyldermans 2013; Kabat 37, 44, 45, 47).
 */
static const struct {
    uint8_t imgt;
    const char *vhh, *vh;
} hallmarks[] = {{42, "FY", "VI"}, {49, "EQ", "G"}, {50, "RC", "L"}, {52, "GFLS", "W"}};
enum { HALLMARKS = sizeof hallmarks / sizeof *hallmarks };

static char residue_at(const pt_domain_t *domain, pt_position_t position)
{
    int at = pt_domain_find(domain, position);
    return at >= 0 ? domain->residues[at] : '-';
}

static json_t *hallmark(const pt_humanized_t *h, int i)
{
    pt_position_t position = {hallmarks[i].imgt, 0};
    char imgt[8], parental = residue_at(&h->parental, position);
    char now = residue_at(&h->humanized, position);
    char human = h->v.aligned ? h->v.aligned[position.number - 1] : '-';
    return json_pack("{s:s, s:s#, s:s#, s:s, s:s, s:s#}", "imgt", pt_position_text(position, imgt),
                     "parental", &parental, (size_t)1, "residue", &now, (size_t)1, "vhh",
                     hallmarks[i].vhh, "vh", hallmarks[i].vh, "human", &human, (size_t)1);
}

/* "vhh" or "vh" when most of the parent's hallmarks are such a domain's, else "mixed". */
static const char *hallmark_type(const pt_domain_t *parental)
{
    int like_vhh = 0, like_vh = 0;
    for (int i = 0; i < HALLMARKS; i++) {
        char residue = residue_at(parental, (pt_position_t){hallmarks[i].imgt, 0});
        like_vhh += strchr(hallmarks[i].vhh, residue) != NULL;
        like_vh += strchr(hallmarks[i].vh, residue) != NULL;
    }
    return like_vhh > 2 ? "vhh" : like_vh > 2 ? "vh" : "mixed";
}

static bool all_kept(const pt_humanized_t *h)
{
    for (int i = 0; i < HALLMARKS; i++) {
        pt_position_t position = {hallmarks[i].imgt, 0};
        if (residue_at(&h->parental, position) != residue_at(&h->humanized, position))
            return false;
    }
    return true;
}

/* Cysteines beside the two that every domain has: VHHs often tie CDR3 to CDR1 or FR2 with a pair.
 */
static json_t *extra_cysteines(const pt_domain_t *domain)
{
    json_t *list = json_array();
    for (size_t i = 0; i < domain->length; i++) {
        pt_position_t p = domain->positions[i];
        char imgt[8];
        if (domain->residues[i] == 'C' && (p.letter || (p.number != 23 && p.number != 104)))
            json_array_append_new(list, json_string(pt_position_text(p, imgt)));
    }
    return list;
}

static size_t cdr3_length(const pt_domain_t *domain)
{
    size_t from, to;
    return pt_cdr_bounds(domain, PT_CDR_IMGT, 3, &from, &to) ? to - from : 0;
}

json_t *pt_json_vhh_analysis(const pt_humanized_t *h)
{
    json_t *list = json_array();
    for (int i = 0; i < HALLMARKS; i++)
        json_array_append_new(list, hallmark(h, i));
    pt_germline_match_t before = pt_nearest_v(&h->parental, PT_HUMAN);
    pt_germline_match_t after = pt_nearest_v(&h->humanized, PT_HUMAN);
    return json_pack("{s:o, s:s, s:b, s:I, s:o, s:{s:o, s:o}}", "hallmarks", list, "hallmark_type",
                     hallmark_type(&h->parental), "kept", all_kept(h), "cdr3_length",
                     (json_int_t)cdr3_length(&h->parental), "extra_cysteines",
                     extra_cysteines(&h->parental), "nearest_human_v", "before",
                     pt_json_germline(&before), "after", pt_json_germline(&after));
}

/* --- single chains
 * ------------------------------------------------------------------------------------------- */

static json_t *span(const char *name, size_t start, size_t end)
{
    return json_pack("{s:s, s:I, s:I}", "domain", name, "start", (json_int_t)start + 1, "end",
                     (json_int_t)end);
}

json_t *pt_json_scfv_analysis(const pt_molecule_t *molecule, const pt_humanization_t *r)
{
    bool heavy_first = r->domains[0].parental.start < r->domains[1].parental.start;
    const pt_humanized_t *one = &r->domains[heavy_first ? 0 : 1];
    const pt_humanized_t *two = &r->domains[heavy_first ? 1 : 0];
    const pt_domain_t *first = &one->parental, *second = &two->parental;
    const char *names[2] = {heavy_first ? "vh" : "vl", heavy_first ? "vl" : "vh"};
    const pt_chain_t *chain = molecule->heavy.chain;
    char half[PT_SEQUENCE_MAX + PT_DOMAIN_MAX + 1], sequence[sizeof half + PT_DOMAIN_MAX];
    /* The second domain first: what stands before it keeps its place. */
    pt_splice(chain->sequence, chain->length, second->start, second->end, two->humanized.residues,
              half);
    pt_splice(half, strlen(half), first->start, first->end, one->humanized.residues, sequence);
    size_t linker = second->start - first->end;
    size_t end = first->start + one->humanized.length; /* of the first humanized domain */
    return json_pack("{s:s, s:[o, o], s:[o, o], s:s#, s:s#, s:I, s:s#, s:s}", "order",
                     heavy_first ? "vh-vl" : "vl-vh", "domains",
                     span(names[0], first->start, first->end),
                     span(names[1], second->start, second->end), "humanized_domains",
                     span(names[0], first->start, end),
                     span(names[1], end + linker, end + linker + two->humanized.length), "leader",
                     chain->sequence, first->start, "linker", chain->sequence + first->end, linker,
                     "linker_length", (json_int_t)linker, "tail", chain->sequence + second->end,
                     chain->length - second->end, "humanized_sequence", sequence);
}
