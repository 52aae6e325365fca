#include "worker/pipelines/stability/job.h"
#include "worker/pipelines/options.h"
#include "worker/pipelines/stability/render.h"
#include "worker/pipelines/stability/stability.h"
#include <stdlib.h>

static void step(const char *what, double fraction, void *context)
{
    pt_reporter_t *reporter = context;
    if (reporter)
        pt_report(reporter, what, fraction);
}

json_t *pt_stability_results(const pt_chain_t *chains, size_t count, bool lone_heavy,
                             pt_reporter_t *reporter, pt_error_t *error)
{
    pt_molecule_t molecule;
    step("numbering", 0.0, reporter);
    if (!pt_molecule_read(chains, count, lone_heavy, &molecule, error))
        return NULL;
    json_t *results = NULL;
    pt_stability_t *scratch = malloc(sizeof *scratch);
    if (scratch) {
        pt_analyse_stability(&molecule, step, reporter, scratch);
        results = pt_json_stability(scratch);
    }
    free(scratch);
    if (!results) {
        pt_error_set(error, "out_of_memory", "out of memory while analysing stability");
        error->retry = true;
    }
    return results;
}

static bool compute(const pt_inputs_t *inputs, pt_reporter_t *reporter, pt_answer_t *answer,
                    pt_error_t *error)
{
    answer->results = pt_stability_results(inputs->chains, inputs->chain_count, inputs->lone_heavy,
                                           reporter, error);
    if (!answer->results)
        return false;
    answer->versions = pt_json_stability_versions();
    return true;
}

const pt_pipeline_t pt_stability = {.job_type = "stability",
                                    .title = "Stability and developability analysis",
                                    .version = "1.0.0",
                                    .options_schema = pt_stability_options,
                                    .wants = "structure",
                                    .compute = compute};
