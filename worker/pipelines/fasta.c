#include "worker/pipelines/fasta.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *label;
    pt_chain_kind_t kind;
} labels[] = {
    {"VH", PT_KIND_HEAVY}, {"VL", PT_KIND_LIGHT}, {"VHH", PT_KIND_VHH}, {"scFv", PT_KIND_SCFV}};

static pt_chain_kind_t kind_of(const char *label)
{
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        if (strcasecmp(label, labels[i].label) == 0)
            return labels[i].kind;
    return PT_KIND_ANY;
}

/* Cuts the next word off *text. */
static char *next_word(char **text)
{
    *text += strspn(*text, " \t\r\n");
    size_t length = strcspn(*text, " \t\r\n");
    char *word = strndup(*text, length);
    *text += length;
    return word;
}

static pt_record_t *begin_record(pt_fasta_t *fasta, char *header)
{
    pt_record_t *grown = fasta->records;
    if ((fasta->count & (fasta->count - 1)) == 0) /* grows at powers of two */
        grown = realloc(grown, (fasta->count ? 2 * fasta->count : 1) * sizeof *grown);
    if (!grown)
        return NULL;
    fasta->records = grown;
    pt_record_t *record = &fasta->records[fasta->count++];
    memset(record, 0, sizeof *record);
    record->name = next_word(&header);
    record->label = next_word(&header);
    record->sequence = calloc(1, 1);
    if (!record->name || !record->label || !record->sequence)
        return NULL;
    record->kind = kind_of(record->label);
    return record;
}

static bool append(pt_record_t *record, const char *line, size_t length)
{
    char *grown = realloc(record->sequence, record->length + length + 1);
    if (!grown)
        return false;
    record->sequence = grown;
    for (size_t i = 0; i < length; i++)
        if (!strchr(" \t\r\n", line[i]) || !line[i])
            grown[record->length++] = (char)toupper((unsigned char)line[i]);
    grown[record->length] = 0;
    return true;
}

static const char *read_lines(FILE *file, pt_fasta_t *fasta)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    const char *why = NULL;
    pt_record_t *record = NULL;
    while (!why && (n = getline(&line, &size, file)) >= 0) {
        if (line[0] == '>')
            why = (record = begin_record(fasta, line + 1)) ? NULL : "out of memory";
        else if (record)
            why = append(record, line, (size_t)n) ? NULL : "out of memory";
        else if (line[strspn(line, " \t\r\n")] || strlen(line) != (size_t)n)
            why = "it is no FASTA file: the first line must begin with >";
    }
    if (!why && ferror(file))
        why = strerror(errno);
    if (!why && !fasta->count)
        why = "it has no records";
    free(line);
    return why;
}

bool pt_fasta_read(const char *path, pt_fasta_t *fasta, const char **why)
{
    *fasta = (pt_fasta_t){0};
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!file) {
        *why = strerror(errno);
        return false;
    }
    *why = read_lines(file, fasta);
    if (file != stdin)
        fclose(file);
    if (*why)
        pt_fasta_clear(fasta);
    return !*why;
}

void pt_fasta_clear(pt_fasta_t *fasta)
{
    for (size_t i = 0; i < fasta->count; i++) {
        free(fasta->records[i].name);
        free(fasta->records[i].label);
        free(fasta->records[i].sequence);
    }
    free(fasta->records);
    *fasta = (pt_fasta_t){0};
}

/* Only records that say that they are one chain of two look for a partner. */
static bool pairs(const pt_record_t *record)
{
    return record->kind == PT_KIND_HEAVY || record->kind == PT_KIND_LIGHT;
}

/* By name, in the file's order: the addresses of one file's records rise with their place in it. */
static int by_name(const void *a, const void *b)
{
    const pt_record_t *x = *(const pt_record_t *const *)a, *y = *(const pt_record_t *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x > y) - (x < y);
}

static int by_place(const void *a, const void *b)
{
    const pt_antibody_t *x = a, *y = b;
    return (x->records[0] > y->records[0]) - (x->records[0] < y->records[0]);
}

static void join(pt_antibody_t *antibody, const pt_record_t *record)
{
    antibody->name = record->name;
    if (antibody->count < PT_CHAINS_MAX)
        antibody->records[antibody->count++] = record;
    else
        antibody->too_many = true;
}

/* Sorted records into antibodies; returns how many. */
static size_t group(const pt_record_t *const *sorted, size_t count, bool apart,
                    pt_antibody_t *antibodies)
{
    size_t n = 0;
    size_t open =
        count; /* the antibody of this name that takes chains; `count` when there is none */
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(sorted[i]->name, sorted[i - 1]->name) != 0)
            open = count;
        if (apart || !pairs(sorted[i])) {
            join(&antibodies[n++], sorted[i]);
            continue;
        }
        if (open == count)
            open = n++;
        join(&antibodies[open], sorted[i]);
    }
    return n;
}

bool pt_fasta_each(const pt_fasta_t *fasta, bool apart, pt_antibody_fn each, void *context)
{
    const pt_record_t **sorted = malloc(fasta->count * sizeof *sorted);
    pt_antibody_t *antibodies = calloc(fasta->count, sizeof *antibodies);
    bool ok = sorted && antibodies;
    if (ok) {
        for (size_t i = 0; i < fasta->count; i++)
            sorted[i] = &fasta->records[i];
        qsort(sorted, fasta->count, sizeof *sorted, by_name);
        size_t n = group(sorted, fasta->count, apart, antibodies);
        qsort(antibodies, n, sizeof *antibodies, by_place);
        for (size_t i = 0; i < n; i++)
            each(&antibodies[i], context);
    }
    free(sorted);
    free(antibodies);
    return ok;
}
