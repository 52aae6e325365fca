"""How well the stability model and the scores do, against measurements and what others published."""
import csv
import io
import subprocess
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_loader
from pathlib import Path

import msgpack
import pytest
from models import job
from report import table
from sources import BUILD, CHECKOUT, PROGRAM, SHARED, TABLES, lines, read_table, run, shared
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


@pytest.fixture(scope="module")
def left_out(fitted):
    """(a prediction for each row without its protein, the number of clusters)"""
    return fit_ddg.cross_validated(*fitted)


def test_proteins_that_were_left_out(report, fitted, left_out):
    found = fit_ddg.judge(fitted[0], SHARED, fitted[1], *left_out)
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


def test_what_stands_between_the_model_and_the_goal(report, fitted, left_out):
    """Positions with three measured substitutions or more: how much the place says, and what the model knows of it."""
    rows = fitted[1]
    model = fit_ddg.mean_with_simba(fitted[0], left_out[0], rows)
    places = {}
    for row, guess in zip(rows, model):
        places.setdefault((row[0], row[2]), []).append((guess, row[5]))
    places = [p for p in places.values() if len(p) >= 3]
    pairs = [pair for p in places for pair in p]

    def mean(values):
        return sum(values) / len(values)

    def correlate(of_place):
        """of_place(guesses, measured, i): what is said of the i-th substitution."""
        said = [of_place(*zip(*p), i) for p in places for i in range(len(p))]
        return fit_ddg.pearson(said, [m for p in places for _, m in p])
    overall = mean([m for _, m in pairs])
    within = mean([(m - mean([x for _, x in p])) ** 2 for p in places for _, m in p])
    share = 1 - within / mean([(m - overall) ** 2 for _, m in pairs])
    alone = correlate(lambda guesses, measured, i: guesses[i])
    others = correlate(lambda guesses, measured, i: mean(measured[:i] + measured[i + 1:]))
    assert share > 0.6 and others > alone + 0.2
    report["ddg_room"] = (
        f"of {len(pairs)} substitutions at {len(places)} positions with three or more, {share:.0%} of the variance lies "
        f"between positions. The model reaches {alone:.2f} there; the mean of the *other* substitutions measured at the "
        f"same position, without a look at what the residues are, reaches {others:.2f}")


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


def state_of(parts):
    """By the limits that the result itself names."""
    load = parts["liability_load"]
    return "green" if load["value"] <= load["green"][1] else "amber" if load["value"] <= load["amber"][1] else "red"


def test_the_state_of_the_liabilities_tells_apart(report):
    """Over the antibodies that its limits are made of, and over those that they are not."""
    templates = read_table(shared("fv_templates.tsv"))
    crystals, status = lines("stability", [(f"{i} {c}", r[c]) for i, r in enumerate(templates) for c in ("VH", "VL")])
    assert status == 0
    assays, scores = clinical()
    counts = {}
    for name, of in (("150", crystals), ("137", scores.values())):
        parts = [line["developability"] for line in of]
        assert [p["liabilities"] for p in parts] == [state_of(p) for p in parts]
        counts[name] = [sum(p["liabilities"] == s for p in parts) for s in ("green", "amber", "red")]
        green, amber, red = counts[name]
        assert 0.5 < green / (green + amber + red) < 0.9 and 0 < red <= amber
    loads = [scores[n]["developability"]["liability_load"]["value"] for n in assays]
    rho = spearman(loads, [float(of["all"]) for of in assays.values()])
    assert abs(rho) < 0.2  # as the page says: these assays do not see it
    words = "{} green, {} amber and {} red".format
    report["liability_states"] = (f"Of the {len(crystals)} crystal structures {words(*counts['150'])}; of the {len(scores)} "
                                  f"clinical-stage antibodies (Jain et al. 2017), to which nothing was fitted, {words(*counts['137'])}")
    report["liability_rho"] = f"{rho:+.2f}"


