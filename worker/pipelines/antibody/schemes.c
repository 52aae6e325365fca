#include "schemes.h"
#include <string.h>

static const char *const names[PT_SCHEMES] = {"imgt", "kabat", "chothia", "martin", "aho"};

/* How the residues of a stretch are numbered. */
typedef enum {
    SHIFT,       /* each by its IMGT number */
    SHORT_LEFT,  /* by their count; what is missing is missing up to `middle`, downwards … */
    SHORT_RIGHT, /* … or behind it, upwards */
    BALANCED,    /* gaps in the middle, the left side one longer */
    ORDERED      /* gaps in the order of `order` */
} rule_t;

/*
 *  A stretch of IMGT positions and where it goes. Residues that are too many stand behind `middle`,
 * with letters. For SHIFT only to_first counts.
 */
typedef struct {
    uint8_t first, last; /* IMGT; 0 ends a list */
    rule_t rule;
    uint8_t to_first, to_last, middle;
    const uint8_t
        *order; /* positions in the order in which short loops leave them out, 0 at the end */
} stretch_t;

/* Honegger & Plückthun's gaps, as ANARCI orders them. */
static const uint8_t aho_h1[] = {28, 36, 35, 37, 34, 38, 27, 33, 39, 32, 40, 29, 30, 31, 0};
static const uint8_t aho_k1[] = {28, 27, 36, 35, 37, 34, 38, 33, 39, 32, 40, 29, 30, 31, 0};
static const uint8_t aho_l1[] = {28, 36, 35, 37, 34, 38, 27, 29, 33, 39, 32, 40, 30, 31, 0};
static const uint8_t aho_turn[] = {86, 85, 84, 87, 83, 88, 82, 89, 0}; /* strands D and E, heavy */
static const uint8_t aho_2[] = {63, 62, 64, 61, 65, 60, 66, 59, 67, 58, 68, 0};

#define HEAVY_FR1                                                                                  \
    {1, 9, SHIFT, 1, 0, 0, NULL},                                                                  \
    {                                                                                              \
        10, 26, SHIFT, 9, 0, 0, NULL                                                               \
    }
#define HEAVY_FR2_TO_CDR2                                                                          \
    {41, 54, SHIFT, 36, 0, 0, NULL}, {55, 65, SHORT_LEFT, 50, 57, 52, NULL},                       \
    {                                                                                              \
        66, 72, SHIFT, 58, 0, 0, NULL                                                              \
    }
#define HEAVY_FR3                                                                                  \
    {74, 90, SHIFT, 65, 0, 0, NULL}, {91, 94, SHORT_LEFT, 82, 82, 82, NULL},                       \
    {                                                                                              \
        95, 104, SHIFT, 83, 0, 0, NULL                                                             \
    }
#define HEAVY_END                                                                                  \
    {105, 117, SHORT_LEFT, 93, 102, 100, NULL}, {118, 128, SHIFT, 103, 0, 0, NULL},                \
    {                                                                                              \
        0                                                                                          \
    }
#define LIGHT_FR2_TO_FR3                                                                           \
    {41, 55, SHIFT, 35, 0, 0, NULL}, {56, 69, SHORT_LEFT, 50, 56, 52, NULL},                       \
    {                                                                                              \
        70, 72, SHIFT, 57, 0, 0, NULL                                                              \
    }
#define LIGHT_END                                                                                  \
    {105, 117, SHORT_LEFT, 89, 97, 95, NULL}, {118, 128, SHIFT, 98, 0, 0, NULL},                   \
    {                                                                                              \
        0                                                                                          \
    }

static const stretch_t kabat_heavy[] = {
    HEAVY_FR1, {27, 40, SHORT_LEFT, 26, 35, 35, NULL}, HEAVY_FR2_TO_CDR2, HEAVY_FR3, HEAVY_END};
