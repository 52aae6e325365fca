#include "worker/pipelines/codon_export/matcher.h"
#include <stdlib.h>
#include <string.h>

enum { BASES = 4, WORD = 64, TABLE_BEGIN = 1024 };
#define UNKNOWN UINT32_MAX

typedef uint64_t word_t;

/* A pattern's bits: one for each of its letters, set when the pattern is matched as far as that;
   behind all of these one for each pattern, set when it has stood. */
struct pt_matcher {
    const pt_pattern_t *patterns;
    size_t pattern_count, words, letters;
    size_t *first;          /* of a pattern: its first bit */
    word_t *starts, *ends;  /* first and last bits of all patterns */
    word_t *allowed[BASES]; /* bits whose letter allows the base */
    word_t *bits;           /* of all states, `words` each */
    uint32_t (*next)[BASES];
    uint8_t (*hit)[BASES]; /* length of the longest pattern, 0 if none */
    size_t count, room;
    uint32_t *table; /* state by hash of its bits, open addressing; UNKNOWN is empty */
    size_t table_size;
    word_t *scratch;
};

static void set(word_t *bits, size_t bit)
{
    bits[bit / WORD] |= (word_t)1 << bit % WORD;
}

static void unset(word_t *bits, size_t bit)
{
    bits[bit / WORD] &= ~((word_t)1 << bit % WORD);
}

static bool is_set(const word_t *bits, size_t bit)
{
    return bits[bit / WORD] >> bit % WORD & 1;
}

static word_t *state_bits(pt_matcher_t *m, uint32_t state)
{
    return m->bits + state * m->words;
}

