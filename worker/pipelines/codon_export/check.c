#include "worker/pipelines/codon_export/check.h"
#include "worker/pipelines/codon_export/codons.h"
#include <string.h>

bool pt_translates_to(const char *dna, const char *protein)
{
    size_t length = strlen(protein);
    if (strlen(dna) != 3 * length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (pt_codon_residue(pt_codon_read(dna + 3 * i)) != protein[i])
            return false;
    return true;
}

/* The base at a place that counts from the coding DNA's begin; 0 beyond the ends. */
static char base_at(const pt_construct_t *c, long at)
{
    long before = (long)strlen(c->upstream), coding = (long)strlen(c->dna);
    if (at < -before || at >= coding + (long)strlen(c->downstream))
        return 0;
    return at < 0        ? c->upstream[before + at]
           : at < coding ? c->dna[at]
                         : c->downstream[at - coding];
}

size_t pt_count_pattern(const pt_construct_t *construct, const pt_pattern_t *pattern, long *first)
{
    long length = (long)pattern->length, coding = (long)strlen(construct->dna);
    long from = pattern->inside ? 0 : 1 - length,
         to = pattern->inside ? coding - length + 1 : coding;
    size_t count = 0;
    for (long at = from; at < to; at++) {
        char bases[PT_PATTERN_MAX];
        long have = 0;
        while (have < length && (bases[have] = base_at(construct, at + have)))
            have++;
        if (have == length && pt_pattern_stands(pattern, bases) && count++ == 0)
            *first = at;
    }
    return count;
}

pt_windows_t pt_count_windows(const char *dna, size_t length, size_t size)
{
    pt_windows_t windows = {.least = 1};
    size = size < length ? size : length;
    for (size_t at = 0; at + size <= length; at++) {
        double gc = pt_gc(dna + at, size);
        if (gc < windows.least || at == 0) {
            windows.least = gc;
            windows.least_at = at;
        }
        if (gc > windows.most) {
            windows.most = gc;
            windows.most_at = at;
        }
    }
    return windows;
}

bool pt_next_repeat(const char *dna, size_t length, size_t most, pt_repeat_t *repeat)
{
    size_t distance = repeat->distance ? repeat->distance : 1;
    size_t at = repeat->first + repeat->length;
    for (; distance < length; distance++, at = 0) {
        size_t run = 0;
        for (; at + distance <= length; at++) {
            if (at + distance < length && dna[at] == dna[at + distance]) {
                run++;
                continue;
            }
            if (run > most) {
                *repeat = (pt_repeat_t){at - run, distance, run};
                return true;
            }
            run = 0;
        }
    }
    return false;
}

size_t pt_longest_repeat(const char *dna, size_t length)
{
    size_t longest = 0;
    for (pt_repeat_t found = {0}; pt_next_repeat(dna, length, longest, &found);)
        longest = found.length;
    return longest;
}
