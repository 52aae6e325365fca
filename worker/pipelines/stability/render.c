#include "worker/pipelines/stability/render.h"
#include "worker/pipelines/antibody/regions.h"
#include "worker/pipelines/render.h"
#include "worker/pipelines/stability/tables.h"
#include <math.h>
#include <stdio.h>

static const char *const chain_names[] = {"vh", "vl"};
static const char needs_structure[] =
    "needs a structure of the variant, and none is used: left out";

static const char melting_basis[] =
    "typical of Fab fragments, not of this antibody: no score of a sequence alone tells";

/* kcal/mol to 0.01: the model knows no more, and the matrix is thousands of them. */
static json_t *hundredths(double value)
{
    return json_real(round(value * 100) / 100 + 0.0);
}

/* "H100": chain letter and IMGT position. */
static const char *place(const pt_stability_t *r, size_t d, size_t residue, char text[16])
{
    char position[8];
    snprintf(text, 16, "%c%s", d ? 'L' : 'H',
             pt_position_text(r->parts[d].domain->positions[residue], position));
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
    char position[8];
    const pt_domain_t *domain = r->parts[d].domain;
    json_t *values = json_array();
    for (int a = 0; a < PT_DDG_AMINO; a++)
        json_array_append_new(values, hundredths(r->ddg[d][i][a]));
    return json_pack("{s:I, s:s, s:s, s:s#, s:o, s:o}", "index", index_in_chain(r, d, i), "imgt",
                     pt_position_text(domain->positions[i], position), "region", region(r, d, i),
                     "wild", domain->residues + i, (size_t)1, "rsa", hundredths(r->parts[d].rsa[i]),
                     "ddg", values);
}

static json_t *matrix(const pt_stability_t *r)
{
    json_t *all = json_pack("{s:s, s:s, s:s, s:s}", "unit", "kcal/mol", "sign",
                            "negative destabilises", "amino_acids", PT_AMINO, "rsa_from",
                            "mean over crystal structures by IMGT position");
    for (size_t d = 0; d < r->count; d++) {
        json_t *rows = json_array();
        for (size_t i = 0; i < r->parts[d].domain->length; i++)
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

/* The motif is as exposed as its most exposed residue. */
static double exposure(const pt_stability_t *r, const pt_liability_t *what)
{
    double largest = 0;
    for (size_t i = what->from; i < what->to; i++)
        largest = fmax(largest, r->parts[what->domain].rsa[i]);
    return largest;
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
                            "exposure", hundredths(exposure(r, what))));
    }
    return list;
}

static json_t *cdr_length(const pt_stability_t *r)
{
    const pt_range_t *range = &pt_cdr_length_range;
    if (r->count == 1)
        return json_pack("{s:I, s:n, s:s}", "total", (json_int_t)r->cdr_length, "state", "reason",
                         "the clinical-stage range is one of heavy and light chain together");
    return json_pack("{s:I, s:s, s:[i, i], s:[i, i]}", "total", (json_int_t)r->cdr_length, "state",
                     pt_state_name(pt_cdr_length_state(r->cdr_length)), "green", range->green_low,
                     range->green_high, "amber", range->amber_low, range->amber_high);
}

static json_t *developability(const pt_stability_t *r)
{
    return json_pack("{s:o, s:s, s:{s:o, s:o}, s:o, s:o, s:s, s:{s:n, s:n, s:n, s:n, s:s}}", "pI",
                     pt_json_number(r->isoelectric_point), "pka_table", PT_PKA_TABLE, "net_charge",
                     "ph_7_4", pt_json_number(r->charge_7_4), "ph_6_0",
                     pt_json_number(r->charge_6_0), "cdr_length", cdr_length(r),
                     "cdr_surface_hydropathy",
                     pt_json_number(pt_surface_hydropathy(r->parts, r->count, true)), "liabilities",
                     pt_state_name(r->liability_state), "patches", "psh", "ppc", "pnc", "sfvcsp",
                     "reason", needs_structure);
}

static json_t *scores(const pt_stability_t *r)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "solubility_score",
                     pt_json_number(r->solubility), "aggregation_score",
                     pt_json_number(r->aggregation), "thermostability_score",
                     pt_json_number(r->thermostability), "melting_temp_predicted",
                     pt_json_number(PT_MELTING_TYPICAL), "melting_temp_error",
                     pt_json_number(PT_MELTING_SPREAD), "melting_temp_basis", melting_basis,
                     "developability_score", pt_json_number(r->developability));
}

json_t *pt_json_stability(const pt_stability_t *r)
{
    json_t *all = scores(r);
    json_t *parts =
        json_pack("{s:o, s:o, s:o, s:o, s:s, s:n}", "developability", developability(r),
                  "liabilities", liabilities(r), "stabilizing_mutations", stabilizing(r),
                  "ddg_matrix", matrix(r), "burial", "position table", "structure_result_id");
    if (all && (!parts || json_object_update(all, parts) < 0)) {
        json_decref(all);
        all = NULL;
    }
    json_decref(parts);
    return all;
}

json_t *pt_json_stability_versions(void)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "stability", "paratope " PT_STABILITY_VERSION,
        "ddg", PT_DDG_METHOD " " PT_DDG_VERSION, "ddg_data", "s2648, SimBa2, AAindex", "burial",
        "position table, mean over 150 Fv and 46 nanobody crystal structures", "numbering",
        "profile alignment " PT_NUMBERING_VERSION, "repertoire",
        "Observed Antibody Space as counted by Merck/BioPhi-2021-publication", "charge",
        "pKa " PT_PKA_TABLE, "liabilities", "ab-characterisation, Satlawa 2024");
}
