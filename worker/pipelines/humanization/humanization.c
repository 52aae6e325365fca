#include "worker/pipelines/humanization/humanization.h"
#include "worker/pipelines/humanization/graft.h"
#include "worker/pipelines/humanization/guard.h"
#include "worker/pipelines/humanization/target.h"
#include <string.h>

const pt_strategy_t pt_strategies[PT_STRATEGY_COUNT] = {
    {.name = "cdr_grafting"},
    {.name = "vernier_grafting", .keeps_vernier_zone = true},
    {.name = "resurfacing", .keeps_vernier_zone = true, .surface_only = true},
    {.name = "optimized", .weighs = true},
};

bool pt_is_vhh_hallmark(pt_position_t position)
{
    static const uint8_t hallmarks[] = {42, 49, 50, 52};
    return !position.letter && memchr(hallmarks, position.number, sizeof hallmarks) != NULL;
}

static void say(pt_step_fn step, void *context, const char *what, double fraction)
{
    if (step)
        step(what, fraction, context);
}

void pt_humanize(const pt_molecule_t *molecule, const pt_strategy_t *strategy,
                 const pt_humanization_request_t *request, pt_step_fn step, void *context,
                 pt_humanization_t *out)
{
    out->strategy = strategy;
    out->count = molecule->light.there ? 2 : 1;
    out->domains[0].parental = molecule->heavy.domain;
    out->domains[1].parental = molecule->light.domain;
    say(step, context, "germline search", 0.0);
    for (size_t d = 0; d < out->count; d++)
        pt_choose_genes(request, d, &out->domains[d]);
    say(step, context, "grafting", 0.4);
    for (size_t d = 0; d < out->count; d++)
        pt_graft(molecule, strategy, request, d, &out->domains[d]);
    bool targeted = strategy->weighs && request->humanness_target > 0;
    do
        for (size_t d = 0; targeted && d < out->count; d++)
            pt_reach_target(&out->domains[d], request->humanness_target);
    while (pt_avoid_liabilities(out) && targeted); /* what is taken back is not made again */
    pt_list_liabilities(out);
    for (size_t d = 0; d < out->count; d++) {
        out->domains[d].before = pt_humanness(&out->domains[d].parental);
        out->domains[d].after = pt_humanness(&out->domains[d].humanized);
    }
}