def test_the_motifs_of_liabilities_are_on_the_page(report):
    where = {"fv": "anywhere", "cdr": "CDRs", "cdr+vernier": "CDRs, Vernier zone", "n_term": "first residue"}
    report["liabilities"] = table(["name", "kind", "motif", "where", "severity"], [
        [r["name"], r["group"], "`" + r["motif"].replace("|", "`, `") + "`",
         where[r["region"]] + (f", {r['condition']}" if r["condition"] else ""), r["severity"]]
        for r in read_table(TABLES / "liabilities.tsv")])


def test_the_error_of_the_melting_temperature(report):
    assays, scores = clinical()
    names = [n for n in assays if assays[n]["fab_tm_c"]]
    errors = [scores[n]["melting_temp_predicted"] - float(assays[n]["fab_tm_c"]) for n in names]
    within = sum(abs(e) <= scores[n]["melting_temp_error"] for n, e in zip(names, errors)) / len(names)
    assert 0.6 < within < 0.85  # one standard deviation
    root = (sum(e * e for e in errors) / len(errors)) ** 0.5
    report["melting"] = (f"mean error {sum(errors) / len(errors):+.1f} °C, root mean square {root:.1f} °C, "
                         f"{within:.0%} within the error bar")


MODELLED = [("psh", "hic_rt_min", 1), ("psh", "all", 1), ("ppc", "psr", 1), ("pnc", "all", 1), ("sfvcsp", "psr", -1),
            ("solubility_score", "sgac_sins_mm", 1), ("aggregation_score", "hic_rt_min", 1),
            ("aggregation_score", "sgac_sins_mm", -1), ("cdr_charge", "acsins_nm", 1),
            ("developability_score", "all", -1)]
NAMES = {"hic_rt_min": "retention in HIC", "all": "mean rank over all eleven assays", "psr": "polyspecificity (PSR)",
         "sgac_sins_mm": "salt that it bears (SGAC-SINS)", "acsins_nm": "self-association (AC-SINS)"}


def test_scores_on_models_as_they_were_measured(report):
    """Ten minutes of modelling, so the values are kept (clinical_models.py)."""
    assays, _ = clinical()
    measured = {r["name"]: r for r in read_table(Path(__file__).with_name("clinical_models.tsv"))}
    assert measured.keys() == assays.keys()
    rows = []
    for score, assay, sign in MODELLED:
        rho = spearman([float(measured[n][score]) for n in assays], [float(assays[n][assay]) for n in assays])
        name = score.upper().replace("SFVCSP", "SFvCSP") if len(score) < 7 else f"`{score}`"
        rows.append([name, NAMES[assay], "+" if sign > 0 else "−", f"{rho:+.2f}"])
    report["clinical_models"] = table(["score on the model", "assay", "expected", "Spearman"], rows)
    ranges = []
    for metric in ("psh", "ppc", "pnc", "sfvcsp"):
        values = sorted(float(r[metric]) for r in measured.values())
        states = [r[metric + "_state"] for r in measured.values()]
        at = [f"{values[int(q * 136)]:.2f}" for q in (0.05, 0.5, 0.95)]
        name = metric.upper().replace("SFVCSP", "SFvCSP")
        ranges.append([name, *at, *(states.count(c) for c in ("green", "amber", "red"))])
    report["clinical_tap"] = table(["metric", "5 %", "median", "95 %", "green", "amber", "red"], ranges)


def test_a_kept_value_is_what_is_measured_now():
    """One antibody, where the engine is installed; the models may differ a little with its version."""
    if not (BUILD / "bin" / "paratope-structure").exists() or not find_spec("promod3"):
        pytest.skip("ProMod3 is not installed")
    row = read_table(shared("test_only/jain2017.tsv"))[0]
    kept = read_table(Path(__file__).with_name("clinical_models.tsv"))[0]
    done = subprocess.run([PROGRAM, "stability"], input=msgpack.packb(job(row["vh"], row["vl"], structure="model")),
                          capture_output=True, timeout=300)
    answer = list(msgpack.Unpacker(io.BytesIO(done.stdout)))[-1]
    assert answer["m"] == "result" and answer["results"]["structure"] == "made here", answer
    assert answer["results"]["developability_score"] == pytest.approx(float(kept["developability_score"]), abs=0.1)
    psh = answer["results"]["developability"]["patches"]["psh"]["value"]
    assert psh == pytest.approx(float(kept["psh"]), rel=0.15)
