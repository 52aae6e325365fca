#include "worker/pipelines/humanization/job.h"
#include "worker/pipelines/humanization/choices.h"
#include "worker/pipelines/humanization/render.h"
#include "worker/pipelines/options.h"
#include "worker/pipelines/render.h"
#include <stdio.h>
#include <stdlib.h>

/* All that a job needs, too large for a stack. */
typedef struct {
    pt_molecule_t molecule;
    pt_humanization_choices_t choices;
    pt_humanization_t result;
    pt_reporter_t *reporter;
    size_t strategy;   /* at work */
    pt_oasis_t *oasis; /* NULL without a database */
    pt_oasis_score_t parental;
} scratch_t;

/* Progress over the whole job: numbering first, then the strategies one after the other. */
enum { NUMBERING_PERCENT = 10 };

static void step(const char *what, double fraction, void *context)
{
    const scratch_t *s = context;
    double done = ((double)s->strategy + fraction) / (double)s->choices.strategy_count;
    char text[64];
    snprintf(text, sizeof text, "%s (%s)", what, s->choices.strategies[s->strategy]->name);
    if (s->reporter)
        pt_report(s->reporter, text, (NUMBERING_PERCENT + (100 - NUMBERING_PERCENT) * done) / 100);
}

/* --- humanness by the operator's database
 * -------------------------------------------------------------------------------- */

static bool score(scratch_t *s, bool parental, pt_oasis_score_t *found, pt_error_t *error)
{
    const pt_domain_t *parents[] = {&s->molecule.heavy.domain, &s->molecule.light.domain};
    const pt_domain_t *results[] = {&s->result.domains[0].humanized,
                                    &s->result.domains[1].humanized};
    return pt_oasis_score(s->oasis, parental ? parents : results, s->molecule.light.there ? 2 : 1,
                          found, error);
}

static bool open_oasis(scratch_t *s, pt_error_t *error)
{
    const char *path = getenv(PT_OASIS_ENV);
    if (!path || !*path)
        return true;
    s->oasis = pt_oasis_open(path, error);
    return s->oasis && score(s, true, &s->parental, error);
}

static bool add_oasis(scratch_t *s, json_t *result, pt_error_t *error)
{
    pt_oasis_score_t now;
    if (!s->oasis)
        return true;
    if (!score(s, false, &now, error))
        return false;
    json_object_set_new(result, "oasis_score", pt_json_oasis(&now, &s->parental));
    return true;
}

/* --- the job
 * -------------------------------------------------------------------------------------------------
 */

static bool out_of_memory(pt_error_t *error)
{
    pt_error_set(error, "out_of_memory", "out of memory while humanizing");
    error->retry = true;
    return false;
}

static bool each_strategy(scratch_t *s, json_t *list, pt_error_t *error)
{
    for (s->strategy = 0; s->strategy < s->choices.strategy_count; s->strategy++) {
        pt_humanize(&s->molecule, s->choices.strategies[s->strategy], &s->choices.request, step, s,
                    &s->result);
        json_t *result = pt_json_humanization(&s->molecule, &s->choices, &s->result);
        if (json_array_append_new(list, result)) /* the list's from here on */
            return out_of_memory(error);
        if (!add_oasis(s, result, error))
            return false;
    }
    return true;
}

/* The chains and options of the job; false with *error and what was reached. */
static bool read(const pt_inputs_t *inputs, scratch_t *s, pt_answer_t *answer, pt_error_t *error)
{
    char text[PT_POINTER_MAX];
    if (!pt_molecule_read(inputs->chains, inputs->chain_count, inputs->lone_heavy, &s->molecule,
                          error)) {
        answer->partial =
            pt_json_partial("job read", pt_error_pointer(error, "/chains", text), &s->molecule);
        return false;
    }
    if (pt_humanization_choose(inputs->options, &s->molecule, &s->choices, error))
        return true;
    answer->partial =
        pt_json_partial("numbering", pt_error_pointer(error, "/options", text), &s->molecule);
    return false;
}

static bool compute(const pt_inputs_t *inputs, pt_reporter_t *reporter, pt_answer_t *answer,
                    pt_error_t *error)
{
    scratch_t *s = calloc(1, sizeof *s);
    if (!s)
        return out_of_memory(error);
    s->reporter = reporter;
    if (reporter)
        pt_report(reporter, "numbering", 0.0);
    bool ok = read(inputs, s, answer, error) && open_oasis(s, error);
    if (ok) {
        answer->results = json_array();
        answer->versions = pt_json_humanization_versions();
        if (s->oasis)
            json_object_set_new(answer->versions, "oasis", json_string(pt_oasis_version(s->oasis)));
        ok = each_strategy(s, answer->results, error);
    }
    pt_oasis_close(&s->oasis);
    free(s);
    return ok;
}

const pt_pipeline_t pt_humanization = {.job_type = "humanization",
                                       .title = "Humanization",
                                       .version = "1.1.0",
                                       .options_schema = pt_humanization_options,
                                       .wants = NULL,
                                       .compute = compute};
