#include "ddg_table.h"
#include "ddg.h"
#include "tables.h"
#include "worker/pipelines/antibody/align.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEQUENCE, POSITION, MUTANT, RSA, WILD_SHARE, MUTANT_SHARE, COLUMNS };
enum { STATUS_ROW = 1, STATUS_FILE = 2 };
static const char *const names[COLUMNS] = {"sequence", "position",   "mutant",
                                           "rsa",      "wild_share", "mutant_share"};

/* Which column of the file each name is; -1 when it has none. */
typedef struct {
    int at[COLUMNS];
} header_t;

/* Cuts the next cell off *line, which becomes NULL after the last. */
static char *next_cell(char **line)
{
    return strsep(line, "\t");
}

static bool read_header(char *line, header_t *header)
{
    for (int c = 0; c < COLUMNS; c++)
        header->at[c] = -1;
    for (int column = 0; line; column++) {
        const char *cell = next_cell(&line);
        for (int c = 0; c < COLUMNS; c++)
            if (strcmp(cell, names[c]) == 0)
                header->at[c] = column;
    }
    return header->at[SEQUENCE] >= 0 && header->at[POSITION] >= 0 && header->at[MUTANT] >= 0;
}

/* The named cells of a row; NULL for those that are not there. */
static void read_cells(char *line, const header_t *header, const char *cells[COLUMNS])
{
    memset(cells, 0, COLUMNS * sizeof *cells);
    for (int column = 0; line; column++) {
        const char *cell = next_cell(&line);
        for (int c = 0; c < COLUMNS; c++)
            if (header->at[c] == column)
                cells[c] = cell;
    }
}

/* A number from 0 to 1; `unknown` where the cell is empty or not there. */
static bool read_part(const char *text, double unknown, double *part)
{
    *part = unknown;
    if (!text || !*text)
        return true;
    char *end;
    *part = strtod(text, &end);
    return end != text && !*end && *part >= 0 && *part <= 1;
}

/* Adds what the shares say where both are known. NULL, or why it cannot. */
static const char *add_evidence(const char *const cells[COLUMNS], double *ddg)
{
    double wild, mutant;
    if (!read_part(cells[WILD_SHARE], -1, &wild) || !read_part(cells[MUTANT_SHARE], -1, &mutant))
        return "wild_share or mutant_share is no number from 0 to 1";
    if ((wild < 0) != (mutant < 0))
        return "wild_share and mutant_share go together";
    *ddg += wild < 0 ? 0 : pt_ddg_evidence(wild, mutant);
    return NULL;
}

/* NULL, or why a cell says nothing that can be computed. `at` counts from 0. */
static const char *read_place(const char *const cells[COLUMNS], size_t *at, int *mutant)
{
    if (!cells[SEQUENCE] || !cells[POSITION] || !cells[MUTANT])
        return "a column is missing";
    char *end;
    errno = 0;
    unsigned long position = strtoul(cells[POSITION], &end, 10);
    if (errno || end == cells[POSITION] || *end || position < 1 ||
        position > strlen(cells[SEQUENCE]))
        return "position is no residue of the sequence (counted from 1)";
    *at = position - 1;
    *mutant = strlen(cells[MUTANT]) == 1 ? pt_amino_index(cells[MUTANT][0]) : -1;
    return *mutant < 0 ? "mutant is none of the 20 amino acids (one capital letter)" : NULL;
}

/* NULL, or why the row cannot be computed. */
static const char *compute(const char *const cells[COLUMNS], double *ddg)
{
    size_t at;
    int mutant;
    double rsa, all[PT_DDG_AMINO];
    const char *why = read_place(cells, &at, &mutant);
    if (why)
        return why;
    if (!read_part(cells[RSA], PT_RSA_UNKNOWN, &rsa))
        return "rsa is no number from 0 to 1";
    if (!pt_ddg(cells[SEQUENCE], strlen(cells[SEQUENCE]), at, rsa, all))
        return "the residue at position is none of the 20 amino acids (capital letters)";
    *ddg = all[mutant];
    return add_evidence(cells, ddg);
}

/* Prints a row with its ddg; false when it has none. */
static bool print_row(char *line, const header_t *header, unsigned long number)
{
    const char *cells[COLUMNS];
    double ddg;
    printf("%s\t", line);
    read_cells(line, header, cells);
    const char *why = compute(cells, &ddg);
    if (why)
        fprintf(stderr, "paratope-pipeline: line %lu: %s\n", number, why);
    else
        printf("%.4f", ddg + 0.0);
    putchar('\n');
    return !why;
}

/* The first line: what is where. It is printed with the new column's name. */
static bool begin(FILE *file, char **line, size_t *size, header_t *header)
{
    if (getline(line, size, file) < 0)
        return false;
    (*line)[strcspn(*line, "\r\n")] = 0;
    char *copy = strdup(*line);
    bool ok = copy && read_header(copy, header);
    free(copy);
    if (ok)
        printf("%s\tddg\n", *line);
    return ok;
}

static int run(FILE *file, const char *path)
{
    char *line = NULL;
    size_t size = 0;
    header_t header;
    int status = begin(file, &line, &size, &header) ? 0 : STATUS_FILE;
    if (status)
        fprintf(stderr,
                "paratope-pipeline: %s: the first line must name the columns sequence, position "
                "and mutant, separated by tabs\n",
                path);
    for (unsigned long number = 2; status != STATUS_FILE && getline(&line, &size, file) >= 0;
         number++) {
        line[strcspn(line, "\r\n")] = 0;
        if (*line && !print_row(line, &header, number))
            status = STATUS_ROW;
    }
    free(line);
    return status;
}

int pt_ddg_table(const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!file) {
        fprintf(stderr, "paratope-pipeline: %s: %s\n", path, strerror(errno));
        return STATUS_FILE;
    }
    int status = run(file, path);
    if (!status && ferror(file)) {
        fprintf(stderr, "paratope-pipeline: %s: %s\n", path, strerror(errno));
        status = STATUS_FILE;
    }
    if (file != stdin)
        fclose(file);
    return fflush(stdout) ? STATUS_FILE : status;
}
