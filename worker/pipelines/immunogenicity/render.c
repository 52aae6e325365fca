#include "worker/pipelines/immunogenicity/render.h"
#include "worker/pipelines/antibody/align.h"
#include "worker/pipelines/antibody/humanness.h"
#include "worker/pipelines/antibody/regions.h"
#include "worker/pipelines/render.h"
#include <math.h>
#include <stdio.h>

/* Bound by half of the panel or more, by weight. */
static bool is_promiscuous(const pt_panel_t *panel, const pt_core_t *core)
{
    return pt_panel_share(panel, PT_MHC_2, core->binders[PT_MHC_2]) >= 0.5 - 1e-9;
}

/* {chain, position, imgt, region}: imgt and region are null in a linker. */
static json_t *place(const pt_antigen_t *antigen, const pt_stretch_t *stretch, size_t i)
{
    json_int_t position = (json_int_t)(stretch->start + i + 1);
    int r = pt_antigen_residue(antigen, stretch, i);
    if (r < 0)
        return json_pack("{s:s, s:I, s:n, s:s}", "chain", stretch->name, "position", position,
                         "imgt", "region", "linker");
    const pt_domain_t *domain = &antigen->domains[stretch->domain[i]];
    char imgt[8], text[16];
    snprintf(text, sizeof text, "%c%s", pt_is_heavy(domain) ? 'H' : 'L',
             pt_position_text(domain->positions[r], imgt));
    return json_pack("{s:s, s:I, s:s, s:s}", "chain", stretch->name, "position", position, "imgt",
                     text, "region", pt_region_name(domain, PT_CDR_UNION, (size_t)r));
}

/* The 9-mer that begins at c, where it stands and whether it is foreign. */
static json_t *core_of(const pt_immunogenicity_t *f, size_t s, size_t c)
{
    const pt_stretch_t *stretch = &f->antigen->stretches[s];
    json_t *core = place(f->antigen, stretch, c);
    json_object_set_new(core, "peptide", json_stringn(stretch->residues + c, PT_CORE));
    json_object_set_new(core, "germline", json_boolean(!f->scans[s].cores[c].foreign));
    return core;
}

static json_t *epitope(const pt_immunogenicity_t *f, pt_mhc_class_t which, size_t s, size_t c,
                       size_t a)
{
    const pt_mhc_panel_t *panel = &pt_mhc_panels[which];
    int32_t score = pt_mhc_score(&panel->matrices[a], f->antigen->stretches[s].residues + c);
    double rank = pt_mhc_rank(panel, &panel->matrices[a], score);
    json_t *line = core_of(f, s, c);
    json_object_set_new(line, "allele", json_string(panel->matrices[a].allele));
    json_object_set_new(line, "score", pt_json_number(pt_mhc_value(which, score)));
    json_object_set_new(line, "rank", rank < 0 ? json_null() : pt_json_number(rank));
    return line;
}

/* Null when the class has no table. */
static json_t *mhc_epitopes(const pt_immunogenicity_t *f, pt_mhc_class_t which)
{
    if (!pt_mhc_panels[which].count)
        return json_null();
    json_t *list = json_array();
    for (size_t s = 0; s < f->antigen->stretch_count; s++)
        for (size_t c = 0; c < f->scans[s].core_count; c++)
            for (size_t a = 0; a < pt_mhc_panels[which].count; a++)
                if (f->scans[s].cores[c].binders[which] >> a & 1)
                    json_array_append_new(list, epitope(f, which, s, c, a));
    return list;
}

static json_t *promiscuous(const pt_immunogenicity_t *f)
{
    json_t *list = json_array();
    for (size_t s = 0; s < f->antigen->stretch_count; s++)
        for (size_t c = 0; c < f->scans[s].core_count; c++)
            if (is_promiscuous(f->panel, &f->scans[s].cores[c])) {
                json_t *line = core_of(f, s, c);
                unsigned count = pt_allele_count(f->scans[s].cores[c].binders[PT_MHC_2]);
                json_object_set_new(line, "alleles", json_integer(count));
                json_array_append_new(list, line);
            }
    return list;
}

