#include "worker/pipelines/immunogenicity/job.h"
#include "worker/pipelines/immunogenicity/choices.h"
#include "worker/pipelines/immunogenicity/render.h"
#include "worker/pipelines/immunogenicity/weights.h"
#include "worker/pipelines/options.h"
#include <stdlib.h>

/* All that a job needs, too large for a stack. */
typedef struct {
    pt_molecule_t molecule;
    pt_structure_t structure;
    pt_antigen_t antigen;
    pt_antigen_ddg_t ddg;
    pt_immunogenicity_choices_t choices;
    pt_scan_t scans[2];
    pt_immunogenicity_t found;
} scratch_t;

static void say(pt_reporter_t *reporter, const char *step, double fraction)
{
    if (reporter)
        pt_report(reporter, step, fraction);
}

static bool out_of_memory(pt_error_t *error)
{
    pt_error_set(error, "out_of_memory", "out of memory while looking for epitopes");
    error->retry = true;
    return false;
}

/* What was reached when the job failed, and which input was at fault: the error's, or this one. */
static bool tell(pt_answer_t *answer, const char *reached, const pt_error_t *error,
                 const char *otherwise)
{
    char text[PT_POINTER_MAX];
    answer->partial = json_pack("{s:s, s:s}", "reached", reached, "at_fault",
                                pt_error_pointer(error, otherwise, text));
    return false;
}

static bool read_job(const pt_inputs_t *inputs, pt_reporter_t *reporter, scratch_t *s,
                     pt_answer_t *answer, pt_error_t *error)
{
    if (!pt_molecule_read(inputs->chains, inputs->chain_count, inputs->lone_heavy, &s->molecule,
                          error))
        return tell(answer, "job read", error, "/chains");
    pt_structure_choose(PT_STRUCTURE_AUTO, inputs->earlier, &s->molecule, reporter, &s->structure,
                        error);
    pt_antigen_of(&s->molecule, s->structure.there ? &s->structure.model : NULL, &s->antigen,
                  s->ddg);
    if (!pt_immunogenicity_choose(inputs->options, &s->antigen, &s->choices, error))
        return tell(answer, "numbering", error, "/options");
    if (pt_panel_weigh_by_table(&s->choices.panel, error))
        return true;
    answer->partial = json_pack("{s:s}", "reached", "numbering"); /* the worker's fault */
    return false;
}

static bool analyse(pt_reporter_t *reporter, scratch_t *s, pt_error_t *error)
{
    pt_immunogenicity_t *found = &s->found;
    const pt_panel_t *panel = &s->choices.panel;
    say(reporter, "epitopes: MHC class II, class I, B cells", 0.2);
    pt_scan(&s->antigen, panel, s->scans);
    say(reporter, "risk", 0.4);
    found->antigen = &s->antigen;
    found->panel = panel;
    found->scans = s->scans;
    found->ddg = (const pt_antigen_ddg_t *)&s->ddg;
    found->structure = &s->structure.source;
    found->risk = pt_risk_of(&s->antigen, panel, s->scans);
    found->humanness = pt_antigen_humanness(&s->antigen);
    say(reporter, "deimmunisation suggestions", 0.5);
    return pt_suggest(&s->antigen, panel, s->scans, &s->choices.suggestions, found->suggestions,
                      &found->suggestion_count) ||
           out_of_memory(error);
}

static bool compute(const pt_inputs_t *inputs, pt_reporter_t *reporter, pt_answer_t *answer,
                    pt_error_t *error)
{
    scratch_t *scratch = calloc(1, sizeof *scratch);
    if (!scratch)
        return out_of_memory(error);
    say(reporter, "numbering", 0.0);
    bool ok =
        read_job(inputs, reporter, scratch, answer, error) && analyse(reporter, scratch, error);
    if (ok) {
        answer->results = pt_json_immunogenicity(&scratch->found);
        answer->versions = pt_json_immunogenicity_versions(&scratch->found);
    }
    pt_structure_clear(&scratch->structure);
    free(scratch);
    return ok;
}

const pt_pipeline_t pt_immunogenicity = {.job_type = "immunogenicity",
                                         .title = "Immunogenicity analysis",
                                         .version = "1.1.0",
                                         .options_schema = pt_immunogenicity_options,
                                         .wants = "structure",
                                         .compute = compute};
