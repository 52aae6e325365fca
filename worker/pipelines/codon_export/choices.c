#include "worker/pipelines/codon_export/solve.h"
#include <math.h>
#include <string.h>

/* Costs are whole numbers, so that equal sums are equal whatever the order. */
#define COST_UNIT 1e6

/* The codons of a residue that the host uses enough; the most used one always. */
static void allow(const pt_codon_options_t *o, char residue, pt_choice_t *choice)
{
    uint8_t codons[PT_SYNONYMS_MAX];
    unsigned count = pt_codons_of(residue, codons);
    choice->count = 0;
    for (unsigned c = 0; c < count; c++) {
        if (residue == '*' && strcmp(o->stop, "best") != 0 && codons[c] != pt_codon_read(o->stop))
            continue;
        if (o->host->fraction[codons[c]] < o->min_fraction && residue != '*' &&
            pt_adaptiveness(o->host, codons[c]) < 1)
            continue;
        choice->codon[choice->count++] = codons[c];
    }
}

static double share(const pt_codon_options_t *o, const pt_choice_t *choice, unsigned c)
{
    double sum = 0;
    for (unsigned i = 0; i < choice->count; i++)
        sum += o->host->fraction[choice->codon[i]];
    return o->host->fraction[choice->codon[c]] / sum;
}

/* The codon that is furthest behind its share, if `seen` of this residue came before. */
static unsigned furthest_behind(const pt_codon_options_t *o, const pt_choice_t *choice,
                                unsigned seen, const unsigned used[PT_CODONS])
{
    unsigned best = 0;
    double most = -1;
    for (unsigned c = 0; c < choice->count; c++) {
        double behind = (seen + 1) * share(o, choice, c) - used[choice->codon[c]];
        if (behind > most + 1e-9) {
            most = behind;
            best = c;
        }
    }
    return best;
}

/* Best: -ln w, so that the cheapest has the highest CAI. Sampled: -ln of the chance. */
static void cost_by_usage(const pt_codon_options_t *o, pt_choice_t *choice)
{
    for (unsigned c = 0; c < choice->count; c++)
        choice->cost[c] = o->strategy == PT_SAMPLED
                              ? -log(share(o, choice, c))
                              : round(-log(pt_adaptiveness(o->host, choice->codon[c])) * COST_UNIT);
}

/* Harmonised: nothing for the codon whose turn it is; another one 1, and how much more or less it
   is used. */
static void cost_by_turn(const pt_codon_options_t *o, pt_choice_t *choice, unsigned turn)
{
    for (unsigned c = 0; c < choice->count; c++) {
        double ratio = log(share(o, choice, c) / share(o, choice, turn));
        choice->cost[c] = c == turn ? 0 : round((1 + fabs(ratio)) * COST_UNIT);
    }
}

static void make_choices(pt_coding_t *coding)
{
    const pt_codon_options_t *o = coding->options;
    unsigned used[PT_CODONS] = {0}, seen[128] = {0};
    for (size_t r = 0; r < coding->length; r++) {
        char residue = coding->protein[r];
        pt_choice_t *choice = &coding->choices[r];
        allow(o, residue, choice);
        if (o->strategy != PT_HARMONISED) {
            cost_by_usage(o, choice);
            continue;
        }
        unsigned turn = furthest_behind(o, choice, seen[(int)residue]++, used);
        used[choice->codon[turn]]++;
        cost_by_turn(o, choice, turn);
    }
}

/* Each residue's cheapest codon. */
static void make_unconstrained(pt_coding_t *coding)
{
    for (size_t r = 0; r < coding->length; r++) {
        const pt_choice_t *choice = &coding->choices[r];
        unsigned best = 0;
        for (unsigned c = 1; c < choice->count; c++)
            if (choice->cost[c] < choice->cost[best])
                best = c;
        pt_codon_write(choice->codon[best], coding->unconstrained + 3 * r);
    }
    coding->unconstrained[3 * coding->length] = 0;
}

void pt_coding_make(const pt_codon_options_t *o, const char *chain, size_t length,
                    pt_coding_t *coding)
{
    memset(coding, 0, sizeof *coding);
    coding->options = o;
    const char *first = o->signal_peptide[0] ? o->signal_peptide : chain;
    char *to = coding->protein;
    if (o->start && *first != 'M')
        *to++ = 'M';
    to = stpcpy(to, o->signal_peptide);
    coding->before = (size_t)(to - coding->protein);
    memcpy(to, chain, length);
    to += length;
    if (strcmp(o->stop, "none") != 0)
        *to++ = '*';
    *to = 0;
    coding->length = (size_t)(to - coding->protein);
    make_choices(coding);
    if (o->strategy != PT_SAMPLED)
        make_unconstrained(coding);
    memcpy(coding->patterns, o->patterns, o->pattern_count * sizeof *o->patterns);
    coding->pattern_count = o->pattern_count;
}
