#include "worker/pipelines/codon_export/bound.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PRICE_BITS = 24,
    ROUNDS = 26
}; /* prices are whole numbers: below 2^24, 17 in units of ln w */

typedef struct {
    pt_design_t priced; /* the design without the range, at a price */
    pt_choice_t *choices;
    uint8_t *codons;
    double price, cost; /* of the best answer that lies in the range */
    bool found;
} search_t;

static unsigned gc_of(unsigned codon)
{
    return pt_codon_gc(codon, 0) + pt_codon_gc(codon, 1) + pt_codon_gc(codon, 2);
}

/* G+C of an answer and what it costs without the price. */
static unsigned weigh(const pt_design_t *design, const uint8_t *codons, double *cost)
{
    unsigned gc = 0;
    *cost = 0;
    for (size_t r = 0; r < design->length; r++) {
        const pt_choice_t *choice = &design->choices[r];
        gc += gc_of(codons[r]);
        for (unsigned c = 0; c < choice->count; c++)
            if (choice->codon[c] == codons[r])
                *cost += choice->cost[c];
    }
    return gc;
}

static pt_design_outcome_t at_price(search_t *search, const pt_design_t *design, double price,
                                    unsigned *gc, double *cost)
{
    size_t stuck;
    memcpy(search->choices, design->choices, design->length * sizeof *search->choices);
    for (size_t r = 0; r < design->length; r++)
        for (unsigned c = 0; c < search->choices[r].count; c++)
            search->choices[r].cost[c] += price * gc_of(search->choices[r].codon[c]);
    pt_design_outcome_t outcome = pt_design(&search->priced, search->codons, &stuck);
    if (outcome == PT_DESIGN_DONE)
        *gc = weigh(design, search->codons, cost);
    return outcome;
}

/* The smallest price at which the answer is not beyond the limit any more, by halving. */
static pt_design_outcome_t find_price(search_t *search, const pt_design_t *design,
                                      const pt_gc_range_t *range)
{
    unsigned gc = 0;
    double cost, low = 0, high = 1 << PRICE_BITS;
    pt_design_outcome_t outcome = at_price(search, design, 0, &gc, &cost);
    double sign = gc > range->high ? 1 : -1;
    for (int i = 0; outcome == PT_DESIGN_DONE && i < ROUNDS && high - low > 1; i++) {
        double middle = floor((low + high) / 2);
        outcome = at_price(search, design, sign * middle, &gc, &cost);
        if (outcome != PT_DESIGN_DONE)
            break;
        bool beyond = sign > 0 ? gc > range->high : gc < range->low;
        *(beyond ? &low : &high) = middle;
        bool lies = gc >= range->low && gc <= range->high;
        if (lies && (!search->found || cost < search->cost)) {
            search->found = true;
            search->cost = cost;
            search->price = sign * middle;
        }
    }
    return outcome;
}

/* What the codons from each residue on add at least, motifs aside. */
static void add_up(const pt_design_t *design, pt_bound_t *bound)
{
    bound->rest[design->length] = 0;
    for (size_t r = design->length; r-- > 0;) {
        const pt_choice_t *choice = &design->choices[r];
        double least = INFINITY;
        for (unsigned c = 0; c < choice->count; c++)
            least = fmin(least, choice->cost[c] + bound->price * gc_of(choice->codon[c]));
        bound->rest[r] = bound->rest[r + 1] + least;
    }
}

static pt_design_outcome_t search_whole(search_t *search, pt_design_t *design, uint8_t *codons,
                                        size_t *stuck)
{
    const pt_gc_range_t *range = &design->ranges[0];
    search->priced = *design;
    search->priced.ranges++;
    search->priced.range_count--;
    search->priced.choices = search->choices;
    pt_design_outcome_t outcome = find_price(search, design, range);
    design->states = search->priced.states;
    if (outcome != PT_DESIGN_DONE || !search->found)
        return pt_design(design, codons, stuck);
    pt_bound_t bound = {.range = 0, .price = search->price};
    bound.limit = search->cost + bound.price * (bound.price > 0 ? range->high : range->low);
    bound.rest = malloc((design->length + 1) * sizeof *bound.rest);
    if (!bound.rest)
        return PT_DESIGN_NO_MEMORY;
    add_up(design, &bound);
    design->bound = &bound;
    outcome = pt_design(design, codons, stuck);
    design->bound = NULL;
    free(bound.rest);
    return outcome;
}

pt_design_outcome_t pt_design_whole(pt_design_t *design, uint8_t *codons, size_t *stuck)
{
    search_t search = {.found = false};
    search.choices = malloc(design->length * sizeof *search.choices);
    search.codons = malloc(design->length);
    pt_design_outcome_t outcome = search.choices && search.codons
                                      ? search_whole(&search, design, codons, stuck)
                                      : PT_DESIGN_NO_MEMORY;
    free(search.choices);
    free(search.codons);
    return outcome;
}
