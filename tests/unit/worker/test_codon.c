/* Designs of a few codons against all DNA that there is for them. */
#include "tests/unit/unit.h"

#include "worker/pipelines/codon_export/solve.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TRIALS = 300, RESIDUES = 5, DRAWS = 40000 };

/* All DNA for a coding, one after the other. */
typedef struct {
    pt_coding_t *coding;
    pt_choice_t choices[RESIDUES + 2]; /* before a design changed them */
    unsigned at[RESIDUES + 2];
    char dna[3 * (RESIDUES + 2) + 1];
    double cost;
    bool over;
} every_t;

static void write_dna(every_t *every)
{
    every->cost = 0;
    for (size_t r = 0; r < every->coding->length; r++) {
        const pt_choice_t *choice = &every->choices[r];
        pt_codon_write(choice->codon[every->at[r]], every->dna + 3 * r);
        every->cost += choice->cost[every->at[r]];
    }
}

static void begin(every_t *every, pt_coding_t *coding)
{
    memset(every, 0, sizeof *every);
    every->coding = coding;
    memcpy(every->choices, coding->choices, coding->length * sizeof *coding->choices);
    write_dna(every);
}

static void next(every_t *every)
{
    size_t r = 0;
    while (r < every->coding->length && ++every->at[r] == every->choices[r].count)
        every->at[r++] = 0;
    every->over = r == every->coding->length;
    write_dna(every);
}

static bool meets(const pt_codon_options_t *o, const char *dna)
{
    const pt_construct_t construct = {o->upstream, dna, o->downstream};
    size_t length = strlen(dna);
    double gc = pt_gc(dna, length);
    pt_windows_t windows = pt_count_windows(dna, length, o->window);
    for (size_t p = 0; p < o->pattern_count; p++)
        if (pt_count_pattern(&construct, &o->patterns[p]))
            return false;
    return gc >= o->gc_min - 1e-9 && gc <= o->gc_max + 1e-9 &&
           windows.least >= o->window_min - 1e-9 && windows.most <= o->window_max + 1e-9 &&
           (!o->max_repeat || pt_longest_repeat(dna, length) <= o->max_repeat);
}

static uint64_t random_state = 7;

static unsigned draw(unsigned below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % below;
}

static void draw_text(char *text, size_t length, const char *letters)
{
    for (size_t i = 0; i < length; i++)
        text[i] = letters[draw((unsigned)strlen(letters))];
    text[length] = 0;
}

/* Constraints of all kinds, hard enough that a third of the trials is impossible. */
static void draw_options(pt_codon_options_t *o)
{
    static const char *const stops[] = {"best", "none", "TAG"};
    memset(o, 0, sizeof *o);
    o->host = &pt_hosts[draw((unsigned)pt_host_count)];
    o->strategy = draw(3);
    o->seed = draw(1000);
    o->start = draw(2);
    strcpy(o->stop, stops[draw(3)]);
    draw_text(o->upstream, draw(6), "ACGT");
    draw_text(o->downstream, draw(6), "ACGT");
    for (unsigned p = draw(5); p > 0; p--) {
        char letters[8];
        pt_pattern_t *pattern = &o->patterns[o->pattern_count];
        draw_text(letters, 3 + draw(3), draw(3) ? "ACGT" : "ACGTRYSWN");
        assert_true(pt_pattern_read(letters, letters, pattern));
        pattern->inside = draw(2);
        pt_pattern_reverse(pattern, pattern + 1);
        strcpy(pattern[1].name, letters);
        o->pattern_count += 2;
    }
    o->gc_min = draw(2) ? 0 : 0.3 + 0.01 * draw(20);
    o->gc_max = draw(2) ? 1 : 0.4 + 0.01 * draw(20);
    o->window = 4 + draw(6);
    o->window_max = draw(2) ? 1 : 0.6 + 0.01 * draw(20);
    o->window_min = draw(2) ? 0 : 0.1 + 0.01 * draw(20);
    o->max_repeat = draw(2) ? 0 : 2 + draw(3);
}

