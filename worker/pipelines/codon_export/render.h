/*
 *  What a codon export answers: results as JSON, and files.
 */
#ifndef PT_CODON_RENDER_H
#define PT_CODON_RENDER_H

#include "worker/pipelines/codon_export/solve.h"
#include <jansson.h>

#define PT_CODON_METHOD "paratope exact codon design"
#define PT_CODON_VERSION "1"

#define PT_WORD_MAX 121 /* with its NUL */

/* files.c: a name as one word that every format takes: what is none of ASCII's letters, digits, -,
   . and _ is _ there. One that is too long is cut. */
void pt_codon_word(const char *name, size_t length, char word[PT_WORD_MAX]);

/* One chain, designed. */
typedef struct {
    const char *name;     /* "heavy" */
    const char *antibody; /* pt_codon_word of its name; "" without one */
    const pt_coding_t *coding;
    const pt_molecule_t *molecule;
    const pt_chain_t *chain;
} pt_coded_t;

/* {chain, dna, protein, gc, cai, constraints, changes, …}; *met is false when the check found
   something that must not be, which is then an error of this program. */
json_t *pt_json_coding(const pt_coded_t *coded, bool *met);

/* {first_residue, last_residue, residues, constraints} */
json_t *pt_json_conflict(const pt_coding_t *coding);

json_t *pt_json_codon_versions(const pt_codon_options_t *options);

/* files.c: {name: {media_type, content}} in the formats that the options name. */
json_t *pt_codon_files(const pt_codon_options_t *options, const pt_coded_t *coded, size_t count);

#endif
