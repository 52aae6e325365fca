#include "worker/pipelines/tools.h"
#include "proto/options_schema.h"
#include "worker/pipelines/render.h"
#include <stdio.h>
#include <string.h>

static json_t *failed(const char *name, const pt_error_t *error)
{
    return json_pack("{s:o, s:s, s:s}", "name", pt_json_text(name), "error", error->message, "code",
                     error->code);
}

static json_t *one_line(json_t *line)
{
    json_t *lines = json_array();
    json_array_append_new(lines, line);
    return lines;
}

static bool few_enough(const pt_antibody_t *antibody, pt_error_t *error)
{
    return !antibody->too_many ||
           pt_error_set(error, "duplicate_chain", "there are more than %d records of this name",
                        PT_CHAINS_MAX);
}

/* The records as a job's inputs. */
static bool inputs_of(const pt_antibody_t *antibody, const json_t *options, pt_inputs_t *inputs,
                      pt_error_t *error)
{
    if (!few_enough(antibody, error))
        return false;
    *inputs = (pt_inputs_t){.chain_count = antibody->count, .lone_heavy = true, .options = options};
    for (size_t c = 0; c < antibody->count; c++) {
        const pt_record_t *record = antibody->records[c];
        inputs->chains[c] = (pt_chain_t){record->kind, record->sequence, record->length};
    }
    return true;
}

/* {name, …} of a result that is an object, else {name, results}. */
static json_t *result_line(const char *name, json_t *results)
{
    json_t *line = json_pack("{s:o}", "name", pt_json_text(name));
    if (json_is_object(results))
        json_object_update(line, results);
    else
        json_object_set(line, "results", results);
    return line;
}

json_t *pt_tool_pipeline(const pt_antibody_t *antibody, const pt_tool_options_t *options)
{
    pt_inputs_t inputs;
    pt_error_t error = {.code = "out_of_memory", .message = "out of memory"};
    pt_answer_t answer = {.results = NULL};
    bool ok = inputs_of(antibody, options->options, &inputs, &error) &&
              options->pipeline->compute(&inputs, NULL, &answer, &error) && answer.results;
    json_t *line =
        ok ? result_line(antibody->name, answer.results) : failed(antibody->name, &error);
    json_decref(answer.results);
    json_decref(answer.versions);
    json_decref(answer.files);
    json_decref(answer.partial);
    return one_line(line);
}

/* Domains of any chain, whatever its kind says. False with *error when there are none. */
static size_t domains_of(const pt_record_t *record, pt_domain_t domains[PT_DOMAINS_MAX],
                         pt_error_t *error)
{
    pt_fault_t fault;
    size_t count =
        pt_antibody_check(record->sequence, record->length, domains, PT_DOMAINS_MAX, &fault);
    if (!count)
        pt_error_set(error, pt_fault_name(fault.code), "%s", fault.reason);
    return count;
}

/* Positions in any scheme; null when a loop is longer than the scheme can name. */
static json_t *positions_in(const pt_record_t *record, const pt_domain_t *domain,
                            pt_scheme_t scheme)
{
    pt_position_t positions[PT_DOMAIN_MAX + 1];
    size_t length = domain->length;
    if (!pt_scheme_positions(domain, scheme, positions))
        return json_null();
    if (domain->end < record->length && pt_scheme_takes_next(domain, scheme, &positions[length]))
        length++;
    return pt_json_positions(positions, record->sequence + domain->start, length);
}

static json_t *numbering_line(const pt_record_t *record, const pt_domain_t *domain, size_t number,
                              pt_scheme_t scheme)
{
    char chain[2] = {domain->chain, 0};
    pt_germline_match_t v = pt_nearest_v(domain, PT_HUMAN), j = pt_nearest_j(domain, PT_HUMAN);
    pt_species_t species = pt_nearest_species(domain);
    pt_germline_match_t nearest = pt_nearest_v(domain, species);
    return json_pack(
        "{s:o, s:o, s:I, s:I, s:I, s:s, s:s, s:o, s:s, s:o, s:s, s:o, s:o, s:s, s:o}", "name",
        pt_json_text(record->name), "chain", pt_json_text(record->label), "domain",
        (json_int_t)number, "start", (json_int_t)domain->start + 1, "end", (json_int_t)domain->end,
        "chain_type", chain, "v_gene", v.allele ? v.allele : "", "v_identity",
        pt_json_number(pt_identity(&v)), "j_gene", j.allele ? j.allele : "", "j_identity",
        pt_json_number(pt_identity(&j)), "species", pt_species_name(species), "nearest_v",
        pt_json_germline(&nearest), "score", pt_json_number(domain->score), "scheme",
        pt_scheme_name(scheme), "positions", positions_in(record, domain, scheme));
}

