"""Stability on a model: what is read, where it comes from, accessibility and TAP against a second implementation."""
import itertools
import math
import os
import shutil
import subprocess
import time
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import msgpack
import pytest
from models import STRUCTURE_ID, endings, job, results, templates
from report import table
from sources import CHECKOUT, PROGRAM, TABLES, read_table
from test_program import LINKER, VH, VL, messages_in

AMINO = "ACDEFGHIKLMNPQRSTVWY"
LOADER = SourceFileLoader("make_burial", str(CHECKOUT / "scripts" / "make-burial"))
make_burial = module_from_spec(spec_from_loader("make_burial", LOADER))
LOADER.exec_module(make_burial)
make_burial.POINTS = 96  # as the program; the script, over 196 structures, makes do with 48
HEIGHTS = [(2 * i + 1) / 96 - 1 for i in range(96)]
make_burial.SPHERE = [(math.cos(2.399963 * i) * (1 - z * z) ** 0.5, math.sin(2.399963 * i) * (1 - z * z) ** 0.5, z)
                      for i, z in enumerate(HEIGHTS)]
LOOPS = {*range(27, 39), *range(56, 66), *range(105, 118)}
ANCHORS = {25, 26, 39, 40, 54, 55, 66, 67, 103, 104, 118, 119}
METRICS = ("psh", "ppc", "pnc", "sfvcsp")


@pytest.fixture(scope="module")
def few():
    return templates(3)


@pytest.fixture(scope="module")
def example(few):
    return next(iter(few.values()))


def parse(text):
    """Atoms as make-burial has them, but with (number, atom's name) for the residue."""
    return [(line[21], (line[22:27].strip(), line[12:16].strip()), make_burial.THREE[line[17:20]], float(line[30:38]),
             float(line[38:46]), float(line[46:54]), make_burial.RADIUS[line[76:78].strip()] + make_burial.PROBE)
            for line in text.splitlines()]


def measured(text):
    """(chain, number) -> {letter, atoms, whole and side area}, by make-burial's code."""
    residues = {}
    for atom, near in make_burial.neighbours(parse(text)):
        chain, (number, name), letter = atom[:3]
        residue = residues.setdefault((chain, number), {"letter": letter, "atoms": [], "whole": 0, "side": 0})
        area = make_burial.area(atom, near)
        residue["atoms"].append((name, atom[3:6]))
        residue["whole"] += area
        residue["side"] += 0 if name in ("N", "CA", "C", "O", "OXT") else area
    return residues


@pytest.fixture(scope="module")
def surfaces(few):
    """name -> residues of the model, measured in Python."""
    return {name: measured(text) for name, (_, _, text) in few.items()}