static void the_design_is_the_best_of_all_there_is(void **state)
{
    (void)state;
    static pt_coding_t coding;
    unsigned solved = 0, impossible = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        pt_codon_options_t options;
        char protein[RESIDUES + 1];
        every_t every;
        double best = INFINITY;
        draw_options(&options);
        draw_text(protein, RESIDUES, "ACDEFGHIKMNPQTVWY");
        pt_coding_make(&options, protein, RESIDUES, &coding);
        for (begin(&every, &coding); !every.over; next(&every))
            if (every.cost < best && meets(&options, every.dna))
                best = every.cost;
        begin(&every, &coding);
        pt_solve_outcome_t outcome = pt_solve(&coding);
        assert_true(coding.exact);
        assert_int_equal(outcome, isfinite(best) ? PT_SOLVED : PT_CONFLICT);
        solved += outcome == PT_SOLVED;
        impossible += outcome == PT_CONFLICT;
        if (outcome == PT_CONFLICT) {
            assert_true(coding.conflict.count > 0);
            continue;
        }
        assert_true(meets(&options, coding.dna) && pt_translates_to(coding.dna, coding.protein));
        while (strcmp(every.dna, coding.dna) != 0)
            next(&every);
        assert_true(options.strategy == PT_SAMPLED || fabs(every.cost - best) < 0.5);
    }
    assert_true(solved > TRIALS / 4 && impossible > TRIALS / 10);
}

static void options_for_sampling(pt_codon_options_t *o)
{
    memset(o, 0, sizeof *o);
    o->host = pt_host_find("cho");
    o->strategy = PT_SAMPLED;
    o->gc_max = o->window_max = 1;
    strcpy(o->stop, "none");
    assert_true(pt_pattern_read("motif", "GGAG", &o->patterns[0]));
    o->pattern_count = 1;
}

/* Each DNA that meets the constraints, as often as its codons' shares say. */
static void samples_have_the_right_shares(void **state)
{
    (void)state;
    static pt_coding_t coding;
    pt_codon_options_t options;
    options_for_sampling(&options);
    pt_coding_make(&options, "GEK", 3, &coding);
    double expected[64] = {0}, whole = 0;
    unsigned found[64] = {0}, count = 0;
    char texts[64][10];
    every_t every;
    for (begin(&every, &coding); !every.over; next(&every))
        if (meets(&options, every.dna)) {
            strcpy(texts[count], every.dna);
            expected[count++] = exp(-every.cost);
            whole += exp(-every.cost);
        }
    assert_true(count == 10); /* of 16; not GGA GAR AAR, nor GGG GAG AAR */
    for (unsigned d = 0; d < DRAWS; d++) {
        options.seed = d;
        assert_int_equal(pt_solve(&coding), PT_SOLVED);
        for (unsigned t = 0; t < count; t++)
            found[t] += strcmp(texts[t], coding.dna) == 0;
    }
    for (unsigned t = 0; t < count; t++) {
        double share = expected[t] / whole, got = (double)found[t] / DRAWS;
        assert_true(fabs(got - share) < 5 * sqrt(share * (1 - share) / DRAWS));
    }
}

static void a_conflict_is_as_small_as_it_can_be(void **state)
{
    (void)state;
    static pt_coding_t coding;
    pt_codon_options_t options;
    memset(&options, 0, sizeof options);
    options.host = pt_host_find("ecoli");
    options.gc_max = options.window_max = 1;
    strcpy(options.stop, "none");
    static const char *const motifs[] = {"GAATTC", "AAATGG", "AAGTGG", "CCC"};
    for (; options.pattern_count < 4; options.pattern_count++)
        assert_true(pt_pattern_read(motifs[options.pattern_count], motifs[options.pattern_count],
                                    &options.patterns[options.pattern_count]));
    pt_coding_make(&options, "EFLAPKWEFTY", 11, &coding); /* K W: AAA or AAG, then TGG */
    assert_int_equal(pt_solve(&coding), PT_CONFLICT);
    assert_int_equal(coding.conflict.from, 5);
    assert_int_equal(coding.conflict.to, 7);
    assert_int_equal(coding.conflict.count, 2);
    assert_string_equal(coding.conflict.constraints[0], "no AAATGG");
    assert_string_equal(coding.conflict.constraints[1], "no AAGTGG");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_design_is_the_best_of_all_there_is),
        cmocka_unit_test(samples_have_the_right_shares),
        cmocka_unit_test(a_conflict_is_as_small_as_it_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
