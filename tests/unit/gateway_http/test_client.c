/* Whose word on the client's address is taken. */
#include "gateway/http/client.h"
#include "tests/unit/unit.h"

static void expect(const char *proxies, const char *peer, const char *first, const char *second,
                   const char *client)
{
    char wrong[64], text[PT_CLIENT_MAX];
    pt_header_t headers[] = {{"X-Forwarded-For", first}, {"x-forwarded-for", second}};
    pt_proxies_t *self = pt_proxies_new(proxies, wrong, sizeof wrong);
    assert_non_null(self);
    pt_client_address(self, peer, headers, first && second ? 2 : first || second, text);
    assert_string_equal(text, client);
    pt_proxies_destroy(&self);
}

static void test_nobody_is_believed_by_default(void **state)
{
    (void)state;
    expect(NULL, "127.0.0.1", "1.2.3.4", NULL, "127.0.0.1");
    expect("", "10.0.0.1", "1.2.3.4", NULL, "10.0.0.1");
    expect("10.0.0.2", "10.0.0.1", "1.2.3.4", NULL, "10.0.0.1");
}

static void test_a_proxy_names_its_client(void **state)
{
    (void)state;
    expect("10.0.0.1", "10.0.0.1", "1.2.3.4", NULL, "1.2.3.4");
    expect("10.0.0.1", "10.0.0.1", NULL, NULL, "10.0.0.1");
    expect("::1", "::1", "2001:DB8:0::1", NULL, "2001:db8::1");
    expect("fd00::/8", "fd01::1", "1.2.3.4", NULL, "1.2.3.4");
    expect("10.0.0.1", "::ffff:10.0.0.1", "1.2.3.4", NULL, "1.2.3.4");
}

static void test_what_stands_before_the_proxys_word_is_the_clients_own(void **state)
{
    (void)state;
    expect("10.0.0.1", "10.0.0.1", "6.6.6.6, 1.2.3.4", NULL, "1.2.3.4");
    expect("10.0.0.1", "10.0.0.1", "6.6.6.6", "1.2.3.4", "1.2.3.4");
    expect("10.0.0.1", "10.0.0.1", "10.0.0.1, 1.2.3.4", NULL, "1.2.3.4");
}

static void test_a_chain_of_proxies_is_followed(void **state)
{
    (void)state;
    expect("10.0.0.0/8", "10.0.0.1", "6.6.6.6, 1.2.3.4 ,10.9.9.9", NULL, "1.2.3.4");
    expect("10.0.0.0/8", "10.0.0.1", "1.2.3.4", "10.9.9.9,10.8.8.8", "1.2.3.4");
    expect("10.0.0.0/8", "10.0.0.1", "10.9.9.9", NULL, "10.9.9.9");
}

static void test_what_is_no_address_ends_the_chain(void **state)
{
    (void)state;
    const char *const none[] = {"",     "unknown", "1.2.3.4, ",     "1.2.3.4,x", "1.2.3.4:80",
                                ",,,,", "[::1]",   "1.2.3.4\"}, {", "300.1.1.1"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        expect("10.0.0.0/8", "10.0.0.1", none[i], NULL, "10.0.0.1");
    char much[5000];
    memset(much, '1', sizeof much);
    much[sizeof much - 1] = 0;
    expect("10.0.0.0/8", "10.0.0.1", much, NULL, "10.0.0.1");
}

static void test_networks_end_at_their_bits(void **state)
{
    (void)state;
    expect("10.0.0.128/25", "10.0.0.128", "1.2.3.4", NULL, "1.2.3.4");
    expect("10.0.0.128/25", "10.0.0.127", "1.2.3.4", NULL, "10.0.0.127");
    expect("192.168.0.1 0.0.0.0/0", "99.0.0.1", "1.2.3.4", NULL, "1.2.3.4");
    expect("0.0.0.0/0", "2001:db8::1", "1.2.3.4", NULL, "2001:db8::1");
    expect("2001:db8::/33", "2001:db8:8000::1", "1.2.3.4", NULL, "2001:db8:8000::1");
}

static void test_proxies_that_are_none_are_named(void **state)
{
    (void)state;
    const char *const none[] = {"localhost", "10.0.0.0/33", "10.0.0.0/",   "10.0.0.0/-1",
                                "::/129",    "10.0.0",      "10.0.0.0/8x", "10.0.0.0/8,127.0.0.1"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        char text[64], wrong[64];
        snprintf(text, sizeof text, "127.0.0.1  %s", none[i]);
        assert_null(pt_proxies_new(text, wrong, sizeof wrong));
        assert_string_equal(wrong, none[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_is_believed_by_default),
        cmocka_unit_test(test_a_proxy_names_its_client),
        cmocka_unit_test(test_what_stands_before_the_proxys_word_is_the_clients_own),
        cmocka_unit_test(test_a_chain_of_proxies_is_followed),
        cmocka_unit_test(test_what_is_no_address_ends_the_chain),
        cmocka_unit_test(test_networks_end_at_their_bits),
        cmocka_unit_test(test_proxies_that_are_none_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
