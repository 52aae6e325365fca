#include "sequences.h"

#include "worker/pipelines/antibody/humanness.h"
#include "worker/pipelines/antibody/liabilities.h"
#include "worker/pipelines/antibody/regions.h"
#include <string.h>

static pt_liability_t found[PT_LIABILITIES_MAX];

static pt_domain_t domain_of(const char *sequence)
{
    pt_domain_t domain;
    pt_fault_t fault;
    assert_int_equal(pt_antibody_check(sequence, strlen(sequence), &domain, 1, &fault), 1);
    return domain;
}

/* A domain with the residues from one IMGT position on replaced. */
static pt_domain_t changed(const char *sequence, uint8_t imgt, const char *with)
{
    pt_domain_t domain = domain_of(sequence);
    int at = pt_domain_find(&domain, (pt_position_t){imgt, 0});
    assert_true(at >= 0);
    memcpy(domain.residues + at, with, strlen(with));
    return domain;
}

/* How many of that name begin at that IMGT position (0: anywhere). */
static int count(const pt_domain_t *heavy, const pt_domain_t *light, const char *name, uint8_t imgt)
{
    const pt_domain_t *domains[] = {heavy, light};
    size_t n = pt_find_liabilities(domains, light ? 2 : 1, found, PT_LIABILITIES_MAX);
    int matching = 0;
    for (size_t i = 0; i < n; i++)
        matching += strcmp(found[i].name, name) == 0 &&
                    (!imgt || domains[found[i].domain]->positions[found[i].from].number == imgt);
    return matching;
}

static void glycosylation_needs_the_motif(void **state)
{
    (void)state;
    pt_domain_t d = changed(TRASTUZUMAB_VH, 84, "NAS"); /* FR3: it counts in the whole Fv */
    assert_int_equal(count(&d, NULL, "n_glycosylation", 84), 1);
    d = changed(TRASTUZUMAB_VH, 84, "NPS");
    assert_int_equal(count(&d, NULL, "n_glycosylation", 84), 0);
    d = changed(TRASTUZUMAB_VH, 84, "NAA");
    assert_int_equal(count(&d, NULL, "n_glycosylation", 84), 0);
}

static void paired_cysteines_are_no_liability(void **state)
{
    (void)state;
    pt_domain_t d = domain_of(TRASTUZUMAB_VH);
    assert_int_equal(count(&d, NULL, "unpaired_cysteine", 0), 0);
    d = changed(TRASTUZUMAB_VH, 110, "C");
    assert_int_equal(count(&d, NULL, "unpaired_cysteine", 110), 1);
}

static void chemistry_counts_in_cdrs_and_vernier_zone_only(void **state)
{
    (void)state;
    pt_domain_t d = changed(TRASTUZUMAB_VH, 107, "NG"); /* CDR3 */
    assert_int_equal(count(&d, NULL, "deamidation", 107), 1);
    d = changed(TRASTUZUMAB_VH, 16, "NG"); /* FR1 */
    assert_int_equal(count(&d, NULL, "deamidation", 16), 0);
    assert_true(pt_in_vernier_zone('H', (pt_position_t){80, 0}));
    d = changed(TRASTUZUMAB_VH, 80, "NG"); /* FR3, Vernier */
    assert_int_equal(count(&d, NULL, "deamidation", 80), 1);
    d = domain_of(TRASTUZUMAB_VH); /* W41 and W118: only the second is Vernier */
    assert_int_equal(count(&d, NULL, "trp_oxidation", 41), 0);
}

static void alternatives_of_a_motif_are_all_found(void **state)
{
    (void)state;
    static const char *const motifs[] = {"RGD", "RYD", "LDV"};
    for (size_t m = 0; m < 3; m++) {
        pt_domain_t d = changed(TRASTUZUMAB_VH, 14, motifs[m]);
        assert_int_equal(count(&d, NULL, "integrin_binding", 14), 1);
    }
}

static void n_terminal_glutamate_needs_both_chains(void **state)
{
    (void)state;
    pt_domain_t h = domain_of(TRASTUZUMAB_VH), l = domain_of(TRASTUZUMAB_VL);
    assert_int_equal(count(&h, &l, "n_terminal_glutamate", 0), 0);
    l.residues[0] = 'E';
    assert_int_equal(count(&h, &l, "n_terminal_glutamate", 0), 2);
    assert_int_equal(count(&h, NULL, "n_terminal_glutamate", 0), 0);
}

/* A germline gene is human through and through, the mouse antibody less than its humanized form. */
static void humanness_orders_antibodies(void **state)
{
    (void)state;
    /* IGHV3-23*01 with IGHJ4 and a short CDR3 */
    pt_domain_t germline =
        domain_of("EVQLLESGGGLVQPGGSLRLSCAASGFTFSSYAMSWVRQAPGKGLEWVSAISGSGGSTYYADSVKGRFTIS"
                  "RDNSKNTLYLQMNSLRAEDTAVYYCAKGGYFDYWGQGTLVTVSS");
    pt_domain_t humanized = domain_of(TRASTUZUMAB_VH), mouse = domain_of(MU4D5_VH);
    assert_float_equal(pt_humanness(&germline).score, 1.0, 1e-9);
    assert_float_equal(pt_humanness(&germline).germline_identity, 1.0, 1e-9);
    assert_true(pt_humanness(&humanized).score < 1.0);
    assert_true(pt_humanness(&humanized).score > pt_humanness(&mouse).score + 0.05);
    assert_true(pt_humanness(&mouse).score > 0.3);
}

static void repertoire_shares_are_shares(void **state)
{
    (void)state;
    double sum = 0;
    for (const char *a = "ACDEFGHIKLMNPQRSTVWY"; *a; a++)
        sum += pt_repertoire_share("IGHV3-23*04", (pt_position_t){23, 0}, *a);
    assert_float_equal(sum, 1.0, 0.01);
    assert_true(pt_repertoire_share("IGHV3-23*04", (pt_position_t){23, 0}, 'C') > 0.9);
    assert_true(pt_repertoire_share("IGHV3-23*04", (pt_position_t){111, 'A'}, 'C') < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(glycosylation_needs_the_motif),
        cmocka_unit_test(paired_cysteines_are_no_liability),
        cmocka_unit_test(chemistry_counts_in_cdrs_and_vernier_zone_only),
        cmocka_unit_test(alternatives_of_a_motif_are_all_found),
        cmocka_unit_test(n_terminal_glutamate_needs_both_chains),
        cmocka_unit_test(humanness_orders_antibodies),
        cmocka_unit_test(repertoire_shares_are_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
