"""The stability pipeline and `ddg --table` from outside: what is computed, and every way to be refused."""
import csv
import io
import json
import math
import resource
import subprocess
import sys

import msgpack
import pytest
from sources import CHECKOUT, PROGRAM, SHARED, TABLES, lines, read_table, run, shared
from test_program import LINKER, VH, VL, endings, job, messages_in

AMINO = "ACDEFGHIKLMNPQRSTVWY"
NANOBODY = ("QVQLVESGGGLVQAGGSLRLSCAASGYPHPYLHMGWFRQAPGKEREGVAAMDSGGGGTLYADSVKGRFTISRDKGKNTVYLQMDSLKPEDTAVYYC"
            "AAGGYQLRDRTYGHWGQGTQVTVSS")


def table(rows, header=("sequence", "position", "mutant")):
    """`ddg --table` on rows: (values of the column ddg as text, exit status, standard error)."""
    text = "\n".join("\t".join(map(str, row)) for row in (header, *rows)) + "\n"
    done = run("ddg", "--table", "-", text=text)
    answered = list(csv.DictReader(io.StringIO(done.stdout.decode()), delimiter="\t"))
    return [row["ddg"] for row in answered], done.returncode, done.stderr.decode()


def ddg(*rows, header=("sequence", "position", "mutant")):
    found, status, errors = table(rows, header)
    assert status == 0 and not errors
    return [float(value) for value in found]


def analyse(*records):
    (line,), status = lines("stability", records)
    assert status == 0, line
    return line


@pytest.fixture(scope="module")
def herceptin():
    return analyse(("4D5 VH", VH), ("4D5 VL", VL))


def test_there_and_back_is_exactly_opposite():
    sequence, there, back = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ", [], []
    for at, wild in enumerate(sequence):
        for mutant in AMINO:
            changed = sequence[:at] + mutant + sequence[at + 1:]
            there.append((sequence, at + 1, mutant, 0.3))
            back.append((changed, at + 1, wild, 0.3))
    header = ("sequence", "position", "mutant", "rsa")
    for a, b in zip(ddg(*there, header=header), ddg(*back, header=header)):
        assert a == -b
    header = ("sequence", "position", "mutant", "wild_share", "mutant_share")
    there = [(*row[:3], 0.37, 0.013) for row in there]
    back = [(*row[:3], 0.013, 0.37) for row in back]
    for a, b in zip(ddg(*there, header=header), ddg(*back, header=header)):
        assert a == -b


def test_relatives_add_a_logarithm_to_what_is_computed_without():
    header = ("sequence", "position", "mutant", "mutant_share", "wild_share")
    row = ("AKELIKEA", 4, "A")
    without, rarer, unseen, equal = ddg(row + ("", ""), row + (0.05, 0.5), row + (0, 0.3), row + (0.2, 0.2), header=header)
    assert [without] == ddg(row) and equal == without
    assert rarer - without == pytest.approx(-0.3 * math.log(10), abs=2e-4)
    assert unseen - without == pytest.approx(-0.3 * math.log(100), abs=2e-4)  # a share of 0 counts as 0.003


@pytest.mark.parametrize("wild, mutant, why", [
    ("0.2", "", "together"), ("", "0.2", "together"), ("1.1", "0.1", "share"), ("0.1", "nan", "share"),
    ("much", "0.1", "share"), ("-0.1", "0.1", "share")])
def test_bad_shares_are_named(wild, mutant, why):
    found, status, errors = table([("GLG", 2, "A", wild, mutant)],
                                  ("sequence", "position", "mutant", "wild_share", "mutant_share"))
    assert status == 1 and found == [""] and "line 2" in errors and why in errors


def test_buried_large_to_small_destabilises_more_than_exposed():
    header = ("sequence", "position", "mutant", "rsa")
    buried, exposed = ddg(("AKELIKEA", 4, "A", 0), ("AKELIKEA", 4, "A", 1), header=header)
    assert buried < exposed < 0 and buried < -1


