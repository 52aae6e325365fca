#include "sequences.h"

#include "worker/pipelines/antibody/antibody.h"
#include "worker/pipelines/antibody/germline.h"
#include "worker/pipelines/antibody/regions.h"
#include <stdio.h>
#include <string.h>

static pt_domain_t domains[PT_DOMAINS_MAX];
static pt_fault_t fault;

static const pt_domain_t *only_domain(const char *sequence)
{
    assert_int_equal(pt_antibody_check(sequence, strlen(sequence), domains, PT_DOMAINS_MAX, &fault),
                     1);
    return domains;
}

static char at(const pt_domain_t *d, uint8_t number, char letter)
{
    int i = pt_domain_find(d, (pt_position_t){number, letter});
    return i < 0 ? '-' : d->residues[i];
}

/* The residues of [first, last], '-' for a gap, insertions left out. */
static void assert_span(const pt_domain_t *d, int first, int last, const char *expected)
{
    char columns[PT_IMGT_COUNT + 1], span[PT_IMGT_COUNT + 1] = {0};
    pt_domain_columns(d, columns);
    memcpy(span, columns + first - 1, (size_t)(last - first + 1));
    assert_string_equal(span, expected);
}

/* IMGT's own definition: 23 and 104 Cys, 41 Trp, 118 Trp or Phe; heavy chains lack 10 and 73. */
static void heavy_chain_has_its_anchors(void **state)
{
    (void)state;
    const pt_domain_t *d = only_domain(TRASTUZUMAB_VH);
    assert_int_equal(d->chain, 'H');
    assert_int_equal(d->length, strlen(TRASTUZUMAB_VH));
    assert_int_equal(at(d, 23, 0), 'C');
    assert_int_equal(at(d, 41, 0), 'W');
    assert_int_equal(at(d, 104, 0), 'C');
    assert_span(d, 1, 26, "EVQLVESGG-GLVQPGGSLRLSCAAS");
    assert_span(d, 27, 38, "GFNI----KDTY");
    assert_span(d, 56, 65, "IYPT--NGYT");
    assert_span(d, 66, 74, "RYADSVK-G");
    assert_span(d, 105, 128, "SRWGGDGFYAMDYWGQGTLVTVSS");
}

static void kappa_chain_has_its_anchors(void **state)
{
    (void)state;
    const pt_domain_t *d = only_domain(TRASTUZUMAB_VL);
    assert_int_equal(d->chain, 'K');
    assert_span(d, 1, 26, "DIQMTQSPSSLSASVGDRVTITCRAS");
    assert_span(d, 27, 38, "QDV------NTA");
    assert_span(d, 56, 65, "SA-------S");
    assert_span(d, 66, 85, "FLYSGVP-SRFSGSR--SGT");
    assert_span(d, 105, 128, "QQHYT----TPPTFGQGTKVEIK-");
}

static void lambda_chain_is_told_from_kappa(void **state)
{
    (void)state;
    /* IGLV1-44*01 with IGLJ3*02 */
    const pt_domain_t *d =
        only_domain("QSVLTQPPSASGTPGQRVTISCSGSSSNIGSNTVNWYQQLPGTAPKLLIYSNNQRPSGVPDRFSGSK"
                    "SGTSASLAISGLQSEDEADYYCAAWDDSLNGWVFGGGTKLTVL");
    assert_int_equal(d->chain, 'L');
    assert_span(d, 1, 26, "QSVLTQPPS-ASGTPGQRVTISCSGS");
    assert_int_equal(at(d, 127, 0), 'L');
}

/* CDR3 of n residues between C104 and W118 of trastuzumab's heavy chain. */
static const pt_domain_t *with_cdr3(int n)
{
    static char sequence[512];
    char cdr3[128] = {0};
    for (int i = 0; i < n; i++)
        cdr3[i] = "SRGDYAMGFTSE"[i % 12];
    const char *vh = TRASTUZUMAB_VH;
    size_t fr4 = strlen(vh) - strlen("WGQGTLVTVSS");
    snprintf(sequence, sizeof sequence, "%.*s%s%s", (int)(fr4 - strlen("SRWGGDGFYAMDY")), vh, cdr3,
             vh + fr4);
    return only_domain(sequence);
}

