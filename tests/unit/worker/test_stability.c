#include "tests/unit/unit.h"

#include "worker/pipelines/antibody/tables.h"
#include "worker/pipelines/stability/ddg.h"
#include "worker/pipelines/stability/stability.h"
#include <math.h>
#include <string.h>

static const char vh[] =
    "EVQLQQSGPELVKPGASLKLSCTASGFNIKDTYIHWVKQRPEQGLEWIGRIYPTNGYTRYDPKFQDKATITADTSSNTAYLQVSR"
    "LTSEDTAVYYCSRWGGDGFYAMDYWGQGASVTVSS";
static const char vl[] =
    "DIVMTQSHKFMSTSVGDRVSITCKASQDVNTAVAWYQQKPGHSPKLLIYSASFRYTGVPDRFTGNRSGTDFTFTISSVQAEDLAV"
    "YYCQQHYTTPPTFGGGTKLEIK";

static int amino(char letter)
{
    return (int)(strchr(PT_AMINO, letter) - PT_AMINO);
}

static void the_ends_of_a_sequence_have_fewer_neighbours(void **state)
{
    (void)state;
    double ddg[PT_DDG_AMINO];
    for (size_t at = 0; at < 3; at++) {
        assert_true(pt_ddg("WKL", 3, at, PT_RSA_UNKNOWN, ddg));
        for (int a = 0; a < PT_DDG_AMINO; a++)
            assert_true(isfinite(ddg[a]));
    }
    assert_true(pt_ddg("W", 1, 0, PT_RSA_UNKNOWN, ddg));
    assert_true(ddg[amino('W')] == 0);
}

static void an_unknown_residue_has_no_change(void **state)
{
    (void)state;
    double ddg[PT_DDG_AMINO];
    assert_false(pt_ddg("WXL", 3, 1, 0.5, ddg));
    assert_true(ddg[0] == 0);
}

/* 1.642 V - 0.421 H with V = -0.781 (100 cubic ångström) and H = 3.2, wild - mutant, when buried.
 */
static void simba_of_leucine_to_alanine(void **state)
{
    (void)state;
    assert_true(fabs(pt_simba_sym(amino('L'), amino('A'), 0) - -2.6296) < 1e-3);
    assert_true(fabs(pt_simba_sym(amino('A'), amino('L'), 0) - 2.6296) < 1e-3);
}

/* Ten times as many relatives: 0.3 ln 10. A share of 0 counts as 0.003, so 0.3 ln 100 from 0.3. */
static void what_relatives_say_is_a_logarithm(void **state)
{
    (void)state;
    assert_true(fabs(pt_ddg_evidence(0.05, 0.5) - 0.690776) < 1e-6);
    assert_true(fabs(pt_ddg_evidence(0, 0.3) - 1.381551) < 1e-6);
    assert_true(pt_ddg_evidence(0.3, 0) == -pt_ddg_evidence(0, 0.3));
    assert_true(pt_ddg_evidence(0.001, 0.002) == 0);
}

static void nothing(const char *step, double fraction, void *context)
{
    (void)step;
    (void)fraction;
    (void)context;
}

static void proposals_are_sorted_and_bounded(void **state)
{
    (void)state;
    static pt_stability_t result;
    const pt_chain_t chains[] = {{PT_KIND_HEAVY, vh, sizeof vh - 1},
                                 {PT_KIND_LIGHT, vl, sizeof vl - 1}};
    pt_molecule_t molecule;
    pt_error_t error;
    assert_true(pt_molecule_read(chains, 2, false, &molecule, &error));
    static pt_scan_choice_t all;
    memset(all.wanted, true, sizeof all.wanted);
    pt_analyse_stability(&molecule, NULL, &all, nothing, NULL, &result);
    assert_true(result.stabilizing_count > 1 && result.stabilizing_count <= PT_STABILIZING_MAX);
    for (size_t i = 1; i < result.stabilizing_count; i++)
        assert_true(result.stabilizing[i - 1].ddg >= result.stabilizing[i].ddg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ends_of_a_sequence_have_fewer_neighbours),
        cmocka_unit_test(an_unknown_residue_has_no_change),
        cmocka_unit_test(simba_of_leucine_to_alanine),
        cmocka_unit_test(what_relatives_say_is_a_logarithm),
        cmocka_unit_test(proposals_are_sorted_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
