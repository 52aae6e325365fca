#include "gateway/molecules/molecule.h"

#include "gateway/http/json.h"
#include "worker/pipelines/antibody/antibody.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *const pt_molecule_formats[] = {"mab", "nanobody", "scfv", "fc_fusion", NULL};
const char *const pt_molecule_kinds[] = {"heavy", "light", "vhh", "scfv", NULL};

#define LETTERS "ACDEFGHIKLMNPQRSTVWY"
#define LETTER_ERRORS_MAX 10 /* of one sequence */

/* ---- kinds ------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static size_t count(const json_t *chains, const char *kind)
{
    size_t found = 0;
    for (size_t i = 0; i < json_array_size(chains); i++)
        found += strcmp(text_of(json_array_get(chains, i), "kind"), kind) == 0;
    return found;
}

bool pt_molecule_check_kinds(const char *format, const json_t *chains, json_t *errors)
{
    size_t all = json_array_size(chains), heavy = count(chains, "heavy"),
           light = count(chains, "light");
    bool pair = all == 2 && heavy == 1 && light == 1;
    const char *wanted = NULL;
    if (strcmp(format, "mab") == 0 && !pair)
        wanted = "one heavy and one light chain";
    else if (strcmp(format, "nanobody") == 0 && !(all == 1 && count(chains, "vhh") == 1))
        wanted = "one vhh chain";
    else if (strcmp(format, "scfv") == 0 && !pair && !(all == 1 && count(chains, "scfv") == 1))
        wanted = "one scfv chain, or one heavy and one light chain";
    if (wanted)
        pt_json_error(errors, "/chains", "a molecule of format %s has %s", format, wanted);
    return wanted == NULL;
}

/* ---- letters ----------------------------------------------------------------------------- */

static const char *why_no_residue(char letter)
{
    if (islower((unsigned char)letter))
        return "is lower case; residues are capital letters";
    if (letter == '*')
        return "is a stop";
    if (letter == '-' || letter == '.')
        return "is a gap; send the sequence without its alignment";
    if (isspace((unsigned char)letter))
        return "is white space";
    return "is none of the 20 amino acids " LETTERS;
}

/* The error, with the position of a letter from 1; 0: the whole sequence. */
static void complain(json_t *errors, const char *pointer, size_t position, const char *message)
{
    json_t *error = pt_json_error(errors, pointer, "%s", message);
    if (error && position > 0)
        json_object_set_new(error, "position", json_integer((json_int_t)position));
}

static bool check_letters(const char *sequence, const char *pointer, json_t *errors)
{
    size_t found = 0;
    for (const char *at = sequence + strspn(sequence, LETTERS); *at;
         at += 1 + strspn(at + 1, LETTERS)) {
        char message[160];
        size_t position = (size_t)(at - sequence) + 1;
        const char *why = why_no_residue(*at);
        if (*at > ' ' && *at <= '~')
            snprintf(message, sizeof message, "'%c' at position %zu %s", *at, position, why);
        else
            snprintf(message, sizeof message, "what stands at position %zu %s", position, why);
        complain(errors, pointer, position, message);
        if (++found == LETTER_ERRORS_MAX)
            break;
    }
    return found == 0;
}

/* ---- domains ----------------------------------------------------------------------------- */

static const char *chain_type(const pt_domain_t *domain)
{
    return domain->chain == 'H' ? "heavy" : domain->chain == 'K' ? "kappa" : "lambda";
}

/* What the chain lacks to be of its kind, or NULL. */
static const char *why_not(const char *kind, const pt_domain_t *domains, size_t found)
{
    size_t heavy = 0;
    for (size_t i = 0; i < found; i++)
        heavy += pt_is_heavy(&domains[i]);
    if (strcmp(kind, "scfv") == 0)
        return found == 2 && heavy == 1
                   ? NULL
                   : "a single chain has one heavy and one light variable domain";
    if (found > 1)
        return "there is more than one variable domain in it; a single chain is of kind scfv";
    if (strcmp(kind, "light") == 0)
        return heavy == 0 ? NULL : "this is a heavy chain, not a light one";
    return heavy == 1 ? NULL : "this is a light chain, not a heavy one";
}

/* The cysteines that tie the two sheets of every variable domain together: IMGT 23 and 104. Without
   them it can be one (designed intrabodies are), but as a rule it is a mistake. */
static void warn(json_t *warnings, const pt_domain_t *domain)
{
    static const uint8_t cysteines[] = {23, 104};
    for (size_t c = 0; c < sizeof cysteines; c++) {
        int at = pt_domain_find(domain, (pt_position_t){cysteines[c], 0});
        char message[160];
        if (at >= 0 && domain->residues[at] == 'C')
            continue;
        snprintf(message, sizeof message,
                 "the %s domain has %.*s at IMGT position %u, where almost every one has the "
                 "cysteine of its disulfide bond",
                 chain_type(domain), at < 0 ? 7 : 1, at < 0 ? "nothing" : domain->residues + at,
                 cysteines[c]);
        json_t *warning = json_pack("{s:s, s:s}", "code", "missing_cysteine", "message", message);
        if (at >= 0)
            json_object_set_new(warning, "position",
                                json_integer((json_int_t)domain->start + at + 1));
        json_array_append_new(warnings, warning);
    }
}

static void describe(json_t *chain, const char *kind, const pt_domain_t *domains, size_t found)
{
    json_t *list = json_array(), *warnings = json_array();
    for (size_t i = 0; i < found; i++) {
        warn(warnings, &domains[i]);
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:I, s:I}", "chain_type", chain_type(&domains[i]), "start",
                            (json_int_t)domains[i].start + 1, "end", (json_int_t)domains[i].end,
                            "length", (json_int_t)domains[i].length));
    }
    const char *type = strcmp(kind, "scfv") == 0 ? "scfv" : chain_type(&domains[0]);
    json_object_set_new(chain, "chain_type", json_string(type));
    json_object_set_new(chain, "domains", list);
    if (json_array_size(warnings))
        json_object_set(chain, "warnings", warnings);
    json_decref(warnings);
}

static void check_chain(json_t *chain, const char *pointer, json_t *errors)
{
    const char *kind = text_of(chain, "kind"), *sequence = text_of(chain, "sequence");
    pt_domain_t domains[PT_DOMAINS_MAX];
    pt_fault_t fault;
    if (!check_letters(sequence, pointer, errors))
        return;
    size_t found = pt_antibody_check(sequence, strlen(sequence), domains, PT_DOMAINS_MAX, &fault);
    const char *reason = found ? why_not(kind, domains, found) : fault.reason;
    if (reason)
        complain(errors, pointer, 0, reason);
    else
        describe(chain, kind, domains, found);
}

void pt_molecule_check_sequences(json_t *chains, json_t *errors)
{
    for (size_t i = 0; i < json_array_size(chains); i++) {
        char pointer[40];
        snprintf(pointer, sizeof pointer, "/chains/%zu/sequence", i);
        check_chain(json_array_get(chains, i), pointer, errors);
    }
}

const char *pt_molecule_lone_kind(const char *sequence)
{
    pt_domain_t domains[PT_DOMAINS_MAX];
    pt_fault_t fault;
    size_t found = pt_antibody_check(sequence, strlen(sequence), domains, PT_DOMAINS_MAX, &fault);
    return found > 1 ? "scfv" : "vhh";
}
