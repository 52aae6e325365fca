/*
 *  paratope-pipeline JOB_TYPE: the pipeline process, and the same computations as a tool for
 * people.
 */
#include "worker/pipelines/codon_export/job.h"
#include "worker/pipelines/humanization/job.h"
#include "worker/pipelines/immunogenicity/job.h"
#include "worker/pipelines/stability/ddg_table.h"
#include "worker/pipelines/stability/job.h"
#include "worker/pipelines/tools.h"
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef PT_RELEASE
#define PT_RELEASE "0"
#endif

/* A job type or tool is a row here. */
static const struct {
    const char *name;
    const pt_pipeline_t *pipeline;  /* jobs on standard input; NULL for what is a tool only */
    pt_tool_fn tool;                /* --fasta */
    bool apart;                     /* the tool looks at each record alone */
    int (*table)(const char *path); /* --table, instead of --fasta */
    const char *about;
} commands[] = {
    {"humanization", &pt_humanization, pt_tool_pipeline, false, NULL,
     "four strategies on human frameworks"},
    {"immunogenicity", &pt_immunogenicity, pt_tool_pipeline, false, NULL,
     "epitopes, risk and deimmunisation"},
    {"stability", &pt_stability, pt_tool_pipeline, false, NULL,
     "stability changes of all substitutions, developability"},
    {"codon_export", &pt_codon_export, pt_tool_pipeline, false, NULL,
     "a gene for each chain, for a host"},
    {"numbering", NULL, pt_tool_numbering, true, NULL, "chain type, germline genes and positions"},
    {"humanness", NULL, pt_tool_humanness, false, NULL, "how human an antibody is, 0 to 1"},
    {"ddg", NULL, NULL, false, pt_ddg_table, "stability change of substitutions in any protein"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0], USAGE_ERROR = 2 };

static void help(FILE *to)
{
    fputs(
        "usage: paratope-pipeline JOB_TYPE                serve jobs, msgpack on stdin and stdout\n"
        "       paratope-pipeline COMMAND --fasta FILE    print one JSON object a line\n"
        "                         [--options JSON]          … with a job's options (text or a "
        "file)\n"
        "       paratope-pipeline ddg --table FILE        print the table with a column ddg\n"
        "       paratope-pipeline --help | --version\n\n",
        to);
    for (int c = 0; c < COMMANDS; c++)
        fprintf(to, "  %-14s %s%s\n", commands[c].name, commands[c].about,
                commands[c].table      ? " (with --table only)"
                : commands[c].pipeline ? ""
                                       : " (with --fasta only)");
    fputs("\nIn FILE, records `NAME VH` and `NAME VL` are one antibody; a record alone is a "
          "nanobody or a\n"
          "single chain. FILE may be - for standard input. A record that fails gives {\"name\", "
          "\"error\"},\n"
          "and the exit status is 1 at the end; 2 is a wrong command or an unreadable file.\n\n"
          "A table has tab-separated columns sequence, position (from 1), mutant and, where known, "
          "rsa\nand the shares wild_share and mutant_share among the protein's relatives (0 to 1); "
          "ddg is in\nkcal/mol, negative destabilises.\n",
          to);
}

static int misuse(const char *what, const char *detail)
{
    fprintf(stderr, "paratope-pipeline: %s%s\nTry paratope-pipeline --help.\n", what, detail);
    return USAGE_ERROR;
}

static int find_command(const char *name)
{
    for (int c = 0; c < COMMANDS; c++)
        if (strcmp(commands[c].name, name) == 0)
            return c;
    return -1;
}

/* What was asked for on the command line. */
typedef struct {
    const char *fasta, *table, *options;
    pt_scheme_t scheme;
} asked_t;

static int run_tool(int c, const asked_t *asked)
{
    const pt_pipeline_t *pipeline = commands[c].pipeline;
    pt_tool_options_t options = {commands[c].apart, asked->scheme, pipeline, NULL};
    json_t *read = NULL;
    if (asked->options && !(read = pt_tool_read_options(pipeline, asked->options)))
        return USAGE_ERROR;
    options.options = read;
    int status = pt_tool_run(commands[c].tool, &options, asked->fasta);
    json_decref(read);
    return status;
}

static int run(const char *name, const asked_t *asked)
{
    int c = find_command(name);
    if (c < 0)
        return misuse("there is no job type or command ", name);
    if (asked->table && (asked->fasta || !commands[c].table))
        return misuse("--table FILE is for ddg alone, not for ", name);
    if (asked->options && (!asked->fasta || !commands[c].pipeline))
        return misuse("--options is for job types with --fasta FILE, not for ", name);
    if (asked->table)
        return commands[c].table(asked->table);
    if (commands[c].table)
        return misuse("--table FILE is needed for ", name);
    if (asked->fasta)
        return run_tool(c, asked);
    if (!commands[c].pipeline)
        return misuse("--fasta FILE is needed for ", name);
    signal(SIGPIPE, SIG_IGN); /* an agent that is gone is an error of write */
    return pt_pipeline_serve(commands[c].pipeline, STDIN_FILENO, STDOUT_FILENO);
}

/* The exit status, or -1 if there is something to run. */
static int read_options(asked_t *asked, int argc, char **argv)
{
    static const struct option options[] = {{"fasta", required_argument, NULL, 'f'},
                                            {"table", required_argument, NULL, 't'},
                                            {"options", required_argument, NULL, 'o'},
                                            {"scheme", required_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'},
                                            {0}};
    int option;
    while ((option = getopt_long(argc, argv, "hV", options, NULL)) != -1)
        switch (option) {
        case 'f':
            asked->fasta = optarg;
            break;
        case 't':
            asked->table = optarg;
            break;
        case 'o':
            asked->options = optarg;
            break;
        case 's':
            if (!pt_scheme_parse(optarg, &asked->scheme))
                return misuse("there is no numbering scheme ", optarg);
            break;
        case 'h':
            help(stdout);
            return 0;
        case 'V':
            puts("paratope-pipeline " PT_RELEASE);
            return 0;
        default:
            return USAGE_ERROR;
        }
    return -1;
}

int main(int argc, char **argv)
{
    asked_t asked = {.scheme = PT_SCHEME_IMGT};
    int status = read_options(&asked, argc, argv);
    if (status >= 0)
        return status;
    if (optind == argc)
        return misuse("a job type is missing", "");
    if (optind + 1 < argc)
        return misuse("one job type only, not also ", argv[optind + 1]);
    return run(argv[optind], &asked);
}
