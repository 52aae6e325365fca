#include "worker/pipelines/immunogenicity/choices.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool refuse_item(pt_error_t *error, const char *key, size_t index, const char *why)
{
    char pointer[48];
    snprintf(pointer, sizeof pointer, "/%s/%zu", key, index);
    return pt_choice_refuse(error, pointer, "%s", why);
}

static bool find_allele(const char *name, uint64_t found[PT_MHC_CLASSES])
{
    for (pt_mhc_class_t m = 0; name && m < PT_MHC_CLASSES; m++) {
        int a = pt_panel_find(m, name);
        if (a < 0)
            continue;
        found[m] |= UINT64_C(1) << a;
        return true;
    }
    return false;
}

/* A class of which none is named keeps its whole panel. */
static bool read_alleles(const json_t *options, pt_panel_t *panel, pt_error_t *error)
{
    const json_t *list, *item;
    uint64_t named[PT_MHC_CLASSES] = {0};
    size_t index;
    if (!pt_choice_list(options, "alleles", 2 * PT_ALLELES_MAX, &list, error))
        return false;
    json_array_foreach(
        list, index,
        item) if (!find_allele(json_string_value(item),
                               named)) return refuse_item(error, "alleles", index,
                                                          "there is no such allele in the panel");
    for (pt_mhc_class_t m = 0; m < PT_MHC_CLASSES; m++)
        if (named[m]) {
            panel->alleles[m] = named[m];
            pt_panel_weigh_equally(panel, m);
        }
    return true;
}

static bool mark_kept(const pt_antigen_t *antigen, const char *text, pt_suggestion_choice_t *choice)
{
    size_t d;
    pt_position_t position;
    if (!pt_choice_place(text, &d, &position) || d >= antigen->domain_count)
        return false;
    int residue = pt_domain_find(&antigen->domains[d], position);
    if (residue >= 0)
        choice->keep[d][residue] = true;
    return residue >= 0;
}

static bool read_kept(const json_t *options, const pt_antigen_t *antigen,
                      pt_suggestion_choice_t *choice, pt_error_t *error)
{
    const json_t *list, *item;
    size_t index;
    if (!pt_choice_list(options, "keep", 2 * PT_DOMAIN_MAX, &list, error))
        return false;
    json_array_foreach(list, index, item) if (
        !mark_kept(antigen, json_string_value(item),
                   choice)) return refuse_item(error, "keep", index,
                                               "there is no such residue in IMGT numbering");
    return true;
}

static bool read_whole(const json_t *options, const char *key, double least, double most,
                       unsigned *value, pt_error_t *error)
{
    double number = *value;
    if (!pt_choice_number(options, key, least, most, &number, error))
        return false;
    *value = (unsigned)number;
    return true;
}

bool pt_immunogenicity_choose(const json_t *options, const pt_antigen_t *antigen,
                              pt_immunogenicity_choices_t *choices, pt_error_t *error)
{
    memset(choices, 0, sizeof *choices);
    pt_panel_usual(&choices->panel);
    choices->suggestions.most = PT_SUGGESTIONS_MAX;
    return read_alleles(options, &choices->panel, error) &&
           read_whole(options, "threshold_percent", 1, 10, &choices->panel.threshold, error) &&
           read_whole(options, "suggestions", 0, PT_SUGGESTIONS_MAX, &choices->suggestions.most,
                      error) &&
           read_kept(options, antigen, &choices->suggestions, error);
}
