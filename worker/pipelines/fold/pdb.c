#include "worker/pipelines/fold/pdb.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns of an ATOM record, from 0. */
enum {
    NAME = 12,
    PLACE = 16, /* of several: "alternate location" */
    RESIDUE = 17,
    CHAIN = 21,
    NUMBER = 22,
    INSERTION = 26,
    X = 30,
    COORDINATE = 8, /* the width of each */
    LEAST = 54,     /* what a record must have */
    ELEMENT = 76,
    WIDTH = 80
};

typedef struct {
    pt_pdb_t *pdb;
    char *why;
    size_t line; /* from 1 */
} reader_t;

static bool refuse(reader_t *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(reader_t *r, const char *format, ...)
{
    va_list args;
    int n = r->line ? snprintf(r->why, PT_PDB_REASON_MAX, "line %zu: ", r->line) : 0;
    va_start(args, format);
    vsnprintf(r->why + n, PT_PDB_REASON_MAX - (size_t)n, format, args);
    va_end(args);
    return false;
}

static char amino_of(const char *three)
{
    static const char names[] = "ALAARGASNASPCYSGLNGLUGLYHISILELEULYSMETPHEPROSERTHRTRPTYRVAL";
    static const char letters[] = "ARNDCQEGHILKMFPSTWYV";
    for (size_t i = 0; letters[i]; i++)
        if (memcmp(names + 3 * i, three, 3) == 0)
            return letters[i];
    return 0;
}

/* A field of digits with at most one point, in fixed columns: no exponent, no hexadecimal, no name
   of what is no number. */
static bool read_number(const char *field, size_t width, double *value)
{
    char text[COORDINATE + 1], *end;
    memcpy(text, field, width);
    text[width] = 0;
    if (strspn(text, " +-.0123456789") != width)
        return false;
    *value = strtod(text, &end);
    return end != text && end[strspn(end, " ")] == 0;
}

/* The columns of the element, or the first letter of the name where they are empty. */
static char element_of(const char *record)
{
    if (record[ELEMENT] == ' ' && isalpha((unsigned char)record[ELEMENT + 1]))
        return record[ELEMENT + 1];
    if (record[ELEMENT] != ' ')
        return '?';
    size_t at = NAME + strspn(record + NAME, " 0123456789");
    return at < NAME + 4 ? record[at] : '?';
}

static void trim_name(const char *field, char name[5])
{
    size_t n = 0;
    for (size_t i = 0; i < 4; i++)
        if (field[i] != ' ')
            name[n++] = field[i];
    name[n] = 0;
}

static bool is_backbone(const char *name)
{
    static const char *const names[] = {"N", "CA", "C", "O", "OXT"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* The residue that the record is of: the last one, or a new one. NULL when refused. */
static pt_residue_t *residue_of(reader_t *r, const char *record)
{
    pt_pdb_t *pdb = r->pdb;
    double number;
    char letter = amino_of(record + RESIDUE);
    char insertion = record[INSERTION] == ' ' ? 0 : record[INSERTION];
    if (!letter) {
        refuse(r, "the residue is none of the 20 amino acids");
        return NULL;
    }
    if (!read_number(record + NUMBER, 4, &number) || number != (int)number) {
        refuse(r, "the residue's number is none");
        return NULL;
    }
    int found = pt_pdb_find(pdb, record[CHAIN], (int)number, insertion);
    if (found >= 0) {
        pt_residue_t *last = &pdb->residues[found];
        if ((size_t)found + 1 == pdb->residue_count && last->letter == letter)
            return last;
        refuse(r, "residue %d is there twice", (int)number);
        return NULL;
    }
    if (pdb->residue_count == PT_PDB_RESIDUES_MAX) {
        refuse(r, "there are more than %d residues", PT_PDB_RESIDUES_MAX);
        return NULL;
    }
    pt_residue_t *added = &pdb->residues[pdb->residue_count++];
    *added = (pt_residue_t){record[CHAIN], (int)number,     insertion,
                            letter,        pdb->atom_count, pdb->atom_count};
    return added;
}

static bool add_atom(reader_t *r, const char *record, char element)
{
    pt_pdb_t *pdb = r->pdb;
    pt_atom_t atom = {.element = element};
    trim_name(record + NAME, atom.name);
    if (!atom.name[0])
        return refuse(r, "the atom has no name");
    atom.backbone = is_backbone(atom.name);
    for (size_t axis = 0; axis < 3; axis++)
        if (!read_number(record + X + axis * COORDINATE, COORDINATE, &atom.at[axis]))
            return refuse(r, "a coordinate is no number");
    if (!strchr("CNOS", element))
        return refuse(r, "the element is none of C, N, O and S");
    pt_residue_t *residue = residue_of(r, record);
    if (!residue)
        return false;
    for (size_t i = residue->from; i < residue->to; i++)
        if (strcmp(pdb->atoms[i].name, atom.name) == 0)
            return refuse(r, "the residue has this atom twice");
    if (pdb->atom_count == PT_PDB_ATOMS_MAX)
        return refuse(r, "there are more than %d atoms", PT_PDB_ATOMS_MAX);
    pdb->atoms[pdb->atom_count++] = atom;
    residue->to = pdb->atom_count;
    return true;
}

/* `record` has WIDTH columns, filled up with spaces; `length` is what the line had. */
static bool read_record(reader_t *r, const char *record, size_t length)
{
    if (length < LEAST)
        return refuse(r, "the ATOM record is shorter than %d columns", LEAST);
    for (size_t i = 0; i < length; i++)
        if (record[i] < ' ' || record[i] > '~')
            return refuse(r, "column %zu is no ASCII text", i + 1);
    char element = element_of(record);
    bool hydrogen = element == 'H' || element == 'D';
    if (hydrogen || !strchr(" A1", record[PLACE]))
        return true;
    return add_atom(r, record, element);
}

static bool read_lines(reader_t *r, const char *text, size_t length)
{
    for (size_t from = 0; from < length;) {
        const char *end = memchr(text + from, '\n', length - from);
        size_t to = end ? (size_t)(end - text) : length, size = to - from;
        char record[WIDTH + 1];
        r->line++;
        size -= size > 0 && text[to - 1] == '\r';
        size = size < WIDTH ? size : WIDTH;
        memset(record, ' ', WIDTH);
        memcpy(record, text + from, size);
        record[WIDTH] = 0;
        if (memcmp(record, "ENDMDL", 6) == 0)
            break;
        if (memcmp(record, "ATOM  ", 6) == 0 && !read_record(r, record, size))
            return false;
        from = to + 1;
    }
    r->line = 0;
    return r->pdb->atom_count > 0 || refuse(r, "there is no ATOM record");
}

bool pt_pdb_read(const char *text, size_t length, pt_pdb_t *pdb, char why[PT_PDB_REASON_MAX])
{
    reader_t reader = {.pdb = pdb, .why = why};
    memset(pdb, 0, sizeof *pdb);
    if (length > PT_PDB_BYTES_MAX)
        return refuse(&reader, "the text is longer than %d bytes", PT_PDB_BYTES_MAX);
    pdb->atoms = calloc(PT_PDB_ATOMS_MAX, sizeof *pdb->atoms);
    pdb->residues = calloc(PT_PDB_RESIDUES_MAX, sizeof *pdb->residues);
    if (!pdb->atoms || !pdb->residues)
        refuse(&reader, "out of memory");
    else if (read_lines(&reader, text, length))
        return true;
    pt_pdb_clear(pdb);
    return false;
}

void pt_pdb_clear(pt_pdb_t *pdb)
{
    free(pdb->atoms);
    free(pdb->residues);
    memset(pdb, 0, sizeof *pdb);
}

int pt_pdb_find(const pt_pdb_t *pdb, char chain, int number, char insertion)
{
    for (size_t i = pdb->residue_count; i > 0; i--) { /* the last is asked for most */
        const pt_residue_t *residue = &pdb->residues[i - 1];
        if (residue->chain == chain && residue->number == number && residue->insertion == insertion)
            return (int)i - 1;
    }
    return -1;
}
