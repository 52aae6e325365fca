#include "worker/pipelines/immunogenicity/bcell.h"
#include "worker/pipelines/antibody/align.h"
#include "worker/pipelines/immunogenicity/antigen.h"
#include "worker/pipelines/immunogenicity/tables.h"
#include <math.h>
#include <string.h>

/* One method over a sequence: values where its window fits, [from, to). */
typedef struct {
    size_t from, to;
    double value[PT_ANTIGEN_MAX];
} profile_t;

typedef enum { AT_ONE, AT_MEAN, AT_MEAN_OR_ONE } cut_t; /* what a value must exceed */

static double on_scale(pt_scale_t scale, char residue)
{
    return pt_scales[scale][pt_amino_index(residue)];
}

/* Gives each residue i whose window [i - before, i + after] lies inside the sequence its value. */
static void slide(const char *s, size_t n, size_t before, size_t after,
                  double (*value)(const char *residue, pt_scale_t scale), pt_scale_t scale,
                  profile_t *p)
{
    p->from = before;
    p->to = n > after ? n - after : 0;
    if (p->to < p->from)
        p->to = p->from;
    for (size_t i = p->from; i < p->to; i++)
        p->value[i] = value(s + i, scale);
}

static double mean_of_seven(const char *residue, pt_scale_t scale)
{
    double sum = 0;
    for (int k = -3; k <= 3; k++)
        sum += on_scale(scale, residue[k]);
    return sum / 7;
}

/* Karplus and Schulz: A, L, H, V, Y, I, F, C, W, M are rigid, which are those below 1 on the scale
   of one rigid neighbour. */
static double normalized_b(const char *residue)
{
    int rigid = (on_scale(PT_SCALE_KARPLUS_1, residue[-1]) < 1) +
                (on_scale(PT_SCALE_KARPLUS_1, residue[1]) < 1);
    return on_scale((pt_scale_t)(PT_SCALE_KARPLUS_0 + rigid), *residue);
}

static double flexibility(const char *residue, pt_scale_t scale)
{
    (void)scale;
    static const double weights[] = {.25, .5, .75, 1, .75, .5, .25}; /* their sum is 4 */
    double sum = 0;
    for (int k = -3; k <= 3; k++)
        sum += weights[k + 3] * normalized_b(residue + k);
    return sum / 4;
}

/* Emini: the product over six residues, each against the average one; 1 for a random six. */
static double surface(const char *residue, pt_scale_t scale)
{
    double product = 1;
    for (int k = -2; k <= 3; k++)
        product *= on_scale(scale, residue[k]);
    return product;
}

static const struct {
    double (*value)(const char *residue, pt_scale_t scale);
    pt_scale_t scale;
    size_t before, after; /* flexibility looks at the neighbours of its window as well */
    cut_t cut;
} methods[PT_BCELL_METHODS] = {
    {mean_of_seven, PT_SCALE_PARKER, 3, 3, AT_MEAN},
    {flexibility, PT_SCALE_KARPLUS_0, 4, 4, AT_ONE},
    {mean_of_seven, PT_SCALE_KOLASKAR, 3, 3, AT_MEAN_OR_ONE},
    {surface, PT_SCALE_EMINI, 2, 3, AT_ONE},
    {mean_of_seven, PT_SCALE_TURN, 3, 3, AT_ONE},
};

const char *const pt_bcell_methods[PT_BCELL_METHODS] = {
    "parker", "karplus_schulz", "kolaskar_tongaonkar", "emini", "chou_fasman"};

static double cut_of(const profile_t *p, cut_t cut)
{
    double sum = 0;
    for (size_t i = p->from; i < p->to; i++)
        sum += p->value[i];
    double mean = p->to > p->from ? sum / (double)(p->to - p->from) : 0;
    return cut == AT_ONE ? 1 : cut == AT_MEAN ? mean : fmin(mean, 1);
}

static double mean_over(const profile_t *p, size_t from, size_t to)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = from; i < to; i++)
        if (i >= p->from && i < p->to) {
            sum += p->value[i];
            count++;
        }
    return count ? sum / (double)count : 0;
}

static void add(const profile_t profiles[], size_t from, size_t to, pt_bcell_epitope_t *epitope)
{
    *epitope = (pt_bcell_epitope_t){.from = from, .to = to};
    for (int m = 0; m < PT_BCELL_METHODS; m++)
        epitope->mean[m] = mean_over(&profiles[m], from, to);
}

static void vote(const profile_t *p, cut_t cut, uint8_t votes[PT_ANTIGEN_MAX])
{
    double limit = cut_of(p, cut);
    for (size_t i = p->from; i < p->to; i++)
        votes[i] = (uint8_t)(votes[i] + (p->value[i] > limit));
}

size_t pt_bcell_find(const char *sequence, size_t length, pt_bcell_epitope_t *found, size_t max)
{
    profile_t profiles[PT_BCELL_METHODS];
    uint8_t votes[PT_ANTIGEN_MAX + 1] = {0};
    size_t count = 0, run = 0, n = length < PT_ANTIGEN_MAX ? length : PT_ANTIGEN_MAX;
    for (int m = 0; m < PT_BCELL_METHODS; m++) {
        slide(sequence, n, methods[m].before, methods[m].after, methods[m].value, methods[m].scale,
              &profiles[m]);
        vote(&profiles[m], methods[m].cut, votes);
    }
    for (size_t i = 0; i <= n && count < max; i++) {
        bool agreed = i < n && votes[i] >= PT_BCELL_AGREE;
        if (!agreed && run >= PT_BCELL_LENGTH)
            add(profiles, i - run, i, &found[count++]);
        run = agreed ? run + 1 : 0;
    }
    return count;
}
