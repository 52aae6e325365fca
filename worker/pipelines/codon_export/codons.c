#include "worker/pipelines/codon_export/codons.h"
#include <math.h>
#include <string.h>

static const char bases[] = "ACGT";
static const char code[PT_CODONS + 1] =
    "KNKNTTTTRSRSIIMIQHQHPPPPRRRRLLLLEDEDAAAAGGGGVVVV*Y*YSSSS*CWCLFLF";

int pt_base_index(char base)
{
    const char *found = base ? strchr(bases, base) : NULL;
    return found ? (int)(found - bases) : -1;
}

char pt_codon_residue(unsigned codon)
{
    return code[codon];
}

unsigned pt_codons_of(char residue, uint8_t codons[PT_SYNONYMS_MAX])
{
    unsigned count = 0;
    for (unsigned c = 0; c < PT_CODONS; c++)
        if (code[c] == residue && count < PT_SYNONYMS_MAX)
            codons[count++] = (uint8_t)c;
    return count;
}

void pt_codon_write(unsigned codon, char *to)
{
    to[0] = bases[codon / 16];
    to[1] = bases[codon / 4 % 4];
    to[2] = bases[codon % 4];
}

unsigned pt_codon_read(const char *from)
{
    int index = 16 * pt_base_index(from[0]) + 4 * pt_base_index(from[1]) + pt_base_index(from[2]);
    return (unsigned)index % PT_CODONS;
}

unsigned pt_codon_gc(unsigned codon, unsigned base)
{
    unsigned index = codon >> (4 - 2 * base) & 3;
    return index == 1 || index == 2;
}

const pt_host_t *pt_host_find(const char *name)
{
    for (size_t h = 0; h < pt_host_count; h++)
        if (strcmp(pt_hosts[h].name, name) == 0)
            return &pt_hosts[h];
    return NULL;
}

double pt_adaptiveness(const pt_host_t *host, unsigned codon)
{
    double most = 0;
    for (unsigned c = 0; c < PT_CODONS; c++)
        if (code[c] == code[codon] && host->fraction[c] > most)
            most = host->fraction[c];
    return host->fraction[codon] / most;
}

double pt_cai(const pt_host_t *host, const char *dna, size_t length)
{
    double sum = 0;
    size_t count = 0;
    for (size_t at = 0; at + 3 <= length; at += 3) {
        unsigned codon = pt_codon_read(dna + at);
        if (strchr("MW*", code[codon]))
            continue;
        sum += log(pt_adaptiveness(host, codon));
        count++;
    }
    return count ? exp(sum / (double)count) : 1;
}

double pt_gc(const char *dna, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += dna[i] == 'G' || dna[i] == 'C';
    return length ? (double)count / (double)length : 0;
}