def tap(residues):
    """TAP's four metrics of the surface, from the definitions of Raybould et al. 2019 and ab-characterisation."""
    largest = {r["residue"]: float(r["side"]) for r in read_table(TABLES / "accessibility.tsv")}
    hydropathy, = read_table(TABLES / "hydropathy.tsv")
    sites = []
    for (chain, number), r in residues.items():
        number = int(number.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        side = r["whole"] if r["letter"] == "G" else r["side"]
        sites.append({"chain": chain, **r, "loop": number in LOOPS | ANCHORS, "side": side / largest[r["letter"]],
                      "h": 1 + (float(hydropathy[r["letter"]]) + 4.5) / 9, "bridged": False,
                      "q": {"K": 1, "R": 1, "D": -1, "E": -1, "H": 0.1}.get(r["letter"], 0)})
    surface = [s for s in sites if s["side"] >= 0.075]

    def distance(a, b):
        return min(math.dist(p, q) for _, p in a["atoms"] for _, q in b["atoms"])

    def ends(site):
        names = {"K": ("NZ",), "R": ("NH1", "NH2"), "D": ("OD1", "OD2"), "E": ("OE1", "OE2")}.get(site["letter"], ())
        return [p for name, p in site["atoms"] if name in names]
    for a, b in itertools.combinations(surface, 2):
        if a["q"] * b["q"] == -1 and not a["bridged"] and not b["bridged"] and any(
                math.dist(p, q) < 3.2 for p in ends(a) for q in ends(b)):
            for site in (a, b):
                site.update(bridged=True, q=0, h=1 + (-0.4 + 4.5) / 9)
    core = [s for s in surface if s["loop"]]
    vicinity = core + [s for s in surface if not s["loop"] and any(distance(s, c) < 4 for c in core)]
    found = dict.fromkeys(METRICS, 0.0)
    for a, b in itertools.permutations(vicinity, 2):
        r = distance(a, b)
        if r < 7.5:
            found["psh"] += a["h"] * b["h"] / r ** 2
            found["ppc"] += a["q"] * b["q"] / r ** 2 if a["q"] > 0 and b["q"] > 0 else 0
            found["pnc"] += a["q"] * b["q"] / r ** 2 if a["q"] < 0 and b["q"] < 0 else 0
    charge = {c: sum(s["q"] for s in surface if s["chain"] == c) for c in "HL"}
    return {**found, "sfvcsp": charge["H"] * charge["L"], "vicinity": len(vicinity)}


def test_accessibility_is_what_the_script_computes(few, surfaces):
    """Two implementations of one method, to the result's two decimals."""
    differences = []
    for name, (vh, vl, text) in few.items():
        matrix = results(job(vh, vl, text))[0]["ddg_matrix"]
        for chain, rows in (("H", matrix["vh"]), ("L", matrix["vl"])):
            for row in rows:
                residue = surfaces[name][chain, row["imgt"]]
                share = min(1, residue["whole"] / make_burial.LARGEST[row["wild"]])
                assert residue["letter"] == row["wild"]
                differences.append(abs(share - row["rsa"]))
    assert len(differences) > 600 and max(differences) < 0.0051


def test_tap_is_what_a_second_implementation_computes(few, surfaces):
    for name, (vh, vl, text) in few.items():
        patches = results(job(vh, vl, text))[0]["developability"]["patches"]
        expected = tap(surfaces[name])
        assert patches["vicinity_residues"] == expected["vicinity"], name
        for metric in METRICS:
            assert patches[metric]["value"] == pytest.approx(expected[metric], abs=2e-4), (name, metric)


def test_the_maxima_are_those_of_the_script():
    found = {r["residue"]: float(r["whole"]) for r in read_table(TABLES / "accessibility.tsv")}
    assert found == make_burial.LARGEST


def test_tap_of_crystal_structures_against_the_guidelines(report):
    """Not a validation, for these are no clinical-stage antibodies; most must lie within the ranges all the same."""
    antibodies = templates()
    began = time.process_time()
    found = results(*(job(*parts) for parts in antibodies.values()))
    rows, states = [], {}
    for metric in METRICS:
        values = sorted(r["developability"]["patches"][metric]["value"] for r in found)
        colours = [r["developability"]["patches"][metric]["state"] for r in found]
        patch = found[0]["developability"]["patches"][metric]
        states[metric] = colours.count("red")
        at = [f"{values[int(q * (len(values) - 1))]:.2f}" for q in (0.05, 0.5, 0.95)]
        limits = " to ".join("" if x is None else f"{x:g}" for x in patch["green"])
        rows.append([metric.upper() if metric != "sfvcsp" else "SFvCSP", limits.strip(), *at,
                     *(colours.count(c) for c in ("green", "amber", "red"))])
    assert len(found) == 150 and all(red <= 8 for red in states.values())
    assert time.process_time() - began < 60
    report["tap"] = table(["metric", "green", "5 %", "median", "95 %", "green", "amber", "red"], rows)


def test_a_structure_job_is_taken_and_named(example):
    answer, = endings(job(*example))
    result = answer["results"]
    assert result["burial"] == "model" and result["structure"] == "structure job" and result["structure_note"] is None
    assert result["structure_result_id"] == "00010203-0405-0607-0809-0a0b0c0d0e0f" and len(STRUCTURE_ID) == 16
    assert result["ddg_matrix"]["rsa_from"] == "the model" and "tap" in answer["model_versions"]
    without, = results(job(example[0], example[1]))
    assert without["burial"] == "position table" and without["structure_result_id"] is None
    assert "no completed structure job" in without["structure_note"]
    scfv = job(VH + LINKER + VL)
    scfv["inputs"] |= {"format": "scfv", "chains": [{"kind": "scfv", "sequence": VH + LINKER + VL}]}
    (scfv,) = results(scfv)
    assert "structure: model" in scfv["structure_note"] and "no completed" not in scfv["structure_note"]
    for wild_known, wild_table in zip(result["ddg_matrix"]["vh"], without["ddg_matrix"]["vh"]):
        assert (wild_known["ddg"] == wild_table["ddg"]) == (abs(wild_known["rsa"] - wild_table["rsa"]) < 0.003)\
            or abs(wild_known["rsa"] - wild_table["rsa"]) < 0.02


def test_a_structure_whose_results_are_as_deep_as_can_be_is_taken(example):
    message, deep = job(*example), 1
    for _ in range(20):  # gateway/dispatch/transcode.h
        deep = {"a": deep}
    message["inputs"]["earlier"]["structure"]["results"] = deep
    result, = results(message)
    assert result["burial"] == "model"


def test_a_structure_that_was_too_large_to_come_along_is_named_in_the_note(example):
    message, table = job(*example), job(*example, structure="table")
    for asked in (message, table):
        asked["inputs"]["earlier"]["structure"] = {"job_id": STRUCTURE_ID, "left_out": True}
    left_out, by_table = results(message, table)
    assert left_out["burial"] == by_table["burial"] == "position table" and left_out["structure_result_id"] is None
    assert "too large to come along" in left_out["structure_note"]
    assert by_table["structure_note"] == "the option structure is table"


def test_the_option_table_leaves_the_model_alone(example):
    asked, = results(job(*example, structure="table"))
    without, = results(job(example[0], example[1]))
    assert asked["structure_note"] == "the option structure is table"
    assert asked | {"structure_note": 0, "developability": 0} == without | {"structure_note": 0, "developability": 0}


def mutate(line, columns, text):
    return line[:columns] + text + line[columns + len(text):]


@pytest.mark.parametrize("change, why", [
    (lambda lines: lines[:50], "lacks residue"),
    (lambda lines: [mutate(line, 17, "ALA") if line[22:27] == " 104 " else line for line in lines], "another sequence"),
    (lambda lines: [line for line in lines if line[21] == "H"], "lacks residue L4"),
    (lambda lines: ["HEADER"], "no ATOM record"),
    (lambda lines: [mutate(lines[0], 30, "     nan"), *lines[1:]], "line 1: a coordinate is no number"),
    (lambda lines: [lines[0], *lines], "line 2: the residue has this atom twice"),
    (lambda lines: [*lines, lines[0]], "is there twice"),
    (lambda lines: [mutate(lines[0], 17, "MSE"), *lines[1:]], "line 1: the residue is none of the 20"),
    (lambda lines: [mutate(lines[0], 76, "FE"), *lines[1:]], "line 1: the element is none"),
    (lambda lines: [lines[0][:40], *lines[1:]], "line 1: the ATOM record is shorter"),
    (lambda lines: lines * 10, "is there twice")])
def test_a_model_that_cannot_be_used_is_named_and_the_table_taken(example, change, why):
    vh, vl, text = example
    result, = results(job(vh, vl, "\n".join(change(text.splitlines()))))
    assert result["burial"] == "position table" and result["structure"] == "none"
    assert why in result["structure_note"] and result["structure_result_id"] is None
    patches = result["developability"]["patches"]
    assert [patches[m] for m in METRICS] == [None] * 4 and patches["reason"] == result["structure_note"]


def test_hydrogens_other_places_and_what_stands_around_count_nothing(example):
    vh, vl, text = example
    plain, = results(job(vh, vl, text))
    lines = text.splitlines()
    hydrogen = mutate(mutate(lines[0], 12, " H  "), 76, " H")
    other = mutate(lines[1], 16, "B")
    water = mutate(mutate(lines[2], 0, "HETATM"), 17, "HOH")
    noisy = ["REMARK", hydrogen, lines[0], lines[1], other, *lines[2:], water, "TER", "ENDMDL", *lines]
    assert results(job(vh, vl, "\r\n".join(noisy)))[0] == plain


def test_a_nanobody_has_patches_but_no_states(example):
    vh, _, text = example
    alone = "".join(line + "\n" for line in text.splitlines() if line[21] == "H")
    result, = results(job(vh, model=alone))
    patches = result["developability"]["patches"]
    assert patches["psh"]["value"] > 0 and patches["psh"]["state"] is None and patches["sfvcsp"] is None
    assert "heavy and light" in patches["reason"]


def test_the_same_bytes_again(example):
    first, second = endings(job(*example), job(*example))
    assert msgpack.packb(first) == msgpack.packb(second) == msgpack.packb(endings(job(*example))[0])


# --- options ---------------------------------------------------------------------------------------------

def test_positions_are_scanned_in_the_scheme_that_is_named():
    imgt, = results(job(VH, VL, positions=["H105", "L56"]))
    kabat, = results(job(VH, VL, positions=["H93", "H52A"], scheme="kabat"))
    whole, = results(job(VH, VL))
    assert [r["position"] for r in imgt["ddg_matrix"]["vh"]] == ["H105"]
    assert [r["position"] for r in imgt["ddg_matrix"]["vl"]] == ["L56"]
    assert [r["position"] for r in kabat["ddg_matrix"]["vh"]] == ["H52A", "H93"] and kabat["ddg_matrix"]["vl"] == []
    assert kabat["ddg_matrix"]["vh"][1]["imgt"] == "105" and kabat["scheme"] == "kabat"
    by_index = {r["index"]: r for r in whole["ddg_matrix"]["vh"]}
    for row in imgt["ddg_matrix"]["vh"]:
        assert row == by_index[row["index"]]
    assert imgt["stabilizing_mutations"] == []
    assert imgt["developability"] == whole["developability"]


def test_charges_at_the_ph_that_is_asked_for():
    asked, = results(job(VH, VL, ph=[7.4, 5.55, 3]))
    usual, = results(job(VH, VL))
    charges = asked["developability"]["net_charge"]
    assert list(charges) == ["ph_7_4", "ph_5_55", "ph_3_0"]
    assert charges["ph_3_0"] > charges["ph_5_55"] > charges["ph_7_4"]
    assert charges["ph_7_4"] == usual["developability"]["net_charge"]["ph_7_4"]


@pytest.mark.parametrize("options, pointer", [
    ({"structure": "best"}, "/structure"), ({"structure": 1}, "/structure"), ({"scheme": "eu"}, "/scheme"),
    ({"positions": "H31"}, "/positions"), ({"positions": ["H999"]}, "/positions/0"),
    ({"positions": ["H31", "X1"]}, "/positions/1"),
    ({"positions": ["L31Z"]}, "/positions/0"), ({"ph": [15]}, "/ph"), ({"ph": "7"}, "/ph"), ({"ph": [7, None]}, "/ph")])
def test_an_option_that_does_not_fit_is_named_by_its_pointer(options, pointer):
    answer, = endings(job(VH, VL, **options))
    assert (answer["m"], answer["code"], answer["retry"]) == ("error", "invalid_options", False)
    assert pointer in answer["message"] and answer["partial"]["at_fault"].startswith("/options" + pointer)


def test_what_was_reached_is_said_when_a_job_fails():
    chains, options = endings(job("MKTAYIAKQR", VL), job(VH, VL, positions=["H999"]))
    assert chains["partial"] == {"reached": "job read", "at_fault": "/chains/0"}
    assert options["partial"] == {"reached": "numbering", "at_fault": "/options/positions/0"}


# --- a model made within the job -------------------------------------------------------------------------

MODELLER = """#!/usr/bin/python3
import sys, time, msgpack
out = sys.stdout.buffer
def say(**message):
    out.write(msgpack.packb(message)); out.flush()
say(m="declare", title="Structure", version="1.0.0", options_schema="{}")
for job in msgpack.Unpacker(sys.stdin.buffer, read_size=1):
    kinds = [c["kind"] for c in job["inputs"]["chains"]]
    sequences = [c["sequence"] for c in job["inputs"]["chains"]]
    assert job["job_type"] == "structure" and len(job["job_id"]) == len(job["inputs"]["variant_id"]) == 16
    say(m="progress", step="templates", fraction=0.5)
    BODY
"""


@pytest.fixture
def install(tmp_path):
    """install(body) puts a paratope-structure beside a copy of the program; returns a function that runs jobs."""
    shutil.copy(PROGRAM, tmp_path / "paratope-pipeline")

    def place(body=None):
        if body is not None:
            program = tmp_path / "paratope-structure"
            program.write_text(MODELLER.replace("BODY", body))
            program.chmod(0o755)

        def serve(*jobs):
            done = subprocess.run([tmp_path / "paratope-pipeline", "stability"], capture_output=True, timeout=60,
                                  input=b"".join(map(msgpack.packb, jobs)),
                                  env={**os.environ, "PATH": "/usr/bin:/bin"})
            assert done.returncode == 0, done.stderr
            return messages_in(done.stdout)
        return serve
    return place


def ending(messages):
    return [m for m in messages if m["m"] in ("result", "error")]


def test_a_model_is_made_when_there_is_none(install, example, tmp_path):
    vh, vl, text = example
    (tmp_path / "model.pdb").write_text(text)
    serve = install(f"""model = open({str(tmp_path / 'model.pdb')!r}).read()
    assert kinds == ["heavy", "light"] and sequences == [{vh!r}, {vl!r}]
    say(m="result", results={{}}, model_versions={{"engine": "test 1"}},
        files={{"model.pdb": {{"media_type": "chemical/x-pdb", "content": model}}}})""")
    messages = serve(job(vh, vl, structure="model"))
    answer, = ending(messages)
    assert answer["m"] == "result", answer
    assert answer["results"]["structure"] == "made here" and answer["results"]["burial"] == "model"
    assert answer["results"]["structure_result_id"] is None
    assert answer["files"]["model.pdb"]["content"] == text and answer["model_versions"]["engine"] == "test 1"
    steps = [m["step"] for m in messages if m["m"] == "progress"]
    assert "structure: templates" in steps
    fractions = [m["fraction"] for m in messages if m["m"] == "progress"]
    assert fractions == sorted(fractions)
    given, = results(job(vh, vl, text))
    same = answer["results"] | {"structure": 0, "structure_result_id": 0}
    assert same == given | {"structure": 0, "structure_result_id": 0}


def test_a_structure_job_is_preferred_to_making_a_model(install, example):
    serve = install("raise SystemExit('must not run')")
    answer, = ending(serve(job(*example, structure="model")))
    assert answer["results"]["structure"] == "structure job"


@pytest.mark.parametrize("body, code, why, retry", [
    (None, "no_structure_engine", "not installed", False),
    ("say(m='error', code='engine_failed', message='no templates', retry=False)", "structure_failed", "no templates",
     False),
    ("raise SystemExit(3)", "structure_failed", "ended without an answer", True),
    ("out.write(bytes([0xc1])); out.flush(); time.sleep(30)", "structure_failed", "no message", False),
    ("say(m='result', results={}, model_versions={})", "structure_failed", "no file model.pdb", False)])
def test_a_model_that_cannot_be_made_fails_the_job_with_the_reason(install, body, code, why, retry):
    answer, = ending(install(body)(job(VH, VL, structure="model")))
    assert (answer["m"], answer["code"], answer["retry"]) == ("error", code, retry) and why in answer["message"]
    assert answer["partial"] == {"reached": "numbering", "at_fault": "/options/structure"}


def test_progress_goes_on_while_the_model_is_made(install):
    """The engine is silent while it loads; the job is not."""
    serve = install("time.sleep(3); say(m='error', code='x', message='y', retry=False)")
    steps = [m for m in serve(job(VH, VL, structure="model")) if m["m"] == "progress"]
    assert len(steps) >= 6


def test_an_scfv_is_modelled_as_its_two_domains(install):
    serve = install("say(m='error', code='x', message=repr((kinds, sequences)), retry=False)")
    message = job(VH + LINKER + VL, structure="model")
    message["inputs"]["chains"][0]["kind"] = "scfv"
    message["inputs"]["format"] = "scfv"
    answer, = ending(serve(message))
    assert repr((["heavy", "light"], [VH, VL])) in answer["message"]


def test_an_fv_on_a_model_takes_well_under_a_second(example, report):
    began = os.times().children_user
    results(*[job(*example)] * 50)
    seconds = (os.times().children_user - began) / 50
    assert seconds < 0.2
    report["stability_time"] = f"{seconds * 1000:.0f} ms"