static uint64_t hash(const pt_matcher_t *m, const word_t *bits)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t w = 0; w < m->words; w++) {
        h = (h ^ bits[w]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return h;
}

/* Where the bits stand in the table, or the empty place for them. */
static size_t place(pt_matcher_t *m, const word_t *bits)
{
    size_t at = hash(m, bits) & (m->table_size - 1);
    while (m->table[at] != UNKNOWN &&
           memcmp(state_bits(m, m->table[at]), bits, m->words * sizeof *bits) != 0)
        at = (at + 1) & (m->table_size - 1);
    return at;
}

static bool rehash(pt_matcher_t *m, size_t size)
{
    uint32_t *table = malloc(size * sizeof *table);
    if (!table)
        return false;
    memset(table, 0xff, size * sizeof *table);
    free(m->table);
    m->table = table;
    m->table_size = size;
    for (uint32_t s = 0; s < m->count; s++)
        m->table[place(m, state_bits(m, s))] = s;
    return true;
}

/* Room for one more state. */
static bool grow(pt_matcher_t *m)
{
    if (m->count < m->room)
        return true;
    size_t room = m->room ? 2 * m->room : TABLE_BEGIN / 2;
    void *bits = realloc(m->bits, room * m->words * sizeof *m->bits);
    if (bits)
        m->bits = bits;
    void *next = realloc(m->next, room * sizeof *m->next);
    if (next)
        m->next = next;
    void *hit = realloc(m->hit, room * sizeof *m->hit);
    if (hit)
        m->hit = hit;
    if (!bits || !next || !hit)
        return false;
    m->room = room;
    return rehash(m, 2 * room);
}

static uint32_t state_of(pt_matcher_t *m, const word_t *bits)
{
    if (!grow(m))
        return PT_MATCHER_STATES_MAX;
    size_t at = place(m, bits);
    if (m->table[at] != UNKNOWN)
        return m->table[at];
    if (m->count == PT_MATCHER_STATES_MAX)
        return PT_MATCHER_STATES_MAX;
    uint32_t state = (uint32_t)m->count++;
    memcpy(state_bits(m, state), bits, m->words * sizeof *bits);
    for (int b = 0; b < BASES; b++)
        m->next[state][b] = UNKNOWN;
    return m->table[at] = state;
}

static void add_pattern(pt_matcher_t *m, size_t p, size_t first)
{
    const pt_pattern_t *pattern = &m->patterns[p];
    m->first[p] = first;
    set(m->starts, first);
    set(m->ends, first + pattern->length - 1);
    for (size_t i = 0; i < pattern->length; i++)
        for (int b = 0; b < BASES; b++)
            if (pattern->mask[i] >> b & 1)
                set(m->allowed[b], first + i);
}

static bool allocate(pt_matcher_t *m)
{
    m->first = calloc(m->pattern_count + 1, sizeof *m->first);
    m->starts = calloc(m->words, sizeof *m->starts);
    m->ends = calloc(m->words, sizeof *m->ends);
    m->scratch = calloc(m->words, sizeof *m->scratch);
    bool all = m->first && m->starts && m->ends && m->scratch;
    for (int b = 0; b < BASES; b++)
        all = (m->allowed[b] = calloc(m->words, sizeof *m->allowed[b])) && all;
    return all;
}

pt_matcher_t *pt_matcher_new(const pt_pattern_t *patterns, size_t count)
{
    pt_matcher_t *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->patterns = patterns;
    m->pattern_count = count;
    for (size_t p = 0; p < count; p++)
        m->letters += patterns[p].length;
    m->words = (m->letters + count) / WORD + 1;
    bool made = allocate(m);
    size_t first = 0;
    for (size_t p = 0; made && p < count; first += patterns[p++].length)
        add_pattern(m, p, first);
    if (!made || state_of(m, m->scratch) != 0)
        pt_matcher_destroy(&m);
    return m;
}

void pt_matcher_destroy(pt_matcher_t **matcher)
{
    pt_matcher_t *m = *matcher;
    if (!m)
        return;
    free(m->first);
    free(m->starts);
    free(m->ends);
    free(m->scratch);
    for (int b = 0; b < BASES; b++)
        free(m->allowed[b]);
    free(m->bits);
    free(m->next);
    free(m->hit);
    free(m->table);
    free(m);
    *matcher = NULL;
}

/* A pattern has ended in `bits`: its last bit goes; the length if that is against its rule. */
static size_t take_end(pt_matcher_t *m, size_t p, word_t *bits)
{
    unset(bits, m->first[p] + m->patterns[p].length - 1);
    if (m->patterns[p].once && !is_set(bits, m->letters + p)) {
        set(bits, m->letters + p);
        return 0;
    }
    return m->patterns[p].length;
}

/* The patterns that end here; the length of the longest that must not. */
static size_t take_ends(pt_matcher_t *m, word_t *bits)
{
    size_t longest = 0;
    for (size_t p = 0; p < m->pattern_count; p++) {
        size_t length = 0;
        if (is_set(bits, m->first[p] + m->patterns[p].length - 1))
            length = take_end(m, p, bits);
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* One bit further, where the base allows it; what has stood stays. */
static void shift(const pt_matcher_t *m, const word_t *from, unsigned base, word_t *to)
{
    word_t carry = 0;
    for (size_t w = 0; w < m->words; w++) {
        to[w] = ((from[w] << 1 | carry) | m->starts[w]) & m->allowed[base][w];
        carry = from[w] >> (WORD - 1);
    }
    for (size_t p = 0; p < m->pattern_count; p++)
        if (m->patterns[p].once && is_set(from, m->letters + p))
            set(to, m->letters + p);
}

uint32_t pt_matcher_step(pt_matcher_t *m, uint32_t state, unsigned base, size_t *length)
{
    if (m->next[state][base] == UNKNOWN) {
        shift(m, state_bits(m, state), base, m->scratch);
        size_t longest = take_ends(m, m->scratch);
        uint32_t next = state_of(m, m->scratch);
        if (next == PT_MATCHER_STATES_MAX)
            return next;
        m->next[state][base] = next;
        m->hit[state][base] = (uint8_t)longest;
    }
    *length = m->hit[state][base];
    return m->next[state][base];
}

uint32_t pt_matcher_forget(pt_matcher_t *m, uint32_t state, size_t pattern)
{
    memcpy(m->scratch, state_bits(m, state), m->words * sizeof *m->scratch);
    for (size_t i = 0; i < m->patterns[pattern].length; i++)
        unset(m->scratch, m->first[pattern] + i);
    unset(m->scratch, m->letters + pattern);
    return state_of(m, m->scratch);
}
