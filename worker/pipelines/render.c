#include "worker/pipelines/render.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

json_t *pt_json_number(double value)
{
    return json_real(isfinite(value) ? round(value * 10000.0) / 10000.0 : 0.0);
}

json_t *pt_json_text(const char *text)
{
    json_t *whole = json_string(text);
    if (whole)
        return whole;
    char ascii[256];
    size_t n = 0;
    for (; text[n] && n + 1 < sizeof ascii; n++)
        ascii[n] = (unsigned char)text[n] < 0x80 ? text[n] : '?';
    ascii[n] = 0;
    return json_string(ascii);
}

json_t *pt_json_positions(const pt_position_t *positions, const char *residues, size_t length)
{
    json_t *list = json_array();
    for (size_t i = 0; i < length; i++) {
        char position[8];
        json_t *pair = json_array();
        json_array_append_new(pair, json_string_nocheck(pt_position_text(positions[i], position)));
        json_array_append_new(pair, json_stringn_nocheck(residues + i, 1));
        json_array_append_new(list, pair);
    }
    return list;
}

static json_t *cdr_bounds(const pt_domain_t *domain, pt_cdr_definition_t definition,
                          const pt_position_t *positions)
{
    json_t *cdrs = json_object();
    for (int c = 1; c <= 3; c++) {
        size_t from, to;
        char name[16], first[8], last[8];
        if (!pt_cdr_bounds(domain, definition, c, &from, &to))
            continue;
        snprintf(name, sizeof name, "cdr%d", c);
        pt_position_text(positions[from], first);
        pt_position_text(positions[to - 1], last);
        json_object_set_new(cdrs, name,
                            json_pack("{s:s, s:s, s:I, s:I, s:s#}", "first", first, "last", last,
                                      "start", (json_int_t)from + 1, "end", (json_int_t)to,
                                      "sequence", domain->residues + from, to - from));
    }
    return cdrs;
}

json_t *pt_json_numbering(const pt_domain_t *domain, pt_scheme_t scheme)
{
    char chain[2] = {domain->chain, 0};
    pt_position_t names[PT_DOMAIN_MAX];
    bool named = pt_scheme_positions(domain, scheme, names);
    const pt_position_t *positions = named ? names : domain->positions;
    return json_pack("{s:s, s:s, s:o, s:{s:o, s:o}}", "scheme",
                     pt_scheme_name(named ? scheme : PT_SCHEME_IMGT), "chain_type", chain,
                     "positions", pt_json_positions(positions, domain->residues, domain->length),
                     "cdrs", "imgt", cdr_bounds(domain, PT_CDR_IMGT, positions), "kabat",
                     cdr_bounds(domain, PT_CDR_KABAT, positions));
}

json_t *pt_json_germline(const pt_germline_match_t *match)
{
    if (!match->allele)
        return json_null();
    return json_pack("{s:s, s:o, s:s}", "gene", match->allele, "identity",
                     pt_json_number(pt_identity(match)), "species", match->species);
}

static json_t *found(const char *name, const pt_domain_t *domain)
{
    char chain[2] = {domain->chain, 0};
    pt_germline_match_t v = pt_nearest_v(domain, pt_nearest_species(domain));
    return json_pack("{s:s, s:s, s:I, s:I, s:o}", "domain", name, "chain_type", chain, "start",
                     (json_int_t)domain->start + 1, "end", (json_int_t)domain->end, "nearest_v",
                     pt_json_germline(&v));
}

json_t *pt_json_partial(const char *reached, const char *at_fault, const pt_molecule_t *molecule)
{
    json_t *domains = json_array();
    if (molecule->heavy.there)
        json_array_append_new(domains, found("vh", &molecule->heavy.domain));
    if (molecule->light.there)
        json_array_append_new(domains, found("vl", &molecule->light.domain));
    return json_pack("{s:s, s:s, s:o}", "reached", reached, "at_fault", at_fault, "domains",
                     domains);
}

json_t *pt_json_humanness(const pt_humanness_t *h)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "score", pt_json_number(h->score),
                     "germline_identity", pt_json_number(h->germline_identity), "window_identity",
                     pt_json_number(h->window_identity), "germline_9mers",
                     pt_json_number(h->peptide_share), "repertoire", pt_json_number(h->repertoire));
}

json_t *pt_json_humanness_method(void)
{
    return json_string("paratope " PT_HUMANNESS_METHOD " " PT_HUMANNESS_VERSION);
}
