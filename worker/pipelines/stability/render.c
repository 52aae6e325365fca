#include "worker/pipelines/stability/render.h"
#include "worker/pipelines/antibody/regions.h"
#include "worker/pipelines/render.h"
#include "worker/pipelines/stability/tables.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const chain_names[] = {"vh", "vl"};
static const char melting_basis[] =
    "typical of Fab fragments, not of this antibody: no score of a sequence alone tells";
static const char no_melting[] =
    "only Fab fragments were measured, which nanobodies and scFv lack: "
    "no temperature is known for this format";

/* kcal/mol to 0.01: the model knows no more, and the matrix is thousands of them. */
static json_t *hundredths(double value)
{
    return json_real(round(value * 100) / 100 + 0.0);
}

/* "H100": chain letter and position in the scheme that was asked for. */
static const char *place(const pt_stability_t *r, size_t d, size_t residue, char text[16])
{
    char position[8];
    snprintf(text, 16, "%c%s", d ? 'L' : 'H',
             pt_position_text(r->choice->names[d][residue], position));
    return text;
}

static const char *region(const pt_stability_t *r, size_t d, size_t residue)
{
    return pt_region_name(r->parts[d].domain, PT_CDR_UNION, residue);
}

/* Counts from 1 in the chain as it was given. */
static json_int_t index_in_chain(const pt_stability_t *r, size_t d, size_t residue)
{
    return (json_int_t)r->parts[d].domain->start + (json_int_t)residue + 1;
}

static json_t *matrix_row(const pt_stability_t *r, size_t d, size_t i)
{
    char imgt[8], where[16];
    const pt_domain_t *domain = r->parts[d].domain;
    json_t *values = json_array();
    for (int a = 0; a < PT_DDG_AMINO; a++)
        json_array_append_new(values, hundredths(r->ddg[d][i][a]));
    return json_pack("{s:I, s:s, s:s, s:s, s:s#, s:o, s:o}", "index", index_in_chain(r, d, i),
                     "imgt", pt_position_text(domain->positions[i], imgt), "position",
                     place(r, d, i, where), "region", region(r, d, i), "wild", domain->residues + i,
                     (size_t)1, "rsa", hundredths(r->parts[d].rsa[i]), "ddg", values);
}

static json_t *matrix(const pt_stability_t *r)
{
    json_t *all =
        json_pack("{s:s, s:s, s:s, s:s}", "unit", "kcal/mol", "sign", "negative destabilises",
                  "amino_acids", PT_AMINO, "rsa_from",
                  r->model ? "the model" : "mean over crystal structures by IMGT position");
    for (size_t d = 0; d < r->count; d++) {
        json_t *rows = json_array();
        for (size_t i = 0; i < r->parts[d].domain->length; i++)
            if (r->choice->wanted[d][i])
                json_array_append_new(rows, matrix_row(r, d, i));
        json_object_set_new(all, chain_names[d], rows);
    }
    return all;
}

static json_t *stabilizing(const pt_stability_t *r)
{
    json_t *list = json_array();
    for (size_t s = 0; s < r->stabilizing_count; s++) {
        const pt_stabilizing_t *what = &r->stabilizing[s];
        char text[32], where[16];
        snprintf(text, sizeof text, "%c%lld%c",
                 r->parts[what->domain].domain->residues[what->residue],
                 (long long)index_in_chain(r, what->domain, what->residue), what->mutant);
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:s, s:s, s:o}", "chain", chain_names[what->domain], "mutation",
                      text, "position", place(r, what->domain, what->residue, where), "region",
                      region(r, what->domain, what->residue), "ddg", hundredths(what->ddg)));
    }
    return list;
}

static json_t *liabilities(const pt_stability_t *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->liability_count; i++) {
        const pt_liability_t *what = &r->liabilities[i];
        size_t d = (size_t)what->domain;
        char where[16];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s#, s:s, s:s, s:o}", "name", what->name, "group",
                            what->group, "position", place(r, d, what->from, where), "motif",
                            r->parts[d].domain->residues + what->from, what->to - what->from,
                            "region", region(r, d, what->from), "severity", what->severity,
                            "exposure", hundredths(pt_motif_exposure(r->parts, what))));
    }
    return list;
}

/* {value, state, green, amber}; null where it is open or cannot be judged. */
static json_t *limit(double value)
{
    return isfinite(value) ? pt_json_number(value) : json_null();
}

static json_t *metric(const pt_stability_t *r, pt_tap_metric_t which)
{
    const pt_range_t *range = &pt_tap_ranges[which];
    bool judged = pt_tap_judged(r, which);
    double value = r->tap.value[which];
    return json_pack("{s:o, s:o, s:[o, o], s:[o, o]}", "value", pt_json_number(value), "state",
                     judged ? json_string(pt_state_name(pt_tap_state(which, value))) : json_null(),
                     "green", limit(range->green_low), limit(range->green_high), "amber",
                     limit(range->amber_low), limit(range->amber_high));
}

static json_t *salt_bridges(const pt_stability_t *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->tap.salt_bridge_count; i++) {
        const pt_salt_bridge_t *bridge = &r->tap.salt_bridges[i];
        char one[16], other[16];
        json_array_append_new(
            list, json_pack("[s, s]", place(r, bridge->domain[0], bridge->residue[0], one),
                            place(r, bridge->domain[1], bridge->residue[1], other)));
    }
    return list;
}

