/* Sequences of results as FASTA, which is read back by what reads people's files. */
#include "gateway/molecules/fasta.h"
#include "gateway/results/fasta.h"
#include "tests/unit/unit.h"

static const char *fasta_of_type(const char *job_type, const char *name, const char *results)
{
    static char text[2048];
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    json_t *read = json_loads(results, 0, NULL);
    assert_non_null(read);
    pt_result_fasta(job_type, name, "j-1", read, &out);
    snprintf(text, sizeof text, "%.*s", (int)out.size, out.data ? out.data : "");
    json_decref(read);
    msgpack_sbuffer_destroy(&out);
    return text;
}

static const char *fasta_of(const char *name, const char *results)
{
    return fasta_of_type("humanization", name, results);
}

static void genes_are_records_a_chain(void **state)
{
    (void)state;
    assert_string_equal(fasta_of_type("codon_export", "x",
                                      "{\"host\": \"cho\", \"chains\": ["
                                      "{\"chain\": \"heavy\", \"dna\": \"ATG\"},"
                                      "{\"chain\": \"light\", \"dna\": \"GAC\"}]}"),
                        ">x.heavy job=j-1\nATG\n>x.light job=j-1\nGAC\n");
}

static void pairs_are_read_back_as_pairs(void **state)
{
    (void)state;
    const char *text =
        fasta_of("my antibody", "[{\"strategy\": \"cdr_grafting\", \"humanized_vh\": \"EVQL\","
                                "  \"humanized_vl\": \"DIQM\"},"
                                " {\"strategy\": \"resurfacing\", \"humanized_vh\": \"QVQL\","
                                "  \"humanized_vl\": \"EIVL\"}]");
    pt_fasta_t fasta;
    assert_null(pt_fasta_read(&fasta, text, strlen(text)));
    assert_int_equal(fasta.count, 4);
    assert_string_equal(fasta.records[0].name, "my_antibody.cdr_grafting");
    assert_string_equal(fasta.records[0].sequence, "EVQL");
    assert_ptr_equal(fasta.records[0].partner, &fasta.records[1]);
    assert_string_equal(fasta.records[3].name, "my_antibody.resurfacing");
    assert_string_equal(fasta.records[3].sequence, "EIVL");
    assert_ptr_equal(fasta.records[3].partner, &fasta.records[2]);
    pt_fasta_clear(&fasta);
}

static void a_nanobody_is_a_record_alone(void **state)
{
    (void)state;
    assert_string_equal(fasta_of("x", "[{\"strategy\": \"s\", \"humanized_vh\": \"EVQL\","
                                      " \"humanized_vl\": null}]"),
                        ">x.s job=j-1\nEVQL\n");
}

static void lines_have_60_residues(void **state)
{
    (void)state;
    char results[256], residues[130];
    memset(residues, 'E', sizeof residues);
    snprintf(results, sizeof results, "[{\"strategy\": \"s\", \"humanized_vh\": \"%.121s\"}]",
             residues);
    assert_string_equal(strchr(fasta_of("x", results), '\n'),
                        "\nEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE"
                        "\nEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE"
                        "\nE\n");
}

static void what_has_no_sequences_gives_none(void **state)
{
    (void)state;
    assert_string_equal(fasta_of("x", "{\"a\": 1}"), "");
    assert_string_equal(fasta_of("x", "[]"), "");
    assert_true(pt_result_has_fasta("humanization"));
    assert_false(pt_result_has_fasta("stability"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_read_back_as_pairs), cmocka_unit_test(genes_are_records_a_chain),
        cmocka_unit_test(a_nanobody_is_a_record_alone), cmocka_unit_test(lines_have_60_residues),
        cmocka_unit_test(what_has_no_sequences_gives_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
