#include "worker/pipelines/molecule.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What each kind of chain must hold. */
static const struct {
    const char *word;
    const char *title;
    unsigned heavy, light; /* domains; a chain of any kind is judged by what it holds */
} kinds[] = {
    [PT_KIND_ANY] = {"any", "sequence", 0, 0},
    [PT_KIND_HEAVY] = {"heavy", "heavy chain", 1, 0},
    [PT_KIND_LIGHT] = {"light", "light chain", 0, 1},
    [PT_KIND_VHH] = {"vhh", "VHH", 1, 0},
    [PT_KIND_SCFV] = {"scfv", "scFv", 1, 1},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

bool pt_error_set(pt_error_t *error, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    snprintf(error->code, sizeof error->code, "%s", code);
    vsnprintf(error->message, sizeof error->message, format, args);
    error->chain = -1;
    error->option[0] = 0;
    error->retry = false;
    va_end(args);
    return false;
}

const char *pt_error_pointer(const pt_error_t *error, const char *otherwise,
                             char text[PT_POINTER_MAX])
{
    if (error->chain >= 0)
        snprintf(text, PT_POINTER_MAX, "/chains/%d", error->chain);
    else if (error->option[0])
        snprintf(text, PT_POINTER_MAX, "/options%.*s", PT_POINTER_MAX - 9, error->option);
    else
        snprintf(text, PT_POINTER_MAX, "%s", otherwise);
    return text;
}

bool pt_chain_kind_parse(const char *word, size_t length, pt_chain_kind_t *kind)
{
    for (int k = PT_KIND_HEAVY; k < KINDS; k++)
        if (strlen(kinds[k].word) == length && memcmp(kinds[k].word, word, length) == 0) {
            *kind = (pt_chain_kind_t)k;
            return true;
        }
    return false;
}

/* "1 heavy and 2 light variable domains" */
static const char *describe(unsigned heavy, unsigned light, char *text, size_t size)
{
    if (heavy && light)
        snprintf(text, size, "%u heavy and %u light variable domain%s", heavy, light,
                 heavy + light > 1 ? "s" : "");
    else
        snprintf(text, size, "%u %s variable domain%s", heavy + light, heavy ? "heavy" : "light",
                 heavy + light > 1 ? "s" : "");
    return text;
}

static bool fits_kind(pt_chain_kind_t kind, unsigned heavy, unsigned light)
{
    if (kind == PT_KIND_ANY)
        return heavy <= 1 && light <= 1;
    return heavy == kinds[kind].heavy && light == kinds[kind].light;
}

static bool place(pt_part_t *part, const pt_chain_t *chain, const pt_domain_t *domain,
                  pt_error_t *error)
{
    if (part->there)
        return pt_error_set(
            error, "duplicate_chain",
            "there are two %s variable domains in different chains: one antibody has one",
            pt_is_heavy(domain) ? "heavy" : "light");
    part->there = true;
    part->chain = chain;
    part->domain = *domain;
    return true;
}

static bool read_chain(const pt_chain_t *chain, pt_molecule_t *molecule, pt_error_t *error)
{
    const char *title = kinds[chain->kind].title;
    pt_domain_t domains[PT_DOMAINS_MAX];
    pt_fault_t fault;
    size_t count =
        pt_antibody_check(chain->sequence, chain->length, domains, PT_DOMAINS_MAX, &fault);
    if (count == 0) {
        pt_error_set(error, pt_fault_name(fault.code), "%s: %s", title, fault.reason);
        error->retry = fault.code == PT_FAULT_NO_MEMORY;
        return false;
    }
    unsigned heavy = 0, light = 0;
    for (size_t d = 0; d < count; d++)
        *(pt_is_heavy(&domains[d]) ? &heavy : &light) += 1;
    char have[64], need[64];
    if (!fits_kind(chain->kind, heavy, light))
        return pt_error_set(
            error, "wrong_chain_kind", "the %s has %s; %s is what it must have", title,
            describe(heavy, light, have, sizeof have),
            chain->kind == PT_KIND_ANY
                ? "one, or one heavy and one light,"
                : describe(kinds[chain->kind].heavy, kinds[chain->kind].light, need, sizeof need));
    molecule->scfv |= count == 2;
    molecule->nanobody |= chain->kind == PT_KIND_VHH;
    for (size_t d = 0; d < count; d++)
        if (!place(pt_is_heavy(&domains[d]) ? &molecule->heavy : &molecule->light, chain,
                   &domains[d], error))
            return false;
    return true;
}

bool pt_molecule_read(const pt_chain_t *chains, size_t count, bool lone_heavy,
                      pt_molecule_t *molecule, pt_error_t *error)
{
    memset(molecule, 0, sizeof *molecule);
    for (size_t c = 0; c < count; c++)
        if (!read_chain(&chains[c], molecule, error)) {
            error->chain = (int)c;
            return false;
        }
    if (!molecule->heavy.there)
        return pt_error_set(
            error, "missing_chain",
            "there is no heavy chain: give the heavy chain of the antibody as well");
    if (molecule->light.there && molecule->nanobody)
        return pt_error_set(
            error, "wrong_chain_kind",
            "a VHH works without a light chain: give heavy and light, or the VHH alone");
    if (!molecule->light.there && !molecule->nanobody && !lone_heavy)
        return pt_error_set(
            error, "missing_chain",
            "there is no light chain: give it as well, or say that this is a nanobody");
    molecule->nanobody = !molecule->light.there;
    return true;
}
