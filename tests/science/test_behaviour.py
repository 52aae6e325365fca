"""What every pipeline process owes the agent, whatever comes: proto/PIPELINE.md from outside, over all job types."""
import io
import os
import random
import re
import resource
import subprocess
import time

import msgpack
import pytest
from relatives import RELATIVES
from sources import BUILD, PROGRAM
from test_program import LINKER, VH, VL
from test_program import job as job_of

STRUCTURE = BUILD / "bin" / "paratope-structure"
COMMANDS = {name: [PROGRAM, name] for name in ("humanization", "immunogenicity", "stability", "codon_export")}
if STRUCTURE.exists() and subprocess.run(["dpkg", "-s", "promod3"], capture_output=True).returncode == 0:
    COMMANDS["structure"] = [STRUCTURE]
FAST = [name for name in COMMANDS if name != "structure"]  # starts in milliseconds
SANITIZED = "asan" in str(BUILD)  # keeps what was freed for a while
LIMIT = 60  # seconds for anything but a structure, on a busy machine
FAB = (("heavy", VH), ("light", VL))
JOB_TYPES = pytest.mark.parametrize("job_type", COMMANDS)
FAST_JOB_TYPES = pytest.mark.parametrize("job_type", FAST)


def job(job_type, *chains, **changes):
    return job_of(*(chains or FAB), **{"job_type": job_type, **changes})


def with_inputs(job_type, **changes):
    message = job(job_type)
    message["inputs"].update(changes)
    return message


def start(job_type, data):
    return subprocess.run(COMMANDS[job_type], input=data, capture_output=True, timeout=LIMIT)


def messages_of(data):
    return list(msgpack.Unpacker(io.BytesIO(data), max_buffer_size=0))


def endings_of(job_type, *jobs):
    """One for each job, all in one process."""
    done = start(job_type, b"".join(msgpack.packb(message) for message in jobs))
    assert done.returncode == 0, done.stderr
    endings = [m for m in messages_of(done.stdout) if m["m"] in ("result", "error")]
    assert len(endings) == len(jobs)
    return endings


# --- what is no antibody -----------------------------------------------------------------------------------


MISTAKES = [
    ([("heavy", RELATIVES["T cell receptor A6 beta"]), ("light", RELATIVES["T cell receptor A6 alpha"])], "not_an_antibody"),
    ([("heavy", RELATIVES["hen egg lysozyme"]), ("light", VL)], "not_an_antibody"),
    ([("heavy", VH), ("heavy", VH)], "duplicate_chain"),
    ([("light", VL)], "missing_chain"),
    ([("heavy", VH)], "missing_chain"),
    ([("heavy", VL), ("light", VH)], "wrong_chain_kind"),
    ([("heavy", VH + LINKER + VL), ("light", VL)], "wrong_chain_kind"),
    ([("heavy", VH[:50] + "X" + VH[51:]), ("light", VL)], "invalid_residue"),
    ([("heavy", VH.lower()), ("light", VL)], "invalid_residue"),
    ([("heavy", VH), ("light", VL + "*")], "invalid_residue"),
    ([("heavy", VH[:30] + "-" + VH[30:]), ("light", VL)], "invalid_residue"),
    ([("heavy", "é" + VH), ("light", VL)], "invalid_residue"),
    ([("heavy", VH[:40]), ("light", VL)], "not_an_antibody"),
    ([("heavy", VH), ("light", VL[-40:])], "not_an_antibody"),
    ([("heavy", VH + "A" * 5000), ("light", VL)], "sequence_too_long"),
    ([("heavy", ""), ("light", VL)], "empty_sequence"),
    ([("middle", VH), ("light", VL)], "invalid_inputs"),
    ([("heavy", VH)] * 9, "invalid_inputs"),
]


@JOB_TYPES
def test_a_mistake_has_a_code_and_what_was_reached(job_type):
    endings = endings_of(job_type, *[job(job_type, *chains) for chains, _ in MISTAKES])
    assert [ending.get("code") for ending in endings] == [code for _, code in MISTAKES]
    for ending in endings:
        assert (ending["m"], ending["retry"]) == ("error", False)
        assert 10 <= len(ending["message"].encode()) <= 1000
        if ending["code"] != "invalid_inputs":  # then there is nothing to reach
            assert ending["partial"]["reached"] and re.fullmatch("/chains(/[01])?", ending["partial"]["at_fault"])
            assert len(msgpack.packb(ending["partial"])) <= 16 * 1024


@pytest.mark.parametrize("lacks", [VH.replace("LSCT", "LSST"), VH.replace("YYCS", "YYAS")])
@FAST_JOB_TYPES
def test_without_a_conserved_cysteine_it_is_computed(job_type, lacks):
    """The door says it (tests/api/test_bad_input.py)."""
    (ending,) = endings_of(job_type, job(job_type, ("heavy", lacks), ("light", VL)))
    assert ending["m"] == "result"