static void long_cdr3_is_numbered_from_both_sides(void **state)
{
    (void)state;
    static const struct {
        int length;
        const char *positions;
    } cases[] = {
        {9, "105 106 107 108 109 114 115 116 117"},
        {12, "105 106 107 108 109 110 112 113 114 115 116 117"},
        {14, "105 106 107 108 109 110 111 112A 112 113 114 115 116 117"},
        {15, "105 106 107 108 109 110 111 111A 112A 112 113 114 115 116 117"},
        {18, "105 106 107 108 109 110 111 111A 111B 112C 112B 112A 112 113 114 115 116 117"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const pt_domain_t *d = with_cdr3(cases[c].length);
        char text[256] = "", one[8];
        for (size_t i = 0; i < d->length; i++)
            if (d->positions[i].number >= 105 && d->positions[i].number <= 117)
                sprintf(text + strlen(text), "%s%s", *text ? " " : "",
                        pt_position_text(d->positions[i], one));
        assert_string_equal(text, cases[c].positions);
    }
}

static void positions_rise_for_every_length_of_cdr3(void **state)
{
    (void)state;
    for (int n = 2; n <= 70; n++) {
        const pt_domain_t *d = with_cdr3(n);
        for (size_t i = 1; i < d->length; i++)
            assert_true(pt_position_compare(d->positions[i - 1], d->positions[i]) < 0);
        assert_int_equal(at(d, 104, 0), 'C');
        assert_int_equal(at(d, 118, 0), 'W');
        int n_found =
            pt_domain_find(d, (pt_position_t){118, 0}) - pt_domain_find(d, (pt_position_t){104, 0});
        assert_int_equal(n_found, n + 1);
    }
}

static void insertions_right_of_the_middle_count_down(void **state)
{
    (void)state;
    assert_true(pt_position_compare((pt_position_t){112, 'B'}, (pt_position_t){112, 'A'}) < 0);
    assert_true(pt_position_compare((pt_position_t){112, 'A'}, (pt_position_t){112, 0}) < 0);
    assert_true(pt_position_compare((pt_position_t){111, 0}, (pt_position_t){111, 'A'}) < 0);
    assert_true(pt_position_compare((pt_position_t){111, 'Z'}, (pt_position_t){111, 'a'}) < 0);
    assert_true(pt_position_compare((pt_position_t){111, 'A'}, (pt_position_t){112, 'C'}) < 0);
    assert_int_equal(pt_position_compare((pt_position_t){111, 'A'}, (pt_position_t){111, 'A'}), 0);
}

static void domain_is_found_inside_a_longer_chain(void **state)
{
    (void)state;
    const char *fab = "MKHLWFFLLLVAAPRWVLS" TRASTUZUMAB_VH CH1;
    const pt_domain_t *d = only_domain(fab);
    assert_int_equal(d->start, strlen("MKHLWFFLLLVAAPRWVLS"));
    assert_int_equal(d->end - d->start, strlen(TRASTUZUMAB_VH));
    d = only_domain(TRASTUZUMAB_VL CKAPPA);
    assert_int_equal(d->start, 0);
    assert_int_equal(d->end, strlen(TRASTUZUMAB_VL));
}

static void both_domains_of_an_scfv_are_found_in_order(void **state)
{
    (void)state;
    const char *scfv = TRASTUZUMAB_VL LINKER TRASTUZUMAB_VH "HHHHHH";
    assert_int_equal(pt_antibody_check(scfv, strlen(scfv), domains, PT_DOMAINS_MAX, &fault), 2);
    assert_int_equal(domains[0].chain, 'K');
    assert_int_equal(domains[0].start, 0);
    assert_int_equal(domains[0].end, strlen(TRASTUZUMAB_VL));
    assert_int_equal(domains[1].chain, 'H');
    assert_int_equal(domains[1].start, strlen(TRASTUZUMAB_VL LINKER));
    assert_string_equal(domains[1].residues, TRASTUZUMAB_VH);
    assert_int_equal(pt_antibody_check(scfv, strlen(scfv), domains, 1, &fault), 1);
}

static void missing_ends_shift_nothing(void **state)
{
    (void)state;
    const pt_domain_t *d = only_domain(&TRASTUZUMAB_VH[3]);
    assert_int_equal(d->positions[0].number, 4);
    assert_int_equal(at(d, 41, 0), 'W');
    assert_int_equal(at(d, 128, 0), 'S');
}

/* IMGT: rabbit heavy chains have no residue at 2, 84 and 85. */
static void rabbit_gaps_stand_where_imgt_has_them(void **state)
{
    (void)state;
    const pt_domain_t *d =
        only_domain("QSLEESGGRLVTPGTPLTLTCTASGFSLSNYYVTWVRQAPGKGLEWIGIIYGSDETAYATWAIG"
                    "RFTISKTSTTVDLKMTSLTAADTATYFCARDDSSDWDAKFNLWGQGTLVTVSS");
    assert_span(d, 1, 26, "Q-SLEESGG-RLVTPGTPLTLTCTAS");
    assert_span(d, 75, 104, "RFTISKTST--TVDLKMTSLTAADTATYFC");
}

/* A mutated first residue belongs to the domain all the same. */
static void unusual_ends_are_taken(void **state)
{
    (void)state;
    const pt_domain_t *d =
        only_domain("WWW"
                    "LVESGGGLVQPGGSLRLSCAASGFNIKDTYIHWVRQAPGKGLEWVARIYPTNGYTRYADSVKGRFTI"
                    "SADTSKNTAYLQMNSLRAEDTAVYYCSRWGGDGFYAMDYWGQGTLVWWW");
    assert_int_equal(d->start, 0);
    assert_int_equal(d->positions[0].number, 1);
    assert_int_equal(d->positions[d->length - 1].number, 127);
}

/* IMGT: the germline gene of trastuzumab's heavy chain is IGHV3-66, its J IGHJ4. */
static void nearest_germlines_are_named(void **state)
{
    (void)state;
    const pt_domain_t *d = only_domain(TRASTUZUMAB_VH);
    pt_germline_match_t v = pt_nearest_v(d, PT_HUMAN);
    assert_memory_equal(v.allele, "IGHV3-66", 8);
    assert_int_equal(pt_nearest_species(d), PT_HUMAN);
    d = only_domain(TRASTUZUMAB_VL);
    v = pt_nearest_v(d, PT_HUMAN);
    assert_memory_equal(v.allele, "IGKV1-39", 8);
    assert_memory_equal(pt_nearest_j(d, PT_HUMAN).allele, "IGKJ1*01", 8);
    d = only_domain(MU4D5_VH);
    assert_int_equal(pt_nearest_species(d), PT_MOUSE);
}

static void assert_cdr(const pt_domain_t *d, pt_cdr_definition_t definition, int cdr,
                       const char *expected)
{
    size_t from, to;
    assert_true(pt_cdr_bounds(d, definition, cdr, &from, &to));
    assert_int_equal(to - from, strlen(expected));
    assert_memory_equal(d->residues + from, expected, to - from);
}

/* Trastuzumab's Kabat CDRs as its patent and Carter et al. print them. */
static void kabat_and_imgt_cdrs(void **state)
{
    (void)state;
    const pt_domain_t *d = only_domain(TRASTUZUMAB_VH);
    assert_cdr(d, PT_CDR_KABAT, 1, "DTYIH");
    assert_cdr(d, PT_CDR_KABAT, 2, "RIYPTNGYTRYADSVKG");
    assert_cdr(d, PT_CDR_KABAT, 3, "WGGDGFYAMDY");
    assert_cdr(d, PT_CDR_IMGT, 1, "GFNIKDTY");
    assert_cdr(d, PT_CDR_IMGT, 2, "IYPTNGYT");
    assert_cdr(d, PT_CDR_IMGT, 3, "SRWGGDGFYAMDY");
    assert_cdr(d, PT_CDR_UNION, 1, "GFNIKDTYIH");
    d = only_domain(TRASTUZUMAB_VL);
    assert_cdr(d, PT_CDR_KABAT, 1, "RASQDVNTAVA");
    assert_cdr(d, PT_CDR_KABAT, 2, "SASFLYS");
    assert_cdr(d, PT_CDR_KABAT, 3, "QQHYTTPPT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heavy_chain_has_its_anchors),
        cmocka_unit_test(kappa_chain_has_its_anchors),
        cmocka_unit_test(lambda_chain_is_told_from_kappa),
        cmocka_unit_test(long_cdr3_is_numbered_from_both_sides),
        cmocka_unit_test(positions_rise_for_every_length_of_cdr3),
        cmocka_unit_test(insertions_right_of_the_middle_count_down),
        cmocka_unit_test(domain_is_found_inside_a_longer_chain),
        cmocka_unit_test(both_domains_of_an_scfv_are_found_in_order),
        cmocka_unit_test(missing_ends_shift_nothing),
        cmocka_unit_test(rabbit_gaps_stand_where_imgt_has_them),
        cmocka_unit_test(unusual_ends_are_taken),
        cmocka_unit_test(nearest_germlines_are_named),
        cmocka_unit_test(kabat_and_imgt_cdrs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
