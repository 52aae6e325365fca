"""paratope-pipeline as the agent sees it: proto/PIPELINE.md from outside, with another msgpack."""
import io
import random
import subprocess
import time

import msgpack
import pytest
from relatives import RELATIVES
from sources import PROGRAM, run

VH = ("EVQLQQSGPELVKPGASLKLSCTASGFNIKDTYIHWVKQRPEQGLEWIGRIYPTNGYTRYDPKFQDKATITADTSSNTAYLQVSRLTSEDTAVYYC"
      "SRWGGDGFYAMDYWGQGASVTVSS")
VL = ("DIVMTQSHKFMSTSVGDRVSITCKASQDVNTAVAWYQQKPGHSPKLLIYSASFRYTGVPDRFTGNRSGTDFTFTISSVQAEDLAVYYCQQHYTTPP"
      "TFGGGTKLEIK")
LINKER = "GGGGSGGGGSGGGGS"
STRATEGIES = ["cdr_grafting", "vernier_grafting", "resurfacing", "optimized"]


def job(*chains, **changes):
    """A job message of chains (kind, sequence); `changes` replaces keys of the message."""
    message = {"m": "job", "job_id": bytes(16), "job_type": "humanization", "attempt": 1,
               "inputs": {"variant_id": bytes(16), "name": "4D5", "format": "mab",
                          "chains": [{"kind": kind, "sequence": sequence} for kind, sequence in chains]}}
    return {**message, **changes}


def serve(*messages):
    """Sends messages, reads all answers; the process must end by itself with status 0."""
    done = run("humanization", text=b"".join(msgpack.packb(m) for m in messages))
    assert done.returncode == 0, done.stderr
    return messages_in(done.stdout)


def messages_in(data):
    """Without what the pipeline declares first."""
    declared, *messages = msgpack.Unpacker(io.BytesIO(data))
    assert declared["m"] == "declare"
    return messages


def said(job_type, *messages):
    """All bytes that the pipeline says to its jobs, without what it declares first."""
    whole, declared = (run(job_type, text=text).stdout for text in (b"".join(map(msgpack.packb, messages)), b""))
    assert declared and whole.startswith(declared)
    return whole[len(declared):]


def endings(answers):
    return [a for a in answers if a["m"] != "progress"]


def error_of(*chains, **changes):
    (ending,) = endings(serve(job(*chains, **changes)))
    assert ending["m"] == "error" and ending["retry"] is False
    assert 1 <= len(ending["message"].encode()) <= 1000
    return ending["code"]


def test_a_job_gets_progress_and_a_result():
    *progress, result = serve(job(("heavy", VH), ("light", VL)))
    assert {p["m"] for p in progress} == {"progress"}
    fractions = [p["fraction"] for p in progress]
    assert fractions == sorted(fractions) and 0 <= fractions[0] and fractions[-1] <= 1
    steps = [p["step"] for p in progress]
    assert all(1 <= len(step.encode()) <= 64 for step in steps)
    assert steps[0] == "numbering"
    assert any("germline search" in s for s in steps) and any("grafting" in s for s in steps)
    assert result["m"] == "result"
    assert [r["strategy"] for r in result["results"]] == STRATEGIES
    assert all(isinstance(k, str) and isinstance(v, str) for k, v in result["model_versions"].items())
    assert len(msgpack.packb(result)) < 64 * 1024


def test_the_result_has_what_the_contract_names():
    *_, answer = serve(job(("heavy", VH), ("light", VL)))
    for result in answer["results"]:
        assert result["humanized_vh"] != VH and result["parental_vh"] == VH
        assert result["humanized_vl"] != VL and result["parental_vl"] == VL
        assert 0 < result["germlines"]["vh"]["v"]["identity"] <= 1
        assert result["humanness"]["before"] < result["humanness"]["after"] and result["humanness"]["method"]
        assert result["mutations"]["vh"] and result["mutations"]["vl"]
        assert set(result["back_mutations"]) == {"vh", "vl"}
        assert all(isinstance(places, list) for places in result["liabilities"].values())
        assert result["numbering"]["scheme"] == "imgt"
        assert result["numbering"]["vh"]["positions"][0] == ["1", result["humanized_vh"][0]]


def test_same_inputs_same_bytes():
    """job_id, attempt and what was computed before have no influence."""
    a = job(("heavy", VH), ("light", VL))
    b = job(("heavy", VH), ("light", VL), job_id=bytes(range(16)), attempt=3)
    alone = said("humanization", a)
    assert said("humanization", b) == alone
    assert said("humanization", a, b) == alone + alone


