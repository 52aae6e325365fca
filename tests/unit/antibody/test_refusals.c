#include "sequences.h"

#include "worker/pipelines/antibody/antibody.h"
#include <stdlib.h>
#include <string.h>

static pt_domain_t domains[PT_DOMAINS_MAX];
static pt_fault_t fault;

static void assert_refused(const char *sequence, size_t length, pt_fault_code_t code)
{
    assert_int_equal(pt_antibody_check(sequence, length, domains, PT_DOMAINS_MAX, &fault), 0);
    assert_int_equal(fault.code, code);
    assert_true(strlen(fault.reason) > 10);
}

static void bad_letters_are_named_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *letter, *in_reason;
    } cases[] = {{"X", "'X' at position 6"},    {"J", "'J' at position 6"},
                 {"*", "'*' at position 6"},    {"-", "'-' at position 6"},
                 {"q", "'q' at position 6"},    {" ", "0x20 at position 6"},
                 {"\n", "0x0A at position 6"},  {"\xC3", "0xC3 at position 6"},
                 {"\x7f", "0x7F at position 6"}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        char sequence[] = TRASTUZUMAB_VH;
        sequence[5] = cases[c].letter[0];
        assert_refused(sequence, strlen(sequence), PT_FAULT_BAD_RESIDUE);
        assert_int_equal(fault.position, 5);
        assert_non_null(strstr(fault.reason, cases[c].in_reason));
    }
}

static void a_nul_inside_is_a_bad_letter(void **state)
{
    (void)state;
    char sequence[] = TRASTUZUMAB_VH;
    sequence[7] = 0;
    assert_refused(sequence, sizeof sequence - 1, PT_FAULT_BAD_RESIDUE);
    assert_int_equal(fault.position, 7);
}

static void lengths_have_limits(void **state)
{
    (void)state;
    static char sequence[PT_SEQUENCE_MAX + 2];
    assert_refused("", 0, PT_FAULT_EMPTY);
    memset(sequence, 'G', sizeof sequence);
    assert_refused(sequence, PT_SEQUENCE_MAX + 1, PT_FAULT_TOO_LONG);
    assert_refused(sequence, PT_SEQUENCE_MAX, PT_FAULT_NOT_ANTIBODY);
    memcpy(sequence + PT_SEQUENCE_MAX - strlen(TRASTUZUMAB_VH), TRASTUZUMAB_VH,
           strlen(TRASTUZUMAB_VH));
    assert_int_equal(pt_antibody_check(sequence, PT_SEQUENCE_MAX, domains, PT_DOMAINS_MAX, &fault),
                     1);
    assert_int_equal(domains[0].end, PT_SEQUENCE_MAX);
    for (size_t n = 1; n < 10; n++)
        assert_refused(TRASTUZUMAB_VH, n, PT_FAULT_NOT_ANTIBODY);
}

