#include "worker/pipelines/humanization/target.h"
#include "worker/pipelines/humanization/graft.h"
#include <stdio.h>
#include <string.h>

enum { V_LAST = 104 }; /* humanness looks no further */

static double worth(const pt_change_t *change)
{
    return change->gain - change->risk;
}

/* The weighed changes of V, the most worth first, the first in the chain between equals. */
static size_t in_order(pt_humanized_t *h, pt_change_t **order)
{
    size_t count = 0;
    for (size_t c = 0; c < h->change_count; c++) {
        pt_change_t *change = &h->changes[c];
        if (!change->weighed || change->position.number > V_LAST)
            continue;
        size_t at = count++;
        for (; at > 0 && worth(order[at - 1]) < worth(change); at--)
            order[at] = order[at - 1];
        order[at] = change;
    }
    return count;
}

static bool reached(const pt_humanized_t *h, double target)
{
    return pt_humanness(&h->humanized).score >= target;
}

static void explain(pt_change_t *change, double target)
{
    snprintf(change->reason, sizeof change->reason,
             "human frameworks that suit have %c: %.1f bits likelier than %c, risk %.1f bits; %s "
             "for a humanness of %.3f",
             change->human, change->gain, change->parental, change->risk,
             change->mutated ? "needed" : "parental residue kept: not needed", target);
}

void pt_reach_target(pt_humanized_t *h, double target)
{
    pt_change_t *order[PT_DOMAIN_MAX];
    size_t count = in_order(h, order), made = 0;
    for (size_t c = 0; c < count; c++)
        pt_set_change(h, order[c], false);
    while (made < count && !reached(h, target))
        pt_set_change(h, order[made++], true);
    for (size_t c = made; c-- > 0;) {
        pt_set_change(h, order[c], false);
        if (!reached(h, target))
            pt_set_change(h, order[c], true);
    }
    for (size_t c = 0; c < count; c++)
        explain(order[c], target);
}
