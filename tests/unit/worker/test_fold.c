/*
 *  Structures by hand: what a record may be, the area of spheres, distances, salt bridges.
 */
#include "tests/unit/unit.h"
#include "worker/pipelines/fold/surface.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static char text[4 * 1024 * 1024 + 2];
static char why[PT_PDB_REASON_MAX];
static pt_pdb_t pdb;

static void add(const char *name, const char *residue, char chain, int number, double x,
                const char *element)
{
    size_t n = strlen(text);
    snprintf(text + n, sizeof text - n,
             "ATOM      1  %-4s%s %c%4d    %8.3f   0.000   0.000  1.00  0.00          %2s\n", name,
             residue, chain, number, x, element);
}

static bool read_text(void)
{
    return pt_pdb_read(text, strlen(text), &pdb, why);
}

static int start(void **state)
{
    (void)state;
    text[0] = 0;
    return 0;
}

static void records_become_residues(void **state)
{
    (void)state;
    add("N", "LYS", 'H', 7, 0, "N");
    add("CA", "LYS", 'H', 7, 1.5, "C");
    add("NZ", "LYS", 'H', -8, 6, "N");
    assert_true(read_text());
    assert_int_equal(pdb.atom_count, 3);
    assert_int_equal(pdb.residue_count, 2);
    assert_int_equal(pt_pdb_find(&pdb, 'H', -8, 0), 1);
    assert_int_equal(pt_pdb_find(&pdb, 'L', 7, 0), -1);
    assert_true(pdb.atoms[1].backbone && !pdb.atoms[2].backbone);
    assert_true(pdb.atoms[2].at[0] == 6);
    pt_pdb_clear(&pdb);
}

static void the_element_may_be_left_to_the_name(void **state)
{
    (void)state;
    strcpy(text, "ATOM      1  SG  CYS H   7       1.000   2.000   3.000");
    assert_true(read_text());
    assert_int_equal(pdb.atoms[0].element, 'S');
    pt_pdb_clear(&pdb);
    strcpy(text, "ATOM      1 1HB  ALA H   7       1.000   2.000   3.000");
    assert_false(read_text()); /* a hydrogen alone is no structure */
    assert_string_equal(why, "there is no ATOM record");
}

static void more_atoms_than_the_limit_are_refused(void **state)
{
    (void)state;
    char name[8];
    size_t n = 0;
    for (int i = 0; i <= PT_PDB_ATOMS_MAX; i++) {
        snprintf(name, sizeof name, "C%d", i % 8);
        n += (size_t)sprintf(text + n, "ATOM      1  %-4sALA %c%4d       1.000   2.000   3.000\n",
                             name, 'A' + i / 8 / 900, i / 8 % 900);
    }
    assert_false(read_text());
    assert_non_null(strstr(why, "more than"));
}

static void a_text_longer_than_the_limit_is_refused(void **state)
{
    (void)state;
    memset(text, ' ', PT_PDB_BYTES_MAX + 1);
    assert_false(pt_pdb_read(text, PT_PDB_BYTES_MAX + 1, &pdb, why));
    assert_non_null(strstr(why, "longer"));
}

static void an_atom_has_a_name(void **state)
{
    (void)state;
    add("", "GLY", 'H', 1, 0, "C");
    assert_false(read_text());
    assert_string_equal(why, "line 1: the atom has no name");
}

static void a_nul_is_no_text(void **state)
{
    (void)state;
    add("CA", "GLY", 'H', 1, 0, "C");
    text[13] = 0;
    assert_false(pt_pdb_read(text, 81, &pdb, why));
    assert_non_null(strstr(why, "ASCII"));
}

/* A lone CA of glycine: the whole sphere of 1.7 + 1.4 Å is 120.76 square ångström, of 104 at most.
 * A second one at 3.1 Å hides a cap of half a radius' height, which is a quarter of the area. */
static void spheres_have_their_areas(void **state)
{
    (void)state;
    pt_accessibility_t found[3];
    add("CB", "TRP", 'H', 1, 0, "C");
    add("CB", "TRP", 'H', 2, 3.1, "C");
    add("CB", "TRP", 'H', 3, 50, "C");
    assert_true(read_text());
    assert_true(pt_accessibility(&pdb, found));
    assert_true(fabs(found[2].whole - 120.763 / 285) < 1e-4);
    assert_true(fabs(found[2].side - 120.763 / 206.6) < 1e-4);
    assert_true(fabs(found[0].whole / found[2].whole - 0.75) < 3.0 / 96);
    assert_true(fabs(pt_residue_distance(&pdb, 0, 2) - 50) < 1e-9);
    pt_pdb_clear(&pdb);
}

static void a_salt_bridge_is_of_charged_ends(void **state)
{
    (void)state;
    add("NZ", "LYS", 'H', 1, 0, "N");
    add("OD1", "ASP", 'H', 2, 3.1, "O");
    add("OE1", "GLU", 'H', 3, -3.3, "O");
    add("NE", "ARG", 'H', 4, 6, "N");
    assert_true(read_text());
    assert_true(pt_is_salt_bridge(&pdb, 0, 1));
    assert_true(pt_is_salt_bridge(&pdb, 1, 0));
    assert_false(pt_is_salt_bridge(&pdb, 0, 2)); /* too far */
    assert_false(pt_is_salt_bridge(&pdb, 1, 2)); /* both negative */
    assert_false(pt_is_salt_bridge(&pdb, 1, 3)); /* 2.9 Å, but not by its end */
    pt_pdb_clear(&pdb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(records_become_residues, start),
        cmocka_unit_test_setup(the_element_may_be_left_to_the_name, start),
        cmocka_unit_test_setup(more_atoms_than_the_limit_are_refused, start),
        cmocka_unit_test_setup(a_text_longer_than_the_limit_is_refused, start),
        cmocka_unit_test_setup(an_atom_has_a_name, start),
        cmocka_unit_test_setup(a_nul_is_no_text, start),
        cmocka_unit_test_setup(spheres_have_their_areas, start),
        cmocka_unit_test_setup(a_salt_bridge_is_of_charged_ends, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
