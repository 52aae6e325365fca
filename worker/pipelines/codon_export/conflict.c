/*
 *  The smallest conflict: first the residues are narrowed down from both ends as long as it stays
 * impossible, then each constraint is left out in turn, and stays out if it is impossible without
 * it. Each answer is the design's own, so what is left is proven.
 */
#include "worker/pipelines/codon_export/solve.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    pt_coding_t *coding;
    pt_design_t design;
    pt_pattern_t patterns[PT_CODON_PATTERNS_MAX + PT_REPEATS_MAX]; /* those that are left */
    pt_gc_range_t ranges[PT_RANGES_MAX];
    uint8_t codons[PT_CODING_MAX];
} search_t;

static bool impossible(search_t *search, size_t from, size_t to)
{
    size_t stuck;
    search->design.from = from;
    search->design.to = to;
    return pt_design(&search->design, search->codons, &stuck) == PT_DESIGN_IMPOSSIBLE;
}

/* The least end up to which it is impossible, then the last begin. */
static void narrow(search_t *search, size_t *from, size_t *to)
{
    size_t low = 0, high = search->coding->length;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        *(impossible(search, 0, middle) ? &high : &low) = middle;
    }
    *to = high;
    for (low = 0; high - low > 1;) {
        size_t middle = low + (high - low) / 2;
        *(impossible(search, middle, *to) ? &low : &high) = middle;
    }
    *from = low;
}

/* Takes the patterns of a name out; how many. */
static size_t take_out_name(search_t *search, const char *name)
{
    size_t left = 0, count = search->design.pattern_count;
    for (size_t p = 0; p < count; p++)
        if (strcmp(search->patterns[p].name, name) != 0)
            search->patterns[left++] = search->patterns[p];
    search->design.pattern_count = left;
    return count - left;
}

static void name_range(const pt_coding_t *coding, const pt_gc_range_t *range,
                       pt_conflict_t *conflict)
{
    char *text = conflict->constraints[conflict->count++];
    size_t size = sizeof conflict->constraints[0];
    double bases = (double)(range->to - range->from);
    if (range->to - range->from == 3 * coding->length)
        snprintf(text, size, "G+C of the whole from %.3f to %.3f", range->low / bases,
                 range->high / bases);
    else
        snprintf(text, size, "G+C from %.3f to %.3f in bases %zu to %zu", range->low / bases,
                 range->high / bases, range->from + 1, range->to);
}

static void name_patterns(const pt_coding_t *coding, const char *name, pt_conflict_t *conflict)
{
    char *text = conflict->constraints[conflict->count++];
    size_t size = sizeof conflict->constraints[0];
    if (strcmp(name, "repeat") == 0)
        snprintf(text, size, "no stretch of more than %zu bases twice",
                 coding->options->max_repeat);
    else
        snprintf(text, size, "no %s", name);
}

/* Leaves each constraint out; those that it needs are named. */
static void keep_needed_patterns(search_t *search, pt_conflict_t *conflict)
{
    const pt_coding_t *coding = search->coding;
    for (size_t p = 0; p < coding->pattern_count; p++) {
        const char *name = coding->patterns[p].name;
        size_t count = search->design.pattern_count;
        pt_pattern_t *kept = malloc(count * sizeof *kept + 1);
        if (!kept)
            return;
        memcpy(kept, search->patterns, count * sizeof *kept);
        bool there = take_out_name(search, name) > 0;
        if (there && !impossible(search, conflict->from, conflict->to)) {
            memcpy(search->patterns, kept, count * sizeof *kept);
            search->design.pattern_count = count;
            bool named = p > 0 && strcmp(coding->patterns[p - 1].name, name) == 0;
            if (!named && conflict->count < PT_CONFLICT_MAX)
                name_patterns(coding, name, conflict);
        }
        free(kept);
    }
}

static void keep_needed_ranges(search_t *search, pt_conflict_t *conflict)
{
    for (size_t r = search->design.range_count; r-- > 0;) {
        pt_gc_range_t range = search->ranges[r];
        search->ranges[r] = search->ranges[--search->design.range_count];
        if (impossible(search, conflict->from, conflict->to))
            continue;
        search->ranges[search->design.range_count++] = search->ranges[r];
        search->ranges[r] = range;
        if (conflict->count < PT_CONFLICT_MAX)
            name_range(search->coding, &range, conflict);
    }
}

void pt_find_conflict(pt_coding_t *coding)
{
    pt_conflict_t *conflict = &coding->conflict;
    *conflict = (pt_conflict_t){.to = coding->length};
    search_t *search = calloc(1, sizeof *search);
    if (!search)
        return;
    search->coding = coding;
    memcpy(search->patterns, coding->patterns, sizeof search->patterns);
    memcpy(search->ranges, coding->ranges, sizeof search->ranges);
    search->design = (pt_design_t){.choices = coding->choices,
                                   .length = coding->length,
                                   .patterns = search->patterns,
                                   .pattern_count = coding->pattern_count,
                                   .ranges = search->ranges,
                                   .range_count = coding->range_count,
                                   .upstream = coding->options->upstream,
                                   .downstream = coding->options->downstream,
                                   .tick = coding->tick,
                                   .context = coding->context};
    narrow(search, &conflict->from, &conflict->to);
    keep_needed_ranges(search, conflict);
    keep_needed_patterns(search, conflict);
    free(search);
}
