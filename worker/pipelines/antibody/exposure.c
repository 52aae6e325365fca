#include "exposure.h"
#include "tables.h"

static const pt_position_facts_t *facts_of(char kind)
{
    for (int s = 0; s < PT_FACTS_COUNT; s++)
        if (pt_position_facts[s].kind == kind)
            return &pt_position_facts[s];
    return &pt_position_facts[0];
}

static double share(const uint16_t *thousandths, pt_position_t position)
{
    return position.letter || position.number > PT_IMGT_COUNT
               ? 0
               : thousandths[position.number] / 1000.0;
}

double pt_exposure(char chain, bool alone, pt_position_t position)
{
    return share(facts_of(alone ? 'N' : chain)->exposure, position);
}

double pt_touches_cdr(char chain, pt_position_t position)
{
    return share(facts_of(chain)->cdr, position);
}

double pt_touches_partner(char chain, pt_position_t position)
{
    return share(facts_of(chain)->partner, position);
}
