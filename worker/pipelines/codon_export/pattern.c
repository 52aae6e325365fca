#include "worker/pipelines/codon_export/pattern.h"
#include <stdio.h>
#include <string.h>

static const struct {
    char letter;
    uint8_t mask;
} iupac[] = {{'A', 1},  {'C', 2},  {'G', 4}, {'T', 8},  {'M', 3},  {'R', 5},  {'W', 9}, {'S', 6},
             {'Y', 10}, {'K', 12}, {'V', 7}, {'H', 11}, {'D', 13}, {'B', 14}, {'N', 15}};
enum { IUPAC = sizeof iupac / sizeof *iupac };

/* Recognition sequences, as REBASE has them. */
static const char *const enzymes[][2] = {
    {"AatII", "GACGTC"},       {"AclI", "AACGTT"},    {"AflII", "CTTAAG"},
    {"AgeI", "ACCGGT"},        {"ApaI", "GGGCCC"},    {"ApaLI", "GTGCAC"},
    {"AscI", "GGCGCGCC"},      {"AvrII", "CCTAGG"},   {"BamHI", "GGATCC"},
    {"BbsI", "GAAGAC"},        {"BclI", "TGATCA"},    {"BglII", "AGATCT"},
    {"BsaI", "GGTCTC"},        {"BsiWI", "CGTACG"},   {"BsmBI", "CGTCTC"},
    {"BspEI", "TCCGGA"},       {"BspQI", "GCTCTTC"},  {"BsrGI", "TGTACA"},
    {"BssHII", "GCGCGC"},      {"BstBI", "TTCGAA"},   {"BstEII", "GGTNACC"},
    {"BstXI", "CCANNNNNNTGG"}, {"ClaI", "ATCGAT"},    {"DraIII", "CACNNNGTG"},
    {"EagI", "CGGCCG"},        {"EcoRI", "GAATTC"},   {"EcoRV", "GATATC"},
    {"FseI", "GGCCGGCC"},      {"HindIII", "AAGCTT"}, {"HpaI", "GTTAAC"},
    {"KpnI", "GGTACC"},        {"MfeI", "CAATTG"},    {"MluI", "ACGCGT"},
    {"NaeI", "GCCGGC"},        {"NcoI", "CCATGG"},    {"NdeI", "CATATG"},
    {"NheI", "GCTAGC"},        {"NotI", "GCGGCCGC"},  {"NruI", "TCGCGA"},
    {"NsiI", "ATGCAT"},        {"PacI", "TTAATTAA"},  {"PaqCI", "CACCTGC"},
    {"PmeI", "GTTTAAAC"},      {"PmlI", "CACGTG"},    {"PstI", "CTGCAG"},
    {"PvuI", "CGATCG"},        {"PvuII", "CAGCTG"},   {"SacI", "GAGCTC"},
    {"SacII", "CCGCGG"},       {"SalI", "GTCGAC"},    {"SapI", "GCTCTTC"},
    {"SbfI", "CCTGCAGG"},      {"ScaI", "AGTACT"},    {"SfiI", "GGCCNNNNNGGCC"},
    {"SgrAI", "CRCCGGYG"},     {"SmaI", "CCCGGG"},    {"SnaBI", "TACGTA"},
    {"SpeI", "ACTAGT"},        {"SphI", "GCATGC"},    {"SrfI", "GCCCGGGC"},
    {"StuI", "AGGCCT"},        {"SwaI", "ATTTAAAT"},  {"XbaI", "TCTAGA"},
    {"XhoI", "CTCGAG"},        {"XmaI", "CCCGGG"},
};
enum { ENZYMES = sizeof enzymes / sizeof *enzymes };

const pt_signal_t pt_signals[] = {
    /* Kozak 1987: purine three before ATG and G behind it, with the CC of the consensus. */
    {"kozak", "ecoli", {"RCCATGG"}},
    /* The heart of MAG|GTRAGT, Shapiro & Senapathy 1987. */
    {"splice_donor", "ecoli", {"GGTRAG"}},
    /* (Y)n N CAG|G, Shapiro & Senapathy 1987. */
    {"splice_acceptor", "ecoli", {"YYYYYYYYNCAGG"}},
    /* The two most common hexamers, Beaudoing et al. 2000. */
    {"poly_a", "ecoli", {"AATAAA", "ATTAAA"}},
    /* AU-rich elements, Shaw & Kamen 1986. */
    {"au_rich", "ecoli", {"ATTTA"}},
    /* GGAG of the Shine-Dalgarno sequence, 4 to 10 bases before an ATG (Chen et al. 1994). */
    {"ribosome_binding_site",
     "cho hek293 pichia yeast mouse",
     {"GGAGNNNNATG", "GGAGNNNNNATG", "GGAGNNNNNNATG", "GGAGNNNNNNNATG", "GGAGNNNNNNNNATG",
      "GGAGNNNNNNNNNATG", "GGAGNNNNNNNNNNATG"}},
};
const size_t pt_signal_count = sizeof pt_signals / sizeof *pt_signals;

static uint8_t mask_of(char letter)
{
    for (int i = 0; i < IUPAC; i++)
        if (iupac[i].letter == letter)
            return iupac[i].mask;
    return 0;
}

static char letter_of(uint8_t mask)
{
    for (int i = 0; i < IUPAC; i++)
        if (iupac[i].mask == mask)
            return iupac[i].letter;
    return 0;
}

bool pt_pattern_read(const char *name, const char *letters, pt_pattern_t *pattern)
{
    memset(pattern, 0, sizeof *pattern);
    pattern->length = strlen(letters);
    if (pattern->length == 0 || pattern->length > PT_PATTERN_MAX)
        return false;
    snprintf(pattern->name, sizeof pattern->name, "%s", name);
    memcpy(pattern->letters, letters, pattern->length);
    for (size_t i = 0; i < pattern->length; i++)
        if ((pattern->mask[i] = mask_of(letters[i])) == 0)
            return false;
    return true;
}

/* A pairs with T, C with G: the four bits backwards. */
static uint8_t complement(uint8_t mask)
{
    return (uint8_t)((mask & 1) << 3 | (mask & 2) << 1 | (mask & 4) >> 1 | (mask & 8) >> 3);
}

void pt_pattern_reverse(const pt_pattern_t *pattern, pt_pattern_t *reverse)
{
    *reverse = *pattern;
    for (size_t i = 0; i < pattern->length; i++) {
        reverse->mask[i] = complement(pattern->mask[pattern->length - 1 - i]);
        reverse->letters[i] = letter_of(reverse->mask[i]);
    }
}

const char *pt_enzyme_site(const char *name)
{
    for (int e = 0; e < ENZYMES; e++)
        if (strcmp(enzymes[e][0], name) == 0)
            return enzymes[e][1];
    return NULL;
}
