/*
 *  What of an antibody is looked at: its variable domains, of an scFv with the linker between them.
 * Constant parts are human germline or not this pipeline's to judge.
 */
#ifndef PT_IMMUNOGENICITY_ANTIGEN_H
#define PT_IMMUNOGENICITY_ANTIGEN_H

#include "worker/pipelines/fold/model.h"
#include "worker/pipelines/molecule.h"
#include "worker/pipelines/stability/ddg.h"

#define PT_LINKER_MAX 64 /* a longer stretch between the domains is no linker, and left out */
#define PT_ANTIGEN_MAX (2 * PT_DOMAIN_MAX + PT_LINKER_MAX)
#define PT_NO_DOMAIN 2

typedef struct {
    const char *name; /* "vh", "vl", "scfv" */
    size_t start;     /* in the chain's sequence, from 0 */
    size_t length;
    char residues[PT_ANTIGEN_MAX + 1];
    uint8_t domain[PT_ANTIGEN_MAX]; /* 0 heavy, 1 light, PT_NO_DOMAIN: linker */
    double rsa[PT_ANTIGEN_MAX];     /* relative solvent accessibility, 0 to 1; a linker's is 1 */
} pt_stretch_t;

/* Owns copies of everything: it can be mutated apart from the molecule. */
typedef struct {
    bool nanobody;
    size_t domain_count, stretch_count;
    pt_domain_t domains[2];
    pt_stretch_t stretches[2];
} pt_antigen_t;

/* What substitutions of its domains' residues do to stability, kcal/mol, in the order of PT_AMINO.
 */
typedef double pt_antigen_ddg_t[2][PT_DOMAIN_MAX][PT_DDG_AMINO];

/* `model` may be NULL: then accessibility is the IMGT positions' average. `ddg` is filled as a
   stability job has it with the same model. */
void pt_antigen_of(const pt_molecule_t *molecule, const pt_model_t *model, pt_antigen_t *antigen,
                   pt_antigen_ddg_t ddg);

/* The residue in its domain; -1 in a linker. */
int pt_antigen_residue(const pt_antigen_t *antigen, const pt_stretch_t *stretch, size_t i);

/* Puts another residue at place i of a stretch and in its domain; i is in a domain. */
void pt_antigen_mutate(pt_antigen_t *antigen, size_t stretch, size_t i, char residue);

#endif
