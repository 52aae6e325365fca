#include "numbering.h"
#include "align.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A stretch that is numbered by its length alone. */
typedef struct {
    int first, last;
    int left;        /* the position behind which residues that are too many go */
    bool both_sides; /* gaps and insertions around the middle; else before and behind `left` */
    const char *chains;
} loop_t;

/*
 *  The CDRs, and the turn between the strands D and E of heavy chains: rabbits lack two residues of
 * it, which IMGT leaves out at 84 and 85, and what is inserted there stands behind 85.
 */
static const loop_t loops[] = {{27, 38, 32, true, "HKL"},
                               {56, 65, 60, true, "HKL"},
                               {80, 87, 85, false, "H"},
                               {105, 117, 111, true, "HKL"}};
enum { LOOPS = sizeof loops / sizeof loops[0], LETTERS = 52 };

/* A to Z, then a to z: the longest loops of cattle need more than 26. */
static char letter_of(int insertion)
{
    return (char)(insertion <= 26 ? 'A' + insertion - 1 : 'a' + insertion - 27);
}

static int insertion_of(char letter)
{
    if (!letter)
        return 0;
    return islower((unsigned char)letter) ? letter - 'a' + 27 : letter - 'A' + 1;
}

/* How n residues are shared out: plain positions and lettered insertions on each side. */
typedef struct {
    int left, left_extra, right_extra, right;
} shares_t;

static shares_t share_out(const loop_t *loop, int n)
{
    int size = loop->last - loop->first + 1;
    int extra = n > size ? n - size : 0, plain = n - extra;
    int longest_left = loop->left - loop->first + 1;
    shares_t s = {.left_extra = extra};
    if (loop->both_sides) {
        s.right_extra = (extra + 1) / 2;
        s.left_extra = extra - s.right_extra;
        s.left = extra ? longest_left : (plain + 1) / 2;
    } else {
        int right = loop->last - loop->left;
        s.left = plain > right ? plain - right : 0;
    }
    s.right = plain - s.left;
    return s;
}

/* Places n residues of a loop: first to last position, or with insertions around the middle. */
static bool lay_out_loop(const loop_t *loop, int n, pt_position_t *positions)
{
    shares_t s = share_out(loop, n);
    if (s.right_extra > LETTERS || s.left_extra > LETTERS)
        return false;
    for (int i = 0; i < s.left; i++)
        *positions++ = (pt_position_t){(uint8_t)(loop->first + i), 0};
    for (int i = 1; i <= s.left_extra; i++)
        *positions++ = (pt_position_t){(uint8_t)loop->left, letter_of(i)};
    for (int i = s.right_extra; i >= 1; i--)
        *positions++ = (pt_position_t){(uint8_t)(loop->left + 1), letter_of(i)};
    for (int i = s.right; i >= 1; i--)
        *positions++ = (pt_position_t){(uint8_t)(loop->last - i + 1), 0};
    return true;
}

/* A chain that ends inside a loop has no right side to count from. */
static void lay_out_open_loop(const loop_t *loop, size_t n, pt_position_t *positions)
{
    for (size_t i = 0; i < n; i++)
        positions[i] = (pt_position_t){(uint8_t)(loop->first + (int)i), 0};
}

static bool renumber_loop(const loop_t *loop, pt_domain_t *domain)
{
    size_t from = 0, to = domain->length;
    while (from < domain->length && domain->positions[from].number < loop->first)
        from++;
    /* What is inserted right behind the framework belongs to the loop. */
    while (from > 0 && domain->positions[from - 1].letter &&
           domain->positions[from - 1].number == loop->first - 1)
        from--;
    while (to > from && domain->positions[to - 1].number > loop->last)
        to--;
    int n = (int)(to - from);
    if (to < domain->length)
        return lay_out_loop(loop, n, domain->positions + from);
    if (n > loop->last - loop->first + 1)
        return false;
    lay_out_open_loop(loop, to - from, domain->positions + from);
    return true;
}

/* Frameworks: the column's own position, insertions lettered behind it. */
static void number_frameworks(const pt_profile_t *profile, const int *columns, pt_domain_t *domain)
{
    int inserted = 0;
    for (size_t i = 0; i < domain->length; i++) {
        bool plain = columns[i] >= 0;
        int column = plain ? columns[i] : -2 - columns[i];
        inserted = plain ? 0 : inserted + 1;
        if (inserted > LETTERS)
            inserted = LETTERS; /* only a loop may be so long; it is laid out anew */
        domain->positions[i] =
            (pt_position_t){profile->imgt[column], plain ? (char)0 : letter_of(inserted)};
    }
}

/* Most heavy chains of rabbits begin Q-S and lack position 2; others that begin at 2 lost their
 * first. */
static void rabbit_start(pt_domain_t *domain)
{
    if (domain->chain == 'H' && domain->positions[0].number == 2 &&
        strncmp(domain->residues, "QS", 2) == 0)
        domain->positions[0].number = 1;
}

static bool rising(const pt_domain_t *domain)
{
    for (size_t i = 1; i < domain->length; i++)
        if (pt_position_compare(domain->positions[i - 1], domain->positions[i]) >= 0)
            return false;
    return true;
}

bool pt_number_columns(const pt_profile_t *profile, const int *columns, pt_domain_t *domain)
{
    bool ok = true;
    number_frameworks(profile, columns, domain);
    rabbit_start(domain);
    for (int l = 0; ok && l < LOOPS; l++)
        if (strchr(loops[l].chains, profile->chain))
            ok = renumber_loop(&loops[l], domain);
    return ok && rising(domain);
}

/* Insertions right of a loop's middle come before their position, counted down: 112B, 112A, 112. */
int pt_position_compare(pt_position_t a, pt_position_t b)
{
    if (a.number != b.number)
        return a.number - b.number;
    bool down = a.number == 33 || a.number == 61 || a.number == 112;
    int difference = insertion_of(a.letter) - insertion_of(b.letter);
    return down ? -difference : difference;
}

char *pt_position_text(pt_position_t position, char *text)
{
    char letter[2] = {position.letter, 0};
    snprintf(text, 8, "%u%s", position.number, letter);
    return text;
}

int pt_domain_find(const pt_domain_t *domain, pt_position_t position)
{
    for (size_t i = 0; i < domain->length; i++)
        if (pt_position_compare(domain->positions[i], position) == 0)
            return (int)i;
    return -1;
}
