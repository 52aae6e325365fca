#include "developability.h"
#include "tables.h"
#include "worker/pipelines/antibody/align.h"
#include "worker/pipelines/antibody/exposure.h"
#include "worker/pipelines/antibody/germline.h"
#include "worker/pipelines/antibody/humanness.h"
#include "worker/pipelines/antibody/regions.h"
#include <math.h>
#include <string.h>

enum { PEAK_WINDOW = 7, V_LAST = 104 };
static const double RAREST = 0.003; /* a share below is as good as never seen */
static const double EXPOSED = 0.25; /* a motif counts from */

/* An insertion is taken for as exposed as its position. */
void pt_exposed_by_table(const pt_domain_t *domain, bool alone, pt_exposed_t *exposed)
{
    exposed->domain = domain;
    for (size_t i = 0; i < domain->length; i++) {
        pt_position_t position = {domain->positions[i].number, 0};
        exposed->rsa[i] = pt_exposure(domain->chain, alone, position);
    }
}

void pt_exposed_by_model(const pt_model_t *model, size_t d, pt_exposed_t *exposed)
{
    for (size_t i = 0; i < exposed->domain->length; i++) {
        double rsa = pt_model_rsa(model, d, i);
        if (rsa >= 0)
            exposed->rsa[i] = rsa;
    }
}

/* EMBOSS's pKa values (its file Epk.dat). */
static const double PKA_N_TERMINUS = 8.6, PKA_C_TERMINUS = 3.6;
static const struct {
    char letter;
    int charge; /* of the charged form */
    double pka;
} pkas[] = {{'K', 1, 10.8}, {'R', 1, 12.5}, {'H', 1, 6.5},  {'D', -1, 3.9},
            {'E', -1, 4.1}, {'C', -1, 8.5}, {'Y', -1, 10.1}};

static double charge_of(int charge, double pka, double ph)
{
    return charge / (1 + pow(10, charge * (ph - pka)));
}

static bool in_disulfide(pt_position_t p, char residue)
{
    return residue == 'C' && !p.letter && (p.number == 23 || p.number == 104);
}

static double domain_charge(const pt_domain_t *domain, double ph)
{
    double sum = charge_of(1, PKA_N_TERMINUS, ph) + charge_of(-1, PKA_C_TERMINUS, ph);
    for (size_t i = 0; i < domain->length; i++)
        for (size_t k = 0; k < sizeof pkas / sizeof pkas[0]; k++)
            if (domain->residues[i] == pkas[k].letter &&
                !in_disulfide(domain->positions[i], domain->residues[i]))
                sum += charge_of(pkas[k].charge, pkas[k].pka, ph);
    return sum;
}

double pt_net_charge(const pt_exposed_t *parts, size_t count, double ph)
{
    double sum = 0;
    for (size_t d = 0; d < count; d++)
        sum += domain_charge(parts[d].domain, ph);
    return sum;
}

double pt_isoelectric_point(const pt_exposed_t *parts, size_t count)
{
    double low = 0, high = 14;
    while (high - low > 0.001) {
        double middle = (low + high) / 2;
        *(pt_net_charge(parts, count, middle) > 0 ? &low : &high) = middle;
    }
    return (low + high) / 2;
}

size_t pt_total_cdr_length(const pt_exposed_t *parts, size_t count)
{
    size_t total = 0, from, to;
    for (size_t d = 0; d < count; d++)
        for (int c = 1; c <= 3; c++)
            if (pt_cdr_bounds(parts[d].domain, PT_CDR_IMGT, c, &from, &to))
                total += to - from;
    return total;
}

/* Sum over the IMGT CDRs of accessibility times a value of the residue; *weight: of accessibility.
 */
static double cdr_sum(const pt_exposed_t *parts, size_t count, const double of[PT_AMINO_COUNT],
                      double *weight)
{
    double sum = *weight = 0;
    for (size_t d = 0; d < count; d++) {
        const pt_domain_t *domain = parts[d].domain;
        uint8_t cdr[PT_DOMAIN_MAX];
        pt_mark_cdrs(domain, PT_CDR_IMGT, cdr);
        for (size_t i = 0; i < domain->length; i++)
            if (cdr[i]) {
                sum += parts[d].rsa[i] * of[pt_amino_index(domain->residues[i])];
                *weight += parts[d].rsa[i];
            }
    }
    return sum;
}

