#include "worker/pipelines/humanization/guard.h"
#include "worker/pipelines/humanization/graft.h"
#include <stdio.h>
#include <string.h>

static size_t find(const pt_humanization_t *out, bool parental, pt_liability_t *found)
{
    const pt_domain_t *domains[2];
    for (size_t d = 0; d < out->count; d++)
        domains[d] = parental ? &out->domains[d].parental : &out->domains[d].humanized;
    return pt_find_liabilities(domains, out->count, found, PT_LIABILITIES_MAX);
}

/* The place of a motif: the position of its first residue, which insertions do not shift. */
static pt_position_t place(const pt_humanization_t *out, const pt_liability_t *what, bool parental)
{
    const pt_humanized_t *h = &out->domains[what->domain];
    return (parental ? h->parental : h->humanized).positions[what->from];
}

/* Does the parent have this liability of the humanized antibody? */
static bool in_parent(const pt_humanization_t *out, const pt_liability_t *what,
                      const pt_liability_t *parental, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (parental[i].domain == what->domain && strcmp(parental[i].name, what->name) == 0 &&
            pt_position_compare(place(out, &parental[i], true), place(out, what, false)) == 0)
            return true;
    return false;
}

static void undo(pt_humanized_t *h, pt_change_t *change, const char *name)
{
    pt_set_change(h, change, false);
    change->weighed = false;
    snprintf(change->reason, sizeof change->reason,
             "%c would complete a liability (%s): kept as in the parent", change->human, name);
}

/* Takes back one mutation inside the motif. False when there is none: then the germline is not its
 * cause. */
static bool take_back(pt_humanized_t *h, const pt_liability_t *what)
{
    for (size_t i = what->from; i < what->to; i++)
        for (size_t c = 0; c < h->change_count; c++)
            if (h->changes[c].mutated &&
                pt_position_compare(h->changes[c].position, h->humanized.positions[i]) == 0) {
                undo(h, &h->changes[c], what->name);
                return true;
            }
    return false;
}

static bool is_forbidden(const pt_strategy_t *strategy, const pt_liability_t *what)
{
    if (strcmp(what->severity, "high") == 0)
        return what->whole_fv || strategy->weighs;
    return strategy->weighs && strcmp(what->severity, "medium") == 0;
}

/* Every turn takes back a mutation, so this ends; taking one back can complete another motif. */
bool pt_avoid_liabilities(pt_humanization_t *out)
{
    pt_liability_t parental[PT_LIABILITIES_MAX], now[PT_LIABILITIES_MAX];
    size_t count = find(out, true, parental);
    bool any = false, changed;
    do {
        changed = false;
        size_t n = find(out, false, now);
        for (size_t i = 0; i < n && !changed; i++)
            if (is_forbidden(out->strategy, &now[i]) && !in_parent(out, &now[i], parental, count))
                changed = take_back(&out->domains[now[i].domain], &now[i]);
        any |= changed;
    } while (changed);
    return any;
}

void pt_list_liabilities(pt_humanization_t *out)
{
    pt_liability_t parental[PT_LIABILITIES_MAX], now[PT_LIABILITIES_MAX];
    size_t count = find(out, true, parental);
    out->liability_count = find(out, false, now);
    for (size_t i = 0; i < out->liability_count; i++) {
        out->liabilities[i].what = now[i];
        out->liabilities[i].introduced = !in_parent(out, &now[i], parental, count);
    }
}