def test_accessibility_changes_the_half_that_is_simba_sym():
    """Hdiff of the source is wild - mutant; its volumes are cubic angstroms."""
    with open(shared("stability/simba2_hv.csv"), newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["Wild"] != r["Mutated"]]
    unknown = ddg(*(("GG" + r["Wild"] + "GG", 3, r["Mutated"]) for r in rows))
    known = ddg(*(("GG" + r["Wild"] + "GG", 3, r["Mutated"], 0.65) for r in rows),
                header=("sequence", "position", "mutant", "rsa"))
    for row, u, k in zip(rows, unknown, known):
        h, v = float(row["Hdiff"]), float(row["Vdiff"]) / 100
        assert k - u == pytest.approx((0.65 - 0.25) * (0.737 * h - 1.867 * v) / 2, abs=2e-4), row


def test_a_table_keeps_its_columns_and_their_order():
    done = run("ddg", "--table", "-", text="name\tmutant\tposition\tsequence\trsa\r\none\tA\t2\tGLG\t\r\n")
    header, row = done.stdout.decode().splitlines()
    assert header == "name\tmutant\tposition\tsequence\trsa\tddg"
    assert row.startswith("one\tA\t2\tGLG\t\t") and float(row.split("\t")[-1]) < 0


@pytest.mark.parametrize("row, why", [
    (("GLG", 0, "A"), "position"), (("GLG", 4, "A"), "position"), (("GLG", "x", "A"), "position"),
    (("GLG", -1, "A"), "position"), (("GLG", 2, "B"), "mutant"), (("GLG", 2, "AA"), "mutant"),
    (("GlG", 2, "A"), "residue"), (("GXG", 2, "A"), "residue"), (("", 1, "A"), "position"), (("GLG",), "column")])
def test_a_bad_row_is_named_and_the_rest_goes_on(row, why):
    found, status, errors = table([row, ("GLG", 2, "A")])
    assert status == 1 and found[0] in ("", None) and float(found[1]) < 0
    assert "line 2" in errors and why in errors


@pytest.mark.parametrize("rsa", ["-0.1", "1.1", "nan", "much"])
def test_a_bad_accessibility_is_named(rsa):
    _, status, errors = table([("GLG", 2, "A", rsa)], ("sequence", "position", "mutant", "rsa"))
    assert status == 1 and "rsa" in errors


def test_a_table_that_cannot_be_read_is_2():
    assert run("ddg", "--table", "/nonexistent").returncode == 2
    assert run("ddg", "--table", "-", text="").returncode == 2
    assert run("ddg", "--table", "-", text="sequence\tposition\nGLG\t2\n").returncode == 2
    assert run("ddg").returncode == 2
    assert run("stability", "--table", "-", text="").returncode == 2


def test_the_matrix_has_every_substitution_of_both_domains(herceptin):
    matrix = herceptin["ddg_matrix"]
    assert matrix["amino_acids"] == AMINO and matrix["unit"] == "kcal/mol"
    for name, sequence in (("vh", VH), ("vl", VL)):
        assert "".join(row["wild"] for row in matrix[name]) == sequence
        assert [row["index"] for row in matrix[name]] == list(range(1, len(sequence) + 1))
        for row in matrix[name]:
            assert len(row["ddg"]) == 20 and row["ddg"][AMINO.index(row["wild"])] == 0
            assert all(math.isfinite(v) and abs(v) < 12 for v in row["ddg"]) and 0 <= row["rsa"] <= 1


def test_the_core_is_buried_and_its_cysteines_matter(herceptin):
    rows = {row["imgt"]: row for row in herceptin["ddg_matrix"]["vh"]}
    assert all(rows[p]["rsa"] < 0.1 for p in ("23", "41", "104"))
    assert rows["41"]["ddg"][AMINO.index("G")] < -2 and rows["104"]["ddg"][AMINO.index("D")] < -2


