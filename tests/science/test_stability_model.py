"""How well the stability model and the scores do, against measurements and what others published."""
import csv
import io
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest
from report import table
from sources import CHECKOUT, SHARED, lines, read_table, run, shared
from test_humanness import spearman

LOADER = SourceFileLoader("fit_ddg", str(CHECKOUT / "scripts" / "fit-ddg"))
fit_ddg = module_from_spec(spec_from_loader("fit_ddg", LOADER))
LOADER.exec_module(fit_ddg)

# score, assay, what is claimed: the sign that the correlation should have
CLAIMS = [
    ("solubility_score", "sgac_sins_mm", 1, "hydrophilic CDRs: salt that it bears (SGAC-SINS)"),
    ("solubility_score", "cic_rt_min", -1, "hydrophilic CDRs: retention in CIC"),
    ("solubility_score", "smac_rt_min", -1, "hydrophilic CDRs: retention in SMAC"),
    ("aggregation_score", "hic_rt_min", 1, "hydrophobic stretch: retention in HIC"),
    ("aggregation_score", "smac_rt_min", 1, "hydrophobic stretch: retention in SMAC"),
    ("aggregation_score", "sgac_sins_mm", -1, "hydrophobic stretch: salt that it bears (SGAC-SINS)"),
    ("aggregation_score", "as_slope", 1, "hydrophobic stretch: accelerated stability slope"),
    ("cdr_surface_hydropathy", "hic_rt_min", 1, "hydrophobic CDRs (Kyte-Doolittle): retention in HIC"),
    ("cdr_charge", "psr", 1, "positive CDRs: polyspecificity (PSR)"),
    ("cdr_charge", "acsins_nm", 1, "positive CDRs: self-association (AC-SINS)"),
    ("cdr_charge", "elisa", 1, "positive CDRs: polyspecificity (ELISA)"),
    ("net_charge", "psr", 1, "positive charge: polyspecificity (PSR)"),
    ("net_charge", "bvp_elisa", 1, "positive charge: baculovirus particles (BVP)"),
    ("net_charge", "cic_rt_min", 1, "positive charge: retention in CIC"),
    ("thermostability_score", "fab_tm_c", 1, "consensus: Fab melting temperature"),
    ("developability_score", "psr", -1, "developability: polyspecificity (PSR)"),
    ("developability_score", "acsins_nm", -1, "developability: self-association (AC-SINS)"),
    ("developability_score", "all", -1, "developability: mean rank over all eleven assays")]
# What is better when it is higher.
GOOD = ("fab_tm_c", "sgac_sins_mm")
ASSAYS = ("fab_tm_c", "sgac_sins_mm", "hic_rt_min", "smac_rt_min", "as_slope", "psr", "acsins_nm", "cic_rt_min",
          "csi_bli_nm", "elisa", "bvp_elisa")


@pytest.fixture(scope="module")
def fitted():
    shared("stability/s2648.csv"), shared("scales/bcell_scales.tsv")
    scales = fit_ddg.scales(SHARED)
    return scales, list(fit_ddg.mutations(SHARED / "stability" / "s2648.csv"))


def test_the_program_computes_what_was_fitted(fitted):
    """The program's C and the fitting script are two implementations; the tables lie between them."""
    scales, rows = fitted
    weights = fit_ddg.fit([(fit_ddg.features(scales, *r[1:5]), r[5]) for r in rows])
    text = "sequence\tposition\tmutant\n" + "".join(f"{r[1]}\t{r[2] + 1}\t{r[4]}\n" for r in rows)
    answered = csv.DictReader(io.StringIO(run("ddg", "--table", "-", text=text).stdout.decode()), delimiter="\t")
    expected = fit_ddg.mean_with_simba(
        scales, [fit_ddg.predict(weights, fit_ddg.features(scales, *r[1:5])) for r in rows], rows)
    for value, answer in zip(expected, answered, strict=True):
        assert float(answer["ddg"]) == pytest.approx(value, abs=5e-4)


