#include "worker/pipelines/humanization/choices.h"
#include "worker/pipelines/antibody/germline.h"
#include <stdio.h>
#include <string.h>

static const char *const cdr_words[] = {"imgt", "kabat", "union", NULL}; /* pt_cdr_definition_t */
static const char *const scheme_words[] = {"imgt", "kabat", "chothia", "martin", "aho", NULL};

enum { KEEP_MAX = 2 * PT_DOMAIN_MAX, NEAR_MAX = 4 };

static const pt_part_t *part_of(const pt_molecule_t *molecule, size_t domain)
{
    return domain ? &molecule->light : &molecule->heavy;
}

static const pt_strategy_t *find_strategy(const char *name)
{
    for (size_t s = 0; name && s < PT_STRATEGY_COUNT; s++)
        if (strcmp(pt_strategies[s].name, name) == 0)
            return &pt_strategies[s];
    return NULL;
}

static bool refuse_item(pt_error_t *error, const char *list, size_t index, const char *why)
{
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/%s/%zu", list, index);
    return pt_choice_refuse(error, pointer, "%s", why);
}

static bool read_strategies(const json_t *options, pt_humanization_choices_t *choices,
                            pt_error_t *error)
{
    const json_t *list, *item;
    size_t index;
    if (!pt_choice_list(options, "strategies", PT_STRATEGY_COUNT, &list, error))
        return false;
    choices->strategy_count = json_array_size(list);
    json_array_foreach(list, index, item)
    {
        choices->strategies[index] = find_strategy(json_string_value(item));
        if (!choices->strategies[index])
            return refuse_item(error, "strategies", index, "there is no such strategy");
    }
    if (choices->strategy_count > 0)
        return true;
    choices->strategy_count = PT_STRATEGY_COUNT;
    for (size_t s = 0; s < PT_STRATEGY_COUNT; s++)
        choices->strategies[s] = &pt_strategies[s];
    return true;
}

/* --- target germlines
 * ---------------------------------------------------------------------------------------- */

static bool refuse_gene(pt_error_t *error, const char *pointer, const char *name)
{
    const char *near[NEAR_MAX];
    char names[160] = "";
    size_t count = pt_near_v(name, near, NEAR_MAX);
    for (size_t i = 0; i < count; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "",
                 near[i]);
    return pt_choice_refuse(error, pointer, "there is no human V gene %.40s; near ones are %s",
                            name, names);
}

static bool read_gene(const json_t *genes, const char *key, const pt_part_t *part,
                      const char **allele, pt_error_t *error)
{
    const json_t *given = json_object_get(genes, key);
    const char *name = json_string_value(given);
    char pointer[32];
    snprintf(pointer, sizeof pointer, "/target_germlines/%s", key);
    if (given && !name)
        return pt_choice_refuse(error, pointer, "it is no text");
    if (!name || !*name)
        return true;
    if (!part->there)
        return pt_choice_refuse(error, pointer, "the antibody has no such chain");
    *allele = pt_find_v(name);
    if (!*allele)
        return refuse_gene(error, pointer, name);
    if (pt_gene_chain(*allele) != part->domain.chain)
        return pt_choice_refuse(error, pointer,
                                "%s is a gene of another chain type: this chain needs IG%cV",
                                *allele, part->domain.chain);
    return true;
}

static bool read_genes(const json_t *options, const pt_molecule_t *molecule,
                       pt_humanization_choices_t *choices, pt_error_t *error)
{
    const json_t *genes = json_object_get(options, "target_germlines");
    if (genes && !json_is_object(genes))
        return pt_choice_refuse(error, "/target_germlines", "it is no object");
    return read_gene(genes, "vh", &molecule->heavy, &choices->request.v[0], error) &&
           read_gene(genes, "vl", &molecule->light, &choices->request.v[1], error);
}

/* --- positions to keep
 * --------------------------------------------------------------------------------------- */

static bool mark(const pt_molecule_t *molecule, const char *text, pt_scheme_t scheme,
                 pt_humanization_request_t *request)
{
    size_t domain;
    pt_position_t wanted, positions[PT_DOMAIN_MAX];
    if (!pt_choice_place(text, &domain, &wanted) || !part_of(molecule, domain)->there)
        return false;
    const pt_domain_t *d = &part_of(molecule, domain)->domain;
    if (!pt_scheme_positions(d, scheme, positions))
        return false;
    for (size_t i = 0; i < d->length; i++)
        if (positions[i].number == wanted.number && positions[i].letter == wanted.letter) {
            request->keep[domain][i] = true;
            return true;
        }
    return false;
}

static bool read_keep(const json_t *options, const pt_molecule_t *molecule,
                      pt_humanization_choices_t *choices, pt_error_t *error)
{
    const json_t *list, *item;
    size_t index;
    if (!pt_choice_list(options, "keep", KEEP_MAX, &list, error))
        return false;
    json_array_foreach(list, index, item) if (!mark(molecule, json_string_value(item),
                                                    choices->scheme, &choices->request))
    {
        char why[80];
        const char *text = json_string_value(item);
        snprintf(why, sizeof why, "there is no residue %.8s in %s numbering",
                 text ? text : "of that form", pt_scheme_name(choices->scheme));
        return refuse_item(error, "keep", index, why);
    }
    return true;
}

bool pt_humanization_choose(const json_t *options, const pt_molecule_t *molecule,
                            pt_humanization_choices_t *choices, pt_error_t *error)
{
    int scheme = PT_SCHEME_IMGT, cdrs = PT_CDR_UNION;
    memset(choices, 0, sizeof *choices);
    if (!pt_choice_word(options, "scheme", scheme_words, &scheme, error) ||
        !pt_choice_word(options, "cdr_definition", cdr_words, &cdrs, error) ||
        !pt_choice_number(options, "humanness_target", 0, 1, &choices->request.humanness_target,
                          error))
        return false;
    choices->scheme = (pt_scheme_t)scheme;
    choices->request.cdrs = (pt_cdr_definition_t)cdrs;
    return read_strategies(options, choices, error) &&
           read_genes(options, molecule, choices, error) &&
           read_keep(options, molecule, choices, error);
}