static json_t *unnumbered_line(const pt_record_t *record, const pt_error_t *error)
{
    json_t *line = failed(record->name, error);
    json_object_set_new(line, "chain", pt_json_text(record->label));
    return line;
}

json_t *pt_tool_numbering(const pt_antibody_t *antibody, const pt_tool_options_t *options)
{
    const pt_record_t *record = antibody->records[0];
    pt_domain_t domains[PT_DOMAINS_MAX];
    pt_error_t error;
    json_t *lines = json_array();
    size_t count = domains_of(record, domains, &error);
    if (!count)
        json_array_append_new(lines, unnumbered_line(record, &error));
    for (size_t d = 0; d < count; d++)
        json_array_append_new(lines, numbering_line(record, &domains[d], d + 1, options->scheme));
    return lines;
}

static json_t *humanness_chain(const pt_record_t *record, const pt_domain_t *domain, double *score)
{
    char chain[2] = {domain->chain, 0};
    pt_humanness_t humanness = pt_humanness(domain);
    pt_germline_match_t v = pt_nearest_v(domain, PT_HUMAN);
    json_t *line = pt_json_humanness(&humanness);
    *score += humanness.score;
    json_object_set_new(line, "chain", pt_json_text(record->label));
    json_object_set_new(line, "chain_type", json_string(chain));
    json_object_set_new(line, "v_gene", json_string(v.allele ? v.allele : ""));
    return line;
}

json_t *pt_tool_humanness(const pt_antibody_t *antibody, const pt_tool_options_t *options)
{
    (void)options;
    pt_error_t error;
    if (!few_enough(antibody, &error))
        return one_line(failed(antibody->name, &error));
    json_t *chains = json_array();
    double score = 0;
    for (size_t r = 0; r < antibody->count; r++) {
        pt_domain_t domains[PT_DOMAINS_MAX];
        size_t count = domains_of(antibody->records[r], domains, &error);
        if (!count) {
            json_decref(chains);
            return one_line(failed(antibody->name, &error));
        }
        for (size_t d = 0; d < count; d++)
            json_array_append_new(chains,
                                  humanness_chain(antibody->records[r], &domains[d], &score));
    }
    return one_line(json_pack("{s:o, s:o, s:o, s:o}", "name", pt_json_text(antibody->name), "score",
                              pt_json_number(score / (double)json_array_size(chains)), "method",
                              pt_json_humanness_method(), "chains", chains));
}

typedef struct {
    pt_tool_fn tool;
    const pt_tool_options_t *options;
    bool failed;
} run_t;

static void print_lines(const pt_antibody_t *antibody, void *context)
{
    run_t *run = context;
    size_t index;
    json_t *line, *lines = run->tool(antibody, run->options);
    if (!lines)
        run->failed = true;
    json_array_foreach(lines, index, line)
    {
        run->failed |= json_object_get(line, "error") != NULL;
        if (json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6)) != 0 ||
            putchar('\n') == EOF)
            run->failed = true;
    }
    json_decref(lines);
}

json_t *pt_tool_read_options(const pt_pipeline_t *pipeline, const char *given)
{
    json_error_t wrong;
    pt_options_error_t fault;
    bool text = given[strspn(given, " \t\n")] == '{';
    json_t *options = text ? json_loads(given, JSON_REJECT_DUPLICATES, &wrong)
                           : json_load_file(given, JSON_REJECT_DUPLICATES, &wrong);
    if (!options) {
        fprintf(stderr, "paratope-pipeline: --options: %s\n", wrong.text);
        return NULL;
    }
    json_t *schema = json_loads(pipeline->options_schema, 0, NULL);
    bool valid = schema && pt_options_validate(schema, options, &fault, 1) == 0;
    if (schema && !valid)
        fprintf(stderr, "paratope-pipeline: --options: %s%s%s\n", fault.pointer,
                *fault.pointer ? ": " : "", fault.message);
    json_decref(schema);
    if (valid)
        return options;
    json_decref(options);
    return NULL;
}

int pt_tool_run(pt_tool_fn tool, const pt_tool_options_t *options, const char *path)
{
    pt_fasta_t fasta;
    const char *why;
    run_t run = {tool, options, false};
    if (!pt_fasta_read(path, &fasta, &why)) {
        fprintf(stderr, "paratope-pipeline: %s: %s\n", path, why);
        return 2;
    }
    if (!pt_fasta_each(&fasta, options->apart, print_lines, &run))
        run.failed = true;
    pt_fasta_clear(&fasta);
    if (fflush(stdout) != 0)
        run.failed = true;
    return run.failed;
}