def test_proteins_that_were_left_out(report, fitted):
    found = fit_ddg.validate(fitted[0], SHARED, fitted[1])
    direct, together, error = found["model"]
    ssym = found["ssym"]
    assert direct > 0.40 and together > 0.47 and abs(ssym["bias"]) <= 0.05
    halves = {name: [f"{x:.3f}" for x in found[name][:2]] + [f"{found[name][2]:.2f}"] for name in ("sequence", "simba")}
    held_out = f"s2648, whole proteins left out ({found['clusters']} clusters)"
    report["ddg"] = table(
        ["method", "data", "Pearson direct", "direct and inverse together", "RMSE direct, kcal/mol"],
        [["**what the program computes (the mean of the next two)**", held_out,
          f"{direct:.3f}", f"{together:.3f}", f"{error:.2f}"],
         ["antisymmetric sequence model", held_out, *halves["sequence"]],
         ["SimBa-SYM, accessibility 0.25 throughout", "s2648", *halves["simba"]],
         ["21 tools (Pancotti et al. 2022)", "S669", "0.21–0.50", "0.51–0.62 (antisymmetric ones)", ""],
         ["goal", "", "≥ 0.45", "≥ 0.60", ""]])
    report["ssym"] = (f"direct {ssym['direct']:.3f}, inverse {ssym['inverse']:.3f}, together {ssym['together']:.3f}, "
                      f"bias {ssym['bias']:.3f} kcal/mol (goal: at most 0.05), fitted to the {ssym['rows']} rows "
                      "of s2648 that are left")


def clinical():
    """(name -> assays, name -> scores) of the 137 antibodies."""
    rows = read_table(shared("test_only/jain2017.tsv"))
    found, status = lines("stability", [(f"{r['name']} {c}", r[c.lower()]) for r in rows for c in ("VH", "VL")])
    assert status == 0
    scores = {line["name"]: {**line, **line["developability"],
                             "net_charge": line["developability"]["net_charge"]["ph_7_4"]} for line in found}
    return {r["name"]: {**r, "all": badness} for r, badness in zip(rows, mean_rank(rows))}, scores


def mean_rank(rows):
    """Of each antibody over the assays, high is bad."""
    sums = [0] * len(rows)
    for assay in ASSAYS:
        order = sorted(range(len(rows)), key=lambda i: float(rows[i][assay]), reverse=assay in GOOD)
        for rank, i in enumerate(order):
            sums[i] += rank
    return [s / len(ASSAYS) for s in sums]


def test_scores_against_the_assays_that_they_speak_for(report):
    assays, scores = clinical()
    rows, found = [], {}
    for score, assay, sign, claim in CLAIMS:
        names = [n for n in assays if assays[n][assay]]
        rho = spearman([scores[n][score] for n in names], [float(assays[n][assay]) for n in names])
        found[score, assay] = rho
        rows.append([f"`{score}`", claim, "+" if sign > 0 else "−", f"{rho:+.2f}", len(names)])
    assert found["net_charge", "psr"] > 0.25 and found["cdr_charge", "psr"] > 0.25
    assert found["solubility_score", "sgac_sins_mm"] > 0.35 and found["aggregation_score", "hic_rt_min"] > 0.4
    assert found["developability_score", "all"] < -0.3
    report["developability"] = table(["score", "claim", "expected", "Spearman", "antibodies"], rows)


def test_the_error_of_the_melting_temperature(report):
    assays, scores = clinical()
    names = [n for n in assays if assays[n]["fab_tm_c"]]
    errors = [scores[n]["melting_temp_predicted"] - float(assays[n]["fab_tm_c"]) for n in names]
    within = sum(abs(e) <= scores[n]["melting_temp_error"] for n, e in zip(names, errors)) / len(names)
    assert 0.6 < within < 0.85  # one standard deviation
    root = (sum(e * e for e in errors) / len(errors)) ** 0.5
    report["melting"] = (f"mean error {sum(errors) / len(errors):+.1f} °C, root mean square {root:.1f} °C, "
                         f"{within:.0%} within the error bar")
