/*
 *  How much of a structure the solvent touches, and how near its residues are. Pure but for scratch
 * memory.
 */
#ifndef PT_FOLD_SURFACE_H
#define PT_FOLD_SURFACE_H

#include "worker/pipelines/fold/pdb.h"

/* Of one residue, each as a share (0 to 1) of the most that it can have. */
typedef struct {
    double whole; /* against Tien et al. 2013 (theoretical) */
    double side;  /* of the side chain, of glycine the whole; against Ala-X-Ala, FreeSASA's */
} pt_accessibility_t;

/*
 *  Shrake & Rupley 1973 with a probe of 1.4 Å and 96 points an atom, over all atoms of the
 * structure; one value for each of its residues. False when memory is out.
 */
bool pt_accessibility(const pt_pdb_t *pdb, pt_accessibility_t *found);

/* Å between the nearest atoms of two residues. */
double pt_residue_distance(const pt_pdb_t *pdb, size_t a, size_t b);

/* Lys or Arg and Asp or Glu, in either order, whose NZ, NH1 or NH2 and carboxyl oxygen are
   nearer than 3.2 Å. */
bool pt_is_salt_bridge(const pt_pdb_t *pdb, size_t a, size_t b);

#endif