/* UniProt and PDB: relatives of antibodies, and proteins that have nothing to do with them. */
static void other_proteins_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what, *sequence;
    } others[] = {
        {"T cell receptor A6, alpha", "KEVEQNSGPLSVPEGAIASLNCTYSDRGSQSFFWYRQYSGKSPELIMSIYSNGDKEDGRF"
                                      "TAQLNKASQYVSLLIRDSQPSDSATYLCAVTTDSWGKLQF"
                                      "GAGTQVVVTPDIQNPDPAVYQLRDSKSSDKSVCLFTDFDSQTNVSQSKDSDVYITDKTVL"
                                      "DMRSMDFKSNSAVAWSNKSDFACANAFNNSIIPEDTFFPS"},
        {"T cell receptor A6, beta", "NAGVTQTPKFQVLKTGQSMTLQCAQDMNHEYMSWYRQDPGMGLRLIHYSVGAGITDQGEVP"
                                     "NGYNVSRSTTEDFPLRLLSAAPSQTSVYFCASRPGLAGG"
                                     "RPEQYFGPGTRLTVTEDLKNVFPPEVAVFEPSEAEISHTQKATLVCLATGFYPDHVELSWW"
                                     "VNGKEVHSGVSTDPQPLKEQPALNDSRYALSSRLRVSA"},
        {"T cell receptor, delta 1", "AQKVTQAQSSVSMPVRKAVTLNCLYETSWWSYYIFWYKQLPSKEMIFLIRQGSDEQNAKSG"
                                     "RYSVNFKKAAKSVALTISALQLEDSAKYFCALGELGWPD"
                                     "KLIFGKGTRVTVEP"},
        {"T cell receptor, gamma 9", "AGHLEQPQISSTKTLSKTARLECVVSGITISATSVYWYRERPGEVIQFLVSISYDGTVRKE"
                                     "SGIPSGKFEVDRIPETSTSTLTIHNVEKQDIATYYCALW"
                                     "EAQQELGKKIKVFGPGTKLIITDKQLDADVSPKPTIFLPS"},
        {"beta-2 microglobulin", "IQRTPKIQVYSRHPAENGKSNFLNCYVSGFHPSDIEVDLLKNGERIEKVEHSDLSFSKDWSFYLL"
                                 "YYTEFTPTEKDEYACRVNHVTLSQPKIVKWDRDM"},
        {"constant domain CH1", CH1},
        {"constant domain kappa", CKAPPA},
        {"CD8 alpha", "SQFRVSPLDRTWNLGETVELKCQVLLSNPTSGCSWLFQPRGAAASPTFLLYLSQNKPKAAEGLDTQRFSGKRLGDT"
                      "FVLTLSDFRRENEGYYFCSALSNS"
                      "IMYFSHFVPVFLPAKPTTTPAPRPPTPAPTIASQPLSLRPEACRPAAGGAVHTRGLDFACD"},
        {"PD-1", "LDSPDRPWNPPTFSPALLVVTEGDNATFTCSFSNTSESFVLNWYRMSPSNQTDKLAAFPEDRSQPGQDCRFRVTQLPNGRD"
                 "FHMSVVRARRNDSGTYLCG"
                 "AISLAPKAQIKESLRAELRVTERRAEVPTAHPSPSPRPAGQFQ"},
        {"hen egg lysozyme", "KVFGRCELAAAMKRHGLDNYRGYSLGNWVCAAKFESNFNTQATNRNTDGSTDYGILQINSRWWCNDGRT"
                             "PGSRNLCNIPCSALLSSDITASVNCAKKIVS"
                             "DGNGMNAWVAWRNRCKGTDVQAWIRGCRL"},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        print_message("%s\n", others[i].what);
        assert_refused(others[i].sequence, strlen(others[i].sequence), PT_FAULT_NOT_ANTIBODY);
    }
}

static void half_a_domain_is_refused(void **state)
{
    (void)state;
    const char *vh = TRASTUZUMAB_VH;
    assert_refused(vh + 45, strlen(vh + 45), PT_FAULT_NOT_ANTIBODY);
    assert_refused(vh, 70, PT_FAULT_NOT_ANTIBODY);
}

/* Any bytes, and antibodies with any bytes in them: answers, never crashes (run under ASan as
 * well). */
static void any_bytes_are_answered(void **state)
{
    (void)state;
    static char bytes[3 * PT_DOMAIN_MAX];
    static const char letters[] = "ACDEFGHIKLMNPQRSTVWY";
    srand(7);
    for (int round = 0; round < 3000; round++) {
        size_t length = (size_t)rand() % sizeof bytes;
        for (size_t i = 0; i < length; i++)
            bytes[i] = round % 3 ? letters[rand() % 20] : (char)rand();
        size_t part = strlen(TRASTUZUMAB_VH) - (size_t)rand() % 60;
        if (round % 3 == 2 && length > part) {
            memcpy(bytes + (size_t)rand() % (length - part), TRASTUZUMAB_VH, part);
        }
        size_t n = pt_antibody_check(bytes, length, domains, PT_DOMAINS_MAX, &fault);
        assert_true((n == 0) == (fault.code != PT_FAULT_NONE));
        for (size_t d = 0; d < n; d++) {
            assert_true(domains[d].end <= length &&
                        domains[d].length == domains[d].end - domains[d].start);
            assert_memory_equal(domains[d].residues, bytes + domains[d].start, domains[d].length);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_letters_are_named_with_their_place),
        cmocka_unit_test(a_nul_inside_is_a_bad_letter),
        cmocka_unit_test(lengths_have_limits),
        cmocka_unit_test(other_proteins_are_refused),
        cmocka_unit_test(half_a_domain_is_refused),
        cmocka_unit_test(any_bytes_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
