#include "ddg.h"
#include "tables.h"
#include "worker/pipelines/antibody/align.h"
#include <math.h>

static const double RSA_USUAL = 0.25; /* of a residue of which nothing is known */
/*
 *  Half of RT at 298 K a natural logarithm. Set by hand; where a protein's relatives are known,
 * direct substitutions agree with it as well as with any other weight (docs/science.md).
 */
static const double EVIDENCE = 0.3; /* kcal/mol */
static const double RAREST = 0.003; /* a share below is as good as never seen */

/* Mean over the neighbours that are there; 0 without any. */
static double neighbours(const double *scale, const char *sequence, size_t length, size_t at,
                         size_t reach)
{
    size_t from = at > reach ? at - reach : 0;
    size_t to = length - at > reach ? at + reach + 1 : length;
    double sum = 0;
    for (size_t i = from; i < to; i++) {
        int amino = i == at ? -1 : pt_amino_index(sequence[i]);
        sum += amino < 0 ? 0 : scale[amino];
    }
    return to - from > 1 ? sum / (double)(to - from - 1) : 0;
}

static void add_term(const pt_ddg_term_t *term, int wild, double near, double ddg[PT_DDG_AMINO])
{
    const double *scale = pt_ddg_scales[term->scale], *of = pt_ddg_scales[term->of];
    for (int mutant = 0; mutant < PT_AMINO_COUNT; mutant++) {
        double context = term->context == PT_PAIR ? (of[wild] + of[mutant]) / 2 : near;
        ddg[mutant] += term->weight * (scale[mutant] - scale[wild]) * context;
    }
}

double pt_simba_sym(int wild, int mutant, double rsa)
{
    const double *hydrophobicity = pt_ddg_scales[pt_simba_hydrophobicity];
    const double *volume = pt_ddg_scales[pt_simba_volume];
    double h = hydrophobicity[wild] - hydrophobicity[mutant]; /* wild - mutant, as published */
    double v = volume[mutant] - volume[wild];                 /* 100 cubic ångström */
    return 1.642 * v - 0.421 * h - 1.867 * rsa * v + 0.737 * rsa * h;
}

double pt_ddg_evidence(double wild_share, double mutant_share)
{
    return EVIDENCE * (log(fmax(mutant_share, RAREST)) - log(fmax(wild_share, RAREST)));
}

bool pt_ddg(const char *sequence, size_t length, size_t at, double rsa, double ddg[PT_DDG_AMINO])
{
    int wild = pt_amino_index(sequence[at]);
    for (int a = 0; a < PT_AMINO_COUNT; a++)
        ddg[a] = 0;
    if (wild < 0)
        return false;
    for (size_t t = 0; t < pt_ddg_term_count; t++) {
        const pt_ddg_term_t *term = &pt_ddg_terms[t];
        double near = term->context == PT_NEIGHBOURS ? neighbours(pt_ddg_scales[term->of], sequence,
                                                                  length, at, (size_t)term->reach)
                                                     : 1;
        add_term(term, wild, near, ddg);
    }
    for (int a = 0; a < PT_AMINO_COUNT; a++)
        ddg[a] = (ddg[a] + pt_simba_sym(wild, a, rsa < 0 ? RSA_USUAL : rsa)) / 2;
    return true;
}
