"""oasis_score, by a small database in BioPhi's layout that is made here."""
import json
import random
import sqlite3
import statistics
import subprocess

import pytest
from sources import PROGRAM
from test_program import VH, VL

THRESHOLDS = {"loose": 0.01, "relaxed": 0.1, "medium": 0.5, "strict": 0.9}
PEOPLE = 40


def peptides(sequence):
    return [sequence[i:i + 9] for i in range(len(sequence) - 8)]


def ask(path, *, text=f">a VH\n{VH}\n>a VL\n{VL}\n"):
    done = subprocess.run([PROGRAM, "humanization", "--fasta", "-"], input=text, capture_output=True, text=True,
                          timeout=100, env={"PARATOPE_OASIS": str(path)})
    return json.loads(done.stdout), done.returncode


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """People 0 to 39: 5 have too few heavy, 8 too few light sequences, 4 are of the study that BioPhi leaves out."""
    source = random.Random(3)
    plain, _ = ask("")
    wanted = {p for r in plain["results"] for chain in ("vh", "vl") for p in peptides(r["humanized_" + chain])}
    path = tmp_path_factory.mktemp("oasis") / "small.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE subjects (id INTEGER, StudyPath TEXT, CompleteHeavySeqs INTEGER, "
                   "CompleteLightSeqs INTEGER)")
        db.execute("CREATE TABLE peptides (peptide TEXT, subject INTEGER, count INTEGER)")
        db.executemany("INSERT INTO subjects VALUES (?, ?, ?, ?)", [
            (i, "Corcoran_2016" if i >= 36 else "Briney_2019", 9999 if i < 5 else 10000, 9999 if i < 8 else 50000)
            for i in range(PEOPLE)])
        for peptide in sorted(wanted):
            have = source.sample(range(PEOPLE), source.randint(0, PEOPLE))
            db.executemany("INSERT INTO peptides VALUES (?, ?, ?)", [(peptide, i, source.randint(1, 9)) for i in have])
        db.execute("CREATE INDEX of_peptide ON peptides (peptide)")
    return path


def shares(path, chain, sequence):
    """As BioPhi's humanness.py counts, said anew."""
    with sqlite3.connect(path) as db:
        people = {i: study for i, study, *seqs in db.execute("SELECT * FROM subjects") if seqs[chain == "vl"] >= 10000}
        for peptide in peptides(sequence):
            have = [i for (i,) in db.execute("SELECT subject FROM peptides WHERE peptide = ?", (peptide,))]
            yield sum(people.get(i, "Corcoran_2016") != "Corcoran_2016" for i in have) / len(people)


def expected(path, chains):
    found = [share for chain, sequence in chains.items() for share in shares(path, chain, sequence)]
    return {"mean": statistics.mean(found), "median": statistics.median(found),
            "identity": {name: sum(s >= t for s in found) / len(found) for name, t in THRESHOLDS.items()}}


def flat(score):
    return [score["mean"], score["median"], *(score["identity"][name] for name in THRESHOLDS)]


def test_the_score_is_what_biophi_counts(database):
    line, status = ask(database)
    assert status == 0
    for result in line["results"]:
        score = result["oasis_score"]
        now = expected(database, {chain: result["humanized_" + chain] for chain in ("vh", "vl")})
        assert flat(score) == pytest.approx(flat(now), abs=1e-4)
        before = expected(database, {"vh": VH, "vl": VL})
        assert flat(score["parental"]) == pytest.approx(flat(before), abs=1e-4)
    assert line["results"][0]["oasis_score"]["mean"] > 0.3


def test_a_nanobody_is_scored_by_its_only_domain(database):
    line, _ = ask(database, text=f">n\n{VH}\n")
    result = line["results"][0]
    now = expected(database, {"vh": result["humanized_vh"]})
    assert flat(result["oasis_score"]) == pytest.approx(flat(now), abs=1e-4)


def test_without_a_database_there_is_no_score(database):
    line, status = ask("")
    assert status == 0 and "oasis_score" not in line["results"][0]


def test_a_database_that_is_none_ends_the_job_with_the_reason(tmp_path):
    (tmp_path / "text.db").write_text("no database at all, but some text that is long enough for a header" * 20)
    sqlite3.connect(tmp_path / "empty.db").close()
    for name in ("text.db", "empty.db", "missing.db", ""):
        line, status = ask(tmp_path / name)
        assert status == 1 and line["code"] == "oasis_unavailable" and line["error"]
    assert not (tmp_path / "missing.db").exists()
