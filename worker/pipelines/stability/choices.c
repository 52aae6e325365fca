#include "worker/pipelines/stability/choices.h"
#include <stdio.h>
#include <string.h>

static const char *const structures[] = {"auto", "model", "table", NULL};

static const double PH_USUAL[] = {7.4, 6.0};

static const pt_part_t *part_of(const pt_molecule_t *molecule, size_t domain)
{
    return domain ? &molecule->light : &molecule->heavy;
}

static bool name_positions(const json_t *options, const pt_molecule_t *molecule,
                           pt_scan_choice_t *scan, pt_error_t *error)
{
    const json_t *word = json_object_get(options, "scheme");
    scan->scheme = PT_SCHEME_IMGT;
    if (word && (!json_is_string(word) || !pt_scheme_parse(json_string_value(word), &scan->scheme)))
        return pt_choice_refuse(error, "/scheme", "there is no such numbering scheme");
    for (size_t d = 0; d < 2; d++) {
        const pt_part_t *part = part_of(molecule, d);
        if (part->there && !pt_scheme_positions(&part->domain, scan->scheme, scan->names[d]))
            return pt_choice_refuse(error, "/scheme", "a loop is too long for %s: use imgt",
                                    pt_scheme_name(scan->scheme));
    }
    return true;
}

/* Marks one residue; false when there is none of that name. */
static bool mark(const pt_molecule_t *molecule, const char *text, pt_scan_choice_t *scan)
{
    size_t domain;
    pt_position_t position;
    if (!pt_choice_place(text, &domain, &position) || !part_of(molecule, domain)->there)
        return false;
    for (size_t i = 0; i < part_of(molecule, domain)->domain.length; i++)
        if (pt_position_compare(scan->names[domain][i], position) == 0) {
            scan->wanted[domain][i] = true;
            return true;
        }
    return false;
}

static bool read_positions(const json_t *options, const pt_molecule_t *molecule,
                           pt_scan_choice_t *scan, pt_error_t *error)
{
    const json_t *list, *item;
    size_t index;
    if (!pt_choice_list(options, "positions", PT_POSITIONS_MAX, &list, error))
        return false;
    bool all = json_array_size(list) == 0;
    memset(scan->wanted, all, sizeof scan->wanted);
    json_array_foreach(list, index, item) if (!mark(molecule, json_string_value(item), scan))
    {
        char pointer[32];
        const char *text = json_string_value(item);
        snprintf(pointer, sizeof pointer, "/positions/%zu", index);
        return pt_choice_refuse(error, pointer, "there is no residue %.8s in %s numbering",
                                text ? text : "of that form", pt_scheme_name(scan->scheme));
    }
    return true;
}

static bool read_ph(const json_t *options, pt_scan_choice_t *scan, pt_error_t *error)
{
    const json_t *list, *item;
    size_t index;
    scan->ph_count = sizeof PH_USUAL / sizeof *PH_USUAL;
    memcpy(scan->ph, PH_USUAL, sizeof PH_USUAL);
    if (!pt_choice_list(options, "ph", PT_PH_MAX, &list, error))
        return false;
    if (json_array_size(list) > 0)
        scan->ph_count = json_array_size(list);
    json_array_foreach(list, index, item)
    {
        double ph = json_number_value(item);
        if (!json_is_number(item) || !(ph >= 0 && ph <= 14))
            return pt_choice_refuse(error, "/ph", "a pH is a number from 0 to 14");
        scan->ph[index] = ph;
    }
    return true;
}

bool pt_stability_choose(const json_t *options, const pt_molecule_t *molecule,
                         pt_stability_choices_t *choices, pt_error_t *error)
{
    memset(choices, 0, sizeof *choices);
    return pt_choice_word(options, "structure", structures, &choices->structure, error) &&
           name_positions(options, molecule, &choices->scan, error) &&
           read_positions(options, molecule, &choices->scan, error) &&
           read_ph(options, &choices->scan, error);
}
