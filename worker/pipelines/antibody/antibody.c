#include "antibody.h"
#include "align.h"
#include "germline.h"
#include "numbering.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 *  What counts as an antibody. The variable domains of man, mouse, rat, rabbit, llama, pig, cow and
 * rhesus have at least 180 bits and are at least half identical to a human or mouse germline gene;
 * T cell receptors, their nearest relatives, stay below 70 bits and 35 %. docs/science.md shows
 * both.
 */
enum { SCORE_MIN = 100, SCORE_RELATED = 40, DOMAIN_MIN = 60 }; /* bits, bits, residues */
static const double IDENTITY_MIN = 0.45;

typedef struct {
    const char *sequence;
    uint8_t codes[PT_SEQUENCE_MAX];
    int columns[PT_SEQUENCE_MAX];
    pt_align_row_t rows[PT_PATH_MAX + 1];
    pt_domain_t *domains;
    size_t count, max;
    double nearest_score; /* of what was refused: tells a person how far off it is */
    double nearest_identity;
    bool incomplete, too_long;
} search_t;

const char *pt_fault_name(pt_fault_code_t code)
{
    static const char *const names[] = {
        "none",         "empty_sequence", "sequence_too_long", "invalid_residue", "not_an_antibody",
        "out_of_memory"};
    return names[code];
}

bool pt_is_heavy(const pt_domain_t *domain)
{
    return domain->chain == 'H';
}

static void refuse(pt_fault_t *fault, pt_fault_code_t code, size_t position, const char *format,
                   ...)
{
    va_list args;
    va_start(args, format);
    fault->code = code;
    fault->position = position;
    vsnprintf(fault->reason, sizeof fault->reason, format, args);
    va_end(args);
}

static void refuse_letter(pt_fault_t *fault, unsigned char letter, size_t i)
{
    if (letter <= ' ' || letter > '~')
        refuse(fault, PT_FAULT_BAD_RESIDUE, i,
               "byte 0x%02X at position %zu is not one of the 20 amino acids", letter, i + 1);
    else
        refuse(fault, PT_FAULT_BAD_RESIDUE, i,
               "'%c' at position %zu is not one of the 20 amino acids (capital letters %s)", letter,
               i + 1, PT_AMINO);
}

/* Whole sequence into codes; false with the fault when there is anything else than amino acids. */
static bool encode(const char *sequence, size_t length, uint8_t *codes, pt_fault_t *fault)
{
    if (length == 0)
        refuse(fault, PT_FAULT_EMPTY, 0, "the sequence is empty");
    else if (length > PT_SEQUENCE_MAX)
        refuse(fault, PT_FAULT_TOO_LONG, 0, "the sequence has %zu residues; %d is the limit",
               length, PT_SEQUENCE_MAX);
    for (size_t i = 0; i < length && fault->code == PT_FAULT_NONE; i++) {
        int code = pt_amino_index(sequence[i]);
        if (code < 0)
            refuse_letter(fault, (unsigned char)sequence[i], i);
        else
            codes[i] = (uint8_t)code;
    }
    return fault->code == PT_FAULT_NONE;
}

static const pt_profile_t *best_profile(const uint8_t *codes, size_t length, pt_alignment_t *best)
{
    const pt_profile_t *profile = NULL;
    best->score = 0;
    for (int p = 0; p < PT_PROFILE_COUNT; p++) {
        pt_alignment_t a = pt_align(&pt_profiles[p], codes, length);
        if (a.score > best->score) {
            profile = &pt_profiles[p];
            *best = a;
        }
    }
    return profile;
}

/* Residues that stand before the first or behind the last matched column belong to the domain as
   far as there are columns for them: a mismatch at an end is no end. */
static void take_ends(const pt_profile_t *p, int *columns, size_t from, size_t to, size_t *start,
                      size_t *end)
{
    while (*start > from && columns[*start] > 0) {
        columns[*start - 1] = columns[*start] - 1;
        --*start;
    }
    while (*end < to && columns[*end - 1] + 1 < p->count) {
        columns[*end] = columns[*end - 1] + 1;
        ++*end;
    }
}

static bool spans_core(const pt_domain_t *domain)
{
    return domain->positions[0].number <= 23 && domain->positions[domain->length - 1].number >= 104;
}

