/* FASTA for people's files: `NAME VH` and `NAME VL` are one antibody, any other record is one. */
#ifndef PT_FASTA_H
#define PT_FASTA_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { PT_FASTA_LONE, PT_FASTA_VH, PT_FASTA_VL } pt_fasta_role_t;

typedef struct pt_fasta_record pt_fasta_record_t;
struct pt_fasta_record {
    char *name;     /* the header's first word */
    char *sequence; /* all lines, without white space; letters as they are */
    pt_fasta_role_t role;
    /* The other half of the pair: of the same name's records with the other role the one in the
       same place, the first for the first. NULL if there is none, or this is no half. */
    const pt_fasta_record_t *partner;
};

typedef struct {
    pt_fasta_record_t *records; /* owned, in the file's order */
    size_t count;
} pt_fasta_t;

/* Returns NULL, or why the text is no FASTA. Always to be cleared. */
const char *pt_fasta_read(pt_fasta_t *self, const char *text, size_t size);
void pt_fasta_clear(pt_fasta_t *self);

#endif
