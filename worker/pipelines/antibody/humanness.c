#include "humanness.h"
#include "align.h"
#include "germline.h"
#include "tables.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { V_LAST = 104, WINDOW = PT_PEPTIDE };

/* A share below this is as good as never seen, in the millions of sequences that were counted. */
static const double RAREST = 0.003;

static const pt_repertoire_t *find_repertoire(const char *name, size_t length)
{
    for (size_t i = 0; i < pt_repertoire_count; i++)
        if (strlen(pt_repertoires[i].family) == length &&
            strncmp(pt_repertoires[i].family, name, length) == 0)
            return &pt_repertoires[i];
    return NULL;
}

static const pt_repertoire_t *repertoire_of(const char *allele)
{
    const pt_repertoire_t *family = find_repertoire(allele, pt_family_length(allele));
    if (family)
        return family;
    const char *whole = allele[2] == 'H' ? "Heavy" : allele[2] == 'K' ? "Kappa" : "Lambda";
    return find_repertoire(whole, strlen(whole));
}

double pt_repertoire_share(const char *allele, pt_position_t position, char residue)
{
    const pt_repertoire_t *repertoire = repertoire_of(allele);
    int amino = pt_amino_index(residue);
    if (!repertoire || amino < 0 || position.letter || position.number > PT_IMGT_COUNT)
        return -1;
    const uint16_t *shares = repertoire->share[position.number];
    unsigned sum = 0;
    for (int a = 0; a < PT_AMINO_COUNT; a++)
        sum += shares[a];
    return sum ? shares[amino] / 10000.0 : -1;
}

/* The residues of the V part: their letters and the IMGT positions at which genes are looked up. */
typedef struct {
    int count;
    char letter[PT_IMGT_COUNT];
    uint8_t position[PT_IMGT_COUNT];
} v_part_t;

static v_part_t v_part_of(const pt_domain_t *domain)
{
    v_part_t v = {0};
    for (size_t i = 0; i < domain->length; i++)
        if (!domain->positions[i].letter && domain->positions[i].number <= V_LAST) {
            v.letter[v.count] = domain->residues[i];
            v.position[v.count++] = domain->positions[i].number;
        }
    return v;
}

/* Raises best[w], the most matches of any gene so far in the window that begins at residue w. */
static void compare_windows(const v_part_t *v, const char *gene, uint8_t *best)
{
    unsigned matches = 0;
    for (int i = 0; i < v->count; i++) {
        matches += v->letter[i] == gene[v->position[i] - 1];
        if (i >= WINDOW)
            matches -= v->letter[i - WINDOW] == gene[v->position[i - WINDOW] - 1];
        if (i >= WINDOW - 1 && matches > best[i - WINDOW + 1])
            best[i - WINDOW + 1] = (uint8_t)matches;
    }
}

static double window_identity(const pt_domain_t *domain)
{
    v_part_t v = v_part_of(domain);
    uint8_t best[PT_IMGT_COUNT] = {0};
    int windows = v.count - WINDOW + 1;
    for (size_t g = 0; g < pt_germline_count; g++) {
        const pt_germline_t *gene = &pt_germlines[g];
        if (gene->chain == domain->chain && gene->segment == 'V' &&
            strcmp(gene->species, pt_species_name(PT_HUMAN)) == 0)
            compare_windows(&v, gene->aligned, best);
    }
    unsigned sum = 0;
    for (int w = 0; w < windows; w++)
        sum += best[w];
    return windows > 0 ? (double)sum / (WINDOW * windows) : 0;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Puts a residue behind the eight before it. */
static uint64_t append(uint64_t peptide, char residue)
{
    return (peptide << 5 | (uint64_t)pt_amino_index(residue)) &
           ((UINT64_C(1) << 5 * PT_PEPTIDE) - 1);
}

static bool is_germline(uint64_t peptide)
{
    return bsearch(&peptide, pt_germline_peptides, pt_germline_peptide_count, sizeof peptide,
                   by_value) != NULL;
}

bool pt_is_germline_peptide(const char *residues)
{
    uint64_t peptide = 0;
    for (int i = 0; i < PT_PEPTIDE; i++)
        peptide = append(peptide, residues[i]);
    return is_germline(peptide);
}

static double peptide_share(const pt_domain_t *domain)
{
    uint64_t peptide = 0;
    unsigned known = 0, all = 0;
    for (size_t i = 0; i < domain->length; i++) {
        peptide = append(peptide, domain->residues[i]);
        if (i + 1 < PT_PEPTIDE)
            continue;
        all++;
        known += is_germline(peptide);
    }
    return all ? (double)known / all : 0;
}

static double repertoire_mean(const pt_domain_t *domain, const char *allele)
{
    double sum = 0;
    unsigned count = 0;
    for (size_t i = 0; i < domain->length && domain->positions[i].number <= V_LAST; i++) {
        double share = pt_repertoire_share(allele, domain->positions[i], domain->residues[i]);
        sum += log(share > RAREST ? share : RAREST);
        count++;
    }
    return count ? exp(sum / count) : 0;
}

pt_humanness_t pt_humanness(const pt_domain_t *domain)
{
    pt_germline_match_t v = pt_nearest_v(domain, PT_HUMAN);
    pt_humanness_t h = {0};
    h.germline_identity = pt_identity(&v);
    h.window_identity = window_identity(domain);
    h.score = (h.germline_identity + h.window_identity) / 2;
    h.peptide_share = peptide_share(domain);
    h.repertoire = v.allele ? repertoire_mean(domain, v.allele) : 0;
    return h;
}
