/* Configuration files. Bytes: the file. */
#include "proto/program/options.h"
#include "file.h"

#include <setjmp.h>

static jmp_buf ended;
static bool reading;

_Noreturn void __real_exit(int status);

/* In place of the end of the program: what is wrong is said in a line and ends it with 2. The
   fuzzer's own end is its end. */
_Noreturn void __wrap_exit(int status);
_Noreturn void __wrap_exit(int status)
{
    if (!reading)
        __real_exit(status);
    CHECK(status == 2);
    longjmp(ended, 1);
}

static const pt_option_t table[] = {
    {"brokers", NULL, "tcp://127.0.0.1:5570", PT_OPTION_ONE, "ENDPOINTS", "where the brokers are"},
    {"name", NULL, NULL, PT_OPTION_ONE, "TEXT", "of this worker"},
    {"pipeline", NULL, NULL, PT_OPTION_MANY, "TYPE=COMMAND", "what computes a type"},
    {"pipelines", NULL, NULL, PT_OPTION_TREE, "TYPE.KEY=VALUE", "how a type is computed"},
    {"slots", NULL, "1", PT_OPTION_ONE, "N", "how many at a time"},
    {"insecure", NULL, NULL, PT_OPTION_FLAG, NULL, "without encryption"},
    {0}};

static void check_values(const pt_options_t *options)
{
    char word[16];
    CHECK(pt_options_get(options, "brokers") && pt_options_get(options, "slots"));
    pt_options_flag(options, "insecure");
    pt_options_get(options, "name");
    for (size_t n = 0; pt_options_nth(options, "pipeline", n); n++)
        CHECK(*pt_options_nth(options, "pipeline", n));
    for (size_t n = 0; pt_options_nth(options, "pipelines", n); n++)
        CHECK(*pt_options_nth(options, "pipelines", n));
    for (size_t n = 0; pt_word(pt_options_get(options, "brokers"), n, word, sizeof word); n++)
        CHECK(word[0] && strlen(word) < sizeof word && !strpbrk(word, " \t"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int file = make_file(data, size);
    char program[] = "fuzz", config[] = "--config", path[64];
    snprintf(path, sizeof path, "%s", path_of(file));
    char *arguments[] = {program, config, path, NULL};
    reading = true;
    if (setjmp(ended) == 0) {
        pt_options_t *options = pt_options_new("fuzz", "fuzz", table, 3, arguments);
        check_values(options);
        pt_options_destroy(&options);
    }
    reading = false;
    close(file);
    return 0;
}
