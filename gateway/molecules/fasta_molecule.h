/* An antibody of a FASTA text as a molecule: `NAME VH` and `NAME VL` are a mab, any other record is
 * a nanobody or, with two variable domains, an scFv. Checked as every other at the door.
 */
#ifndef PT_FASTA_MOLECULE_H
#define PT_FASTA_MOLECULE_H

#include "gateway/molecules/fasta.h"

typedef struct {
    const char *format; /* a literal */
    char *chains;       /* [{kind, sequence}] as JSON, owned; NULL: it is none */
    size_t position;    /* of the letter that is wrong, from 1; 0: not one letter */
    char fault[600];    /* why it is none */
} pt_fasta_molecule_t;

/* Whether the record came with its partner before. */
bool pt_fasta_is_second(const pt_fasta_record_t *record);

/* The molecule that this record is, or begins. True: it is one, and its chains are to be freed. */
bool pt_fasta_molecule(const pt_fasta_record_t *record, pt_fasta_molecule_t *molecule);

/* The same, but a record that says VH or VL and has no partner is none: of many at once nobody sees
   that a typing error in a name made two nanobodies of an antibody. */
bool pt_fasta_whole_molecule(const pt_fasta_record_t *record, pt_fasta_molecule_t *molecule);

#endif
