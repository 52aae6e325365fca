#include "worker/pipelines/humanization/job.h"
#include "worker/pipelines/humanization/humanization.h"
#include "worker/pipelines/humanization/render.h"
#include "worker/pipelines/options.h"
#include <stdio.h>
#include <stdlib.h>

/* Progress over the whole job: numbering first, then the strategies one after the other. */
enum { NUMBERING_PERCENT = 10 };

typedef struct {
    pt_reporter_t *reporter;
    size_t strategy;
} position_t;

static void step(const char *what, double fraction, void *context)
{
    position_t *at = context;
    double done = ((double)at->strategy + fraction) / PT_STRATEGY_COUNT;
    char text[64];
    snprintf(text, sizeof text, "%s (%s)", what, pt_strategies[at->strategy].name);
    if (at->reporter)
        pt_report(at->reporter, text, (NUMBERING_PERCENT + (100 - NUMBERING_PERCENT) * done) / 100);
}

static json_t *each_strategy(const pt_molecule_t *molecule, pt_reporter_t *reporter,
                             pt_humanization_t *scratch)
{
    json_t *list = json_array();
    for (size_t s = 0; s < PT_STRATEGY_COUNT; s++) {
        position_t at = {reporter, s};
        pt_humanize(molecule, &pt_strategies[s], step, &at, scratch);
        json_array_append_new(list, pt_json_humanization(molecule, scratch));
    }
    if (json_array_size(list) == PT_STRATEGY_COUNT)
        return list;
    json_decref(list);
    return NULL;
}

json_t *pt_humanization_results(const pt_chain_t *chains, size_t count, bool lone_heavy,
                                pt_reporter_t *reporter, pt_error_t *error)
{
    pt_molecule_t molecule;
    if (reporter)
        pt_report(reporter, "numbering", 0.0);
    if (!pt_molecule_read(chains, count, lone_heavy, &molecule, error))
        return NULL;
    pt_humanization_t *scratch = malloc(sizeof *scratch);
    json_t *results = scratch ? each_strategy(&molecule, reporter, scratch) : NULL;
    free(scratch);
    if (!results) {
        pt_error_set(error, "out_of_memory", "out of memory while humanizing");
        error->retry = true;
    }
    return results;
}

static bool compute(const pt_inputs_t *inputs, pt_reporter_t *reporter, pt_answer_t *answer,
                    pt_error_t *error)
{
    answer->results = pt_humanization_results(inputs->chains, inputs->chain_count,
                                              inputs->lone_heavy, reporter, error);
    if (!answer->results)
        return false;
    answer->versions = pt_json_humanization_versions();
    return true;
}

const pt_pipeline_t pt_humanization = {.job_type = "humanization",
                                       .title = "Humanization",
                                       .version = "1.0.0",
                                       .options_schema = pt_humanization_options,
                                       .wants = NULL,
                                       .compute = compute};
