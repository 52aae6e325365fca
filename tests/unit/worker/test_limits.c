/* Limits as text: what is taken, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these before it */
#include <cmocka.h>

#include "worker/limits.h"

static void all_three_are_read_and_written(void **state)
{
    pt_limits_t limits;
    char text[PT_LIMITS_TEXT];
    (void)state;
    assert_null(pt_limits_read(&limits, "files=64,memory=2G,cpu=3600"));
    assert_int_equal(limits.memory, 2147483648);
    assert_int_equal(limits.cpu, 3600);
    assert_int_equal(limits.files, 64);
    pt_limits_write(&limits, text);
    assert_string_equal(text, "memory=2147483648,cpu=3600,files=64");
}

static void none_are_needed(void **state)
{
    pt_limits_t limits;
    char text[PT_LIMITS_TEXT];
    (void)state;
    assert_null(pt_limits_read(&limits, ""));
    pt_limits_write(&limits, text);
    assert_string_equal(text, "");
    assert_null(pt_limits_read(&limits, "cpu=1"));
    assert_int_equal(limits.memory + limits.files, 0);
}

static void bytes_have_units(void **state)
{
    const struct {
        const char *text;
        int64_t bytes;
    } cases[] = {{"memory=16777216", 16777216},
                 {"memory=16384K", 16777216},
                 {"memory=16M", 16777216},
                 {"memory=1T", INT64_C(1) << 40}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pt_limits_t limits;
        assert_null(pt_limits_read(&limits, cases[i].text));
        assert_int_equal(limits.memory, cases[i].bytes);
    }
}

static void nonsense_is_refused(void **state)
{
    static const char *const texts[] = {"memory",
                                        "memory=",
                                        "memory=G",
                                        "memory=-1G",
                                        "memory=1X",
                                        "memory=1GB",
                                        "memory=99999999999T",
                                        "memory= 1G",
                                        "memory=1M",
                                        "cpu=0",
                                        "cpu=1K",
                                        "cpu=1,cpu=2",
                                        "files=3",
                                        "time=3",
                                        "cpu=1;files=64",
                                        "memory=1G memory=1G",
                                        "cpu=99999999999999999999",
                                        "CPU=1",
                                        ",cpu=1"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        pt_limits_t limits;
        if (!pt_limits_read(&limits, texts[i]))
            fail_msg("taken: %s", texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_three_are_read_and_written),
        cmocka_unit_test(none_are_needed),
        cmocka_unit_test(bytes_have_units),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
