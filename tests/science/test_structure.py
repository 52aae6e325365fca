"""The structure pipeline: paratope-structure as the agent sees it, and its models against crystals."""
import io
import json
import math
import re
import subprocess
import time

import msgpack
import pytest
from sources import BUILD, CHECKOUT, read_table
from test_program import LINKER, VH, VL

STRUCTURE = BUILD / "bin" / "paratope-structure"
promod3 = pytest.mark.skipif(
    subprocess.run(["dpkg", "-s", "promod3"], capture_output=True).returncode != 0,
    reason="ProMod3 is not installed: scripts/install-deps --structure")
NANOBODY = ("QVQLVESGGGLVQAGGSLRLSCAASGYPHPYLHMGWFRQAPGKEREGVAAMDSGGGGTLYADSVKGRFTISRDKGKNTVYLQMDSLKPEDTATYYCAAG"
            "GYQLRDRTYGHWGQGTQVTVSS")


def job(*chains, form="mab", job_type="structure", **options):
    return {"m": "job", "job_id": bytes(16), "job_type": job_type, "attempt": 1,
            "inputs": {"variant_id": bytes(16), "name": "4D5", "format": form, "options": options,
                       "chains": [{"kind": kind, "sequence": sequence} for kind, sequence in chains]}}


MAB = ("heavy", VH), ("light", VL)


def run(data):
    return subprocess.run([STRUCTURE], input=data, capture_output=True, timeout=100)


def answers(*jobs):
    """All messages but the declaration, which comes first."""
    done = run(b"".join(map(msgpack.packb, jobs)))
    assert done.returncode == 0, done.stderr
    declared, *messages = msgpack.Unpacker(io.BytesIO(done.stdout))
    assert declared["m"] == "declare"
    return messages


def endings(*jobs):
    return [message for message in answers(*jobs) if message["m"] != "progress"]


@pytest.fixture(scope="module")
def mab():
    """The answer for 4D5."""
    ending, = endings(job(*MAB))
    assert ending["m"] == "result", ending
    return ending


def atoms_of(pdb):
    """(chain, number with insertion code, residue, atom, x, y, z, B-factor)"""
    return [(line[21], line[22:27].strip(), line[17:20], line[12:16].strip(),
             *(float(line[i:i + 8]) for i in (30, 38, 46)), float(line[60:66]))
            for line in pdb.splitlines() if line.startswith("ATOM")]


def test_it_declares_itself_without_a_job():
    done = run(b"")
    declared, = msgpack.Unpacker(io.BytesIO(done.stdout))
    assert done.returncode == 0 and declared["m"] == "declare"
    schema = json.loads(declared["options_schema"])
    assert all({"default", "description"} <= set(option) for option in schema["properties"].values())
    assert schema["additionalProperties"] is False


