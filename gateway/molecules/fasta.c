#include "gateway/molecules/fasta.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The next line without its end; false after the last. */
static bool next_line(const char **at, const char *end, const char **line, size_t *size)
{
    if (*at >= end)
        return false;
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    *line = *at;
    *size = (size_t)((stop ? stop : end) - *at);
    *at = stop ? stop + 1 : end;
    if (*size > 0 && (*line)[*size - 1] == '\r')
        --*size;
    return true;
}

static size_t word(const char *text, size_t size)
{
    size_t length = 0;
    while (length < size && !isspace((unsigned char)text[length]))
        length++;
    return length;
}

static size_t space(const char *text, size_t size)
{
    size_t length = 0;
    while (length < size && isspace((unsigned char)text[length]))
        length++;
    return length;
}

static pt_fasta_role_t role_of(const char *text, size_t size)
{
    if (size == 2 && memcmp(text, "VH", 2) == 0)
        return PT_FASTA_VH;
    if (size == 2 && memcmp(text, "VL", 2) == 0)
        return PT_FASTA_VL;
    return PT_FASTA_LONE;
}

static const char *add_record(pt_fasta_t *self, const char *header, size_t size)
{
    size_t skip = space(header, size), name = word(header + skip, size - skip);
    if (name == 0)
        return "a record has no name";
    if (memchr(header, 0, size))
        return "a record's first line has a NUL";
    pt_fasta_record_t *records = realloc(self->records, (self->count + 1) * sizeof *self->records);
    if (!records)
        return "out of memory";
    self->records = records;
    pt_fasta_record_t *record = &records[self->count];
    size_t second = skip + name + space(header + skip + name, size - skip - name);
    record->name = strndup(header + skip, name);
    record->sequence = strdup("");
    record->role = role_of(header + second, word(header + second, size - second));
    record->partner = NULL;
    self->count++;
    return record->name && record->sequence ? NULL : "out of memory";
}

static const char *add_residues(pt_fasta_t *self, const char *line, size_t size)
{
    if (self->count == 0)
        return space(line, size) == size ? NULL : "there is text before the first >";
    pt_fasta_record_t *record = &self->records[self->count - 1];
    size_t used = strlen(record->sequence);
    char *sequence = realloc(record->sequence, used + size + 1);
    if (!sequence)
        return "out of memory";
    record->sequence = sequence;
    for (size_t i = 0; i < size; i++) {
        if (line[i] == 0)
            sequence[used++] = '?'; /* a letter that the check will name */
        else if (!isspace((unsigned char)line[i]))
            sequence[used++] = line[i];
    }
    sequence[used] = 0;
    return NULL;
}

/* ---- pairs ------------------------------------------------------------------------------- */

/* By name, then role, then place in the file. */
static int by_name(const void *a, const void *b)
{
    const pt_fasta_record_t *const *left = a, *const *right = b;
    int order = strcmp((*left)->name, (*right)->name);
    if (order == 0 && (*left)->role != (*right)->role)
        order = (*left)->role < (*right)->role ? -1 : 1;
    return order ? order : *left < *right ? -1 : *left > *right;
}

/* Those of one name: its first VH and its first VL are one antibody, its second ones the next.
 * Whose name comes again may be another molecule, so what has no partner stays alone. */
static void pair(pt_fasta_record_t **records, size_t count)
{
    size_t heavy = 0;
    while (heavy < count && records[heavy]->role == PT_FASTA_LONE)
        heavy++;
    size_t light = heavy;
    while (light < count && records[light]->role == PT_FASTA_VH)
        light++;
    for (size_t end = light; heavy < end && light < count; heavy++, light++) {
        records[heavy]->partner = records[light];
        records[light]->partner = records[heavy];
    }
}

static const char *pair_all(pt_fasta_t *self)
{
    pt_fasta_record_t **sorted = malloc(self->count * sizeof *sorted);
    if (!sorted)
        return "out of memory";
    for (size_t i = 0; i < self->count; i++)
        sorted[i] = &self->records[i];
    qsort(sorted, self->count, sizeof *sorted, by_name);
    for (size_t from = 0, to; from < self->count; from = to) {
        for (to = from + 1; to < self->count && strcmp(sorted[from]->name, sorted[to]->name) == 0;)
            to++;
        pair(sorted + from, to - from);
    }
    free(sorted);
    return NULL;
}

/* ---- all of it --------------------------------------------------------------------------- */

const char *pt_fasta_read(pt_fasta_t *self, const char *text, size_t size)
{
    const char *at = text, *end = text + size, *line, *why = NULL;
    size_t length;
    memset(self, 0, sizeof *self);
    while (!why && next_line(&at, end, &line, &length)) {
        if (length > 0 && line[0] == '>')
            why = add_record(self, line + 1, length - 1);
        else
            why = add_residues(self, line, length);
    }
    if (why)
        return why;
    return self->count == 0 ? "there is no record in it" : pair_all(self);
}

void pt_fasta_clear(pt_fasta_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->records[i].name);
        free(self->records[i].sequence);
    }
    free(self->records);
    memset(self, 0, sizeof *self);
}
