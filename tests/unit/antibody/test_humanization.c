#include "sequences.h"

#include "worker/pipelines/antibody/exposure.h"
#include "worker/pipelines/humanization/humanization.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static pt_humanization_t result;
static pt_molecule_t molecule;
static pt_error_t error;
static const pt_humanization_request_t usual = {.cdrs = PT_CDR_UNION};

enum { CDR_GRAFTING, VERNIER_GRAFTING, RESURFACING, OPTIMIZED };

static pt_chain_t chain(pt_chain_kind_t kind, const char *sequence)
{
    return (pt_chain_t){kind, sequence, strlen(sequence)};
}

static void read_two(const char *heavy, const char *light)
{
    pt_chain_t chains[] = {chain(PT_KIND_HEAVY, heavy), chain(PT_KIND_LIGHT, light)};
    assert_true(pt_molecule_read(chains, 2, false, &molecule, &error));
}

static const char llama_vhh[] =
    "AVQLQESGGGLVQAGGSLRLSCTASGRISSSYDMGWFRQAPGKEREFVAAISWSGGTTDYADSVKGRFAISKDNAKNAVYLQMNSL"
    "KPEDTAVYYCAAKWRPLRYSDYPSNSDYYDWGQGTQVTVSS"; /* PDB 3R0M */

static void assert_code(const pt_chain_t *chains, size_t count, bool lone_heavy, const char *code)
{
    assert_false(pt_molecule_read(chains, count, lone_heavy, &molecule, &error));
    assert_string_equal(error.code, code);
    assert_false(error.retry);
    assert_true(strlen(error.message) > 10);
}

static void chains_must_make_an_antibody(void **state)
{
    (void)state;
    pt_chain_t vh = chain(PT_KIND_HEAVY, MU4D5_VH), vl = chain(PT_KIND_LIGHT, MU4D5_VL);
    pt_chain_t crossed = chain(PT_KIND_LIGHT, MU4D5_VH), vhh = chain(PT_KIND_VHH, llama_vhh);
    pt_chain_t scfv = chain(PT_KIND_SCFV, MU4D5_VH LINKER MU4D5_VL);
    pt_chain_t half = chain(PT_KIND_SCFV, MU4D5_VH LINKER), bad = chain(PT_KIND_HEAVY, "EVQLX");
    pt_chain_t twice = chain(PT_KIND_ANY, MU4D5_VH LINKER MU4D5_VH);
    assert_code((pt_chain_t[]){vh, vh}, 2, false, "duplicate_chain");
    assert_code((pt_chain_t[]){vl}, 1, true, "missing_chain");
    assert_code((pt_chain_t[]){vh}, 1, false, "missing_chain");
    assert_code((pt_chain_t[]){vh, crossed}, 2, false, "wrong_chain_kind");
    assert_code((pt_chain_t[]){vhh, vl}, 2, false, "wrong_chain_kind");
    assert_code((pt_chain_t[]){half}, 1, false, "wrong_chain_kind");
    assert_code((pt_chain_t[]){twice}, 1, true, "wrong_chain_kind");
    assert_code((pt_chain_t[]){bad, vl}, 2, false, "invalid_residue");
    assert_code(NULL, 0, true, "missing_chain");
    assert_true(pt_molecule_read((pt_chain_t[]){vl, vh}, 2, false, &molecule, &error));
    assert_int_equal(molecule.heavy.domain.chain, 'H');
    assert_true(pt_molecule_read(&vh, 1, true, &molecule, &error));
    assert_true(molecule.nanobody);
    assert_true(pt_molecule_read(&vhh, 1, false, &molecule, &error));
    assert_true(molecule.nanobody);
    assert_true(pt_molecule_read(&scfv, 1, false, &molecule, &error));
    assert_true(molecule.scfv && !molecule.nanobody);
}

/* The mutations, applied to the parent one by one, must give the humanized sequence. */
static void assert_mutations_tell_the_truth(const pt_humanized_t *h)
{
    char applied[2 * PT_DOMAIN_MAX];
    size_t n = 0, c = 0;
    for (size_t i = 0; i < h->parental.length; i++) {
        char residue = h->parental.residues[i];
        for (; c < h->change_count && h->changes[c].residue == i; c++) {
            const pt_change_t *change = &h->changes[c];
            assert_true(*change->reason != 0);
            if (change->parental != '-')
                assert_int_equal(change->parental, h->parental.residues[i]);
            if (change->mutated && change->parental == '-')
                applied[n++] = change->human;
            else if (change->mutated)
                residue = change->human;
        }
        applied[n++] = residue;
    }
    applied[n] = 0;
    assert_int_equal(c, h->change_count);
    assert_string_equal(applied, h->humanized.residues);
    assert_int_equal(n, h->humanized.length);
}

