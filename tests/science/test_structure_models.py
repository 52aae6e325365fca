"""How near the structure pipeline's models are to crystals: docs/science.md, "Structure". The table of all templates is
scripts/bench-structure's; some of them are modelled again here."""
import statistics

import pytest
from report import table
from sources import CHECKOUT, read_table
from test_structure import promod3

LOO = read_table(CHECKOUT / "tests" / "science" / "structure_loo.tsv")
STRICT = read_table(CHECKOUT / "tests" / "science" / "structure_strict.tsv")
CALIBRATION = read_table(CHECKOUT / "tests" / "science" / "structure_calibration.tsv")
AGAIN = ("1dqq", "2vxt", "4dtg", "5c2b", "6dba")
SAME = 0.1  # A: how far another machine's sums may take a model
# Of the issue: its first try on 65 antibodies; Almagro et al. 2014 (AMA-II); what is asked for, medians.
FIRST_TRY = {"H framework": 0.49, "L framework": 0.51, "H1": 0.80, "H2": 0.76, "H3": 3.32, "L1": 0.67, "L2": 0.54,
             "L3": 0.98, "Fv": 1.20}
ASKED = {**FIRST_TRY, "H3": 2.8, "Fv": 1.1}
AMA = {"H framework": "0.74", "L framework": "0.74", "H3": "2.67–2.91", **dict.fromkeys(
    ("H1", "H2", "L1", "L2", "L3"), "0.61–1.05")}
GEOMETRY = {"clashes": "clashes", "bad_bonds": "bad bonds", "bad_angles": "bad angles",
            "cis_bonds": "cis bonds before what is no proline", "twisted_bonds": "twisted peptide bonds",
            "d_residues": "D-residues"}


def of_kind(kind, rows=LOO):
    return [row for row in rows if row["kind"] == kind]


def values(rows, column):
    return [float(row[column]) for row in rows if row[column]]


def percentile(numbers, share):
    return sorted(numbers)[round(share * (len(numbers) - 1))]


def median_and_tail(rows, column):
    found = values(rows, column)
    return f"{statistics.median(found):.2f}", f"{percentile(found, 0.9):.2f}"


def test_every_template_was_modelled():
    assert len(of_kind("Fv")) == len(of_kind("Fv", STRICT)) == 150 and len(of_kind("VHH")) == 46


def test_all_fvs_against_their_crystals(report):
    rows, strict = of_kind("Fv"), of_kind("Fv", STRICT)
    lines = [(f"{region} ({len(values(rows, region))})", *both_readings(rows, strict, region),
              f"{FIRST_TRY[region]:.2f}", AMA.get(region, "")) for region in FIRST_TRY]
    for name, lengths in (("under", range(12)), ("from", range(12, 100))):
        some, same = ([row for row in kind if int(row["H3 length"]) in lengths] for kind in (rows, strict))
        lines.append((f"H3 {name} 12 residues ({len(some)})", *both_readings(some, same, "H3"), "", ""))
    lines.append((f"VL's framework, superposed on VH's ({len(rows)})", *both_readings(rows, strict, "VL"), "", ""))
    report["structure rmsd"] = table(["region (models)", "median", "90th percentile", "median, VL left out too",
                                      "90th percentile", "first try", "AMA-II"], lines)
    medians = {region: statistics.median(values(rows, region)) for region in ASKED}
    assert all(medians[region] <= ASKED[region] for region in ASKED), medians


def both_readings(rows, strict, column):
    return *median_and_tail(rows, column), *median_and_tail(strict, column)


def test_nanobodies(report):
    rows = of_kind("VHH")
    said = ", ".join(f"{region} {' / '.join(median_and_tail(rows, region))}"
                     for region in ("H framework", "H1", "H2", "H3", "Fv"))
    report["structure nanobodies"] = f"over the {len(rows)} of them, median / 90th percentile, {said}".replace(
        "Fv", "the whole domain").replace("H framework", "framework") + "."


def test_canonical_classes(report):
    said = []
    for cdr in ("H1", "H2", "L1", "L2", "L3"):
        judged = [row[f"{cdr} class"] for row in of_kind("Fv") if row[f"{cdr} class"]]
        said.append(f"{cdr} {judged.count('right')} of {len(judged)}")
        assert judged.count("right") >= 0.85 * len(judged)
    report["structure classes"] = ", ".join(said)


def test_geometry(report):
    counts = {kind: sum(int(row[kind]) > 0 for row in LOO) for kind in GEOMETRY}
    report["structure geometry"] = f"of the {len(LOO)} models " + ", ".join(
        f"{count} have {GEOMETRY[kind]}" for kind, count in counts.items())
    assert counts["clashes"] == 0 and counts["d_residues"] <= 2 and counts["cis_bonds"] <= 4


def test_time_and_memory(report):
    seconds, memory = values(of_kind("Fv"), "seconds"), values(LOO, "MiB")
    report["structure cost"] = (f"{statistics.median(seconds):.1f} s of CPU (90th percentile "
                                f"{percentile(seconds, 0.9):.1f} s, at most {max(seconds):.0f} s) and at most "
                                f"{max(memory) / 1024:.1f} GiB, once a loop had to be closed")
    assert percentile(seconds, 0.9) <= 5 and max(memory) <= 1536


def test_confidence(report):
    lines = [(row["region"], row["residues"], row["expected_A"], row["observed_A"], row["expected_within"],
              row["observed_within"]) for row in CALIBRATION]
    report["structure calibration"] = table(
        ["region", "residues", "expected error, Å", "observed", "expected within 1 Å", "observed"], lines)
    for row in CALIBRATION:
        if int(row["residues"]) > 400:
            assert abs(float(row["expected_within"]) - float(row["observed_within"])) < 0.12, row


@promod3
@pytest.mark.timeout(300)
def test_some_models_are_what_the_table_says():
    import structures
    modeller = structures.make_modeller()
    stored = {row["pdb"]: row for row in LOO}
    found = {domains[0].pdb: domains for domains in structures.crystals(modeller)}
    for pdb in AGAIN:
        line, _ = structures.row(modeller, found[pdb])
        for region, value in line.items():
            if region in FIRST_TRY:
                assert abs(float(value) - float(stored[pdb][region])) < SAME, (pdb, region)