def test_progress_is_limited_however_many_jobs_come():
    """20 a second at most (PIPELINE.md); every job still gets its ending."""
    began = time.monotonic()
    answers = serve(*[job(("heavy", VH), ("light", VL))] * 200)
    seconds = time.monotonic() - began
    assert len(endings(answers)) == 200
    assert 20 <= len(answers) - 200 <= 20 * (int(seconds) + 2)


def test_many_jobs_in_one_process_are_answered_in_order():
    good, bad = job(("heavy", VH), ("light", VL)), job(("heavy", VL), ("light", VL))
    messages = [good if i % 3 else bad for i in range(300)]
    kinds = [e["m"] for e in endings(serve(*messages))]
    assert kinds == ["result" if i % 3 else "error" for i in range(300)]


def test_the_next_job_may_wait_for_the_ending():
    """The agent writes one job, reads its ending, then writes the next: nothing may be held back in a buffer."""
    process = subprocess.Popen([PROGRAM, "humanization"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    answers = msgpack.Unpacker(process.stdout, read_size=1)
    assert next(answers)["m"] == "declare"
    for _ in range(3):
        process.stdin.write(msgpack.packb(job(("heavy", VH), ("light", VL))))
        process.stdin.flush()
        while (answer := next(answers))["m"] == "progress":
            pass
        assert answer["m"] == "result"
    process.stdin.close()
    assert process.wait(10) == 0


def test_end_of_file_at_once_is_no_error():
    done = run("humanization", text=b"")
    assert (done.returncode, messages_in(done.stdout)) == (0, [])


def test_unknown_messages_and_keys_are_ignored():
    extra = job(("heavy", VH), ("light", VL), later={"a": [1, None, 2.5]})
    extra["inputs"]["later"] = {"scheme": "aho"}
    assert [e["m"] for e in endings(serve({"m": "hello", "x": 1}, extra, {"m": "bye"}))] == ["result"]


@pytest.mark.parametrize("chains, code", [
    ([("heavy", VH), ("heavy", VH)], "duplicate_chain"),
    ([("heavy", VH), ("light", VL), ("light", VL)], "duplicate_chain"),
    ([("light", VL)], "missing_chain"),
    ([("heavy", VH)], "missing_chain"),
    ([("heavy", VL), ("light", VH)], "wrong_chain_kind"),
    ([("heavy", VH + LINKER + VL)], "wrong_chain_kind"),
    ([("scfv", VH + LINKER + VH)], "wrong_chain_kind"),
    ([("vhh", VL)], "wrong_chain_kind"),
    ([("heavy", ""), ("light", VL)], "empty_sequence"),
    ([("heavy", VH[:50] + "X" + VH[51:]), ("light", VL)], "invalid_residue"),
    ([("heavy", VH.lower()), ("light", VL)], "invalid_residue"),
    ([("heavy", VH + "*"), ("light", VL)], "invalid_residue"),
    ([("heavy", VH[:30] + "-" + VH[30:]), ("light", VL)], "invalid_residue"),
    ([("heavy", VH + "é"), ("light", VL)], "invalid_residue"),
    ([("heavy", VH + "\0"), ("light", VL)], "invalid_residue"),
    ([("heavy", VH + "A" * 5000), ("light", VL)], "sequence_too_long"),
    ([("heavy", "ACDEFGHIKLMNPQRSTVWY" * 5), ("light", VL)], "not_an_antibody"),
    ([("heavy", VH), ("light", RELATIVES["T cell receptor A6 beta"])], "not_an_antibody"),
    ([("heavy", RELATIVES["hen egg lysozyme"]), ("light", VL)], "not_an_antibody"),
    ([("heavy", VH[60:]), ("light", VL)], "not_an_antibody"),
])
def test_wrong_chains_are_named(chains, code):
    assert error_of(*chains) == code


@pytest.mark.parametrize("inputs", [
    None, 7, [], {}, {"chains": None}, {"chains": {}}, {"chains": []}, {"chains": [7]},
    {"chains": [{"kind": "heavy"}]}, {"chains": [{"sequence": VH}]}, {"chains": [{"kind": "H", "sequence": VH}]},
    {"chains": [{"kind": "any", "sequence": VH}]}, {"chains": [{"kind": 1, "sequence": VH}]},
    {"chains": [{"kind": "heavy", "sequence": VH.encode()}]},
    {"chains": [{"kind": "heavy", "sequence": VH}] * 9},
])
def test_inputs_of_another_form_are_refused(inputs):
    assert error_of(inputs=inputs) == "invalid_inputs"


def test_another_job_type_is_refused():
    assert error_of(("heavy", VH), ("light", VL), job_type="structure") == "wrong_job_type"


def test_nanobody_and_scfv():
    nanobody = job(("vhh", VH))
    scfv = job(("scfv", VL + LINKER + VH + "HHHHHH"))
    scfv["inputs"]["format"] = "scfv"
    lone = job(("heavy", VH))
    lone["inputs"]["format"] = "nanobody"
    a, b, c = endings(serve(nanobody, scfv, lone))
    assert a["results"][0]["humanized_vl"] is None and a["results"][0]["vhh_analysis"]["hallmarks"]
    analysis = b["results"][0]["scfv_analysis"]
    assert (analysis["order"], analysis["linker"]) == ("vl-vh", LINKER)
    assert analysis["humanized_sequence"] == (b["results"][0]["humanized_vl"] + LINKER
                                              + b["results"][0]["humanized_vh"] + "HHHHHH")
    assert a["results"] == c["results"]


def test_a_chain_of_5000_residues_is_computed():
    long = VH + "GS" * ((5000 - len(VH)) // 2)
    (ending,) = endings(serve(job(("heavy", long), ("light", VL))))
    assert ending["m"] == "result"
    assert ending["results"][0]["humanized_vh"].endswith(long[len(VH):])


def test_two_chains_of_5000_residues_are_computed():
    (ending,) = endings(serve(job(*[(kind, s + "GS" * ((5000 - len(s)) // 2))
                                    for kind, s in (("heavy", VH), ("light", VL))])))
    assert ending["m"] == "result" and len(ending["results"]) == len(STRATEGIES)


def assert_stops(data):
    """Ends by itself with a message and a status that is no signal."""
    began = time.monotonic()
    done = run("humanization", text=data)
    assert done.returncode == 1, (data[:40], done.returncode)
    assert b"paratope-pipeline: standard input" in done.stderr
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("data", [
    b"\xc1", b"hello\n", b"\x00", b"\x90", b"\xa3job", b"\x80", b"\x81\x01\x02", b"\xff" * 100,
    b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff" + b"\x01" * 50, b"\xdb\xff\xff\xff\xff" + b"A" * 1000,
    b"\x91" * 100000, b"\x81\xa1m\x07" + b"\xc1",
], ids=lambda data: data[:6].hex())
def test_what_is_no_protocol_ends_the_process(data):
    assert_stops(data)


def test_cut_off_anywhere():
    whole = msgpack.packb(job(("heavy", VH), ("light", VL)))
    for cut in range(1, len(whole), 7):
        assert_stops(whole[:cut])


def test_garbage_behind_a_good_job():
    done = run("humanization", text=msgpack.packb(job(("heavy", VH), ("light", VL))) + b"\xc1")
    assert done.returncode == 1
    assert endings(messages_in(done.stdout))[0]["m"] == "result"


def test_flipped_bits_never_crash_it():
    source = random.Random(11)
    whole = msgpack.packb(job(("heavy", VH), ("light", VL)))
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(source.randint(1, 4)):
            data[source.randrange(len(data))] = source.randrange(256)
        assert run("humanization", text=bytes(data)).returncode in (0, 1)


def test_an_agent_that_is_gone_ends_the_process():
    process = subprocess.Popen([PROGRAM, "humanization"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdout.close()
    _, why = process.communicate(msgpack.packb(job(("heavy", VH), ("light", VL))), timeout=10)
    assert process.returncode == 1 and (b"could not be written" in why or b"cannot be written" in why)


@pytest.mark.parametrize("arguments", [[], ["colour"], ["structure"], ["humanization", "numbering"], ["--wrong"],
                                       ["numbering"], ["humanness"], ["humanization", "--fasta"],
                                       ["numbering", "--scheme", "wolfguy", "--fasta", "-"]])
def test_wrong_usage(arguments):
    done = run(*arguments)
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_help_and_version():
    shown = run("--help")
    assert shown.returncode == 0
    for word in (b"humanization", b"immunogenicity", b"numbering", b"humanness", b"--fasta"):
        assert word in shown.stdout
    assert run("--version").stdout.startswith(b"paratope-pipeline ")