static void assert_cdrs_are_kept(const pt_humanized_t *h)
{
    for (int cdr = 1; cdr <= 3; cdr++) {
        size_t from, to, f, t;
        assert_true(pt_cdr_bounds(&h->parental, PT_CDR_UNION, cdr, &from, &to));
        assert_true(pt_cdr_bounds(&h->humanized, PT_CDR_UNION, cdr, &f, &t));
        assert_int_equal(to - from, t - f);
        assert_memory_equal(h->parental.residues + from, h->humanized.residues + f, to - from);
    }
}

static void grafting_keeps_cdrs_and_raises_humanness(void **state)
{
    (void)state;
    read_two(MU4D5_VH, MU4D5_VL);
    for (int s = 0; s < PT_STRATEGY_COUNT; s++) {
        pt_humanize(&molecule, &pt_strategies[s], &usual, NULL, NULL, &result);
        assert_int_equal(result.count, 2);
        for (size_t d = 0; d < 2; d++) {
            assert_cdrs_are_kept(&result.domains[d]);
            assert_mutations_tell_the_truth(&result.domains[d]);
            assert_true(result.domains[d].after.score > result.domains[d].before.score);
            assert_string_equal(result.domains[d].v.species, "human");
        }
    }
}

static void vernier_grafting_keeps_the_zone(void **state)
{
    (void)state;
    read_two(MU4D5_VH, MU4D5_VL);
    pt_humanize(&molecule, &pt_strategies[CDR_GRAFTING], &usual, NULL, NULL, &result);
    size_t mutated = 0;
    for (size_t c = 0; c < result.domains[0].change_count; c++)
        mutated += result.domains[0].changes[c].mutated;
    pt_humanize(&molecule, &pt_strategies[VERNIER_GRAFTING], &usual, NULL, NULL, &result);
    size_t kept = 0;
    for (size_t d = 0; d < 2; d++)
        for (size_t i = 0; i < result.domains[d].parental.length; i++)
            if (pt_in_vernier_zone(result.domains[d].parental.chain,
                                   result.domains[d].parental.positions[i])) {
                assert_int_equal(result.domains[d].parental.residues[i],
                                 result.domains[d].humanized.residues[i]);
                kept++;
            }
    assert_true(kept > 20);
    for (size_t c = 0; c < result.domains[0].change_count; c++)
        mutated -= result.domains[0].changes[c].mutated;
    assert_true(mutated > 0); /* it does make fewer */
}

static void nanobodies_keep_their_hallmarks(void **state)
{
    (void)state;
    pt_chain_t vhh = chain(PT_KIND_VHH, llama_vhh);
    assert_true(pt_molecule_read(&vhh, 1, false, &molecule, &error));
    for (int s = 0; s < PT_STRATEGY_COUNT; s++) {
        pt_humanize(&molecule, &pt_strategies[s], &usual, NULL, NULL, &result);
        const pt_domain_t *d = &result.domains[0].humanized;
        assert_int_equal(result.count, 1);
        assert_int_equal(d->residues[pt_domain_find(d, (pt_position_t){42, 0})], 'F');
        assert_int_equal(d->residues[pt_domain_find(d, (pt_position_t){49, 0})], 'E');
        assert_int_equal(d->residues[pt_domain_find(d, (pt_position_t){50, 0})], 'R');
        assert_int_equal(d->residues[pt_domain_find(d, (pt_position_t){52, 0})], 'F');
        assert_mutations_tell_the_truth(&result.domains[0]);
    }
}

/* Rabbits lack two residues of FR3 and have a shorter N terminus: the human framework is taken
 * whole. */
static void missing_framework_residues_are_inserted(void **state)
{
    (void)state;
    pt_chain_t rabbit =
        chain(PT_KIND_VHH, "QSLEESGGRLVTPGTPLTLTCTASGFSLSNYYVTWVRQAPGKGLEWIGIIYGSDETAYATWAIG"
                           "RFTISKTSTTVDLKMTSLTAADTATYFCARDDSSDWDAKFNLWGQGTLVTVSS");
    assert_true(pt_molecule_read(&rabbit, 1, false, &molecule, &error));
    pt_humanize(&molecule, &pt_strategies[CDR_GRAFTING], &usual, NULL, NULL, &result);
    const pt_humanized_t *h = &result.domains[0];
    assert_int_equal(h->humanized.length, h->parental.length + 3);
    assert_mutations_tell_the_truth(h);
    assert_cdrs_are_kept(h);
    for (size_t i = 1; i < h->humanized.length; i++)
        assert_true(pt_position_compare(h->humanized.positions[i - 1], h->humanized.positions[i]) <
                    0);
}

