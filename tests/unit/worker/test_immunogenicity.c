/*
 *  Immunogenicity inside: what is looked at, matrices by hand, and suggestions against a scan anew.
 */
#include "tests/unit/unit.h"
#include "worker/pipelines/antibody/humanness.h"
#include "worker/pipelines/immunogenicity/suggestions.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VH                                                                                         \
    "EVQLQQSGPELVKPGASLKLSCTASGFNIKDTYIHWVKQRPEQGLEWIGRIYPTNGYTRYDPKFQDKATITADTSSNTAYLQVSRLTSEDTA" \
    "VYYC"                                                                                         \
    "SRWGGDGFYAMDYWGQGASVTVSS"
#define VL                                                                                         \
    "DIVMTQSHKFMSTSVGDRVSITCKASQDVNTAVAWYQQKPGHSPKLLIYSASFRYTGVPDRFTGNRSGTDFTFTISSVQAEDLAVYYCQQHY" \
    "TTPP"                                                                                         \
    "TFGGGTKLEIK"
#define LINKER "GGGGSGGGGSGGGGS"

static pt_molecule_t molecule;
static pt_antigen_t antigen;
static pt_antigen_ddg_t ddg;
static pt_panel_t usual;

static int start(void **state)
{
    (void)state;
    pt_panel_usual(&usual);
    return 0;
}

static void read_chains(const pt_chain_t *chains, size_t count)
{
    pt_error_t error;
    assert_true(pt_molecule_read(chains, count, true, &molecule, &error));
    pt_antigen_of(&molecule, NULL, &antigen, ddg);
}

static void read_scfv(const char *sequence)
{
    static pt_chain_t chain;
    chain = (pt_chain_t){PT_KIND_SCFV, sequence, strlen(sequence)};
    read_chains(&chain, 1);
}

static void scores_are_the_matrix_summed(void **state)
{
    (void)state;
    const pt_mhc_panel_t *panel = &pt_mhc_panels[PT_MHC_2];
    const pt_mhc_matrix_t *first = &panel->matrices[0];
    assert_string_equal(first->allele, "HLA-DRB1*01:01");
    /* A pocket 1 that does not take alanine. */
    assert_true(pt_mhc_score(first, "AAAAAAAAA") < -1000000);
    assert_int_equal(pt_mhc_rank(panel, first, first->threshold[0]), 1);
    assert_int_equal(pt_mhc_rank(panel, first, first->threshold[0] - 1), 2);
    assert_true(pt_mhc_rank(panel, first, first->threshold[9] - 1) < 0);
    assert_int_equal(pt_panel_binders(&usual, PT_MHC_2, "AAAAAAAAA"), 0);
}

static void class_one_is_an_ic50(void **state)
{
    (void)state;
    /* The influenza matrix epitope, the classic binder of HLA-A*02:01 (row 1 of the panel). */
    const pt_mhc_panel_t *panel = &pt_mhc_panels[PT_MHC_1];
    assert_string_equal(panel->matrices[1].allele, "HLA-A*02:01");
    double ic50 = pt_mhc_value(PT_MHC_1, pt_mhc_score(&panel->matrices[1], "GILGFVFTL"));
    assert_true(ic50 > 1 && ic50 < 50);
    assert_true(pt_panel_binders(&usual, PT_MHC_1, "GILGFVFTL") >> 1 & 1);
    assert_false(pt_panel_binders(&usual, PT_MHC_1, "GDDGDDGDD") >> 1 & 1);
}

/* Weights add up to 1 over those that take part, whoever was left out. */
static void a_panel_weighs_those_that_take_part(void **state)
{
    (void)state;
    pt_panel_t panel = usual;
    double frequency[PT_ALLELES_MAX] = {0.1, 0.3, 0.9};
    assert_true(fabs(pt_panel_share(&panel, PT_MHC_2, 1) - 1.0 / 8) < 1e-12);
    panel.alleles[PT_MHC_2] = 3;
    assert_true(pt_panel_weigh(&panel, PT_MHC_2, frequency));
    assert_true(fabs(pt_panel_share(&panel, PT_MHC_2, 1) - 0.25) < 1e-12);
    assert_true(fabs(pt_panel_share(&panel, PT_MHC_2, 7) - 1) < 1e-12);
    double none[PT_ALLELES_MAX] = {0};
    assert_false(pt_panel_weigh(&panel, PT_MHC_2, none));
    assert_int_equal(pt_panel_find(PT_MHC_2, "HLA-DRB1*03:01"), 1);
    assert_int_equal(pt_panel_find(PT_MHC_1, "HLA-DRB1*03:01"), -1);
}

