#include "worker/pipelines/fold/structure.h"
#include "worker/pipelines/fold/modeller.h"
#include <stdio.h>
#include <string.h>

static const char FILE_NAME[] = "model.pdb";
static const char not_asked[] = "the option structure is table";
static const char no_job[] = "there is no completed structure job of the variant";
static const char too_large[] =
    "the structure job's result is too large to come along with this job's inputs";
static const char no_scfv_jobs[] =
    "structure jobs do not model an scFv: for stability, ask with structure: model";

/* Where modelling stands within the job. */
static const double MODEL_FROM = 0.05, MODEL_TO = 0.9;

/* The model among `files`; false with structure->why. */
static bool read_model(const json_t *files, const pt_molecule_t *molecule,
                       pt_structure_t *structure)
{
    const pt_domain_t *domains[2] = {&molecule->heavy.domain, &molecule->light.domain};
    const json_t *text = json_object_get(json_object_get(files, FILE_NAME), "content");
    char why[PT_PDB_REASON_MAX] = "it has no file model.pdb";
    structure->there =
        text && pt_model_read(json_string_value(text), json_string_length(text), domains,
                              molecule->light.there ? 2 : 1, &structure->model, why);
    if (!structure->there)
        snprintf(structure->why, sizeof structure->why, "the model cannot be used: %s", why);
    structure->source.why_none = structure->there ? NULL : structure->why;
    return structure->there;
}

/* The newest structure job's model, if the inputs bring one that is of this molecule. */
static void look_for_job(const json_t *earlier, const pt_molecule_t *molecule,
                         pt_structure_t *structure)
{
    const json_t *job = json_object_get(earlier, "structure");
    memset(structure, 0, sizeof *structure);
    structure->source = (pt_structure_source_t){.source = "none",
                                                .why_none = molecule->scfv ? no_scfv_jobs : no_job};
    bool left_out = json_is_true(json_object_get(job, "left_out"));
    if (left_out)
        structure->source.why_none = too_large;
    if (!job || left_out || !read_model(json_object_get(job, "files"), molecule, structure))
        return;
    structure->source.source = "structure job";
    structure->source.job_id = json_string_value(json_object_get(job, "job_id"));
}

static void step(const char *what, double fraction, void *context)
{
    char text[80];
    snprintf(text, sizeof text, "structure: %.50s", what);
    if (context)
        pt_report(context, text, MODEL_FROM + (MODEL_TO - MODEL_FROM) * fraction);
}

static bool make(const pt_molecule_t *molecule, pt_reporter_t *reporter, pt_structure_t *structure,
                 pt_error_t *error)
{
    structure->made = pt_model_make(molecule, step, reporter, error);
    if (!structure->made)
        return false;
    if (!read_model(json_object_get(structure->made, "files"), molecule, structure))
        return pt_error_set(error, "structure_failed", "%s", structure->why);
    structure->source.source = "made here";
    structure->source.versions = json_object_get(structure->made, "model_versions");
    return true;
}

bool pt_structure_choose(pt_structure_choice_t choice, const json_t *earlier,
                         const pt_molecule_t *molecule, pt_reporter_t *reporter,
                         pt_structure_t *structure, pt_error_t *error)
{
    look_for_job(choice == PT_STRUCTURE_TABLE ? NULL : earlier, molecule, structure);
    if (choice == PT_STRUCTURE_TABLE)
        structure->source.why_none = not_asked;
    if (choice != PT_STRUCTURE_MODEL || structure->there)
        return true;
    if (make(molecule, reporter, structure, error))
        return true;
    pt_structure_clear(structure);
    return false;
}

void pt_structure_clear(pt_structure_t *structure)
{
    if (structure->there)
        pt_model_clear(&structure->model);
    json_decref(structure->made);
    memset(structure, 0, sizeof *structure);
}