/* The better of the nearest human and mouse V gene. */
static double germline_identity(const pt_domain_t *domain)
{
    pt_germline_match_t human = pt_nearest_v(domain, PT_HUMAN);
    pt_germline_match_t mouse = pt_nearest_v(domain, PT_MOUSE);
    double a = pt_identity(&human), b = pt_identity(&mouse);
    return a > b ? a : b;
}

/* Is the aligned stretch an antibody domain? Notes what it lacks when it is none. */
static bool accept(search_t *s, const pt_domain_t *domain)
{
    double identity = germline_identity(domain);
    if (domain->score > s->nearest_score) {
        s->nearest_score = domain->score;
        s->nearest_identity = identity;
        s->incomplete = !spans_core(domain);
    }
    return domain->score >= SCORE_MIN && identity >= IDENTITY_MIN && spans_core(domain);
}

static bool fill_domain(search_t *s, const pt_profile_t *profile, size_t start, size_t end,
                        double score, pt_domain_t *domain)
{
    memset(domain, 0, sizeof *domain);
    if (end - start > PT_DOMAIN_MAX) {
        s->too_long = true;
        return false;
    }
    domain->chain = profile->chain;
    domain->start = start;
    domain->end = end;
    domain->length = end - start;
    domain->score = score;
    memcpy(domain->residues, s->sequence + start, domain->length);
    return pt_number_columns(profile, s->columns + start, domain) && accept(s, domain);
}

/* The best domain in [from, to), then what is left of it and right of it, so that they come in
 * order. */
static void search(search_t *s, size_t from, size_t to)
{
    if (to - from < DOMAIN_MIN || s->count >= s->max)
        return;
    pt_alignment_t alignment;
    const pt_profile_t *profile = best_profile(s->codes + from, to - from, &alignment);
    if (!profile)
        return;
    size_t start =
        from + pt_align_path(profile, s->codes + from, alignment, s->rows, s->columns + from);
    size_t end = from + alignment.end + 1;
    take_ends(profile, s->columns, from, to, &start, &end);
    pt_domain_t domain;
    if (!fill_domain(s, profile, start, end, (double)alignment.score / PT_BIT, &domain))
        return;
    search(s, from, start);
    if (s->count < s->max)
        s->domains[s->count++] = domain;
    search(s, end, to);
}

static void explain(const search_t *s, pt_fault_t *fault)
{
    pt_fault_code_t code = PT_FAULT_NOT_ANTIBODY;
    if (s->too_long)
        refuse(fault, code, 0, "the variable domain is longer than %d residues", PT_DOMAIN_MAX);
    else if (s->nearest_score < SCORE_MIN)
        refuse(
            fault, code, 0,
            "no antibody variable domain: the best alignment to one has %.0f bits, %d are needed%s",
            s->nearest_score, SCORE_MIN,
            s->nearest_score < SCORE_RELATED ? "" : "; a relative, such as a T cell receptor?");
    else if (s->nearest_identity < IDENTITY_MIN)
        refuse(
            fault, code, 0,
            "no antibody variable domain: like one (%.0f bits), but only %.0f %% identical to the "
            "nearest germline gene, %.0f %% are needed",
            s->nearest_score, 100 * s->nearest_identity, 100 * IDENTITY_MIN);
    else
        refuse(
            fault, code, 0,
            "only a part of an antibody variable domain: IMGT positions 23 to 104 must be there");
}

size_t pt_antibody_check(const char *sequence, size_t length, pt_domain_t *domains, size_t max,
                         pt_fault_t *fault)
{
    memset(fault, 0, sizeof *fault);
    search_t *s = malloc(sizeof *s);
    if (!s) {
        refuse(fault, PT_FAULT_NO_MEMORY, 0, "out of memory");
        return 0;
    }
    s->sequence = sequence;
    s->domains = domains;
    s->count = 0;
    s->max = max;
    s->nearest_score = s->nearest_identity = 0;
    s->incomplete = s->too_long = false;
    if (encode(sequence, length, s->codes, fault)) {
        search(s, 0, length);
        if (s->count == 0)
            explain(s, fault);
    }
    size_t count = s->count;
    free(s);
    return count;
}
