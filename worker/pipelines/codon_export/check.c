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

typedef struct {
    const pt_construct_t *construct;
    long before, coding, behind; /* bases */
} view_t;

/* The base at a place that counts from the coding DNA's begin; 0 beyond the ends. */
static char base_at(const view_t *view, long at)
{
    if (at < -view->before || at >= view->coding + view->behind)
        return 0;
    if (at < 0)
        return view->construct->upstream[view->before + at];
    if (at < view->coding)
        return view->construct->dna[at];
    return view->construct->downstream[at - view->coding];
}

static bool stands_at(const view_t *view, const pt_pattern_t *pattern, long at)
{
    for (size_t i = 0; i < pattern->length; i++) {
        int base = pt_base_index(base_at(view, at + (long)i));
        if (base < 0 || !(pattern->mask[i] >> base & 1))
            return false;
    }
    return true;
}

size_t pt_count_pattern(const pt_construct_t *construct, const pt_pattern_t *pattern)
{
    const view_t view = {construct, (long)strlen(construct->upstream), (long)strlen(construct->dna),
                         (long)strlen(construct->downstream)};
    long length = (long)pattern->length;
    long from = pattern->inside ? 0 : 1 - length;
    long to = pattern->inside ? view.coding - length + 1 : view.coding;
    size_t count = 0;
    for (long at = from; at < to; at++)
        count += stands_at(&view, pattern, at);
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
