/*
 *  Humanization: the parent's CDRs on a human framework, by several strategies. Computes only; no
 * I/O and no allocation.
 *
 *  The human framework is taken whole, except by resurfacing: where the parent lacks a framework
 * residue that the human one has (rabbits do), it is inserted. A parental residue without a human
 * counterpart stays.
 */
#ifndef PT_HUMANIZATION_H
#define PT_HUMANIZATION_H

#include "worker/pipelines/antibody/germline.h"
#include "worker/pipelines/antibody/humanness.h"
#include "worker/pipelines/antibody/liabilities.h"
#include "worker/pipelines/humanization/request.h"
#include "worker/pipelines/molecule.h"

#define PT_HUMANIZATION_VERSION "2"
#define PT_STRATEGY_COUNT 4
#define PT_CHANGE_REASON_MAX 200

typedef struct {
    const char *name;
    bool keeps_vernier_zone;
    bool surface_only; /* buried residues stay, nothing is inserted */
    bool weighs;       /* every change by what it gains and risks, on what frameworks have in common
                        */
} pt_strategy_t;

extern const pt_strategy_t pt_strategies[PT_STRATEGY_COUNT];

/* A framework position at which parent and human framework differ: mutated, or kept for a reason.
 */
typedef struct {
    pt_position_t position;
    size_t
        residue; /* of the parental domain, from 0; of an insertion, the residue it stands before */
    char parental; /* '-' when the human residue is inserted */
    char human;    /* '-' when the human framework has no residue here */
    bool mutated;
    bool weighed;      /* gain and risk decide */
    double gain, risk; /* bits */
    char reason[PT_CHANGE_REASON_MAX];
} pt_change_t;

typedef struct {
    pt_domain_t parental, humanized;
    pt_germline_match_t v, j; /* identity of the parent's framework to them */
    pt_humanness_t before, after;
    pt_change_t changes[PT_DOMAIN_MAX]; /* in order of residues */
    size_t change_count;
} pt_humanized_t;

/* A liability of the humanized antibody; `introduced` when the parent does not have it. */
typedef struct {
    pt_liability_t what; /* domain 0 is the heavy one */
    bool introduced;
} pt_humanized_liability_t;

typedef struct {
    const pt_strategy_t *strategy;
    size_t count; /* of domains: heavy, then light unless it is a nanobody */
    pt_humanized_t domains[2];
    pt_humanized_liability_t liabilities[PT_LIABILITIES_MAX];
    size_t liability_count;
} pt_humanization_t;

/* Told what is being done, with how much of this strategy is done (0 to 1). */
typedef void (*pt_step_fn)(const char *step, double fraction, void *context);

/* `step` may be NULL. */
void pt_humanize(const pt_molecule_t *molecule, const pt_strategy_t *strategy,
                 const pt_humanization_request_t *request, pt_step_fn step, void *context,
                 pt_humanization_t *out);

/* Conserved in VHHs where VHs meet their light chain: IMGT 42, 49, 50, 52. */
bool pt_is_vhh_hallmark(pt_position_t position);

#endif