@JOB_TYPES
def test_options_of_another_form_are_refused(job_type):
    forms = [7, [], "", None, {"no_such_option": 1}, {"": {}}, {"host": b"cho"}]
    for ending in endings_of(job_type, *[with_inputs(job_type, options=form) for form in forms]):
        assert ending["m"] == "error" and ending["code"] in ("invalid_options", "invalid_inputs")


# --- what is no message ------------------------------------------------------------------------------------


def small_memory():
    """Room for the largest message and its answer, not for what a made-up length asks for."""
    resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, 2 << 30))


def survives(job_type, data):
    """Ends by itself, with 0 or with 1 and a message; what it wrote is whole. Returns the messages."""
    limit = None if SANITIZED else small_memory
    done = subprocess.run(COMMANDS[job_type], input=data, capture_output=True, timeout=LIMIT, preexec_fn=limit)
    assert done.returncode in (0, 1), (done.returncode, done.stderr[-300:], data[:100])
    assert done.returncode == 0 or len(done.stderr.decode().strip()) > 10
    return messages_of(done.stdout)


HEADERS = {"map32": b"\xdf\xff\xff\xff\xff", "array32": b"\xdd\xff\xff\xff\xff", "str32": b"\xdb\xff\xff\xff\xff",
           "bin32": b"\xc6\xff\xff\xff\xff", "ext32": b"\xc9\xff\xff\xff\xff\x01", "never used": b"\xc1",
           "map16": b"\xde\xff\xff", "array of 100 million": b"\xdd\x05\xf5\xe1\x00"}


@pytest.mark.parametrize("header", HEADERS)
@FAST_JOB_TYPES
def test_a_header_that_promises_too_much(job_type, header):
    for data in (HEADERS[header], b"\x82\xa1m\xa3job\xa6inputs" + HEADERS[header],
                 msgpack.packb(job(job_type)) + HEADERS[header] + b"\x00" * 100_000):
        endings = [m for m in survives(job_type, data) if m["m"] in ("result", "error")]
        assert len(endings) <= 1


@FAST_JOB_TYPES
def test_nesting_without_end(job_type):
    for data in (b"\x91" * 1_000_000, b"\x81\xa1m" * 300_000, b"\x81\xa6inputs" + b"\x81\xa7options" * 50_000 + b"\x80"):
        assert all(m["m"] != "result" for m in survives(job_type, data))


@FAST_JOB_TYPES
def test_huge_maps_and_texts(job_type):
    many = {f"key{i}": i for i in range(200_000)}
    for message in (with_inputs(job_type, options=many), with_inputs(job_type, chains=[many]), with_inputs(job_type, name="x" * 10_000_000),
                    with_inputs(job_type, chains=[{"kind": "heavy", "sequence": "Q" * 20_000_000}]), {**many, **job(job_type)}):
        endings = [m for m in survives(job_type, msgpack.packb(message)) if m["m"] in ("result", "error")]
        assert len(endings) == 1 and len(endings[0].get("message", "")) <= 1000


def wrong_values():
    return [None, True, -1, 2**63, 1.5, float("nan"), b"\x00\xff", "", "x" * 300, [], [[]], {}, {"m": "job"}, [None] * 50,
            msgpack.ExtType(5, b"abc")]


@FAST_JOB_TYPES
def test_wrong_types_everywhere(job_type):
    """One value of a job after the other replaced by what it cannot be, all in one process: an ending for each job."""
    messages = []
    for value in wrong_values():
        messages += [{**job(job_type), key: value} for key in ("job_id", "job_type", "attempt", "inputs")]
        messages += [with_inputs(job_type, **{key: value}) for key in ("variant_id", "name", "format", "chains", "options", "earlier")]
        messages += [with_inputs(job_type, chains=[value, value])]
        messages += [with_inputs(job_type, chains=[{"kind": "heavy", "sequence": value}, {"kind": value, "sequence": VL}])]
        messages += [with_inputs(job_type, earlier={"structure": value}), with_inputs(job_type, earlier={"structure": {
            "job_id": value, "results": value, "files": value}}), with_inputs(job_type, earlier={"structure": {
                "job_id": bytes(16), "results": {"model": value}, "files": {"model.pdb": {"media_type": value, "content": value}}}})]
    answers = survives(job_type, b"".join(msgpack.packb(m) for m in messages))
    endings = [m for m in answers if m["m"] in ("result", "error")]
    assert len(endings) == len(messages)
    assert {"result", "error"} == {m["m"] for m in endings}


