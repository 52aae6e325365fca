#include "worker/pipelines/codon_export/job.h"
#include "worker/pipelines/codon_export/render.h"
#include "worker/pipelines/options.h"
#include "worker/pipelines/render.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const names[] = {[PT_KIND_ANY] = "chain",
                                    [PT_KIND_HEAVY] = "heavy",
                                    [PT_KIND_LIGHT] = "light",
                                    [PT_KIND_VHH] = "vhh",
                                    [PT_KIND_SCFV] = "scfv"};

typedef struct {
    const pt_inputs_t *inputs;
    pt_reporter_t *reporter;
    pt_codon_options_t options;
    pt_molecule_t molecule;
    char antibody[PT_WORD_MAX];
    pt_coding_t *codings[PT_CHAINS_MAX];
    pt_coded_t coded[PT_CHAINS_MAX];
    size_t done; /* chains */
} work_t;

static bool no_memory(pt_error_t *error)
{
    pt_error_set(error, "out_of_memory", "out of memory while a gene was designed");
    error->retry = true;
    return false;
}

static void report(void *context)
{
    const work_t *work = context;
    char step[64];
    if (!work->reporter || work->done == work->inputs->chain_count)
        return;
    snprintf(step, sizeof step, "codons of the %s chain",
             names[work->inputs->chains[work->done].kind]);
    pt_report(work->reporter, step,
              0.1 + 0.9 * (double)work->done / (double)work->inputs->chain_count);
}

/* Says which constraints cannot be met for which residues. */
static bool refuse(const pt_coding_t *coding, const char *name, pt_error_t *error)
{
    const pt_conflict_t *c = &coding->conflict;
    char list[320] = "";
    int at = 0;
    for (size_t i = 0; i < c->count && at < (int)sizeof list; i++)
        at +=
            snprintf(list + at, sizeof list - (size_t)at, "%s%s", i ? "; " : "", c->constraints[i]);
    size_t shown = c->to - c->from < 24 ? c->to - c->from : 24;
    return pt_error_set(error, "constraints_conflict",
                        "%s chain: no DNA for residues %zu to %zu of the coding sequence (%.*s%s) "
                        "meets: %s",
                        name, c->from + 1, c->to, (int)shown, coding->protein + c->from,
                        shown < c->to - c->from ? "…" : "", list);
}

static json_t *partial_of(const work_t *work, const json_t *conflict)
{
    char at_fault[32];
    snprintf(at_fault, sizeof at_fault, "/chains/%zu", work->done);
    json_t *partial = pt_json_partial(work->done ? "an earlier chain's codons" : "numbering",
                                      at_fault, &work->molecule);
    json_object_set(partial, "conflict", (json_t *)conflict);
    return partial;
}

/* The next chain; on failure what is known of it in *partial. */
static bool design(work_t *work, json_t **partial, pt_error_t *error)
{
    const pt_chain_t *chain = &work->inputs->chains[work->done];
    const char *name = names[chain->kind];
    pt_coding_t *coding = malloc(sizeof *coding);
    if (!coding)
        return no_memory(error);
    work->codings[work->done] = coding;
    pt_coding_make(&work->options, chain->sequence, chain->length, coding);
    coding->tick = report;
    coding->context = work;
    report(work);
    pt_solve_outcome_t outcome = pt_solve(coding);
    work->coded[work->done] = (pt_coded_t){name, work->antibody, coding, &work->molecule, chain};
    if (outcome == PT_SOLVED) {
        work->done++;
        return true;
    }
    if (outcome == PT_SOLVE_NO_MEMORY)
        return no_memory(error);
    json_t *conflict = outcome == PT_CONFLICT ? pt_json_conflict(coding) : json_null();
    *partial = partial_of(work, conflict);
    json_decref(conflict);
    if (outcome == PT_CONFLICT)
        return refuse(coding, name, error);
    return pt_error_set(error, "constraints_too_many",
                        "%s chain: no DNA was found that meets all constraints, and none was ruled "
                        "out: allow longer repeats, or wider G+C",
                        name);
}

static bool render(work_t *work, pt_answer_t *answer, pt_error_t *error)
{
    json_t *chains = json_array(), *files, *names_of = json_array();
    bool all_met = true;
    for (size_t c = 0; c < work->done; c++) {
        bool met;
        json_array_append_new(chains, pt_json_coding(&work->coded[c], &met));
        all_met &= met;
    }
    const char *name;
    json_t *file;
    files = answer->files = pt_codon_files(&work->options, work->coded, work->done);
    json_object_foreach(files, name, file) json_array_append_new(names_of, json_string(name));
    answer->results = json_pack(
        "{s:s, s:s, s:s, s:I, s:o, s:o}", "host", work->options.host->name, "species",
        work->options.host->species, "strategy", pt_strategy_names[work->options.strategy], "seed",
        (json_int_t)work->options.seed, "chains", chains, "files", names_of);
    answer->versions = pt_json_codon_versions(&work->options);
    if (!answer->results || !answer->versions || !files)
        return no_memory(error);
    return all_met || pt_error_set(error, "check_failed",
                                   "the finished DNA does not meet what was asked: an error of "
                                   "this program, please report it with the inputs");
}

static bool run(work_t *work, pt_answer_t *answer, pt_error_t *error)
{
    const pt_inputs_t *inputs = work->inputs;
    char text[PT_POINTER_MAX];
    if (!pt_codon_options_read(inputs->options, &work->options, error)) {
        answer->partial =
            pt_json_partial("job read", pt_error_pointer(error, "/options", text), &work->molecule);
        return false;
    }
    if (work->reporter)
        pt_report(work->reporter, "numbering", 0.0);
    if (!pt_molecule_read(inputs->chains, inputs->chain_count, inputs->lone_heavy, &work->molecule,
                          error)) {
        answer->partial =
            pt_json_partial("job read", pt_error_pointer(error, "/chains", text), &work->molecule);
        return false;
    }
    while (work->done < inputs->chain_count)
        if (!design(work, &answer->partial, error))
            return false;
    return render(work, answer, error);
}

static bool compute(const pt_inputs_t *inputs, pt_reporter_t *reporter, pt_answer_t *answer,
                    pt_error_t *error)
{
    work_t *work = calloc(1, sizeof *work);
    if (!work)
        return no_memory(error);
    work->inputs = inputs;
    work->reporter = reporter;
    pt_codon_word(inputs->name, inputs->name_length, work->antibody);
    bool ok = run(work, answer, error);
    for (size_t c = 0; c < PT_CHAINS_MAX; c++)
        free(work->codings[c]);
    free(work);
    return ok;
}

const pt_pipeline_t pt_codon_export = {.job_type = "codon_export",
                                       .title = "Codon export",
                                       .version = "1.0.0",
                                       .options_schema = pt_codon_export_options,
                                       .compute = compute};
