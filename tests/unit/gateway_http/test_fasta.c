/* FASTA as people write it. */
#include "gateway/molecules/fasta.h"
#include "tests/unit/unit.h"

static void pairs_and_lone_ones(void **state)
{
    (void)state;
    static const char text[] =
        ">a VL light one\nDIV\nMTQ\n\n> b\nEV QL\r\n>a VH\r\nQVQ\r\n>c VH\nE";
    pt_fasta_t fasta;
    assert_null(pt_fasta_read(&fasta, text, strlen(text)));
    assert_int_equal(fasta.count, 4);
    assert_string_equal(fasta.records[0].name, "a");
    assert_string_equal(fasta.records[0].sequence, "DIVMTQ");
    assert_int_equal(fasta.records[0].role, PT_FASTA_VL);
    assert_string_equal(fasta.records[1].name, "b");
    assert_string_equal(fasta.records[1].sequence, "EVQL");
    assert_int_equal(fasta.records[1].role, PT_FASTA_LONE);
    assert_string_equal(fasta.records[2].sequence, "QVQ");
    assert_ptr_equal(fasta.records[0].partner, &fasta.records[2]);
    assert_ptr_equal(fasta.records[2].partner, &fasta.records[0]);
    assert_null(fasta.records[1].partner);
    assert_null(fasta.records[3].partner);
    pt_fasta_clear(&fasta);
}

/* Each molecule keeps its own two chains, and none is mixed from two. */
static void a_name_that_comes_again(void **state)
{
    (void)state;
    static const char text[] =
        ">a VL\nA\n>b VH\nC\n>a VL\nD\n>a VH\nE\n>a\nF\n>a VH\nG\n>a VL\nH\n";
    pt_fasta_t fasta;
    assert_null(pt_fasta_read(&fasta, text, strlen(text)));
    assert_int_equal(fasta.count, 7);
    assert_ptr_equal(fasta.records[0].partner, &fasta.records[3]);
    assert_ptr_equal(fasta.records[3].partner, &fasta.records[0]);
    assert_ptr_equal(fasta.records[2].partner, &fasta.records[5]);
    assert_ptr_equal(fasta.records[5].partner, &fasta.records[2]);
    assert_null(fasta.records[1].partner);
    assert_null(fasta.records[4].partner);
    assert_null(fasta.records[6].partner);
    pt_fasta_clear(&fasta);
}

/* What is no residue is kept, so that the check can say where it stands. */
static void letters_stay_as_they_are(void **state)
{
    (void)state;
    pt_fasta_t fasta;
    assert_null(pt_fasta_read(&fasta, ">x\nq*\0-J", 8));
    assert_string_equal(fasta.records[0].sequence, "q*?-J");
    pt_fasta_clear(&fasta);
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    const char *const bad[] = {"",  "\n \n",   "EVQL",        "EVQL\n>x\nEVQL",
                               ">", ">\nEVQL", ">x\nE\n> \nE"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pt_fasta_t fasta;
        if (!pt_fasta_read(&fasta, bad[i], strlen(bad[i])))
            fail_msg("%s", bad[i]);
        pt_fasta_clear(&fasta);
    }
}

static void a_name_is_not_cut_at_a_NUL(void **state)
{
    (void)state;
    pt_fasta_t fasta;
    assert_non_null(pt_fasta_read(&fasta, ">\0\nEVQL", 7));
    pt_fasta_clear(&fasta);
    assert_non_null(pt_fasta_read(&fasta, ">x\0y\nEVQL", 9));
    pt_fasta_clear(&fasta);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_and_lone_ones),        cmocka_unit_test(a_name_that_comes_again),
        cmocka_unit_test(letters_stay_as_they_are),   cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(a_name_is_not_cut_at_a_NUL),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
