"""The tools for people: what comes in as FASTA, what goes out as lines."""
import json

import pytest
from sources import lines, run
from test_program import LINKER, VH, VL


def answers(text, command="humanization"):
    done = run(command, "--fasta", "-", text=text)
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


def test_chains_of_a_name_belong_together_wherever_they_stand():
    found, status = lines("humanization", [("b VL", VL), ("a VH", VH), ("b VH some words", VH), ("a vl", VL)])
    assert status == 0
    assert [line["name"] for line in found] == ["b", "a"]
    assert found[0]["results"] == found[1]["results"]
    assert found[0]["results"][0]["humanized_vl"]


def test_a_lone_record_is_a_nanobody_or_single_chain():
    found, status = lines("humanization", [("nano", VH), ("single", VH + LINKER + VL), ("half VH", VH)])
    assert status == 0
    assert "vhh_analysis" in found[0]["results"][0]
    assert "scfv_analysis" in found[1]["results"][0]
    assert "vhh_analysis" in found[2]["results"][0]


@pytest.mark.parametrize("command", ["humanization", "numbering", "humanness"])
def test_a_record_that_fails_does_not_stop_the_rest(command):
    found, status = lines(command, [("good1", VH), ("bad", "MKLX"), ("good2", VH), ("empty", "")])
    assert status == 1
    by_name = {line["name"]: line for line in found}
    assert [line["name"] for line in found] == ["good1", "bad", "good2", "empty"]
    assert by_name["bad"]["error"] and by_name["empty"]["error"]
    assert "error" not in by_name["good1"] and "error" not in by_name["good2"]


def test_numbering_takes_what_does_not_pair():
    found, status = lines("numbering", [("a VL", VL), ("b VH", VL), ("c VH", VH), ("c VH", VH), ("d", VH + LINKER + VL)])
    assert status == 0
    assert [(line["name"], line["chain_type"]) for line in found] == [
        ("a", "K"), ("b", "K"), ("c", "H"), ("c", "H"), ("d", "H"), ("d", "K")]
    assert found[5]["domain"] == 2 and found[5]["start"] == len(VH + LINKER) + 1
    for line in found:
        assert {"v_gene", "v_identity", "j_gene", "j_identity", "positions"} <= set(line)
    assert "".join(residue for _, residue in found[0]["positions"]) == VL


def test_numbering_takes_many_records_of_one_name():
    found, status = lines("numbering", [("a VH", VH)] * 20)
    assert status == 0 and len(found) == 20


def test_schemes():
    """Trp 41 (IMGT) is heavy 36 in Kabat, Chothia and Martin, and 43 in AHo."""
    at = VH.index("WVKQ")
    for scheme, expected in (("imgt", "41"), ("kabat", "36"), ("chothia", "36"), ("martin", "36"), ("aho", "43")):
        (line,), status = lines("numbering", [("a", VH)], "--scheme", scheme)
        assert (status, line["scheme"], line["positions"][at]) == (0, scheme, [expected, "W"])


def test_humanness_is_higher_for_what_is_more_human():
    germline = ("EVQLLESGGGLVQPGGSLRLSCAASGFTFSSYAMSWVRQAPGKGLEWVSAISGSGGSTYYADSVKGRFTISRDNSKNTLYLQMNSLRAEDTAVYYC"
                "AKGGYFDYWGQGTLVTVSS")  # IGHV3-23*01
    found, _ = lines("humanness", [("mouse VH", VH), ("mouse VL", VL), ("human", germline)])
    assert [line["name"] for line in found] == ["mouse", "human"]
    assert found[0]["score"] < 0.85 < found[1]["score"] == 1


def test_layout_of_the_file_does_not_matter():
    plain, _ = answers(f">a VH\n{VH}\n>a VL\n{VL}\n")
    wrapped = "\r\n".join([">a VH", VH[:50].lower(), VH[50:], "", ">a\tVL extra", *[VL[i:i + 10] for i in
                                                                                  range(0, len(VL), 10)]])
    assert answers(wrapped) == (plain, 0)


def test_names_of_any_bytes():
    found, status = answers(b">\xff\xfename VH\n" + VH.encode() + b"\n>\xc3\xa9 VH\n" + VH.encode() + b"\n>\n"
                            + VH.encode() + b"\n", "humanness")
    assert status == 0
    assert [line["name"] for line in found] == ["??name", "é", ""]


def test_too_many_chains_of_a_name():
    for command in ("humanization", "humanness"):
        found, status = lines(command, [("a VH", VH)] * 9)
        assert status == 1 and found[0]["code"] == "duplicate_chain"


@pytest.mark.parametrize("text", ["", "\n\n", "no header\n", VH])
def test_what_is_no_fasta(text):
    done = run("numbering", "--fasta", "-", text=text)
    assert done.returncode == 2 and done.stderr


def test_a_file_that_is_not_there(tmp_path):
    done = run("numbering", "--fasta", str(tmp_path / "none.fa"))
    assert done.returncode == 2 and b"none.fa" in done.stderr
    assert run("numbering", "--fasta", str(tmp_path)).returncode == 2


def test_many_records():
    """Pairing does not slow down with the file."""
    found, status = lines("humanness", [(f"n{i} {c}", s) for c, s in (("VH", VH), ("VL", VL)) for i in range(2000)])
    assert status == 0 and len(found) == 2000
    assert all(len(line["chains"]) == 2 for line in found)