def test_stabilizing_mutations_are_in_the_matrix_and_make_no_liability(herceptin):
    def severe(line):
        return {(x["name"], x["position"]) for x in line["liabilities"] if x["severity"] == "high"}
    assert herceptin["stabilizing_mutations"]
    for found in herceptin["stabilizing_mutations"]:
        sequence = {"vh": VH, "vl": VL}[found["chain"]]
        wild, at, mutant = found["mutation"][0], int(found["mutation"][1:-1]), found["mutation"][-1]
        row = herceptin["ddg_matrix"][found["chain"]][at - 1]
        assert sequence[at - 1] == wild == row["wild"] and found["region"].startswith("FR")
        assert row["ddg"][AMINO.index(mutant)] == found["ddg"] >= 0.5
        changed = {"vh": VH, "vl": VL} | {found["chain"]: sequence[:at - 1] + mutant + sequence[at:]}
        again = analyse(("4D5 VH", changed["vh"]), ("4D5 VL", changed["vl"]))
        assert {x for x in severe(again) if "glycosylation" in x[0]} <= severe(herceptin)


def test_what_needs_a_structure_is_null_with_a_reason(herceptin):
    patches = herceptin["developability"]["patches"]
    assert [patches[k] for k in ("psh", "ppc", "pnc", "sfvcsp")] == [None] * 4 and "structure" in patches["reason"]
    assert herceptin["structure_result_id"] is None and herceptin["burial"] == "position table"


def emboss_charge(sequences, ph):
    """EMBOSS's pKa values, each chain with both ends, two cysteines of each in a disulfide."""
    pka = {"K": 10.8, "R": 12.5, "H": 6.5, "D": 3.9, "E": 4.1, "C": 8.5, "Y": 10.1}
    sum_ = 0
    for s in sequences:
        count = {a: s.count(a) for a in pka} | {"C": s.count("C") - 2}
        sum_ += 1 / (1 + 10 ** (ph - 8.6)) + sum(count[a] / (1 + 10 ** (ph - pka[a])) for a in "KRH")
        sum_ -= 1 / (1 + 10 ** (3.6 - ph)) + sum(count[a] / (1 + 10 ** (pka[a] - ph)) for a in "DECY")
    return sum_


def test_charge_and_isoelectric_point(herceptin):
    parts = herceptin["developability"]
    assert parts["net_charge"]["ph_7_4"] == pytest.approx(emboss_charge((VH, VL), 7.4), abs=1e-3)
    assert parts["net_charge"]["ph_6_0"] == pytest.approx(emboss_charge((VH, VL), 6.0), abs=1e-3)
    assert emboss_charge((VH, VL), parts["pI"]) == pytest.approx(0, abs=0.02)


def test_cdr_lengths_are_judged_by_the_clinical_range(herceptin):
    found = herceptin["developability"]["cdr_length"]
    assert found["total"] == 8 + 8 + 13 + 6 + 3 + 9 and found["state"] == "green"
    long = analyse(("x VH", VH.replace("WGGDGFYAMDY", "WGGDGFYYYYYYYYYYYYYYYYYYYAMDY")), ("x VL", VL))
    assert long["developability"]["cdr_length"]["state"] == "red"
    assert long["developability_score"] < herceptin["developability_score"]


def test_a_nanobody_has_its_own_exposure_and_no_range():
    line = analyse(("n VHH", NANOBODY))
    assert "vl" not in line["ddg_matrix"] and line["developability"]["cdr_length"]["state"] is None
    rows = {row["imgt"]: row for row in line["ddg_matrix"]["vh"]}
    with_partner = {row["imgt"]: row for row in analyse(("a VH", VH), ("a VL", VL))["ddg_matrix"]["vh"]}
    assert rows["50"]["rsa"] > with_partner["50"]["rsa"]  # the interface
    assert not {m["position"] for m in line["stabilizing_mutations"]} & {"H42", "H49", "H50", "H52"}


def test_an_scfv_counts_along_its_chain():
    line = analyse(("s scFv", VH + LINKER + VL))
    assert line["ddg_matrix"]["vl"][0]["index"] == len(VH + LINKER) + 1


