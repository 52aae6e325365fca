#include "align.h"
#include <string.h>

/* Entering behind the first column or leaving before the last costs something, so that a domain is
   taken whole where it is there; it is little, because constructs do lack ends. */
enum { ENTRY_COST = 2 * PT_BIT, NEVER = -12000 };

int pt_amino_index(char letter)
{
    const char *at = letter ? strchr(PT_AMINO, letter) : NULL;
    return at ? (int)(at - PT_AMINO) : -1;
}

static void row_init(pt_align_row_t *row)
{
    for (int j = 0; j < PT_COLUMNS_MAX; j++)
        row->match[j] = row->insert[j] = row->skip[j] = row->best[j] = NEVER;
}

static inline int16_t add(int16_t a, int16_t b)
{
    return (int16_t)(a + b);
}

static inline int16_t max(int16_t a, int16_t b)
{
    return a > b ? a : b;
}

/*
 *  One residue against all columns. Every loop but the one over skipped columns has independent
 * turns of 16 bits, which the compiler makes eight at a time. No sum overflows: a match is never
 * worse than a fresh start, and gaps are compared with a gap opened from a match.
 */
static void row_step(const pt_profile_t *p, const int16_t *restrict score,
                     const pt_align_row_t *restrict before, pt_align_row_t *restrict row)
{
    row->match[0] = score[0];
    for (int j = 1; j < PT_COLUMNS_MAX; j++)
        row->match[j] = add(score[j], max(before->best[j - 1], -ENTRY_COST));
    for (int j = 0; j < PT_COLUMNS_MAX; j++)
        row->insert[j] = max(add(before->match[j], (int16_t)-p->insert_open[j]),
                             add(before->insert[j], (int16_t)-p->insert_extend[j]));
    int16_t skip = NEVER;
    row->skip[0] = NEVER;
    for (int j = 1; j < PT_COLUMNS_MAX; j++) {
        skip = max(add(row->match[j - 1], (int16_t)-p->delete_open[j]),
                   add(skip, (int16_t)-p->delete_extend[j]));
        row->skip[j] = skip;
    }
    for (int j = 0; j < PT_COLUMNS_MAX; j++)
        row->best[j] = max(row->match[j], max(row->insert[j], row->skip[j]));
}

static int row_top(const pt_align_row_t *row)
{
    int16_t top = NEVER;
    for (int j = 0; j < PT_COLUMNS_MAX; j++)
        top = max(top, row->match[j]);
    return top;
}

static void keep_best(const pt_profile_t *p, const pt_align_row_t *row, size_t i,
                      pt_alignment_t *best)
{
    if (row_top(row) <= best->score)
        return;
    for (int j = 0; j < p->count; j++) {
        int score = row->match[j] - (j + 1 < p->count ? ENTRY_COST : 0);
        if (score > best->score)
            *best = (pt_alignment_t){score, i, j};
    }
}

pt_alignment_t pt_align(const pt_profile_t *profile, const uint8_t *codes, size_t length)
{
    pt_alignment_t best = {0, 0, -1};
    pt_align_row_t rows[2];
    row_init(&rows[1]);
    for (size_t i = 0; i < length; i++) {
        row_step(profile, profile->score[codes[i]], &rows[(i + 1) % 2], &rows[i % 2]);
        keep_best(profile, &rows[i % 2], i, &best);
    }
    return best;
}

typedef enum { MATCH, INSERT, SKIP, START } state_t;

static state_t state_of(const pt_align_row_t *row, int j)
{
    if (row->best[j] == row->match[j])
        return MATCH;
    return row->best[j] == row->insert[j] ? INSERT : SKIP;
}

/* What came before the match of a residue at column j. */
static state_t before_match(int16_t score, const pt_align_row_t *before, const pt_align_row_t *row,
                            int j)
{
    if (j == 0 || row->match[j] != add(score, before->best[j - 1]))
        return START;
    return state_of(before, j - 1);
}

/* Walks back through rows[1 …], where rows[r] is the state after residue first + r - 1. */
static size_t walk_back(const pt_profile_t *p, const uint8_t *codes, size_t first,
                        pt_alignment_t alignment, const pt_align_row_t *rows, int *columns)
{
    size_t i = alignment.end;
    int j = alignment.column;
    state_t state = MATCH;
    for (;;) {
        const pt_align_row_t *row = &rows[i - first + 1], *before = &rows[i - first];
        if (state == SKIP) {
            bool opened = row->skip[j] == add(row->match[j - 1], (int16_t)-p->delete_open[j]);
            state = opened ? MATCH : SKIP;
            j--;
            continue;
        }
        columns[i] = state == MATCH ? j : PT_INSERTED(j);
        if (state == MATCH) {
            state = before_match(p->score[codes[i]][j], before, row, j);
            j--;
        } else if (row->insert[j] == add(before->match[j], (int16_t)-p->insert_open[j])) {
            state = MATCH;
        }
        if (state == START || i == first)
            return i;
        i--;
    }
}

size_t pt_align_path(const pt_profile_t *profile, const uint8_t *codes, pt_alignment_t alignment,
                     pt_align_row_t *rows, int *columns)
{
    size_t length = alignment.end + 1;
    size_t first = length > PT_PATH_MAX ? length - PT_PATH_MAX : 0;
    row_init(&rows[0]);
    for (size_t i = first; i < length; i++)
        row_step(profile, profile->score[codes[i]], &rows[i - first], &rows[i - first + 1]);
    return walk_back(profile, codes, first, alignment, rows, columns);
}
