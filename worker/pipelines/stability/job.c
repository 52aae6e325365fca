#include "worker/pipelines/stability/job.h"
#include "worker/pipelines/options.h"
#include "worker/pipelines/stability/choices.h"
#include "worker/pipelines/stability/render.h"
#include <stdlib.h>

/* All that a job needs, too large for a stack. */
typedef struct {
    pt_molecule_t molecule;
    pt_stability_choices_t choices;
    pt_structure_t structure;
    pt_stability_t result;
} scratch_t;

static void step(const char *what, double fraction, void *context)
{
    pt_reporter_t *reporter = context;
    if (reporter)
        pt_report(reporter, what, fraction);
}

/* What was reached when the job failed, and which input was at fault: the error's, or this one. */
static void tell(pt_answer_t *answer, const char *reached, const pt_error_t *error,
                 const char *otherwise)
{
    char text[PT_POINTER_MAX];
    answer->partial = json_pack("{s:s, s:s}", "reached", reached, "at_fault",
                                pt_error_pointer(error, otherwise, text));
}

/* A model that was made here can be downloaded. */
static json_t *files_of(const pt_structure_t *structure)
{
    return json_incref(json_object_get(structure->made, "files"));
}

static bool analyse(const pt_inputs_t *inputs, pt_reporter_t *reporter, scratch_t *s,
                    pt_answer_t *answer, pt_error_t *error)
{
    if (!pt_molecule_read(inputs->chains, inputs->chain_count, inputs->lone_heavy, &s->molecule,
                          error)) {
        tell(answer, "job read", error, "/chains");
        return false;
    }
    if (!pt_stability_choose(inputs->options, &s->molecule, &s->choices, error)) {
        tell(answer, "numbering", error, "/options");
        return false;
    }
    if (!pt_structure_choose((pt_structure_choice_t)s->choices.structure, inputs->earlier,
                             &s->molecule, reporter, &s->structure, error)) {
        tell(answer, "numbering", error, "/options/structure");
        return false;
    }
    pt_analyse_stability(&s->molecule, s->structure.there ? &s->structure.model : NULL,
                         &s->choices.scan, step, reporter, &s->result);
    answer->results = pt_json_stability(&s->result, &s->structure.source);
    answer->versions = pt_json_stability_versions(&s->result, &s->structure.source);
    answer->files = files_of(&s->structure);
    return true;
}

static bool compute(const pt_inputs_t *inputs, pt_reporter_t *reporter, pt_answer_t *answer,
                    pt_error_t *error)
{
    scratch_t *scratch = calloc(1, sizeof *scratch);
    if (!scratch) {
        pt_error_set(error, "out_of_memory", "out of memory before the analysis of stability");
        error->retry = true;
        return false;
    }
    step("numbering", 0.0, reporter);
    bool ok = analyse(inputs, reporter, scratch, answer, error);
    pt_structure_clear(&scratch->structure);
    free(scratch);
    return ok;
}

const pt_pipeline_t pt_stability = {.job_type = "stability",
                                    .title = "Stability and developability analysis",
                                    .version = "1.1.0",
                                    .options_schema = pt_stability_options,
                                    .wants = "structure",
                                    .compute = compute};