def test_a_job_over_msgpack():
    messages = [job(("heavy", VH), ("light", VL), job_type="stability")] * 2
    done = run("stability", text=b"".join(msgpack.packb(m) for m in messages))
    assert done.returncode == 0, done.stderr
    answers = messages_in(done.stdout)
    steps = [a for a in answers if a["m"] == "progress"]
    assert steps[0]["step"] == "numbering" and all(0 <= s["fraction"] <= 1 for s in steps)
    first, second = endings(answers)
    assert first == second and first["m"] == "result"
    assert "position table" in first["model_versions"]["burial"] and "SimBa" in first["model_versions"]["ddg"]
    assert json.loads(json.dumps(first["results"])) == {
        k: v for k, v in analyse(("4D5 VH", VH), ("4D5 VL", VL)).items() if k != "name"}
    assert len(msgpack.packb(first)) < 64 * 1024  # rides in its ending


@pytest.mark.parametrize("chains, code", [
    ((("heavy", "MKTAYIAKQRQISFVKSHFSRQ"),), "not_an_antibody"), ((("light", VL),), "missing_chain"),
    ((("heavy", VH), ("heavy", VH)), "duplicate_chain"), ((("heavy", VH.lower()),), "invalid_residue")])
def test_what_is_no_antibody_is_refused(chains, code):
    done = run("stability", text=msgpack.packb(job(*chains, job_type="stability")))
    (ending,) = endings(messages_in(done.stdout))
    assert (ending["m"], ending["code"], ending["retry"]) == ("error", code, False)


def test_an_fv_takes_well_under_a_second():
    """Of processor time, so that a busy machine changes little; 50 matrices of some 230 x 19."""
    records = [(f"{i} {c}", s) for i in range(50) for c, s in (("VH", VH), ("VL", VL))]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert len(lines("stability", records)[0]) == 50
    assert (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before) / 50 < 0.2


def test_burial_is_what_the_script_makes(tmp_path):
    """Of the first three structures of each kind, beside the committed table: same code, same order of size."""
    data = tmp_path / "data"
    for folder in ("fv_templates", "vhh_structures"):
        (data / folder).mkdir(parents=True)
        for path in sorted(shared(folder).glob("*.pdb.gz"))[:3]:
            (data / folder / path.name).symlink_to(path)
    root = tmp_path / "checkout"
    for folder in ("scripts", "worker/data"):
        (root / folder).mkdir(parents=True)
    script = root / "scripts" / "make-burial"
    script.write_bytes((CHECKOUT / "scripts" / "make-burial").read_bytes())
    subprocess.run([sys.executable, script, PROGRAM, data], check=True)
    few = {(r["chain"], r["imgt"]): float(r["rsa"]) for r in read_table(root / "worker" / "data" / "burial.tsv")}
    all_ = {(r["chain"], r["imgt"]): float(r["rsa"]) for r in read_table(TABLES / "burial.tsv")}
    assert len(few) > 200 and few.keys() <= all_.keys()
    assert sum(abs(few[k] - all_[k]) for k in few) / len(few) < 0.12


def test_the_reference_antibodies_are_what_the_script_makes(tmp_path):
    root = tmp_path / "checkout"
    (root / "worker" / "data").mkdir(parents=True)
    (root / "scripts").mkdir()
    script = root / "scripts" / "make-developability"
    script.write_bytes((CHECKOUT / "scripts" / "make-developability").read_bytes())
    shared("fv_templates.tsv")
    subprocess.run([sys.executable, script, PROGRAM, SHARED], check=True)
    made = root / "worker" / "data" / "developability.tsv"
    assert made.read_text() == (TABLES / "developability.tsv").read_text()


def test_ranks_are_those_among_the_reference_antibodies(herceptin):
    parts = herceptin["developability"]
    quantiles = {r["property"]: [float(v) for k, v in r.items() if k.startswith("q")]
                 for r in read_table(TABLES / "developability.tsv") if r["kind"] == "fv"}
    for name, rank in parts["rank"].items():
        below = sum(q < parts[name] for q in quantiles[name])
        assert (below - 1) / 20 <= rank <= below / 20, name


