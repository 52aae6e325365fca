/* A structure's text: what worker/pipelines/fold reads of a model that another job made. */
#include "fuzz.h"
#include "worker/pipelines/fold/surface.h"
#include <math.h>

#define MEASURED_MAX 200 /* atoms: the area of more only takes longer */

static void check_residue(const pt_pdb_t *pdb, const pt_residue_t *residue)
{
    CHECK(residue->from < residue->to && residue->to <= pdb->atom_count);
    CHECK(strchr("ACDEFGHIKLMNPQRSTVWY", residue->letter));
    for (size_t i = residue->from; i < residue->to; i++) {
        CHECK(strchr("CNOS", pdb->atoms[i].element) && pdb->atoms[i].name[0]);
        CHECK(fabs(pdb->atoms[i].at[0]) < 1e8 && fabs(pdb->atoms[i].at[2]) < 1e8);
        for (size_t j = residue->from; j < i; j++)
            CHECK(strcmp(pdb->atoms[i].name, pdb->atoms[j].name) != 0);
    }
}

static void check_surface(const pt_pdb_t *pdb)
{
    pt_accessibility_t found[MEASURED_MAX];
    CHECK(pt_accessibility(pdb, found));
    for (size_t r = 0; r < pdb->residue_count; r++) {
        CHECK(found[r].whole >= 0 && found[r].whole <= 1 && found[r].side >= 0);
        CHECK(pt_residue_distance(pdb, 0, r) >= 0);
        CHECK(pt_is_salt_bridge(pdb, 0, r) == pt_is_salt_bridge(pdb, r, 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    char why[PT_PDB_REASON_MAX] = "";
    char *text = (char *)take(&reader, &size);
    pt_pdb_t pdb;
    if (pt_pdb_read(text, size, &pdb, why)) {
        size_t atoms = 0;
        for (size_t r = 0; r < pdb.residue_count; r++) {
            const pt_residue_t *residue = &pdb.residues[r];
            CHECK(residue->from == atoms);
            CHECK(pt_pdb_find(&pdb, residue->chain, residue->number, residue->insertion) == (int)r);
            check_residue(&pdb, residue);
            atoms = residue->to;
        }
        CHECK(atoms == pdb.atom_count && atoms > 0);
        if (atoms <= MEASURED_MAX)
            check_surface(&pdb);
        pt_pdb_clear(&pdb);
    } else {
        CHECK(why[0]);
    }
    free(text);
    return 0;
}
