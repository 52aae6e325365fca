"""How well the stability model does where relatives or a structure of the protein are known, as they are of an antibody.

ddg_sites.tsv (made by ddg_sites.py) has both for a part of the proteins whose substitutions were measured.
"""
import csv
import io
from pathlib import Path

import pytest
from report import table
from sources import read_table, run, shared
from test_stability_model import fit_ddg, fitted, left_out  # noqa: F401, the last two are fixtures

WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5)


@pytest.fixture(scope="module")
def sites():
    """(protein, position from 0) -> what is known there"""
    return {(r["protein"], int(r["pos"])): r for r in read_table(Path(__file__).with_name("ddg_sites.tsv"))}


def known(sites, rows, predicted):
    """(rows, predictions, accessibilities, (wild share, mutant share)) of the rows whose place is known."""
    kept = [(r, p, sites[r[0], r[2]]) for r, p in zip(rows, predicted) if (r[0], r[2]) in sites]
    assert all(site["wild"] == r[3] for r, _, site in kept)
    return ([r for r, _, _ in kept], [p for _, p, _ in kept], [float(site["rsa"]) for _, _, site in kept],
            [(float(site[r[3]]), float(site[r[4]])) for r, _, site in kept])


def variants(scales, rows, predicted, rsa, shares):
    """name -> predictions, by what is taken to be known"""
    usual = fit_ddg.mean_with_simba(scales, predicted, rows)
    measured = fit_ddg.mean_with_simba(scales, predicted, rows, rsa)
    relatives = [fit_ddg.evidence(*s) for s in shares]
    return {"the sequence": usual, "the accessibility": measured,
            "relatives": [a + b for a, b in zip(usual, relatives)],
            "both": [a + b for a, b in zip(measured, relatives)]}


def test_the_program_computes_it_so(fitted, sites):  # noqa: F811
    scales, rows = fitted
    weights = fit_ddg.fit([(fit_ddg.features(scales, *r[1:5]), r[5]) for r in rows])
    rows, predicted, rsa, shares = known(sites, rows, [fit_ddg.predict(weights, fit_ddg.features(scales, *r[1:5])) for r in rows])
    expected = variants(scales, rows, predicted, rsa, shares)["both"]
    text = "sequence\tposition\tmutant\trsa\twild_share\tmutant_share\n" + "".join(
        f"{r[1]}\t{r[2] + 1}\t{r[4]}\t{a}\t{w}\t{m}\n" for r, a, (w, m) in zip(rows, rsa, shares))
    answered = csv.DictReader(io.StringIO(run("ddg", "--table", "-", text=text).stdout.decode()), delimiter="\t")
    for value, answer in zip(expected, answered, strict=True):
        assert float(answer["ddg"]) == pytest.approx(value, abs=5e-4)


def row_of_table(what, data, rows, predicted):
    measured = [r[5] for r in rows]
    direct, together, error = fit_ddg.figures(predicted, measured)
    return [what, data, f"{direct:.3f}", f"{together:.3f}", f"{error:.2f}"]


def test_relatives_and_a_structure_reach_the_goal(report, fitted, left_out, sites):  # noqa: F811
    scales, all_rows = fitted
    rows, *parts = known(sites, all_rows, left_out[0])
    found = variants(scales, rows, *parts)
    proteins = len({r[0] for r in rows})
    lines = [row_of_table(what, f"s2648, {len(rows)} rows of {proteins} proteins, left out", rows, p) for what, p in found.items()]
    for what in ("relatives", "both"):
        direct, together, _ = fit_ddg.figures(found[what], [r[5] for r in rows])
        assert direct >= 0.45 and together >= 0.60
    report["ddg_sites"] = table(
        ["what is known of the place beside the sequence", "data", "Pearson direct", "direct and inverse together",
         "RMSE direct, kcal/mol"], [["nothing", *lines[0][1:]], *lines[1:], *of_ssym(scales, all_rows, sites)])
    report["ddg_evidence"] = weighed(found["the accessibility"], rows, parts[2])


def test_it_is_not_the_wild_protein_among_its_own_relatives(report, fitted, left_out, sites):  # noqa: F811
    """Where another residue is commoner among the relatives, they help as much; what a bare word of the wild one would do."""
    scales, rows = fitted
    rows, *parts = known(sites, rows, left_out[0])
    found = variants(scales, rows, *parts)
    rarer = [i for i, r in enumerate(rows) if any(float(sites[r[0], r[2]][a]) > parts[2][i][0] for a in fit_ddg.AMINO)]

    def figures(predicted, chosen):
        return fit_ddg.figures([predicted[i] for i in chosen], [rows[i][5] for i in chosen])[:2]
    without, relatives = (figures(found[name], rarer) for name in ("the sequence", "relatives"))
    assert len(rarer) > len(rows) / 3 and relatives[0] > without[0] + 0.02 and relatives[1] > without[1] + 0.05
    constant = figures([p - 1 for p in found["the sequence"]], range(len(rows)))
    report["ddg_rarer"] = (f"in {len(rarer)} rows, and there they raise the direct figure from {without[0]:.3f} to "
                           f"{relatives[0]:.3f}, that together from {without[1]:.3f} to {relatives[1]:.3f}")
    report["ddg_constant"] = f"{constant[0]:.3f} direct and {constant[1]:.3f} together"


def of_ssym(scales, rows, sites):
    """The same on Ssym, with its proteins and their relatives out of the fit; antisymmetric, so the bias is 0."""
    direct = list(fit_ddg.mutations(shared("stability/ssym_direct.csv")))
    kept = fit_ddg.without_relatives(rows, direct)
    weights = fit_ddg.fit([(fit_ddg.features(scales, *r[1:5]), r[5]) for r in kept])
    chosen, *parts = known(sites, direct, [fit_ddg.predict(weights, fit_ddg.features(scales, *r[1:5])) for r in direct])
    name = f"Ssym, {len(chosen)} rows of {len({r[0] for r in chosen})} proteins, left out"
    found = variants(scales, chosen, *parts)
    return [row_of_table(what if what != "the sequence" else "nothing", name, chosen, p) for what, p in found.items()]


def weighed(without, rows, shares):
    """What other weights of the relatives' word would give, and that the program's is not beaten by much."""
    measured, words = [r[5] for r in rows], []
    of_weight = {w: fit_ddg.figures([p + fit_ddg.evidence(*s) * w / fit_ddg.EVIDENCE for p, s in zip(without, shares)],
                                    measured)[:2] for w in WEIGHTS}
    assert max(direct for direct, _ in of_weight.values()) - of_weight[fit_ddg.EVIDENCE][0] < 0.005
    for weight, (direct, together) in of_weight.items():
        words.append(f"{weight} {direct:.3f} and {together:.3f}")
    return ", ".join(words)