@FAST_JOB_TYPES
def test_random_bytes(job_type):
    source = random.Random(job_type)
    for _ in range(100):
        survives(job_type, source.randbytes(source.choice([1, 2, 10, 100, 5000])))


@FAST_JOB_TYPES
def test_truncated_and_bent_messages(job_type):
    source = random.Random(job_type)
    whole = msgpack.packb(job(job_type))
    for cut in range(1, len(whole), 11):
        done = start(job_type, whole[:cut])
        assert done.returncode == 1 and b"standard input" in done.stderr
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(source.randint(1, 5)):
            data[source.randrange(len(data))] = source.randrange(256)
        survives(job_type, bytes(data))


def test_a_structure_process_survives_the_same():
    """Few of each: it takes a second to start."""
    if "structure" not in COMMANDS:
        pytest.skip("ProMod3 is not there: scripts/install-deps --test")
    source = random.Random(5)
    whole = msgpack.packb(job("structure", ("heavy", VH)))  # refused before anything is modelled
    for data in (source.randbytes(1000), whole[:-40], whole + b"\xc1", b"", b"\x91" * 100_000,
                 HEADERS["map32"], b"\x82\xa1m\xa3job\xa6inputs" + HEADERS["str32"],
                 msgpack.packb(with_inputs("structure", options={1: 2}))):
        survives("structure", data)


# --- what is computed --------------------------------------------------------------------------------------


def normal(message):
    """As the same bytes that Python would write: what order keys stand in counts too."""
    return msgpack.packb(message)


@JOB_TYPES
def test_two_processes_give_the_same_bytes(job_type):
    """Whatever else the process computed, and whichever job asks."""
    first = start_long(job_type, msgpack.packb(job(job_type)))
    other = start_long(job_type, msgpack.packb(job(job_type, ("heavy", VH))) +
                       msgpack.packb(job(job_type, job_id=bytes(range(16)), attempt=3)))
    results = [[normal(m) for m in messages_of(data) if m["m"] == "result"] for data in (first, other)]
    assert len(results[0]) == 1 and results[0] == results[1]


def start_long(job_type, data):
    done = subprocess.run(COMMANDS[job_type], input=data, capture_output=True, timeout=10 * LIMIT)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


LONGEST = (("heavy", VH + ("GSAETRDKLV" * 500)[:5000 - len(VH)]), ("light", VL))
WORK = {"humanization": [job("humanization")] * 20, "immunogenicity": [job("immunogenicity", *LONGEST)] * 4,
        "stability": [job("stability", *LONGEST)] * 4,
        "codon_export": [with_inputs("codon_export", options=options) for options in (
            {"gc_window_min": 0.48, "gc_window_max": 0.56}, {"max_repeat": 9},
            {"gc_max": 0.3, "gc_window_max": 0.5})] + [job("codon_export", *LONGEST)],
        "structure": [job("structure")]}


@JOB_TYPES
def test_progress_comes_at_least_twice_a_second(job_type):
    """Seconds of processor time, its own and its children's, so that a busy machine makes no difference."""
    process = subprocess.Popen(COMMANDS[job_type], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    answers = msgpack.Unpacker(process.stdout, read_size=1)
    longest, steps = 0.0, set()
    for message in WORK[job_type]:
        before = time_of(process.pid)
        process.stdin.write(msgpack.packb(message))
        process.stdin.flush()
        for answer in answers:
            now = time_of(process.pid)
            longest, before = max(longest, now - before), now
            steps.add(answer.get("step"))
            if answer["m"] in ("result", "error"):
                break
    process.stdin.close()
    assert process.wait(LIMIT) == 0
    assert longest <= 0.55 and len(steps) > 2, (longest, steps)


def time_of(pid):
    """Of the process, of what it started and is still there, and of what is not any more."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        children = [int(child) for child in file.read().split()]
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") + sum(map(time_of, children))


@pytest.mark.skipif(SANITIZED, reason="a sanitized program keeps what was freed")
def test_memory_is_given_back():
    """A thousand jobs in one process take no more than ten."""
    for job_type in FAST:
        process = subprocess.Popen(COMMANDS[job_type], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        answers = msgpack.Unpacker(process.stdout, read_size=1)
        sizes = []
        message = msgpack.packb(job(job_type, ("heavy", VH)))  # refused: the way out of an error
        began = time.monotonic()
        for n in range(1000):
            process.stdin.write(message)
            process.stdin.flush()
            while next(answers)["m"] != "error":
                pass
            if n in (10, 999):
                with open(f"/proc/{process.pid}/statm") as file:
                    sizes.append(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
        process.stdin.close()
        assert process.wait(LIMIT) == 0 and time.monotonic() - began < 10 * LIMIT
        assert sizes[1] - sizes[0] < 1 << 20, (job_type, sizes)