static const stretch_t chothia_heavy[] = {
    HEAVY_FR1, {27, 40, SHORT_LEFT, 26, 35, 31, NULL}, HEAVY_FR2_TO_CDR2, HEAVY_FR3, HEAVY_END};
static const stretch_t martin_heavy[] = {HEAVY_FR1,
                                         {27, 40, SHORT_LEFT, 26, 35, 31, NULL},
                                         HEAVY_FR2_TO_CDR2,
                                         {74, 74, SHIFT, 65, 0, 0, NULL},
                                         {75, 91, SHORT_LEFT, 66, 79, 72, NULL},
                                         {92, 104, SHIFT, 80, 0, 0, NULL},
                                         HEAVY_END};
static const stretch_t kabat_light[] = {{1, 23, SHIFT, 1, 0, 0, NULL},
                                        {24, 40, SHORT_RIGHT, 24, 34, 27, NULL},
                                        LIGHT_FR2_TO_FR3,
                                        {74, 79, SHIFT, 60, 0, 0, NULL},
                                        {80, 82, SHORT_LEFT, 66, 66, 66, NULL},
                                        {83, 104, SHIFT, 67, 0, 0, NULL},
                                        LIGHT_END};
static const stretch_t chothia_light[] = {{1, 23, SHIFT, 1, 0, 0, NULL},
                                          {24, 40, SHORT_RIGHT, 24, 34, 30, NULL},
                                          LIGHT_FR2_TO_FR3,
                                          {74, 80, SHIFT, 60, 0, 0, NULL},
                                          {81, 84, SHORT_LEFT, 67, 68, 68, NULL},
                                          {85, 104, SHIFT, 69, 0, 0, NULL},
                                          LIGHT_END};

#define AHO_FR1_WITHOUT_10                                                                         \
    {1, 7, SHIFT, 1, 0, 0, NULL}, {8, 9, SHIFT, 9, 0, 0, NULL},                                    \
    {                                                                                              \
        11, 26, SHIFT, 11, 0, 0, NULL                                                              \
    }
#define AHO_FR2_TO_FR3                                                                             \
    {39, 55, SHIFT, 41, 0, 0, NULL}, {56, 65, ORDERED, 58, 68, 63, aho_2},                         \
    {                                                                                              \
        66, 72, SHIFT, 69, 0, 0, NULL                                                              \
    }
#define AHO_LIGHT_FR3                                                                              \
    {74, 80, SHIFT, 76, 0, 0, NULL}, {81, 84, SHORT_RIGHT, 83, 86, 84, NULL},                      \
    {                                                                                              \
        85, 104, SHIFT, 87, 0, 0, NULL                                                             \
    }
#define AHO_END                                                                                    \
    {105, 117, BALANCED, 107, 138, 123, NULL}, {118, 128, SHIFT, 139, 0, 0, NULL},                 \
    {                                                                                              \
        0                                                                                          \
    }

static const stretch_t aho_heavy[] = {AHO_FR1_WITHOUT_10,
                                      {27, 38, ORDERED, 27, 40, 36, aho_h1},
                                      AHO_FR2_TO_FR3,
                                      {74, 79, SHIFT, 76, 0, 0, NULL},
                                      {80, 87, ORDERED, 82, 89, 85, aho_turn},
                                      {88, 104, SHIFT, 90, 0, 0, NULL},
                                      AHO_END};
static const stretch_t aho_kappa[] = {{1, 26, SHIFT, 1, 0, 0, NULL},
                                      {27, 38, ORDERED, 27, 40, 36, aho_k1},
                                      AHO_FR2_TO_FR3,
                                      AHO_LIGHT_FR3,
                                      AHO_END};
static const stretch_t aho_lambda[] = {AHO_FR1_WITHOUT_10,
                                       {27, 38, ORDERED, 27, 40, 36, aho_l1},
                                       AHO_FR2_TO_FR3,
                                       AHO_LIGHT_FR3,
                                       AHO_END};

