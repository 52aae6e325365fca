#include "worker/pipelines/codon_export/solve.h"
#include "worker/pipelines/codon_export/bound.h"
#include "worker/pipelines/codon_export/repeats.h"
#include <math.h>
#include <string.h>

#define ROUNDING 1e-9

unsigned pt_gc_low(double share, size_t bases)
{
    return (unsigned)ceil(share * (double)bases - ROUNDING);
}

unsigned pt_gc_high(double share, size_t bases)
{
    return (unsigned)floor(share * (double)bases + ROUNDING);
}

/* --- what the DNA breaks
 * --------------------------------------------------------------------------------------- */

static bool add_range(pt_coding_t *coding, size_t from, size_t to, double least, double most)
{
    for (size_t r = 0; r < coding->range_count; r++)
        if (coding->ranges[r].from == from && coding->ranges[r].to == to)
            return false;
    if (coding->range_count == PT_RANGES_MAX)
        return false;
    coding->ranges[coding->range_count++] =
        (pt_gc_range_t){from, to, pt_gc_low(least, to - from), pt_gc_high(most, to - from)};
    return true;
}

static unsigned count_gc(const char *dna, size_t length)
{
    unsigned count = 0;
    for (size_t i = 0; i < length; i++)
        count += dna[i] == 'G' || dna[i] == 'C';
    return count;
}

/* How far a count is out of a range. */
static unsigned miss(unsigned gc, unsigned low, unsigned high)
{
    return gc < low ? low - gc : gc > high ? gc - high : 0;
}

/* The whole is always the first range (bound.h). */
static size_t break_whole(pt_coding_t *coding)
{
    const pt_codon_options_t *o = coding->options;
    size_t bases = 3 * coding->length;
    unsigned gc = count_gc(coding->dna, bases);
    if (!miss(gc, pt_gc_low(o->gc_min, bases), pt_gc_high(o->gc_max, bases)) ||
        !add_range(coding, 0, bases, o->gc_min, o->gc_max))
        return 0;
    pt_gc_range_t whole = coding->ranges[coding->range_count - 1];
    memmove(coding->ranges + 1, coding->ranges, (coding->range_count - 1) * sizeof whole);
    coding->ranges[0] = whole;
    return 1;
}

static bool has_whole(const pt_coding_t *coding)
{
    return coding->range_count && coding->ranges[0].from == 0 &&
           coding->ranges[0].to == 3 * coding->length;
}

/* Of each row of windows that miss, the worst comes in: it often mends its neighbours. */
static size_t break_windows(pt_coding_t *coding)
{
    const pt_codon_options_t *o = coding->options;
    size_t bases = 3 * coding->length, size = o->window, added = 0, worst = 0;
    if (size == 0 || size >= bases)
        return 0;
    unsigned low = pt_gc_low(o->window_min, size), high = pt_gc_high(o->window_max, size), most = 0;
    for (size_t at = 0; at + size <= bases; at++) {
        unsigned by = miss(count_gc(coding->dna + at, size), low, high);
        if (by > most) {
            most = by;
            worst = at;
        }
        if (most && (by == 0 || at + size == bases)) {
            added += add_range(coding, worst, worst + size, o->window_min, o->window_max);
            most = 0;
        }
    }
    return added;
}

/* Is something broken that could not be brought in, for want of room? */
static bool still_broken(const pt_coding_t *coding)
{
    const pt_codon_options_t *o = coding->options;
    size_t bases = 3 * coding->length;
    pt_repeat_t repeat = {0};
    if (miss(count_gc(coding->dna, bases), pt_gc_low(o->gc_min, bases),
             pt_gc_high(o->gc_max, bases)) ||
        (o->max_repeat && pt_next_repeat(coding->dna, bases, o->max_repeat, &repeat)))
        return true;
    for (size_t at = 0; o->window && o->window < bases && at + o->window <= bases; at++)
        if (miss(count_gc(coding->dna + at, o->window), pt_gc_low(o->window_min, o->window),
                 pt_gc_high(o->window_max, o->window)))
            return true;
    return false;
}

