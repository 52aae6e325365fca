#include "worker/pipelines/codon_export/repeats.h"
#include <string.h>

/* Can a codon of the residue stand at the bases of a pattern that begins at `at`? */
static bool fits(const pt_coding_t *coding, const pt_pattern_t *pattern, size_t at, size_t residue)
{
    const pt_choice_t *choice = &coding->choices[residue];
    for (unsigned c = 0; c < choice->count; c++) {
        bool can = true;
        for (size_t b = 0; b < 3; b++) {
            size_t base = 3 * residue + b;
            unsigned code = choice->codon[c] >> (4 - 2 * b) & 3;
            if (base >= at && base < at + pattern->length)
                can &= pattern->mask[base - at] >> code & 1;
        }
        if (can)
            return true;
    }
    return false;
}

/* The last base at which a stretch can begin, whatever codons are chosen. */
static size_t last_begin(const pt_coding_t *coding, const pt_pattern_t *pattern)
{
    for (size_t at = 3 * coding->length - pattern->length; at > 0; at--) {
        size_t residue = at / 3;
        while (3 * residue < at + pattern->length && fits(coding, pattern, at, residue))
            residue++;
        if (3 * residue >= at + pattern->length)
            return at;
    }
    return 0;
}

static bool has_room(const pt_coding_t *coding)
{
    return coding->pattern_count < coding->options->pattern_count + PT_REPEATS_MAX;
}

/* A stretch that stands twice may stand once from now on. There has to be room. */
static size_t add_stretch(pt_coding_t *coding, size_t at, size_t length)
{
    char letters[PT_PATTERN_MAX + 1] = "";
    if (coding->tick)
        coding->tick(coding->context);
    memcpy(letters, coding->dna + at, length);
    for (size_t p = coding->options->pattern_count; p < coding->pattern_count; p++)
        if (strcmp(coding->patterns[p].letters, letters) == 0)
            return 0;
    pt_pattern_t *pattern = &coding->patterns[coding->pattern_count++];
    pt_pattern_read("repeat", letters, pattern);
    pattern->inside = pattern->once = true;
    pattern->last = last_begin(coding, pattern);
    return 1;
}

size_t pt_break_repeats(pt_coding_t *coding)
{
    size_t most = coding->options->max_repeat, added = 0;
    if (most == 0)
        return 0;
    pt_repeat_t repeat = {0};
    while (has_room(coding) && pt_next_repeat(coding->dna, 3 * coding->length, most, &repeat))
        for (size_t i = 0; i + most < repeat.length && has_room(coding); i++)
            added += add_stretch(coding, repeat.first + i, most + 1);
    return added;
}

/* The repeat whose second copy begins first. */
static bool leftmost(const pt_coding_t *coding, pt_repeat_t *left)
{
    pt_repeat_t repeat = {0};
    size_t begin = SIZE_MAX;
    while (pt_next_repeat(coding->dna, 3 * coding->length, coding->options->max_repeat, &repeat))
        if (repeat.first + repeat.distance < begin) {
            begin = repeat.first + repeat.distance;
            *left = repeat;
        }
    return begin != SIZE_MAX;
}

static void keep_codons(pt_coding_t *coding, size_t to)
{
    for (size_t r = coding->fixed; r < to; r++) {
        pt_choice_t *choice = &coding->choices[r];
        unsigned kept = 0;
        while (choice->codon[kept] != pt_codon_read(coding->dna + 3 * r))
            kept++;
        *choice = (pt_choice_t){1, {choice->codon[kept]}, {choice->cost[kept]}};
    }
    coding->fixed = to;
}

bool pt_fix_repeats(pt_coding_t *coding)
{
    pt_repeat_t repeat;
    size_t size = coding->options->max_repeat + 1;
    if (coding->options->max_repeat == 0 || !leftmost(coding, &repeat))
        return false;
    size_t copy = repeat.length < repeat.distance ? repeat.length : repeat.distance;
    size_t to = (repeat.first + copy) / 3;
    size_t from = 3 * coding->fixed + 1 > size ? 3 * coding->fixed + 1 - size : 0;
    keep_codons(coding, to > coding->fixed ? to : coding->fixed + 1);
    for (size_t at = from; at + size <= 3 * coding->fixed && has_room(coding); at++)
        if (add_stretch(coding, at, size) && coding->patterns[coding->pattern_count - 1].last <= at)
            coding->pattern_count--; /* it can stand nowhere else */
    return has_room(coding);
}