/* By chain type: heavy, kappa, lambda. */
static const stretch_t *const tables[PT_SCHEMES][3] = {
    [PT_SCHEME_KABAT] = {kabat_heavy, kabat_light, kabat_light},
    [PT_SCHEME_CHOTHIA] = {chothia_heavy, chothia_light, chothia_light},
    [PT_SCHEME_MARTIN] = {martin_heavy, chothia_light, chothia_light},
    [PT_SCHEME_AHO] = {aho_heavy, aho_kappa, aho_lambda},
};

const char *pt_scheme_name(pt_scheme_t scheme)
{
    return names[scheme];
}

bool pt_scheme_parse(const char *name, pt_scheme_t *scheme)
{
    for (int s = 0; s < PT_SCHEMES; s++)
        if (strcmp(names[s], name) == 0) {
            *scheme = (pt_scheme_t)s;
            return true;
        }
    return false;
}

/* Marks what a short loop of n residues leaves out of its `size` positions. */
static void leave_out(const stretch_t *s, int n, bool *out)
{
    int size = s->to_last - s->to_first + 1, middle = s->middle - s->to_first;
    int gaps = size - n;
    for (int k = 0; k < gaps; k++) {
        int at;
        if (s->rule == SHORT_LEFT)
            at = k <= middle ? middle - k : k;
        else if (s->rule == SHORT_RIGHT)
            at = k < size - 1 - middle ? middle + 1 + k : size - 1 - k;
        else if (s->rule == BALANCED)
            at = n / 2 + 1 + k;
        else
            at = s->order[k] - s->to_first;
        out[at] = true;
    }
}

/* Positions of the n residues of a loop. */
static bool number_loop(const stretch_t *s, int n, pt_position_t *positions)
{
    bool out[64] = {false};
    int size = s->to_last - s->to_first + 1;
    int extra = n > size ? n - size : 0;
    if (extra > 26)
        return false;
    leave_out(s, n, out);
    for (int p = 0; p < size; p++) {
        if (!out[p])
            *positions++ = (pt_position_t){(uint8_t)(s->to_first + p), 0};
        for (int k = 0; s->to_first + p == s->middle && k < extra; k++)
            *positions++ = (pt_position_t){s->middle, (char)('A' + k)};
    }
    return true;
}

static bool number_stretch(const stretch_t *s, const pt_domain_t *domain, size_t from, size_t to,
                           pt_position_t *positions)
{
    if (s->rule != SHIFT)
        return number_loop(s, (int)(to - from), positions + from);
    for (size_t i = from; i < to; i++) {
        positions[i] = domain->positions[i];
        positions[i].number = (uint8_t)(positions[i].number - s->first + s->to_first);
    }
    return true;
}

static const stretch_t *table_of(const pt_domain_t *domain, pt_scheme_t scheme)
{
    return tables[scheme][domain->chain == 'H' ? 0 : domain->chain == 'K' ? 1 : 2];
}

bool pt_scheme_positions(const pt_domain_t *domain, pt_scheme_t scheme,
                         pt_position_t positions[PT_DOMAIN_MAX])
{
    memcpy(positions, domain->positions, domain->length * sizeof *positions);
    if (scheme == PT_SCHEME_IMGT)
        return true;
    size_t from = 0;
    for (const stretch_t *s = table_of(domain, scheme); s->first; s++) {
        size_t to = from;
        while (to < domain->length && domain->positions[to].number <= s->last)
            to++;
        if (to > from && !number_stretch(s, domain, from, to, positions))
            return false;
        from = to;
    }
    return true;
}

bool pt_scheme_takes_next(const pt_domain_t *domain, pt_scheme_t scheme, pt_position_t *position)
{
    *position = (pt_position_t){149, 0};
    return scheme == PT_SCHEME_AHO && domain->chain != 'H' &&
           domain->positions[domain->length - 1].number == 127;
}
