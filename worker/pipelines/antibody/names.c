/* V genes by the names that people write. */
#include "germline.h"
#include "tables.h"
#include <string.h>

static bool is_human_v(const pt_germline_t *gene)
{
    return gene->segment == 'V' && strcmp(gene->species, pt_species_name(PT_HUMAN)) == 0;
}

/* Is the name one of a list with commas between? */
static bool listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    while (*list) {
        size_t n = strcspn(list, ",");
        if (n == length && strncmp(list, name, n) == 0)
            return true;
        list += n + (list[n] == ',');
    }
    return false;
}

static bool is_gene_of(const char *allele, const char *name)
{
    return strlen(name) == pt_gene_length(allele) && strncmp(allele, name, strlen(name)) == 0;
}

const char *pt_find_v(const char *name)
{
    const char *of_gene = NULL;
    for (size_t g = 0; g < pt_germline_count; g++) {
        const pt_germline_t *gene = &pt_germlines[g];
        if (!is_human_v(gene))
            continue;
        if (strcmp(gene->allele, name) == 0 || listed(gene->same, name))
            return gene->allele;
        if (!of_gene && is_gene_of(gene->allele, name))
            of_gene = gene->allele;
    }
    return of_gene;
}

/* Letters to change, add or leave out between two names; names longer than the limit count to it.
 */
static unsigned edits(const char *a, const char *b)
{
    enum { NAME_MAX = 32 };
    unsigned row[NAME_MAX + 1];
    size_t columns = strnlen(b, NAME_MAX);
    for (size_t j = 0; j <= columns; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= strnlen(a, NAME_MAX); i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= columns; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[columns];
}

size_t pt_near_v(const char *name, const char **near, size_t max)
{
    size_t count = 0;
    for (size_t g = 0; g < pt_germline_count; g++) {
        if (!is_human_v(&pt_germlines[g]))
            continue;
        const char *allele = pt_germlines[g].allele;
        size_t at = count;
        while (at > 0 && edits(name, allele) < edits(name, near[at - 1]))
            at--;
        if (at == max)
            continue;
        count += count < max;
        memmove(near + at + 1, near + at, (count - at - 1) * sizeof *near);
        near[at] = allele;
    }
    return count;
}

char pt_gene_chain(const char *allele)
{
    return allele[2];
}
