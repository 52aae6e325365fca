#include "worker/pipelines/immunogenicity/weights.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 10000, LINE_SIZE = 512 };
static const char SOURCE[] = "# source: ";
static const char HEADER[] = "allele\tfrequency";

typedef struct {
    FILE *file;
    const char *path;
    unsigned line;
    char text[LINE_SIZE];
    double frequency[PT_MHC_CLASSES][PT_ALLELES_MAX];
} table_t;

static bool refuse(const table_t *t, pt_error_t *error, const char *why)
{
    return pt_error_set(error, "allele_table_invalid",
                        "the allele table that this worker is configured with (%s), line %u: %s",
                        PT_ALLELE_TABLE, t->line, why);
}

static bool next_line(table_t *t)
{
    if (!fgets(t->text, sizeof t->text, t->file))
        return false;
    t->line++;
    t->text[strcspn(t->text, "\r\n")] = 0;
    return true;
}

static bool read_source(table_t *t, pt_panel_t *panel, pt_error_t *error)
{
    size_t skip = strlen(SOURCE);
    if (!next_line(t) || strncmp(t->text, SOURCE, skip) != 0 || !t->text[skip])
        return refuse(t, error,
                      "it must begin with `# source: ` and where the frequencies are from");
    snprintf(panel->source, sizeof panel->source, "%.*s", (int)sizeof panel->source - 1,
             t->text + skip);
    if (!next_line(t) || strcmp(t->text, HEADER) != 0)
        return refuse(t, error, "the columns must be allele and frequency, with a tab between");
    return true;
}

static bool read_row(table_t *t, pt_error_t *error)
{
    char *tab = strchr(t->text, '\t'), *end;
    if (!tab)
        return refuse(t, error, "there is no tab");
    *tab = 0;
    double frequency = strtod(tab + 1, &end);
    if (end == tab + 1 || *end || !(frequency > 0 && frequency <= 1))
        return refuse(t, error, "the frequency is no number above 0 and at most 1");
    for (pt_mhc_class_t m = 0; m < PT_MHC_CLASSES; m++) {
        int a = pt_panel_find(m, t->text);
        if (a >= 0 && t->frequency[m][a] > 0)
            return refuse(t, error, "the allele is there twice");
        if (a >= 0)
            t->frequency[m][a] = frequency;
    }
    return true;
}

static bool read_table(table_t *t, pt_panel_t *panel, pt_error_t *error)
{
    if (!read_source(t, panel, error))
        return false;
    while (next_line(t)) {
        if (t->line > LINES_MAX)
            return refuse(t, error, "it is too long");
        if (t->text[0] && !read_row(t, error))
            return false;
    }
    bool any = false;
    for (pt_mhc_class_t m = 0; m < PT_MHC_CLASSES; m++)
        any |= pt_panel_weigh(panel, m, t->frequency[m]);
    return any || refuse(t, error, "it has none of the alleles that take part");
}

bool pt_panel_weigh_by_table(pt_panel_t *panel, pt_error_t *error)
{
    table_t table = {.path = getenv(PT_ALLELE_TABLE)};
    if (!table.path || !*table.path)
        return true;
    table.file = fopen(table.path, "re");
    if (!table.file)
        return refuse(&table, error, strerror(errno));
    bool ok = read_table(&table, panel, error);
    fclose(table.file);
    return ok;
}