/* Human IGKV4-1 has N at 22. Before a CDR1 that begins with S that makes N-C-S, which the parent,
   T-C-S, has not: it must keep its T, and say why. */
static const char vl_before_s[] =
    "DIVMTQSPDSLAVSLGERATITCSSSQSVLYSSNNKNYLAWYQQKPGQPPKLLIYWASTRESGVPDRFSGSGSGTDFTLT"
    "ISSLQAEDVAVYYCQQYYSTPYTFGQGTKLEIK";

static void no_glycosylation_site_is_made(void **state)
{
    (void)state;
    read_two(MU4D5_VH, vl_before_s);
    for (int s = 0; s < PT_STRATEGY_COUNT; s++) {
        pt_humanize(&molecule, &pt_strategies[s], &usual, NULL, NULL, &result);
        const pt_humanized_t *h = &result.domains[1];
        assert_memory_equal(h->v.allele, "IGKV4-1*", 8);
        assert_int_equal(h->humanized.residues[21], 'T');
        for (size_t c = 0; s <= VERNIER_GRAFTING && c < h->change_count; c++) {
            assert_int_equal(h->changes[c].human, 'N');
            assert_false(h->changes[c].mutated);
            assert_non_null(strstr(h->changes[c].reason, "n_glycosylation"));
        }
        assert_true(s > VERNIER_GRAFTING || h->change_count == 1);
    }
}

static bool brings_in_forbidden(const pt_humanization_t *r)
{
    for (size_t l = 0; l < r->liability_count; l++)
        if (r->liabilities[l].introduced &&
            (strcmp(r->liabilities[l].what.name, "n_glycosylation") == 0 ||
             strcmp(r->liabilities[l].what.name, "unpaired_cysteine") == 0))
            return true;
    return false;
}

/* Parents whose residues are turned one by one into what completes motifs. */
static void no_parent_gets_a_forbidden_liability(void **state)
{
    (void)state;
    char vh[] = MU4D5_VH, vl[sizeof vl_before_s];
    memcpy(vl, vl_before_s, sizeof vl);
    int humanized = 0;
    for (size_t i = 0; i < strlen(vh) + strlen(vl); i++) {
        char *residue = i < strlen(vh) ? &vh[i] : &vl[i - strlen(vh)];
        char was = *residue;
        for (const char *to = "NSTC"; *to; to++) {
            *residue = *to;
            pt_chain_t chains[] = {chain(PT_KIND_HEAVY, vh), chain(PT_KIND_LIGHT, vl)};
            if (pt_molecule_read(chains, 2, false, &molecule, &error)) {
                pt_humanize(&molecule, &pt_strategies[i % PT_STRATEGY_COUNT], &usual, NULL, NULL,
                            &result);
                assert_false(brings_in_forbidden(&result));
                assert_mutations_tell_the_truth(&result.domains[0]);
                assert_mutations_tell_the_truth(&result.domains[1]);
                humanized++;
            }
        }
        *residue = was;
    }
    assert_true(humanized > 900);
}

static size_t count_mutations(void)
{
    size_t count = 0;
    for (size_t d = 0; d < result.count; d++)
        for (size_t c = 0; c < result.domains[d].change_count; c++)
            count += result.domains[d].changes[c].mutated;
    return count;
}

static void resurfacing_changes_exposed_residues_only(void **state)
{
    (void)state;
    read_two(MU4D5_VH, MU4D5_VL);
    pt_humanize(&molecule, &pt_strategies[RESURFACING], &usual, NULL, NULL, &result);
    assert_true(count_mutations() > 5);
    for (size_t d = 0; d < 2; d++) {
        const pt_humanized_t *h = &result.domains[d];
        for (size_t c = 0; c < h->change_count; c++)
            if (h->changes[c].mutated)
                assert_true(pt_exposure(h->parental.chain, false, h->changes[c].position) >= 0.3);
    }
    /* IMGT 19 and 21 of a heavy chain look inwards, 18 and 20 outwards. */
    assert_true(pt_exposure('H', false, (pt_position_t){19, 0}) < 0.1);
    assert_true(pt_exposure('H', false, (pt_position_t){20, 0}) > 0.3);
}

