#include "gateway/molecules/fasta_molecule.h"

#include "gateway/http/json.h"
#include "gateway/molecules/molecule.h"
#include "proto/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *chain(const char *kind, const char *sequence)
{
    return json_pack("{s:s, s:s}", "kind", kind, "sequence", sequence);
}

static json_t *chains_of(const pt_fasta_record_t *record, const char **format)
{
    const pt_fasta_record_t *partner = record->partner;
    if (!partner) {
        const char *kind = pt_molecule_lone_kind(record->sequence);
        *format = strcmp(kind, "scfv") == 0 ? "scfv" : "nanobody";
        return json_pack("[o]", chain(kind, record->sequence));
    }
    bool heavy = record->role == PT_FASTA_VH;
    *format = "mab";
    return json_pack("[o, o]", chain("heavy", (heavy ? record : partner)->sequence),
                     chain("light", (heavy ? partner : record)->sequence));
}

static bool is_name(const char *name)
{
    if (!pt_text_valid(name, strlen(name)) || pt_json_characters(name) > PT_MOLECULE_NAME_MAX)
        return false;
    for (; *name; name++)
        if ((unsigned char)*name < 0x20 || *name == 0x7F)
            return false;
    return true;
}

/* Says which chain is at fault, and why. */
static void take_error(const json_t *error, size_t chains, pt_fasta_molecule_t *molecule)
{
    const char *pointer = json_string_value(json_object_get(error, "pointer"));
    const char *which = chains == 1 ? "the" : strstr(pointer, "/0/") ? "heavy" : "light";
    molecule->position = (size_t)json_integer_value(json_object_get(error, "position"));
    snprintf(molecule->fault, sizeof molecule->fault, "%s chain: %s", which,
             json_string_value(json_object_get(error, "message")));
}

/* Adds to the chains what the check finds, so they are no longer what is stored. */
static bool check(const char *name, json_t *chains, pt_fasta_molecule_t *molecule)
{
    if (!chains || !is_name(name)) {
        snprintf(molecule->fault, sizeof molecule->fault, "%s",
                 chains ? "a name has at most 120 characters of UTF-8, none of them for control"
                        : "the record holds bytes that are no text");
        return false;
    }
    json_t *errors = json_array();
    pt_molecule_check_sequences(chains, errors);
    bool good = json_array_size(errors) == 0;
    if (!good)
        take_error(json_array_get(errors, 0), json_array_size(chains), molecule);
    json_decref(errors);
    return good;
}

/* A typing error in one of two names leaves both alone. */
static void say_alone(const pt_fasta_record_t *record, pt_fasta_molecule_t *molecule)
{
    size_t used = strlen(molecule->fault);
    if (!record->partner && record->role != PT_FASTA_LONE)
        snprintf(molecule->fault + used, sizeof molecule->fault - used,
                 "; there is no record of the same name with %s",
                 record->role == PT_FASTA_VH ? "VL" : "VH");
}

/* The second half of a pair came with the first. */
bool pt_fasta_is_second(const pt_fasta_record_t *record)
{
    const pt_fasta_record_t *partner = record->partner;
    return partner && partner < record && partner->partner == record;
}

bool pt_fasta_molecule(const pt_fasta_record_t *record, pt_fasta_molecule_t *molecule)
{
    memset(molecule, 0, sizeof *molecule);
    json_t *chains = chains_of(record, &molecule->format);
    char *text = chains ? json_dumps(chains, JSON_COMPACT) : NULL;
    if (check(record->name, chains, molecule)) {
        molecule->chains = text;
    } else {
        free(text);
        say_alone(record, molecule);
    }
    json_decref(chains);
    return molecule->chains != NULL;
}

bool pt_fasta_whole_molecule(const pt_fasta_record_t *record, pt_fasta_molecule_t *molecule)
{
    if (!pt_fasta_molecule(record, molecule))
        return false;
    if (record->partner || record->role == PT_FASTA_LONE)
        return true;
    free(molecule->chains);
    molecule->chains = NULL;
    snprintf(
        molecule->fault, sizeof molecule->fault,
        "half of an antibody: there is no record of the same name with %s; a nanobody's record "
        "has neither VH nor VL behind its name",
        record->role == PT_FASTA_VH ? "VL" : "VH");
    return false;
}