@promod3
def test_progress_is_said_twice_a_second_in_words():
    process = subprocess.Popen([STRUCTURE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(msgpack.packb(job(*MAB)))
    process.stdin.close()
    said = []
    for message in msgpack.Unpacker(process.stdout, read_size=1):
        said.append((time.monotonic(), message))
    process.stdout.close()
    assert process.wait(10) == 0
    steps = [message for _, message in said if message["m"] == "progress"]
    fractions = [step["fraction"] for step in steps]
    assert fractions == sorted(fractions) and 0 <= fractions[0] and fractions[-1] <= 1
    assert any("orientation" in step["step"] for step in steps)
    assert any("minimisation" in step["step"] for step in steps)
    times = [at for at, message in said if message["m"] != "declare"]
    assert max(b - a for a, b in zip(times, times[1:])) < 5  # the machine may be busy


@promod3
def test_the_model_has_all_atoms_imgt_numbers_and_chains_h_and_l(mab):
    atoms = atoms_of(mab["files"]["model.pdb"]["content"])
    numbered = subprocess.run([BUILD / "bin" / "paratope-pipeline", "numbering", "--fasta", "-"], capture_output=True,
                              input=f">a H\n{VH}\n>a L\n{VL}\n", text=True, check=True).stdout.splitlines()
    expected = [(line["chain"], position) for line in map(json.loads, numbered) for position, _ in line["positions"]]
    assert list(dict.fromkeys((atom[0], atom[1]) for atom in atoms)) == expected
    heavy_atoms = {"GLY": 4, "ALA": 5, "TRP": 14, "TYR": 12, "ARG": 11, "CYS": 6}
    for residue in {atom[:3] for atom in atoms}:
        if residue[2] in heavy_atoms:
            assert sum(atom[:3] == residue for atom in atoms) == heavy_atoms[residue[2]], residue
    places = {atom[:4]: atom[4:7] for atom in atoms}
    cysteines = [[place for (chain, number, _, name), place in places.items()
                  if chain == c and number in ("23", "104") and name == "SG"] for c in "HL"]
    assert all(math.dist(*pair) < 2.5 for pair in cysteines)
    backbone = [(atom[0], atom[4:7]) for atom in atoms if atom[3] in ("N", "C")]
    bonds = [math.dist(a[1], b[1]) for a, b in zip(backbone[1::2], backbone[2::2]) if a[0] == b[0]]
    assert 1.2 < min(bonds) and max(bonds) < 1.5


@promod3
def test_h3_is_a_chain_though_it_is_drawn_to_a_mean(mab):
    """The mean itself is too short: its CA are some 3.3 Å from each other."""
    alphas = [(atom[1], atom[4:7]) for atom in atoms_of(mab["files"]["model.pdb"]["content"])
              if atom[0] == "H" and atom[3] == "CA"]
    first, last = ([number for number, _ in alphas].index(end) for end in ("104", "118"))
    steps = [math.dist(a[1], b[1]) for a, b in zip(alphas[first:last], alphas[first + 1:last + 1])]
    assert len(steps) == 14 and 3.6 < min(steps) and max(steps) < 4.0, steps


@promod3
def test_both_files_say_the_same(mab):
    rows = [line.split() for line in mab["files"]["model.cif"]["content"].splitlines() if line.startswith("ATOM ")]
    cif = [(row[16], row[15] + row[9].replace("?", ""), row[5], row[3], *map(float, row[10:13]), float(row[14]))
           for row in rows]
    assert cif == atoms_of(mab["files"]["model.pdb"]["content"])


@promod3
def test_the_result_has_what_the_contract_names(mab):
    results = mab["results"]
    assert (results["pdb"], results["mmcif"], results["model_used"]) == ("model.pdb", "model.cif", "promod3")
    assert [entry["cdr"] for entry in results["cdr_analysis"]] == ["H1", "H2", "H3", "L1", "L2", "L3"]
    loops = {entry["cdr"]: entry for entry in results["cdr_analysis"]}
    assert (loops["H3"]["sequence"], loops["H3"]["length"]) == ("SRWGGDGFYAMDY", 13)
    assert (loops["L3"]["sequence"], loops["L3"]["canonical_class"][:5]) == ("QQHYTTPPT", "L3-9-")
    assert loops["H3"]["confidence"] < loops["L2"]["confidence"] and 0 <= results["confidence_score"] <= 1
    assert len(results["per_residue_confidence"]) == len(VH) + len(VL)
    assert set(results["templates"]) == {"H", "L", "orientation"}
    assert not any(results["geometry"][kind] for kind in ("clashes", "bad_bonds", "bad_angles", "d_residues"))
    assert {"promod3", "openstructure", "templates"} <= set(mab["model_versions"])
    errors = {(entry["chain"], entry["position"]): entry["expected_error"]
              for entry in results["per_residue_confidence"]}
    assert {atom[:2]: atom[7] for atom in atoms_of(mab["files"]["model.pdb"]["content"])} == errors


@promod3
def test_same_inputs_same_bytes(mab):
    """Whatever was modelled before."""
    first, second = endings(job(("vhh", NANOBODY), form="nanobody"), job(*MAB))
    assert msgpack.packb(second) == msgpack.packb(mab)
    again, = endings(job(("vhh", NANOBODY), form="nanobody"))
    assert msgpack.packb(again) == msgpack.packb(first)


@promod3
def test_a_nanobody_is_one_chain():
    ending, = endings(job(("vhh", NANOBODY), form="nanobody"))
    assert {atom[0] for atom in atoms_of(ending["files"]["model.pdb"]["content"])} == {"H"}
    assert [entry["cdr"] for entry in ending["results"]["cdr_analysis"]] == ["H1", "H2", "H3"]


@promod3
def test_a_loop_that_no_template_has_is_closed_by_the_engine():
    """An H3 of 30 residues: longer than any in the table."""
    long = VH.replace("SRWGGDGFYAMDY", "SRWGGDGFYGSGSYGSGSNGYDGSYYAMDY")
    ending, = endings(job(("heavy", long), ("light", VL)))
    h3 = next(entry for entry in ending["results"]["cdr_analysis"] if entry["cdr"] == "H3")
    assert h3["length"] == 30 and h3["template"] is None and h3["expected_error"] > 2
    residues = {atom[:3] for atom in atoms_of(ending["files"]["model.pdb"]["content"]) if atom[0] == "H"}
    assert len(residues) == len(long)


@promod3
def test_closed_loops_are_the_same_whatever_came_before():
    """ProMod3's random numbers start anew. The light chain ends within CDR3: what is left has no template."""
    cut = job(("heavy", VH), ("light", VL[:-12]))
    first, second = endings(cut, cut)
    assert first["results"]["cdr_analysis"][-1]["template"] is None
    assert msgpack.packb(first) == msgpack.packb(second)


@promod3
def test_chains_that_are_cut_or_have_an_insertion_are_modelled_whole():
    inserted = VH.replace("TADTSSNTAYLQ", "TADTSGSGSGSSSNTAYLQ")
    asked = [VH[15:], VH[:-11], inserted]
    for heavy, ending in zip(asked, endings(*[job(("heavy", heavy), ("light", VL)) for heavy in asked])):
        assert ending["m"] == "result", ending
        atoms = atoms_of(ending["files"]["model.pdb"]["content"])
        assert sum(atom[0] == "H" and atom[3] == "CA" for atom in atoms) == len(heavy)


@promod3
def test_templates_can_be_left_out(mab):
    used = mab["results"]["templates"]["H"]["framework"][0]["pdb"]
    ending, = endings(job(*MAB, templates_exclude=[used.upper()]))
    assert used not in json.dumps(ending["results"])
    assert used in json.dumps(mab["results"])


@promod3
@pytest.mark.parametrize("asked, code", [
    (job(("scfv", VH + LINKER + VL), form="scfv"), "format_not_supported"),
    (job(*MAB, form="fc_fusion"), "format_not_supported"),
    (job(*MAB, engine="igfold"), "invalid_options"),
    (job(*MAB, templates_exclude=["nothing"]), "invalid_options"),
    (job(*MAB, minimise=1), "invalid_options"),
    (job(*MAB, more=1), "invalid_options"),
    (job(*MAB, template_identity_max=0.3), "no_templates"),
    (job(("heavy", VH)), "missing_chain"),
    (job(("light", VL)), "missing_chain"),
    (job(("heavy", VL), ("light", VH)), "wrong_chain_kind"),
    (job(("heavy", VH + LINKER + VL)), "wrong_chain_kind"),
    (job(("vhh", VH), ("light", VL)), "wrong_chain_kind"),
    (job(("heavy", VH), ("heavy", VH)), "duplicate_chain"),
    (job(("heavy", ""), ("light", VL)), "empty_sequence"),
    (job(("heavy", VH.lower()), ("light", VL)), "invalid_residue"),
    (job(("heavy", VH + "\n>x"), ("light", VL)), "invalid_residue"),
    (job(("heavy", "ACDEFGHIKLMNPQRSTVWY" * 5), ("light", VL)), "not_an_antibody"),
    (job(("heavy", VH + "A" * 5000), ("light", VL)), "sequence_too_long"),
    (job(*MAB, job_type="humanization"), "wrong_job_type"),
    ({**job(*MAB), "inputs": 7}, "invalid_inputs"),
    ({**job(*MAB), "inputs": {"chains": [{"kind": "heavy"}]}}, "invalid_inputs"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_cannot_be_modelled_is_named(asked, code):
    ending, = endings(asked)
    assert (ending["m"], ending["code"], ending["retry"]) == ("error", code, False)
    assert 1 <= len(ending["message"].encode()) <= 1000
    assert code == "wrong_job_type" or re.fullmatch("/(chains(/[01])?|options(/.+)?|format)", ending["partial"]["at_fault"])


@promod3
def test_an_engine_that_crashes_fails_its_job_alone():
    """Killed by a signal in the middle: the job ends with the reason, the next one is modelled."""
    process = subprocess.Popen([STRUCTURE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    messages = msgpack.Unpacker(process.stdout, read_size=1)
    assert next(messages)["m"] == "declare"
    process.stdin.write(msgpack.packb(job(*MAB)))
    process.stdin.flush()
    while "minimisation" not in next(messages)["step"]:
        pass
    inner, = children(process.pid)
    subprocess.run(["kill", "-SEGV", inner], check=True)
    while (ending := next(messages))["m"] == "progress":
        pass
    assert (ending["code"], ending["retry"]) == ("engine_failed", False)
    assert "SIGSEGV" in ending["message"] and "minimisation" in ending["partial"]["reached"]
    process.stdin.write(msgpack.packb(job(*MAB)))
    process.stdin.close()
    assert [m["m"] for m in messages if m["m"] != "progress"] == ["result"]
    process.stdout.close()
    assert process.wait(10) == 0


def children(pid):
    return subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()


@pytest.mark.parametrize("data", [b"\xc1", b"\x07", msgpack.packb(job(*MAB))[:-5], b"\x81\xa1m\xa3job\xff\xc1"])
def test_bytes_that_are_no_job_end_it_with_a_message(data):
    done = run(data)
    assert done.returncode == 1 and b"paratope-structure: " in done.stderr


def test_without_promod3_a_job_says_so(tmp_path):
    """A Python that finds no ProMod3: the declaration is there all the same."""
    hidden = tmp_path / "promod3"
    hidden.mkdir()
    (hidden / "__init__.py").write_text("raise ImportError('hidden by the test')\n")
    done = subprocess.run([STRUCTURE], input=msgpack.packb(job(*MAB)), capture_output=True, timeout=60,
                          env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path)})
    declared, *_, ending = msgpack.Unpacker(io.BytesIO(done.stdout))
    assert declared["m"] == "declare" and ending["code"] == "engine_missing"
    assert "install-deps --structure" in ending["message"]


@promod3
def test_the_tool_overwrites_no_model_of_the_same_name(tmp_path):
    """Two nanobodies of one name, and one whose name differs in capitals alone, which some file systems do not see."""
    fasta = f">one\n{NANOBODY}\n>one\n{NANOBODY[:-1]}\n>One\n{NANOBODY[:-2]}\n"
    done = subprocess.run([STRUCTURE, "--fasta", "-", "--pdb-dir", tmp_path], input=fasta, capture_output=True,
                          text=True, timeout=100)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr + done.stdout
    assert [line["pdb"] for line in found] == ["one.pdb", "one-2.pdb", "One-3.pdb"]
    assert len({(tmp_path / line["pdb"]).read_text() for line in found}) == len(list(tmp_path.glob("*.pdb"))) == 3


@promod3
def test_the_tool_for_people(tmp_path):
    fasta = f">4D5 VH\n{VH}\n>4D5 VL\n{VL}\n>none\nACDEFGHIKLMNPQRSTVWY\n>both scFv\n{VH}{LINKER}{VL}\n"
    done = subprocess.run([STRUCTURE, "--fasta", "-", "--pdb-dir", tmp_path / "models"], input=fasta,
                          capture_output=True, text=True, timeout=100)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1 and [line["name"] for line in lines] == ["4D5", "none", "both"]
    assert lines[1]["error"] and lines[2]["code"] == "format_not_supported" and "error" not in lines[0]
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["4D5.cif", "4D5.pdb"]
    assert (lines[0]["pdb"], lines[0]["mmcif"]) == ("4D5.pdb", "4D5.cif")
    assert subprocess.run([STRUCTURE, "--fasta", tmp_path / "none"], capture_output=True).returncode == 2
