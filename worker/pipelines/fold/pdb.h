/*
 *  A structure as text in the PDB format: the heavy atoms of its amino acids, by residue. Reads any
 * bytes: what is no such text is refused with the line and the reason.
 */
#ifndef PT_FOLD_PDB_H
#define PT_FOLD_PDB_H

#include <stdbool.h>
#include <stddef.h>

#define PT_PDB_BYTES_MAX (4 * 1024 * 1024)
#define PT_PDB_ATOMS_MAX 8000 /* an Fv has some 1,800 */
#define PT_PDB_RESIDUES_MAX 1000
#define PT_PDB_REASON_MAX 160 /* bytes, with the final 0 */

typedef struct {
    double at[3];  /* Å */
    char name[5];  /* "CA" */
    char element;  /* 'C', 'N', 'O' or 'S' */
    bool backbone; /* N, CA, C, O or OXT */
} pt_atom_t;

/* Atoms [from, to) of the structure. */
typedef struct {
    char chain;
    int number;
    char insertion; /* 0 without */
    char letter;    /* the amino acid */
    size_t from, to;
} pt_residue_t;

typedef struct {
    size_t atom_count, residue_count;
    pt_atom_t *atoms; /* both owned, and freed by pt_pdb_clear */
    pt_residue_t *residues;
} pt_pdb_t;

/*
 *  Reads ATOM records up to the end or the first ENDMDL. Hydrogens and all alternative places but
 * the first (blank, A or 1) are left out. False with a reason: no atoms, residues that are none of
 * the 20, elements but C, N, O and S, a residue or atom twice, more than the limits, or memory.
 */
bool pt_pdb_read(const char *text, size_t length, pt_pdb_t *pdb, char why[PT_PDB_REASON_MAX]);
void pt_pdb_clear(pt_pdb_t *pdb);

/* The residue of that name; -1 when there is none. */
int pt_pdb_find(const pt_pdb_t *pdb, char chain, int number, char insertion);

#endif