/* --- rounds
 * ---------------------------------------------------------------------------------------------- */

static pt_design_t design_of(pt_coding_t *coding)
{
    const pt_codon_options_t *o = coding->options;
    return (pt_design_t){.choices = coding->choices,
                         .length = coding->length,
                         .to = coding->length,
                         .patterns = coding->patterns,
                         .ranges = coding->ranges,
                         .upstream = o->upstream,
                         .downstream = o->downstream,
                         .sample = o->strategy == PT_SAMPLED,
                         .random = o->seed,
                         .tick = coding->tick,
                         .context = coding->context};
}

/* The DNA that is best under what has come in so far. */
static pt_design_outcome_t one_round(pt_coding_t *coding, pt_design_t *design)
{
    uint8_t codons[PT_CODING_MAX];
    size_t stuck;
    design->pattern_count = coding->pattern_count;
    design->range_count = coding->range_count;
    bool whole = has_whole(coding) && !design->sample;
    pt_design_outcome_t outcome = PT_DESIGN_TOO_LARGE;
    if (!whole || coding->range_count > 1) /* a price takes two dozen designs: last, with windows */
        outcome = pt_design(design, codons, &stuck);
    if (outcome == PT_DESIGN_TOO_LARGE && whole)
        outcome = pt_design_whole(design, codons, &stuck);
    coding->rounds++;
    if (outcome != PT_DESIGN_DONE)
        return outcome;
    for (size_t r = 0; r < coding->length; r++)
        pt_codon_write(codons[r], coding->dna + 3 * r);
    coding->dna[3 * coding->length] = 0;
    return outcome;
}

/* Brings in what is broken, until nothing is. */
static pt_solve_outcome_t solve_exactly(pt_coding_t *coding, pt_design_t *design)
{
    while (coding->rounds < PT_ROUNDS_MAX && design->states < PT_STATES_MAX) {
        pt_design_outcome_t outcome = one_round(coding, design);
        if (outcome == PT_DESIGN_IMPOSSIBLE)
            return PT_CONFLICT;
        if (outcome != PT_DESIGN_DONE)
            return outcome == PT_DESIGN_TOO_LARGE ? PT_UNDECIDED : PT_SOLVE_NO_MEMORY;
        if (break_whole(coding) + break_windows(coding) + pt_break_repeats(coding) == 0)
            return still_broken(coding) ? PT_UNDECIDED : PT_SOLVED;
    }
    return PT_UNDECIDED;
}

/* Repeats from left to right: the codons up to the first copy of a repeat are kept as they are, and
   nothing of them may stand again. What comes out meets all constraints, but need not be the best,
   and where this ends without an answer there may be one. */
static pt_solve_outcome_t solve_from_the_left(pt_coding_t *coding, pt_design_t *design)
{
    coding->exact = false;
    coding->pattern_count = coding->options->pattern_count;
    for (size_t round = 0; round < coding->length; round++) {
        pt_design_outcome_t outcome = one_round(coding, design);
        if (outcome == PT_DESIGN_NO_MEMORY)
            return PT_SOLVE_NO_MEMORY;
        if (outcome != PT_DESIGN_DONE)
            return PT_UNDECIDED;
        if (break_whole(coding) + break_windows(coding) > 0)
            continue;
        if (!pt_fix_repeats(coding))
            return still_broken(coding) ? PT_UNDECIDED : PT_SOLVED;
    }
    return PT_UNDECIDED;
}

pt_solve_outcome_t pt_solve(pt_coding_t *coding)
{
    pt_design_t design = design_of(coding);
    coding->rounds = 0;
    coding->exact = true;
    pt_solve_outcome_t outcome = solve_exactly(coding, &design);
    if (outcome == PT_UNDECIDED && coding->options->max_repeat)
        outcome = solve_from_the_left(coding, &design);
    if (outcome == PT_CONFLICT)
        pt_find_conflict(coding);
    return outcome;
}