static json_t *bcell_epitope(const pt_immunogenicity_t *f, size_t s, const pt_bcell_epitope_t *e)
{
    const pt_stretch_t *stretch = &f->antigen->stretches[s];
    json_t *line = place(f->antigen, stretch, e->from), *methods = json_object();
    double foreign = 0, exposure = 0, length = (double)(e->to - e->from);
    for (size_t i = e->from; i < e->to; i++) {
        foreign += f->scans[s].foreign[i] / length;
        exposure += stretch->rsa[i] / length;
    }
    for (int m = 0; m < PT_BCELL_METHODS; m++)
        json_object_set_new(methods, pt_bcell_methods[m], pt_json_number(e->mean[m]));
    json_object_set_new(line, "end", json_integer((json_int_t)(stretch->start + e->to)));
    json_object_set_new(line, "peptide",
                        json_stringn(stretch->residues + e->from, e->to - e->from));
    json_object_set_new(line, "foreign", pt_json_number(foreign));
    json_object_set_new(line, "exposure", pt_json_number(exposure));
    json_object_set_new(line, "scores", methods);
    return line;
}

static json_t *bcell_epitopes(const pt_immunogenicity_t *f)
{
    json_t *list = json_array();
    for (size_t s = 0; s < f->antigen->stretch_count; s++)
        for (size_t e = 0; e < f->scans[s].bcell_count; e++)
            json_array_append_new(list, bcell_epitope(f, s, &f->scans[s].bcell[e]));
    return list;
}

/* --- suggestions
 * --------------------------------------------------------------------------------------- */

static json_t *allele_names(uint64_t alleles)
{
    json_t *names = json_array();
    for (size_t a = 0; a < pt_mhc_panels[PT_MHC_2].count; a++)
        if (alleles >> a & 1)
            json_array_append_new(names, json_string(pt_mhc_panels[PT_MHC_2].matrices[a].allele));
    return names;
}

/* [{peptide, position, alleles}]: what no longer binds. */
static json_t *removes(const pt_immunogenicity_t *f, const pt_suggestion_t *is)
{
    const pt_stretch_t *stretch = &f->antigen->stretches[is->stretch];
    json_t *list = json_array();
    for (size_t k = 0; k < PT_CORE; k++) {
        if (!is->gone[k])
            continue;
        size_t c = is->place + k + 1 - PT_CORE; /* `gone` is 0 before the stretch's first residue */
        json_array_append_new(list, json_pack("{s:s#, s:I, s:o}", "peptide", stretch->residues + c,
                                              (size_t)PT_CORE, "position",
                                              (json_int_t)(stretch->start + c + 1), "alleles",
                                              allele_names(is->gone[k])));
    }
    return list;
}

/* kcal/mol to 0.01, as a stability job has it. */
static json_t *ddg_of(const pt_immunogenicity_t *f, const pt_stretch_t *stretch,
                      const pt_suggestion_t *is)
{
    int residue = pt_antigen_residue(f->antigen, stretch, is->place);
    double value = (*f->ddg)[stretch->domain[is->place]][residue][pt_amino_index(is->to)];
    return json_real(round(value * 100) / 100 + 0.0);
}

static json_t *suggestion(const pt_immunogenicity_t *f, const pt_suggestion_t *is)
{
    const pt_stretch_t *stretch = &f->antigen->stretches[is->stretch];
    char mutation[32];
    snprintf(mutation, sizeof mutation, "%c%zu%c", is->from, stretch->start + is->place + 1,
             is->to);
    json_t *line = place(f->antigen, stretch, is->place);
    json_object_set_new(line, "mutation", json_string(mutation));
    json_object_set_new(line, "human_germline", json_string(is->allele));
    json_object_set_new(line, "nearest_germline", json_boolean(is->nearest));
    json_object_set_new(line, "vernier_zone", json_boolean(is->vernier));
    json_object_set_new(line, "removes", removes(f, is));
    json_object_set_new(line, "removed", json_integer(is->removed));
    json_object_set_new(line, "created", json_integer(is->created));
    json_object_set_new(line, "mhc2_risk_change",
                        pt_json_number(is->risk.mhc[PT_MHC_2] - f->risk.mhc[PT_MHC_2]));
    json_object_set_new(line, "risk_score_change",
                        pt_json_number(is->risk.overall - f->risk.overall));
    json_object_set_new(line, "humanness_change", pt_json_number(is->humanness - f->humanness));
    json_object_set_new(line, "ddg", ddg_of(f, stretch, is));
    return line;
}

static json_t *suggestions(const pt_immunogenicity_t *f)
{
    json_t *list = json_array();
    for (size_t i = 0; i < f->suggestion_count; i++)
        json_array_append_new(list, suggestion(f, &f->suggestions[i]));
    return list;
}

/* --- all together
 * -------------------------------------------------------------------------------------- */

static json_t *analysed(const pt_immunogenicity_t *f)
{
    json_t *list = json_array();
    for (size_t s = 0; s < f->antigen->stretch_count; s++) {
        const pt_stretch_t *stretch = &f->antigen->stretches[s];
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "chain", stretch->name, "start",
                                              (json_int_t)stretch->start + 1, "end",
                                              (json_int_t)(stretch->start + stretch->length)));
    }
    return list;
}