static void what_is_to_be_kept_is_kept(void **state)
{
    (void)state;
    read_two(MU4D5_VH, MU4D5_VL);
    pt_humanization_request_t request = usual;
    memset(request.keep[0], true, sizeof request.keep[0]);
    for (int s = 0; s < PT_STRATEGY_COUNT; s++) {
        pt_humanize(&molecule, &pt_strategies[s], &request, NULL, NULL, &result);
        assert_string_equal(result.domains[0].humanized.residues, MU4D5_VH);
        assert_string_not_equal(result.domains[1].humanized.residues, MU4D5_VL);
    }
}

/* Trastuzumab's own framework: with it each framework residue is that gene's, or kept. */
static void a_target_germline_is_taken(void **state)
{
    (void)state;
    read_two(MU4D5_VH, MU4D5_VL);
    pt_humanization_request_t request = usual;
    request.v[0] = pt_find_v("IGHV3-66");
    assert_non_null(request.v[0]);
    for (int s = 0; s < PT_STRATEGY_COUNT; s++) {
        pt_humanize(&molecule, &pt_strategies[s], &request, NULL, NULL, &result);
        const pt_humanized_t *h = &result.domains[0];
        assert_string_equal(h->v.allele, request.v[0]);
        for (size_t c = 0; c < h->change_count; c++)
            if (h->changes[c].mutated && h->changes[c].position.number <= 104)
                assert_int_equal(h->changes[c].human,
                                 h->v.aligned[h->changes[c].position.number - 1]);
    }
}

static void a_target_takes_the_fewest_changes(void **state)
{
    (void)state;
    read_two(MU4D5_VH, MU4D5_VL);
    pt_humanization_request_t request = usual;
    request.humanness_target = 1; /* out of reach with the parent's CDRs: all that there is */
    pt_humanize(&molecule, &pt_strategies[OPTIMIZED], &request, NULL, NULL, &result);
    size_t all = count_mutations(), made = 0;
    double most = fmin(result.domains[0].after.score, result.domains[1].after.score);
    assert_true(most > 0.8 && most < 1);
    for (request.humanness_target = 0.6; request.humanness_target < most;
         request.humanness_target += 0.04) {
        pt_humanize(&molecule, &pt_strategies[OPTIMIZED], &request, NULL, NULL, &result);
        for (size_t d = 0; d < 2; d++) {
            assert_true(result.domains[d].after.score >= request.humanness_target);
            assert_mutations_tell_the_truth(&result.domains[d]);
        }
        assert_true(count_mutations() >= made && count_mutations() <= all);
        made = count_mutations();
    }
    assert_true(made > 5 && made < all);
}

static void genes_are_found_by_name(void **state)
{
    (void)state;
    const char *near[3];
    assert_string_equal(pt_find_v("IGHV1-69*12"), "IGHV1-69*01"); /* has the same protein */
    assert_memory_equal(pt_find_v("IGKV1-39"), "IGKV1-39*", 9);
    assert_null(pt_find_v("IGHV3-23*99"));
    assert_null(pt_find_v(""));
    assert_null(pt_find_v("IGHJ4*02"));
    assert_int_equal(pt_near_v("IGHV3-233*01", near, 3), 3);
    assert_string_equal(near[0], "IGHV3-23*01");
}

static double last_fraction;
static int steps;

static void count_step(const char *step, double fraction, void *context)
{
    assert_ptr_equal(context, &steps);
    assert_true(strlen(step) > 3 && fraction >= last_fraction && fraction <= 1);
    last_fraction = fraction;
    steps++;
}

static void steps_are_told(void **state)
{
    (void)state;
    read_two(MU4D5_VH, MU4D5_VL);
    pt_humanize(&molecule, &pt_strategies[CDR_GRAFTING], &usual, count_step, &steps, &result);
    assert_true(steps >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_must_make_an_antibody),
        cmocka_unit_test(grafting_keeps_cdrs_and_raises_humanness),
        cmocka_unit_test(vernier_grafting_keeps_the_zone),
        cmocka_unit_test(nanobodies_keep_their_hallmarks),
        cmocka_unit_test(missing_framework_residues_are_inserted),
        cmocka_unit_test(no_glycosylation_site_is_made),
        cmocka_unit_test(no_parent_gets_a_forbidden_liability),
        cmocka_unit_test(resurfacing_changes_exposed_residues_only),
        cmocka_unit_test(what_is_to_be_kept_is_kept),
        cmocka_unit_test(a_target_germline_is_taken),
        cmocka_unit_test(a_target_takes_the_fewest_changes),
        cmocka_unit_test(genes_are_found_by_name),
        cmocka_unit_test(steps_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
