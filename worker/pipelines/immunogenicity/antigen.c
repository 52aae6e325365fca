#include "worker/pipelines/immunogenicity/antigen.h"
#include "worker/pipelines/stability/stability.h"
#include <string.h>

/* The stretch of a chain from one domain's start to another's end (or the same one's). */
static void cover(pt_stretch_t *stretch, const char *name, const pt_chain_t *chain, size_t start,
                  size_t end)
{
    stretch->name = name;
    stretch->start = start;
    stretch->length = end - start;
    memcpy(stretch->residues, chain->sequence + start, end - start);
    stretch->residues[end - start] = 0;
    memset(stretch->domain, PT_NO_DOMAIN, sizeof stretch->domain);
    for (size_t i = 0; i < stretch->length; i++)
        stretch->rsa[i] = 1;
}

static void mark(pt_stretch_t *stretch, const pt_domain_t *domain, uint8_t number)
{
    memset(stretch->domain + (domain->start - stretch->start), number, domain->length);
}

static bool joined(const pt_domain_t *vh, const pt_domain_t *vl)
{
    size_t gap = vh->start < vl->start ? vl->start - vh->end : vh->start - vl->end;
    return gap <= PT_LINKER_MAX;
}

static void one_stretch(const pt_molecule_t *molecule, pt_antigen_t *antigen)
{
    const pt_domain_t *vh = &antigen->domains[0], *vl = &antigen->domains[1];
    bool heavy_first = vh->start < vl->start;
    cover(&antigen->stretches[0], "scfv", molecule->heavy.chain,
          heavy_first ? vh->start : vl->start, heavy_first ? vl->end : vh->end);
    mark(&antigen->stretches[0], vh, 0);
    mark(&antigen->stretches[0], vl, 1);
    antigen->stretch_count = 1;
}

static void cover_chains(const pt_molecule_t *molecule, pt_antigen_t *antigen)
{
    static const char *const names[] = {"vh", "vl"};
    const pt_part_t *parts[] = {&molecule->heavy, &molecule->light};
    antigen->nanobody = molecule->nanobody;
    antigen->domain_count = molecule->light.there ? 2 : 1;
    for (size_t d = 0; d < antigen->domain_count; d++)
        antigen->domains[d] = parts[d]->domain;
    if (molecule->scfv && joined(&antigen->domains[0], &antigen->domains[1])) {
        one_stretch(molecule, antigen);
        return;
    }
    antigen->stretch_count = antigen->domain_count;
    for (size_t d = 0; d < antigen->domain_count; d++) {
        const pt_domain_t *domain = &antigen->domains[d];
        cover(&antigen->stretches[d], names[d], parts[d]->chain, domain->start, domain->end);
        mark(&antigen->stretches[d], domain, (uint8_t)d);
    }
}

static void expose(pt_antigen_t *antigen, const pt_exposed_t *part, size_t d)
{
    for (size_t s = 0; s < antigen->stretch_count; s++)
        for (size_t i = 0; i < antigen->stretches[s].length; i++)
            if (antigen->stretches[s].domain[i] == d)
                antigen->stretches[s].rsa[i] =
                    part->rsa[pt_antigen_residue(antigen, &antigen->stretches[s], i)];
}

void pt_antigen_of(const pt_molecule_t *molecule, const pt_model_t *model, pt_antigen_t *antigen,
                   pt_antigen_ddg_t ddg)
{
    cover_chains(molecule, antigen);
    for (size_t d = 0; d < antigen->domain_count; d++) {
        pt_exposed_t part;
        pt_exposed_by_table(&antigen->domains[d], antigen->nanobody, &part);
        if (model)
            pt_exposed_by_model(model, d, &part);
        expose(antigen, &part, d);
        pt_substitutions(&part, antigen->nanobody, ddg[d]);
    }
}

int pt_antigen_residue(const pt_antigen_t *antigen, const pt_stretch_t *stretch, size_t i)
{
    if (stretch->domain[i] == PT_NO_DOMAIN)
        return -1;
    return (int)(stretch->start + i - antigen->domains[stretch->domain[i]].start);
}

void pt_antigen_mutate(pt_antigen_t *antigen, size_t stretch, size_t i, char residue)
{
    pt_stretch_t *where = &antigen->stretches[stretch];
    int in_domain = pt_antigen_residue(antigen, where, i);
    where->residues[i] = residue;
    antigen->domains[where->domain[i]].residues[in_domain] = residue;
}