static json_t *panel_names(const pt_panel_t *panel, pt_mhc_class_t which)
{
    json_t *names = json_array();
    for (size_t a = 0; a < pt_mhc_panels[which].count; a++)
        if (panel->alleles[which] >> a & 1)
            json_array_append_new(names, json_string(pt_mhc_panels[which].matrices[a].allele));
    return names;
}

/* Null while they weigh alike. */
static json_t *allele_weights(const pt_panel_t *panel)
{
    json_t *weights = json_object();
    for (pt_mhc_class_t m = 0; m < PT_MHC_CLASSES; m++)
        for (size_t a = 0; panel->weighed[m] && a < pt_mhc_panels[m].count; a++)
            if (panel->alleles[m] >> a & 1)
                json_object_set_new(weights, pt_mhc_panels[m].matrices[a].allele,
                                    pt_json_number(panel->weight[m][a]));
    if (json_object_size(weights) > 0)
        return weights;
    json_decref(weights);
    return json_null();
}

static json_t *panel_of(const pt_panel_t *panel)
{
    bool weighed = panel->source[0] != 0;
    return json_pack("{s:s, s:o, s:o, s:i, s:o, s:o}", "weights",
                     weighed ? "allele table" : "equal", "weight_source",
                     weighed ? json_string(panel->source) : json_null(), "weight_of",
                     allele_weights(panel), "threshold_percent", (int)panel->threshold, "mhc1",
                     panel_names(panel, PT_MHC_1), "mhc2", panel_names(panel, PT_MHC_2));
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *structure_of(const pt_structure_source_t *source)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "burial",
                     source->why_none ? "position table" : "model", "structure", source->source,
                     "structure_result_id", text_or_null(source->job_id), "structure_note",
                     text_or_null(source->why_none));
}

static json_t *risk_of_class(const pt_immunogenicity_t *f, pt_mhc_class_t which)
{
    return pt_mhc_panels[which].count ? pt_json_number(f->risk.mhc[which]) : json_null();
}

json_t *pt_json_immunogenicity(const pt_immunogenicity_t *f)
{
    json_t *structure = structure_of(f->structure);
    json_t *all = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o}}", "risk_score",
        pt_json_number(f->risk.overall), "mhc1_risk", risk_of_class(f, PT_MHC_1), "mhc2_risk",
        risk_of_class(f, PT_MHC_2), "bcell_risk", pt_json_number(f->risk.bcell), "foreign_share",
        pt_json_number(f->risk.foreign), "mhc1_epitopes", mhc_epitopes(f, PT_MHC_1),
        "mhc2_epitopes", mhc_epitopes(f, PT_MHC_2), "promiscuous_binders", promiscuous(f),
        "bcell_epitopes", bcell_epitopes(f), "deimmunization_suggestions", suggestions(f), "panel",
        panel_of(f->panel), "analysed", analysed(f), "humanness", "method",
        pt_json_humanness_method(), "score", pt_json_number(f->humanness));
    if (all && (!structure || json_object_update(all, structure) < 0)) {
        json_decref(all);
        all = NULL;
    }
    json_decref(structure);
    return all;
}

json_t *pt_json_immunogenicity_versions(const pt_immunogenicity_t *f)
{
    json_t *versions = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "immunogenicity",
        "foreign 9-mers weighed by binding " PT_IMMUNOGENICITY_VERSION, "mhc2",
        "Sturniolo 1999 matrices (epytope, mended), eight DRB1 alleles", "bcell",
        "Parker, Karplus-Schulz, Kolaskar-Tongaonkar, Emini, Chou-Fasman; three of five agree",
        "numbering", "profile alignment " PT_NUMBERING_VERSION, "humanness",
        PT_HUMANNESS_METHOD " " PT_HUMANNESS_VERSION, "germlines", "OGRDB/AIRR-C 2025-01",
        "liabilities", "ab-characterisation, Satlawa 2024", "ddg", PT_DDG_METHOD " " PT_DDG_VERSION,
        "burial",
        f->structure->why_none
            ? "position table, mean over 150 Fv and 46 nanobody crystal structures"
            : "Shrake & Rupley on the model, maxima of Tien 2013");
    if (versions && f->panel->source[0])
        json_object_set_new(versions, "allele_frequencies", json_string(f->panel->source));
    if (versions && pt_mhc_panels[PT_MHC_1].count)
        json_object_set_new(versions, "mhc1", json_string("SMM (epytope), 9-mers, twelve alleles"));
    return versions;
}