static double cdr_mean(const pt_exposed_t *parts, size_t count, const double of[PT_AMINO_COUNT])
{
    double weight, sum = cdr_sum(parts, count, of, &weight);
    return weight > 0 ? sum / weight : 0;
}

double pt_cdr_hydropathy(const pt_exposed_t *parts, size_t count)
{
    return cdr_mean(parts, count, pt_hydropathy);
}

double pt_cdr_hydrophobicity(const pt_exposed_t *parts, size_t count)
{
    return -cdr_mean(parts, count, pt_interfacial);
}

double pt_cdr_charge(const pt_exposed_t *parts, size_t count)
{
    static const char signs[] = "KRDE";
    double charge[PT_AMINO_COUNT] = {0}, weight;
    for (int i = 0; signs[i]; i++)
        charge[pt_amino_index(signs[i])] = i < 2 ? 1 : -1;
    return cdr_sum(parts, count, charge, &weight);
}

static double stretch(const pt_exposed_t *part, size_t from)
{
    double sum = 0;
    for (size_t i = from; i < from + PEAK_WINDOW; i++) {
        double gain = -pt_interfacial[pt_amino_index(part->domain->residues[i])];
        sum += gain > 0 ? part->rsa[i] * gain : 0;
    }
    return sum / PEAK_WINDOW;
}

double pt_hydrophobic_peak(const pt_exposed_t *parts, size_t count)
{
    double peak = 0;
    for (size_t d = 0; d < count; d++)
        for (size_t i = 0; i + PEAK_WINDOW <= parts[d].domain->length; i++)
            peak = fmax(peak, stretch(&parts[d], i));
    return peak;
}

/* ln of a residue's share over the largest at its position; positive where nothing is known. */
static double usual(const char *allele, pt_position_t position, char residue)
{
    double largest = 0, share = pt_repertoire_share(allele, position, residue);
    for (int a = 0; a < PT_AMINO_COUNT; a++)
        largest = fmax(largest, pt_repertoire_share(allele, position, PT_AMINO[a]));
    return share < 0 || largest <= RAREST ? 1 : log(fmax(share, RAREST) / largest);
}

double pt_consensus(const pt_exposed_t *parts, size_t count)
{
    double sum = 0;
    size_t known = 0;
    for (size_t d = 0; d < count; d++) {
        const pt_domain_t *domain = parts[d].domain;
        pt_germline_match_t v = pt_nearest_v(domain, PT_HUMAN);
        for (size_t i = 0; v.allele && i < domain->length; i++) {
            double value = domain->positions[i].number > V_LAST
                               ? 1
                               : usual(v.allele, domain->positions[i], domain->residues[i]);
            if (value <= 0) {
                sum += value;
                known++;
            }
        }
    }
    return known ? exp(sum / (double)known) : 0;
}

double pt_rank(pt_property_t property, bool nanobody, double value)
{
    const double *quantile = pt_reference[nanobody][property];
    if (value <= quantile[0])
        return 0;
    for (int q = 1; q < PT_QUANTILES; q++)
        if (value < quantile[q])
            return (q - 1 + (value - quantile[q - 1]) / (quantile[q] - quantile[q - 1])) /
                   (PT_QUANTILES - 1);
    return 1;
}

double pt_motif_exposure(const pt_exposed_t *parts, const pt_liability_t *motif)
{
    double largest = 0;
    for (size_t i = motif->from; i < motif->to; i++)
        largest = fmax(largest, parts[motif->domain].rsa[i]);
    return largest;
}

static double weight_of(const char *severity)
{
    return strcmp(severity, "high") == 0 ? 1 : strcmp(severity, "medium") == 0 ? 0.5 : 0;
}

double pt_liability_load(const pt_exposed_t *parts, const pt_liability_t *motifs, size_t count)
{
    double load = 0;
    for (size_t i = 0; i < count; i++)
        if (pt_motif_exposure(parts, &motifs[i]) >= EXPOSED)
            load += weight_of(motifs[i].severity);
    return load;
}

pt_load_limits_t pt_load_limits(bool nanobody)
{
    const double *quantile = pt_reference[nanobody][PT_LIABILITY_LOAD];
    return (pt_load_limits_t){quantile[(PT_QUANTILES - 1) * 75 / 100],
                              quantile[(PT_QUANTILES - 1) * 95 / 100]};
}