def test_the_most_hydrophobic_stretch_and_the_charge_of_cdrs(herceptin):
    """From the result's own accessibilities, by Wimley & White's scale and the charges of four amino acids."""
    scale, = read_table(TABLES / "interfacial.tsv")
    matrix = herceptin["ddg_matrix"]
    peaks, cdrs = [], []
    for chain in ("vh", "vl"):
        gains = [max(0, -float(scale[r["wild"]])) * r["rsa"] for r in matrix[chain]]
        peaks += [sum(gains[i:i + 7]) / 7 for i in range(len(gains) - 6)]
        cdrs += [r for r in matrix[chain] if any(a <= int(r["imgt"].rstrip("ABC")) <= b for a, b in
                                                 ((27, 38), (56, 65), (105, 117)))]
    exposed = sum(r["rsa"] for r in cdrs)
    parts = herceptin["developability"]
    assert herceptin["aggregation_score"] == pytest.approx(max(peaks), abs=0.005)
    energy = sum(float(scale[r["wild"]]) * r["rsa"] for r in cdrs)
    assert parts["cdr_hydrophobicity"] == pytest.approx(-energy / exposed, abs=0.005)
    assert herceptin["solubility_score"] == -parts["cdr_hydrophobicity"]
    charge = sum(r["rsa"] * ((r["wild"] in "KR") - (r["wild"] in "DE")) for r in cdrs)
    assert parts["cdr_charge"] == pytest.approx(charge, abs=0.05)


def test_the_liability_load_counts_what_is_exposed(herceptin):
    """From the list, whose exposures are rounded: what lies on the limit of a quarter may count or not."""
    def load(least):
        worth = {"high": 1, "medium": 0.5, "low": 0}
        return sum(worth[m["severity"]] for m in herceptin["liabilities"] if m["exposure"] >= least)
    found = herceptin["developability"]["liability_load"]
    assert 0 < load(0.2551) <= found["value"] <= load(0.245) < load(0)
    limits = {r["kind"]: [None, float(r["q75"])] for r in read_table(TABLES / "developability.tsv")
              if r["property"] == "liability_load"}
    assert found["green"] == limits["fv"]
    nanobody = analyse(("n VHH", NANOBODY))["developability"]["liability_load"]
    assert nanobody["green"] == limits["nanobody"]


def test_a_motif_that_is_exposed_counts_and_a_buried_one_does_not(herceptin):
    """Residues 34 (buried, of CDR 1 by Kabat) and 27 (exposed) of the light chain; the state follows the number."""
    def parts(vl):
        return analyse(("x VH", VH), ("x VL", vl))["developability"]
    before = herceptin["developability"]["liability_load"]["value"]
    buried, exposed = VL[:33] + "M" + VL[34:], VL[:26] + "M" + VL[27:]
    assert VL[26] == "Q" and VL[33] == "A"
    assert parts(buried)["liability_load"]["value"] == before
    assert parts(exposed)["liability_load"]["value"] == before + 0.5
    fewer = parts(VL.replace("DVNTA", "DVSSA"))
    assert fewer["liability_load"]["value"] == before - 0.5  # no NT
    assert (fewer["liabilities"], herceptin["developability"]["liabilities"]) == ("amber", "red")


def test_a_melting_temperature_is_said_of_fabs_alone(herceptin):
    assert (herceptin["melting_temp_predicted"], herceptin["melting_temp_error"]) == (71, 6)
    for records in ([("n VHH", NANOBODY)], [("s scFv", VH + LINKER + VL)]):
        line = analyse(*records)
        assert line["melting_temp_predicted"] is None and line["melting_temp_error"] is None
        assert "only Fab fragments were measured" in line["melting_temp_basis"]


def test_developability_is_the_mean_of_its_parts(herceptin):
    worth = {"green": 1, "amber": 0.5, "red": 0}
    parts = herceptin["developability"]
    flags = (worth[parts["liabilities"]] + worth[parts["cdr_length"]["state"]]) / 2
    values = [1 - parts["rank"]["cdr_hydrophobicity"], 1 - parts["rank"]["cdr_charge"], flags]
    assert herceptin["developability_score"] == pytest.approx(sum(values) / 3, abs=2e-4)
