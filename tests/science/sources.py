"""Where the program and the shared data are, and how both are read."""
import csv
import json
import os
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PARATOPE_BUILD", CHECKOUT / "build"))
PROGRAM = BUILD / "bin" / "paratope-pipeline"
# An array header of 4 billion makes msgpack-c ask for memory that is not there; ASan would abort at that.
os.environ.setdefault("ASAN_OPTIONS", "allocator_may_return_null=1")
SHARED = Path(os.environ.get("PARATOPE_SHARED", CHECKOUT.parent / "shared")) / "data"
TABLES = CHECKOUT / "worker" / "data"


def shared(name):
    """A file of the shared data; the test is skipped where it is not there."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


def read_table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def read_fasta(path):
    """(first word, second word) → sequence."""
    records, key = {}, None
    for line in open(path):
        if line.startswith(">"):
            words = line[1:].split()
            key = words[0], words[1] if len(words) > 1 else ""
            records[key] = ""
        else:
            records[key] += line.strip()
    return records


def run(*arguments, text=""):
    """The program with something on standard input; its answer is read as bytes."""
    data = text.encode() if isinstance(text, str) else text
    return subprocess.run([PROGRAM, *arguments], input=data, capture_output=True, timeout=100)


def lines(command, records, *arguments):
    """Runs a tool on [(header, sequence), …]: its JSON lines and the exit status."""
    fasta = "".join(f">{header}\n{sequence}\n" for header, sequence in records)
    done = run(command, "--fasta", "-", *arguments, text=fasta)
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


def number(sequences, scheme="imgt"):
    """What `numbering` says of each sequence: a list of its lines (several domains, or one with error)."""
    found = [[] for _ in sequences]
    for line in lines("numbering", [(str(i), s) for i, s in enumerate(sequences)], "--scheme", scheme)[0]:
        found[int(line["name"])].append(line)
    return found


def at_positions(line):
    return {position: residue for position, residue in line["positions"]}
