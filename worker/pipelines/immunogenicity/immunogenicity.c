#include "worker/pipelines/immunogenicity/immunogenicity.h"
#include "worker/pipelines/antibody/humanness.h"
#include <string.h>

unsigned pt_allele_count(uint64_t alleles)
{
    return (unsigned)__builtin_popcountll(alleles);
}

pt_core_t pt_core_of(const pt_panel_t *panel, const char *residues)
{
    pt_core_t core = {.foreign = !pt_is_germline_peptide(residues)};
    for (pt_mhc_class_t m = 0; m < PT_MHC_CLASSES; m++)
        core.binders[m] = pt_panel_binders(panel, m, residues);
    return core;
}

/* Of the 9-mers over residue i, the share that is foreign. */
static double foreign_share(const pt_scan_t *scan, size_t i)
{
    size_t from = i >= PT_CORE ? i - PT_CORE + 1 : 0;
    unsigned foreign = 0, all = 0;
    for (size_t c = from; c <= i && c < scan->core_count; c++) {
        foreign += scan->cores[c].foreign;
        all++;
    }
    return all ? (double)foreign / all : 0;
}

static void scan_stretch(const pt_stretch_t *stretch, const pt_panel_t *panel, pt_scan_t *scan)
{
    scan->core_count = stretch->length >= PT_CORE ? stretch->length - PT_CORE + 1 : 0;
    for (size_t c = 0; c < scan->core_count; c++)
        scan->cores[c] = pt_core_of(panel, stretch->residues + c);
    for (size_t i = 0; i < stretch->length; i++)
        scan->foreign[i] = foreign_share(scan, i);
    scan->bcell_count =
        pt_bcell_find(stretch->residues, stretch->length, scan->bcell, PT_BCELL_EPITOPES_MAX);
}

void pt_scan(const pt_antigen_t *antigen, const pt_panel_t *panel, pt_scan_t scans[2])
{
    for (size_t s = 0; s < antigen->stretch_count; s++)
        scan_stretch(&antigen->stretches[s], panel, &scans[s]);
}

static double share(const pt_panel_t *panel, const pt_core_t *core, pt_mhc_class_t which)
{
    return core->foreign ? pt_panel_share(panel, which, core->binders[which]) : 0;
}

static void add_cores(const pt_scan_t *scan, const pt_panel_t *panel, pt_risk_t *sum)
{
    for (size_t c = 0; c < scan->core_count; c++) {
        const pt_core_t *core = &scan->cores[c];
        for (pt_mhc_class_t m = 0; m < PT_MHC_CLASSES; m++)
            sum->mhc[m] += share(panel, core, m);
        sum->foreign += core->foreign;
        sum->overall += core->foreign ? 0.5 + 0.5 * share(panel, core, PT_MHC_2) : 0;
    }
}

static double bcell_sum(const pt_stretch_t *stretch, const pt_scan_t *scan)
{
    double sum = 0;
    for (size_t e = 0; e < scan->bcell_count; e++)
        for (size_t i = scan->bcell[e].from; i < scan->bcell[e].to; i++)
            sum += scan->foreign[i] * stretch->rsa[i];
    return sum;
}

pt_risk_t pt_risk_of(const pt_antigen_t *antigen, const pt_panel_t *panel, const pt_scan_t scans[2])
{
    pt_risk_t risk = {0};
    size_t cores = 0, residues = 0;
    for (size_t s = 0; s < antigen->stretch_count; s++) {
        add_cores(&scans[s], panel, &risk);
        risk.bcell += bcell_sum(&antigen->stretches[s], &scans[s]);
        cores += scans[s].core_count;
        residues += antigen->stretches[s].length;
    }
    for (int m = 0; m < PT_MHC_CLASSES; m++)
        risk.mhc[m] /= (double)cores;
    risk.foreign /= (double)cores;
    risk.overall /= (double)cores;
    risk.bcell /= (double)residues;
    return risk;
}

double pt_antigen_humanness(const pt_antigen_t *antigen)
{
    double sum = 0;
    for (size_t d = 0; d < antigen->domain_count; d++)
        sum += pt_humanness(&antigen->domains[d]).score;
    return sum / (double)antigen->domain_count;
}
