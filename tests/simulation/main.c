/* Runs seeds and says what they reached. See docs/reliability.md. */
#include "tests/simulation/seed.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINES 60 /* of the trace that are shown of a seed that failed */

typedef struct {
    uint64_t first, count;
    double seconds; /* as long as that, or 0 */
    bool trace, quiet, whole;
} options_t;

/* The last lines of a trace. Static, because they are shown when the process is killed, too. */
static char lines[LINES][400];
static uint64_t line_count;
static volatile uint64_t running; /* the seed */

static void keep_line(const char *line)
{
    snprintf(lines[line_count++ % LINES], sizeof *lines, "%s", line);
}

static void print_line(const char *line)
{
    puts(line);
}

static void show_lines(void)
{
    uint64_t first = line_count > LINES ? line_count - LINES : 0;
    for (uint64_t i = first; i < line_count; i++)
        puts(lines[i % LINES]);
}

/* An assertion of the code under test. */
static void on_signal(int signal)
{
    show_lines();
    printf("seed %llu: signal %d; replay with --seed %llu --trace\n", (unsigned long long)running,
           signal, (unsigned long long)running);
    fflush(stdout);
    _exit(1);
}

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* The same once more, to see what it did. */
static void explain(uint64_t seed, const char *why)
{
    coverage_t ignored = {0};
    char again[400];
    line_count = 0;
    seed_run(seed, &ignored, keep_line, again, sizeof again);
    show_lines();
    printf("seed %llu FAILED: %s\nreplay: tests/simulation/run --seed %llu --trace\n",
           (unsigned long long)seed, why, (unsigned long long)seed);
}

static void usage(void)
{
    puts("paratope-simulation [--seed N [--trace]] [--seeds N] [--first N] [--minutes M]\n"
         "  --seed N      runs one seed; with --trace each step is shown\n"
         "  --seeds N     runs so many, from --first on (1)\n"
         "  --minutes M   runs seeds from a random one on, as long as that\n"
         "  --quiet       no tables\n"
         "  --whole       what must be reached and was not fails the run");
}

static void read_option(options_t *self, int option, const char *value)
{
    uint64_t number = value ? strtoull(value, NULL, 10) : 0;
    self->trace = self->trace || option == 't';
    self->quiet = self->quiet || option == 'q';
    self->whole = self->whole || option == 'w';
    if (option == 'n' || option == 'f')
        self->first = number;
    if (option == 'n' || option == 's')
        self->count = option == 'n' ? 1 : number;
    if (option == 'm') {
        self->seconds = strtod(value, NULL) * 60;
        self->first = (uint64_t)time(NULL) * 1000;
        self->count = UINT64_MAX;
    }
}

static options_t read_options(int argc, char **argv)
{
    static const struct option known[] = {{"seed", required_argument, NULL, 'n'},
                                          {"seeds", required_argument, NULL, 's'},
                                          {"first", required_argument, NULL, 'f'},
                                          {"minutes", required_argument, NULL, 'm'},
                                          {"trace", no_argument, NULL, 't'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"whole", no_argument, NULL, 'w'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    options_t self = {.first = 1, .count = 2000};
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'h' || option == '?') {
            usage();
            exit(option == 'h' ? 0 : 2);
        }
        read_option(&self, option, optarg);
    }
    return self;
}

int main(int argc, char **argv)
{
    options_t options = read_options(argc, argv);
    coverage_t coverage = {0};
    double start = now();
    char why[400];
    signal(SIGABRT, on_signal);
    signal(SIGSEGV, on_signal);
    for (uint64_t i = 0; i < options.count; i++) {
        if (options.seconds > 0 && now() - start > options.seconds)
            break;
        running = options.first + i;
        if (seed_run(running, &coverage, options.trace ? print_line : NULL, why, sizeof why))
            continue;
        explain(running, why);
        return 1;
    }
    int wrong = options.quiet ? 0 : coverage_report(&coverage, options.whole);
    double seconds = now() - start;
    printf("%llu seeds from %llu: no promise broken; %.1f s, %.0f steps a second\n",
           (unsigned long long)coverage.seeds, (unsigned long long)options.first, seconds,
           (double)coverage.steps / seconds);
    return wrong ? 1 : 0;
}
