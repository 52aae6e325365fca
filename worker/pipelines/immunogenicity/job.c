#include "worker/pipelines/immunogenicity/job.h"
#include "worker/pipelines/immunogenicity/render.h"
#include "worker/pipelines/options.h"
#include <stdlib.h>

/* All that a job needs, too large for a stack. */
typedef struct {
    pt_antigen_t antigen;
    pt_scan_t scans[2];
    pt_immunogenicity_t found;
} scratch_t;

static void say(pt_reporter_t *reporter, const char *step, double fraction)
{
    if (reporter)
        pt_report(reporter, step, fraction);
}

/* NULL when memory is out. */
static json_t *analyse(const pt_molecule_t *molecule, pt_reporter_t *reporter, scratch_t *scratch)
{
    pt_immunogenicity_t *found = &scratch->found;
    pt_antigen_of(molecule, &scratch->antigen);
    say(reporter, "epitopes: MHC class II, class I, B cells", 0.2);
    pt_scan(&scratch->antigen, scratch->scans);
    say(reporter, "risk", 0.4);
    found->antigen = &scratch->antigen;
    found->scans = scratch->scans;
    found->risk = pt_risk_of(&scratch->antigen, scratch->scans);
    found->humanness = pt_antigen_humanness(&scratch->antigen);
    say(reporter, "deimmunisation suggestions", 0.5);
    if (!pt_suggest(&scratch->antigen, scratch->scans, found->suggestions,
                    &found->suggestion_count))
        return NULL;
    return pt_json_immunogenicity(found);
}

json_t *pt_immunogenicity_results(const pt_chain_t *chains, size_t count, bool lone_heavy,
                                  pt_reporter_t *reporter, pt_error_t *error)
{
    pt_molecule_t molecule;
    say(reporter, "numbering", 0.0);
    if (!pt_molecule_read(chains, count, lone_heavy, &molecule, error))
        return NULL;
    scratch_t *scratch = malloc(sizeof *scratch);
    json_t *results = scratch ? analyse(&molecule, reporter, scratch) : NULL;
    free(scratch);
    if (!results) {
        pt_error_set(error, "out_of_memory", "out of memory while looking for epitopes");
        error->retry = true;
    }
    return results;
}

static bool compute(const pt_inputs_t *inputs, pt_reporter_t *reporter, pt_answer_t *answer,
                    pt_error_t *error)
{
    answer->results = pt_immunogenicity_results(inputs->chains, inputs->chain_count,
                                                inputs->lone_heavy, reporter, error);
    if (!answer->results)
        return false;
    answer->versions = pt_json_immunogenicity_versions();
    return true;
}

const pt_pipeline_t pt_immunogenicity = {.job_type = "immunogenicity",
                                         .title = "Immunogenicity analysis",
                                         .version = "1.0.0",
                                         .options_schema = pt_immunogenicity_options,
                                         .wants = "structure",
                                         .compute = compute};
