/* Tokens: their form, and where they stand in a header. */
#include "gateway/http/token.h"
#include "tests/unit/unit.h"

static void made_tokens_are_formed_and_differ(void **state)
{
    (void)state;
    char tokens[100][PT_TOKEN_SIZE + 1];
    bool seen[128] = {false};
    for (size_t i = 0; i < 100; i++) {
        pt_token_make(tokens[i]);
        assert_true(pt_token_is_formed(tokens[i], strlen(tokens[i])));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(tokens[i], tokens[j]);
        for (size_t c = 3; c < PT_TOKEN_SIZE; c++)
            seen[(unsigned char)tokens[i][c]] = true;
    }
    size_t letters = 0;
    for (size_t i = 0; i < 128; i++)
        letters += seen[i];
    assert_int_equal(letters, 62);
}

static void a_header_has_a_token_or_not(void **state)
{
    (void)state;
    char token[PT_TOKEN_SIZE + 1], header[200];
    pt_token_make(token);
    const char *const good[] = {"Bearer %s", "bearer %s", "BEARER   %s"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(header, sizeof header, good[i], token); /* NOLINT: each has one %s */
        assert_string_equal(pt_token_in(header), token);
    }
    const char *const bad[] = {"%s",         "Basic %s",     "Bearer%s",
                               "Bearer %s ", "Bearer %sx",   "Bearer x%s",
                               "Bearer\t%s", "Bearer %.50s", " Bearer %s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(header, sizeof header, bad[i], token); /* NOLINT */
        if (pt_token_in(header))
            fail_msg("%s", bad[i]);
    }
    assert_null(pt_token_in(NULL));
    assert_null(pt_token_in(""));
}

/* FIPS 180-2, appendix B.1. */
static void the_hash_is_sha256(void **state)
{
    (void)state;
    static const uint8_t abc[PT_TOKEN_HASH] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                               0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                               0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
                                               0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    uint8_t hash[PT_TOKEN_HASH];
    pt_token_hash("abc", 3, hash);
    assert_memory_equal(hash, abc, sizeof abc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_tokens_are_formed_and_differ),
        cmocka_unit_test(a_header_has_a_token_or_not),
        cmocka_unit_test(the_hash_is_sha256),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
