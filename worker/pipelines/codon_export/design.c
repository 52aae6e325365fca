#include "worker/pipelines/codon_export/design.h"
#include "worker/pipelines/codon_export/layer.h"
#include "worker/pipelines/codon_export/matcher.h"
#include <math.h>
#include <stdlib.h>

enum { TICK = 4096 }; /* states */

typedef struct {
    pt_design_t *design;
    pt_matcher_t *matcher;
    pt_layer_t now, next;
    pt_trail_t trail;
    pt_slots_t slots;
    bool forgets;   /* some pattern cannot begin any more behind this codon */
    int bound_slot; /* of the bound's range; -1 none */
    pt_design_outcome_t outcome;
} run_t;

/* SplitMix64, as a number in [0, 1). */
static double draw(uint64_t *random)
{
    uint64_t z = *random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static bool stop(run_t *run, pt_design_outcome_t outcome)
{
    run->outcome = outcome;
    return false;
}

/* Reads one codon. False when a pattern ends that must not, or the outcome is set. */
static bool read_codon(run_t *run, unsigned codon, uint32_t *state)
{
    for (unsigned b = 0; b < 3; b++) {
        size_t length;
        *state = pt_matcher_step(run->matcher, *state, codon >> (4 - 2 * b) & 3, &length);
        if (*state == PT_MATCHER_STATES_MAX)
            return stop(run, PT_DESIGN_TOO_LARGE);
        if (length)
            return false;
    }
    return true;
}

/* The matcher's state behind the DNA before the first codon; patterns that end in it are not this
   design's fault, and those that count inside only begin anew. */
static uint32_t begin_state(run_t *run)
{
    const pt_design_t *design = run->design;
    uint32_t state = 0;
    size_t length;
    if (design->from > 0)
        return 0;
    for (const char *b = design->upstream; *b && state != PT_MATCHER_STATES_MAX; b++)
        state = pt_matcher_step(run->matcher, state, (unsigned)pt_base_index(*b), &length);
    for (size_t p = 0; p < design->pattern_count && state != PT_MATCHER_STATES_MAX; p++)
        if (design->patterns[p].inside)
            state = pt_matcher_forget(run->matcher, state, p);
    return state;
}

/* Does no pattern that began before the end reach into the DNA behind it? */
static bool ends_well(run_t *run, uint32_t state)
{
    const pt_design_t *design = run->design;
    if (design->to < design->length)
        return true;
    for (size_t p = 0; p < design->pattern_count && state != PT_MATCHER_STATES_MAX; p++)
        if (design->patterns[p].inside)
            state = pt_matcher_forget(run->matcher, state, p);
    for (size_t i = 0; design->downstream[i]; i++) {
        size_t length;
        if (state == PT_MATCHER_STATES_MAX)
            return stop(run, PT_DESIGN_TOO_LARGE);
        unsigned base = (unsigned)pt_base_index(design->downstream[i]);
        state = pt_matcher_step(run->matcher, state, base, &length);
        if (length > i + 1)
            return false;
    }
    return true;
}

/* A pattern that may stand once cannot begin any more behind so many codons: what is known of it
   would only keep states apart. */
static bool is_over(const pt_pattern_t *pattern, size_t behind)
{
    return pattern->once && (pattern->last + pattern->length + 2) / 3 == behind;
}

static bool any_over(const pt_design_t *design, size_t behind)
{
    for (size_t p = 0; p < design->pattern_count; p++)
        if (is_over(&design->patterns[p], behind))
            return true;
    return false;
}

static uint32_t forget(run_t *run, uint32_t state, size_t behind)
{
    const pt_design_t *design = run->design;
    for (size_t p = 0; p < design->pattern_count && state != PT_MATCHER_STATES_MAX; p++)
        if (is_over(&design->patterns[p], behind))
            state = pt_matcher_forget(run->matcher, state, p);
    return state;
}

/* Can a beginning still become better than what is known? */
static bool promising(const run_t *run, const pt_state_t *state, double cost, size_t behind)
{
    const pt_bound_t *bound = run->design->bound;
    if (run->bound_slot < 0 || state->gc[run->bound_slot] == PT_SETTLED)
        return true;
    return cost + bound->price * state->gc[run->bound_slot] + bound->rest[behind] <= bound->limit;
}

/* Merges a beginning into the state that it ends in. */
static void offer(run_t *run, size_t from, size_t at, double cost, uint8_t codon)
{
    double *value = &run->next.values[at];
    bool take;
    if (run->design->sample) {
        double weight = run->now.values[from] * exp(-cost);
        *value += weight;
        take =
            draw(&run->design->random) * *value < weight; /* a parent by its share of the weight */
    } else {
        double sum = run->now.values[from] + cost;
        take = run->next.fresh || sum < *value;
        *value = take ? sum : *value;
    }
    if (take)
        run->next.steps[at] = (pt_step_t){(uint32_t)from, codon};
}

/* One state with one codon more. */
static bool extend(run_t *run, size_t from, const pt_choice_t *choice, unsigned c, size_t behind)
{
    const pt_state_t *old = &run->now.states[from];
    pt_state_t state = {.matcher = old->matcher};
    if (!read_codon(run, choice->codon[c], &state.matcher) ||
        !pt_slots_add(&run->slots, old->gc, choice->codon[c], state.gc) ||
        !promising(run, &state, run->now.values[from] + choice->cost[c], behind))
        return run->outcome == PT_DESIGN_DONE;
    if (run->forgets)
        state.matcher = forget(run, state.matcher, behind);
    if (state.matcher == PT_MATCHER_STATES_MAX)
        return stop(run, PT_DESIGN_TOO_LARGE);
    size_t at;
    if (!pt_layer_put(&run->next, &state, &at))
        return stop(run, PT_DESIGN_NO_MEMORY);
    offer(run, from, at, choice->cost[c], choice->codon[c]);
    return true;
}

static bool extend_all(run_t *run, size_t residue)
{
    const pt_choice_t *choice = &run->design->choices[residue];
    for (size_t s = 0; s < run->now.count; s++) {
        if (run->design->tick && s % TICK == 0)
            run->design->tick(run->design->context);
        for (unsigned c = 0; c < choice->count; c++)
            if (!extend(run, s, choice, c, residue + 1))
                return false;
    }
    return true;
}

static bool one_layer(run_t *run, size_t residue)
{
    if (!pt_slots_move(&run->slots, run->design, residue))
        return stop(run, PT_DESIGN_TOO_LARGE);
    pt_layer_empty(&run->next, run->slots.count);
    run->forgets = any_over(run->design, residue + 1);
    run->bound_slot = run->design->bound ? pt_slot_of(&run->slots, run->design->bound->range) : -1;
    if (!extend_all(run, residue))
        return false;
    if (run->next.count == 0)
        return stop(run, PT_DESIGN_IMPOSSIBLE);
    if (run->trail.count + run->next.count > PT_DESIGN_STATES_MAX)
        return stop(run, PT_DESIGN_TOO_LARGE);
    if (!pt_trail_add(&run->trail, &run->next))
        return stop(run, PT_DESIGN_NO_MEMORY);
    if (run->design->sample)
        pt_layer_scale(&run->next);
    pt_layer_t empty = run->now;
    run->now = run->next;
    run->next = empty;
    return true;
}

/* The end to trace back from, or run->now.count when none will do. */
static size_t choose_end(run_t *run)
{
    size_t best = run->now.count;
    double total = 0;
    for (size_t s = 0; s < run->now.count; s++) {
        double value = run->now.values[s];
        if (!ends_well(run, run->now.states[s].matcher))
            continue;
        total += value;
        if (best == run->now.count ||
            (run->design->sample ? draw(&run->design->random) * total < value
                                 : value < run->now.values[best]))
            best = s;
    }
    return best;
}

static void walk(run_t *run, uint8_t *codons, size_t *stuck)
{
    const pt_design_t *design = run->design;
    pt_state_t first = {.matcher = begin_state(run)};
    size_t at;
    if (first.matcher == PT_MATCHER_STATES_MAX || !pt_layer_put(&run->now, &first, &at)) {
        run->outcome = PT_DESIGN_NO_MEMORY;
        return;
    }
    run->now.values[at] = design->sample ? 1 : 0;
    for (size_t r = design->from; r < design->to; r++) {
        *stuck = r;
        if (!one_layer(run, r))
            return;
    }
    size_t end = choose_end(run);
    if (run->outcome == PT_DESIGN_DONE && end == run->now.count)
        run->outcome = PT_DESIGN_IMPOSSIBLE;
    if (run->outcome == PT_DESIGN_DONE)
        pt_trail_back(&run->trail, end, design->to - design->from, codons + design->from);
}

pt_design_outcome_t pt_design(pt_design_t *design, uint8_t *codons, size_t *stuck)
{
    run_t run = {.design = design, .outcome = PT_DESIGN_DONE};
    run.matcher = pt_matcher_new(design->patterns, design->pattern_count);
    if (run.matcher && pt_layer_make(&run.now) && pt_layer_make(&run.next))
        walk(&run, codons, stuck);
    else
        run.outcome = PT_DESIGN_NO_MEMORY;
    design->states += run.trail.count;
    pt_matcher_destroy(&run.matcher);
    pt_layer_clear(&run.now);
    pt_layer_clear(&run.next);
    pt_trail_clear(&run.trail);
    return run.outcome;
}