/* What needs a model is null without one, and `reason` says why. */
static json_t *patches(const pt_stability_t *r, const pt_structure_source_t *source)
{
    static const char *const names[PT_TAP_METRICS] = {[PT_TAP_PSH] = "psh",
                                                      [PT_TAP_PPC] = "ppc",
                                                      [PT_TAP_PNC] = "pnc",
                                                      [PT_TAP_SFVCSP] = "sfvcsp"};
    static const char alone[] = "the guidelines are of heavy and light chain together";
    const char *reason = !r->model ? source->why_none : r->count == 1 ? alone : NULL;
    json_t *all = json_object();
    for (pt_tap_metric_t m = PT_TAP_PSH; m < PT_TAP_METRICS; m++) {
        bool there = r->model && (r->count == 2 || m != PT_TAP_SFVCSP);
        json_object_set_new(all, names[m], there ? metric(r, m) : json_null());
    }
    json_object_set_new(all, "vicinity_residues",
                        r->model ? json_integer((json_int_t)r->tap.vicinity) : json_null());
    json_object_set_new(all, "salt_bridges", r->model ? salt_bridges(r) : json_null());
    json_object_set_new(all, "guidelines", json_string("of ABodyBuilder2 models"));
    json_object_set_new(all, "reason", reason ? json_string(reason) : json_null());
    return all;
}

static json_t *cdr_length(const pt_stability_t *r)
{
    json_t *length = metric(r, PT_TAP_CDR_LENGTH);
    json_object_set_new(length, "total", json_integer((json_int_t)r->tap.value[PT_TAP_CDR_LENGTH]));
    json_object_del(length, "value");
    return length;
}

/* {value, state, green, amber}, both open below. */
static json_t *liability_load(const pt_stability_t *r)
{
    pt_load_limits_t limits = pt_load_limits(r->count == 1);
    return json_pack("{s:o, s:s, s:[n, o], s:[n, o]}", "value", pt_json_number(r->liability_load),
                     "state", pt_state_name(r->liability_state), "green",
                     pt_json_number(limits.green), "amber", pt_json_number(limits.amber));
}

/* {"ph_7_4": …}: a point is no part of a name that programs like. */
static json_t *net_charge(const pt_stability_t *r)
{
    json_t *all = json_object();
    for (size_t i = 0; i < r->choice->ph_count; i++) {
        char name[32];
        double tenths = r->choice->ph[i] * 10;
        snprintf(name, sizeof name, fabs(tenths - round(tenths)) < 1e-9 ? "ph_%.1f" : "ph_%.3g",
                 r->choice->ph[i]);
        name[strcspn(name, ".")] = '_';
        json_object_set_new(all, name, pt_json_number(r->charge[i]));
    }
    return all;
}

static json_t *developability(const pt_stability_t *r, const pt_structure_source_t *source)
{
    return json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o}, s:s, s:o, s:o}", "pI",
        pt_json_number(r->isoelectric_point), "pka_table", PT_PKA_TABLE, "net_charge",
        net_charge(r), "cdr_length", cdr_length(r), "cdr_surface_hydropathy",
        pt_json_number(r->cdr_hydropathy), "cdr_hydrophobicity",
        pt_json_number(r->cdr_hydrophobicity), "cdr_charge", pt_json_number(r->cdr_charge), "rank",
        "cdr_hydrophobicity", pt_json_number(r->rank[PT_CDR_HYDROPHOBICITY]), "cdr_charge",
        pt_json_number(r->rank[PT_CDR_CHARGE]), "liabilities", pt_state_name(r->liability_state),
        "liability_load", liability_load(r), "patches", patches(r, source));
}

/* Null where there is no Fab. */
static json_t *of_fab(const pt_stability_t *r, double value)
{
    return r->fab ? pt_json_number(value) : json_null();
}

static json_t *scores(const pt_stability_t *r)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "solubility_score", pt_json_number(r->solubility),
        "aggregation_score", pt_json_number(r->aggregation), "thermostability_score",
        pt_json_number(r->thermostability), "melting_temp_predicted", of_fab(r, PT_MELTING_TYPICAL),
        "melting_temp_error", of_fab(r, PT_MELTING_SPREAD), "melting_temp_basis",
        r->fab ? melting_basis : no_melting, "developability_score",
        pt_json_number(r->developability));
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

json_t *pt_json_stability(const pt_stability_t *r, const pt_structure_source_t *source)
{
    json_t *all = scores(r);
    json_t *parts = json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:s, s:o}", "developability",
                              developability(r, source), "liabilities", liabilities(r),
                              "stabilizing_mutations", stabilizing(r), "ddg_matrix", matrix(r),
                              "scheme", pt_scheme_name(r->choice->scheme), "burial",
                              r->model ? "model" : "position table", "structure_result_id",
                              text_or_null(source->job_id), "structure", source->source,
                              "structure_note", text_or_null(source->why_none));
    if (all && (!parts || json_object_update(all, parts) < 0)) {
        json_decref(all);
        all = NULL;
    }
    json_decref(parts);
    return all;
}

json_t *pt_json_stability_versions(const pt_stability_t *r, const pt_structure_source_t *source)
{
    json_t *versions = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "stability", "paratope " PT_STABILITY_VERSION,
        "ddg", PT_DDG_METHOD " " PT_DDG_VERSION, "ddg_data", "s2648, SimBa2, AAindex", "burial",
        r->model ? "Shrake & Rupley on the model, maxima of Tien 2013"
                 : "position table, mean over 150 Fv and 46 nanobody crystal structures",
        "numbering", "profile alignment " PT_NUMBERING_VERSION, "repertoire",
        "Observed Antibody Space as counted by Merck/BioPhi-2021-publication", "charge",
        "pKa " PT_PKA_TABLE, "liabilities", "ab-characterisation, Satlawa 2024");
    if (r->model)
        json_object_set_new(
            versions, "tap",
            json_string("paratope " PT_TAP_VERSION ", guidelines of ab-characterisation 46ccd645"));
    if (source->versions) /* of what made the model within this job */
        json_object_update_missing(versions, (json_t *)source->versions);
    return versions;
}
