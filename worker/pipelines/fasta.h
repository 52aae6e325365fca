/*
 *  Antibodies from a FASTA file: the header's first word is the name, the second the chain. `NAME
 * VH` and `NAME VL` belong together wherever they stand; a record with another second word, or
 * none, stands alone.
 */
#ifndef PT_FASTA_H
#define PT_FASTA_H

#include "worker/pipelines/molecule.h"

typedef struct {
    char *name;     /* "" when the header has none */
    char *label;    /* the second word, "" when there is none */
    char *sequence; /* capital letters, white space taken out */
    size_t length;
    pt_chain_kind_t kind;
} pt_record_t;

typedef struct {
    pt_record_t *records;
    size_t count;
} pt_fasta_t;

/* The records of one antibody, in the file's order (borrowed). */
typedef struct {
    const char *name;
    const pt_record_t *records[PT_CHAINS_MAX];
    size_t count;
    bool too_many; /* more records of that name than one antibody can have */
} pt_antibody_t;

/* False with the reason on *why when the file cannot be read, is no FASTA, or memory is out. */
bool pt_fasta_read(const char *path, pt_fasta_t *fasta, const char **why);
void pt_fasta_clear(pt_fasta_t *fasta);

/* Calls `each` for every antibody in order of its first record; with `apart` each record is one of
   its own. False when memory is out. */
typedef void (*pt_antibody_fn)(const pt_antibody_t *antibody, void *context);
bool pt_fasta_each(const pt_fasta_t *fasta, bool apart, pt_antibody_fn each, void *context);

#endif