static void a_stricter_threshold_leaves_fewer_binders(void **state)
{
    (void)state;
    pt_panel_t panel = usual;
    const pt_mhc_matrix_t *first = &pt_mhc_panels[PT_MHC_2].matrices[0];
    static const char core[] = "YLYLQMNSL";
    int32_t score = pt_mhc_score(first, core);
    for (panel.threshold = 1; panel.threshold <= 10; panel.threshold++)
        assert_int_equal(pt_panel_binders(&panel, PT_MHC_2, core) & 1,
                         score >= first->threshold[panel.threshold - 1]);
}

static void an_scfv_is_one_stretch_with_its_linker(void **state)
{
    (void)state;
    read_scfv(VL LINKER VH "HHHHHH");
    assert_int_equal(antigen.stretch_count, 1);
    const pt_stretch_t *stretch = &antigen.stretches[0];
    assert_string_equal(stretch->residues, VL LINKER VH);
    size_t vl = strlen(VL), vh = vl + strlen(LINKER);
    assert_int_equal(pt_antigen_residue(&antigen, stretch, vl - 1), vl - 1);
    assert_int_equal(pt_antigen_residue(&antigen, stretch, vl), -1);
    assert_int_equal(pt_antigen_residue(&antigen, stretch, vh), 0);
    assert_int_equal(stretch->domain[vh], 0);
}

static void a_mutation_reaches_stretch_and_domain(void **state)
{
    (void)state;
    read_scfv(VL LINKER VH);
    size_t place = strlen(VL LINKER) + 4;
    pt_antigen_mutate(&antigen, 0, place, 'V');
    assert_int_equal(antigen.stretches[0].residues[place], 'V');
    assert_int_equal(antigen.domains[0].residues[4], 'V');
    assert_string_equal(antigen.domains[1].residues, VL);
}

static void loops_of_charge_between_greasy_stretches_are_epitopes(void **state)
{
    (void)state;
    static const char sequence[] = "LLVVLLVVLLVVLLNKDSGNKPDSGLLVVLLVVLLVVLL";
    pt_bcell_epitope_t found[4];
    assert_int_equal(pt_bcell_find(sequence, strlen(sequence), found, 4), 1);
    assert_true(found[0].from >= 10 && found[0].from <= 16);
    assert_true(found[0].to >= 22 && found[0].to <= 28);
    assert_int_equal(pt_bcell_find("LLVVLLVVLLVVLL", 14, found, 4), 0);
    assert_int_equal(pt_bcell_find("NKD", 3, found, 4), 0);
}

static void germline_cores_weigh_nothing(void **state)
{
    (void)state;
    assert_false(pt_core_of(&usual, "TLYLQMNSL").foreign);
    assert_true(pt_core_of(&usual, "TLYLQWWSL").foreign);
}

static void suggestions_lower_what_a_scan_counts(void **state)
{
    (void)state;
    pt_chain_t chains[] = {{PT_KIND_HEAVY, VH, strlen(VH)}, {PT_KIND_LIGHT, VL, strlen(VL)}};
    pt_suggestion_t found[PT_SUGGESTIONS_MAX];
    size_t count;
    pt_scan_t *scans = malloc(2 * sizeof *scans);
    read_chains(chains, 2);
    pt_scan(&antigen, &usual, scans);
    pt_risk_t before = pt_risk_of(&antigen, &usual, scans);
    static pt_suggestion_choice_t choice = {.most = PT_SUGGESTIONS_MAX};
    assert_true(pt_suggest(&antigen, &usual, scans, &choice, found, &count));
    assert_true(count > 5);
    for (size_t i = 0; i < count; i++) {
        pt_antigen_t mutated = antigen;
        pt_antigen_mutate(&mutated, found[i].stretch, found[i].place, found[i].to);
        pt_scan(&mutated, &usual, scans);
        pt_risk_t after = pt_risk_of(&mutated, &usual, scans);
        assert_true(after.mhc[PT_MHC_2] < before.mhc[PT_MHC_2]);
        assert_true(after.mhc[PT_MHC_2] == found[i].risk.mhc[PT_MHC_2]);
    }
    free(scans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_the_matrix_summed),
        cmocka_unit_test(class_one_is_an_ic50),
        cmocka_unit_test(a_panel_weighs_those_that_take_part),
        cmocka_unit_test(a_stricter_threshold_leaves_fewer_binders),
        cmocka_unit_test(an_scfv_is_one_stretch_with_its_linker),
        cmocka_unit_test(a_mutation_reaches_stretch_and_domain),
        cmocka_unit_test(loops_of_charge_between_greasy_stretches_are_epitopes),
        cmocka_unit_test(germline_cores_weigh_nothing),
        cmocka_unit_test(suggestions_lower_what_a_scan_counts),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
