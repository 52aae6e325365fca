"""Humanization against the 25 antibodies that were humanized by hand and validated in experiments."""
import json
import random
from collections import Counter

import pytest
from measure import compare, mutations
from report import table
from sources import lines, number, read_fasta, shared

# As published: identity to the validated sequence, to the parent, recall, precision, mutations made.
PUBLISHED = {
    "straight_grafts": ("straight CDR graft", 0.883, 0.828, 0.568, 0.647, 990),
    "vernier_grafts": ("Vernier graft", 0.886, 0.853, 0.521, 0.700, 840),
    "sapiens1": ("Sapiens (a language model)", 0.881, 0.885, 0.449, 0.769, 659),
    "humab": ("Hu-mAb", 0.862, 0.890, 0.401, 0.716, 633),
}
VALIDATED_MUTATIONS = 1129


@pytest.fixture(scope="module")
def parents():
    return read_fasta(shared("humab25/parental.fa"))


@pytest.fixture(scope="module")
def validated():
    return read_fasta(shared("humab25/experimental.fa"))


@pytest.fixture(scope="module")
def results(parents):
    """strategy → name → its result."""
    answered, status = lines("humanization", [(f"{name} {chain}", s) for (name, chain), s in parents.items()])
    assert status == 0 and len(answered) == 25
    by_strategy = {}
    for line in answered:
        for result in line["results"]:
            by_strategy.setdefault(result["strategy"], {})[line["name"]] = result
    return by_strategy


@pytest.fixture(scope="module")
def humanized(results):
    """strategy → (name, chain) → sequence."""
    return {strategy: {(name, chain): r["humanized_" + chain.lower()] for name, r in by_name.items()
                       for chain in ("VH", "VL")} for strategy, by_name in results.items()}


def cells(row):
    return [f"{row.to_validated:.3f}", f"{row.to_parent:.3f}", f"{row.recall:.3f}", f"{row.precision:.3f}", row.made]


HEADER = ["method", "identity to the validated sequence", "identity to the parent", "recall of its mutations",
          "precision", f"mutations made (validated: {VALIDATED_MUTATIONS})"]


@pytest.mark.parametrize("method", PUBLISHED)
def test_the_measuring_code_reproduces_what_was_published(method, parents, validated):
    _, *expected = PUBLISHED[method]
    row = compare(parents, validated, read_fasta(shared(f"humab25/{method}.fa")))
    assert [round(x, 3) for x in (row.to_validated, row.to_parent, row.recall, row.precision)] == expected[:4]
    assert row.made == expected[4]
    assert compare(parents, validated, validated).made == VALIDATED_MUTATIONS


def test_grafts_are_no_worse_than_the_published_ones(parents, validated, humanized, report):
    rows = [[name, *cells(compare(parents, validated, read_fasta(shared(f"humab25/{file}.fa"))))]
            for file, (name, *_) in PUBLISHED.items()]
    ours = {strategy: compare(parents, validated, chains) for strategy, chains in humanized.items()}
    rows += [[f"**Paratope {strategy}**", *cells(row)] for strategy, row in ours.items()]
    report["humanization"] = table(HEADER, rows)
    for strategy, file in (("cdr_grafting", "straight_grafts"), ("vernier_grafting", "vernier_grafts")):
        _, to_validated, _, recall, precision, _ = PUBLISHED[file]
        assert ours[strategy].to_validated >= to_validated
        assert ours[strategy].recall >= recall
        assert ours[strategy].precision >= precision


def test_the_optimiser_reaches_what_can_be_reached(parents, validated, humanized, report):
    """The goal row but for the identity to the parent, which leaves room for too few mutations."""
    row = compare(parents, validated, humanized["optimized"])
    assert row.to_validated >= 0.9 and row.recall >= 0.55 and row.precision >= 0.75
    residues = sum(map(len, parents.values()))
    room, hits = round((1 - 0.88) * residues), round(0.55 * VALIDATED_MUTATIONS)
    report["humanization_room"] = (f"identity ≥ 0.88 to the parents leaves room for about {room} mutations; recall "
                                   f"0.55 is {hits} right ones; together that is a precision of {hits / room:.2f}")
    assert hits / room > 0.88


def test_what_the_choice_of_a_framework_is_worth(parents, validated, report):
    """The same code, told which V genes the validated versions are nearest to."""
    names = sorted({name for name, _ in parents})
    genes = {(name, chain): domains[0]["v_gene"] for (name, chain), domains
             in zip(validated, number(list(validated.values())))}
    told = {}
    for name in names:
        options = {"target_germlines": {chain.lower(): genes[name, chain] for chain in ("VH", "VL")}}
        (line,), status = lines("humanization", [(f"{name} {c}", parents[name, c]) for c in ("VH", "VL")],
                                "--options", json.dumps(options))
        assert status == 0
        for result in line["results"]:
            for chain in ("VH", "VL"):
                told.setdefault(result["strategy"], {})[name, chain] = result["humanized_" + chain.lower()]
    rows = {strategy: compare(parents, validated, chains) for strategy, chains in told.items()}
    report["humanization_told"] = table([*HEADER[:-1], "mutations made"],
                                        [[strategy, *cells(row)] for strategy, row in rows.items()])
    assert rows["cdr_grafting"].recall > 0.8 and rows["optimized"].precision > 0.85


def kind_of_miss(position, ours, kept):
    if position in {p for p, *_ in ours}:
        return "another residue was put there"
    return "seen, but the parent's was kept" if position in kept else "the framework has the parent's residue, or a CDR"


def test_where_mutations_are_missed(parents, validated, results, humanized, report):
    missed, wrong = Counter(), Counter()
    for (name, chain), parent in parents.items():
        result = results["optimized"][name]
        ours = mutations(parent, humanized["optimized"][name, chain])
        theirs = mutations(parent, validated[name, chain])
        region = {d["index"]: d["region"] for d in result["mutation_details"][chain.lower()]}
        kept = {d["index"] for d in result["back_mutations"][chain.lower()]}
        for position, *_ in theirs - ours:
            missed[kind_of_miss(position, ours, kept), chain] += 1
        for position, *_ in ours - theirs:
            wrong[region.get(position, "inserted"), chain] += 1
    report["humanization_missed"] = table(["optimized", "heavy", "light"], [
        *[[f"missed: {kind}", missed[kind, "VH"], missed[kind, "VL"]] for kind in sorted({k for k, _ in missed})],
        *[[f"not in the validated version: {where}", wrong[where, "VH"], wrong[where, "VL"]]
          for where in sorted({w for w, _ in wrong})]])
    row = compare(parents, validated, humanized["optimized"])
    assert missed.total() == VALIDATED_MUTATIONS - round(row.recall * VALIDATED_MUTATIONS)
    assert wrong.total() == row.made - round(row.precision * row.made)


def test_heavy_and_light_chains_apart(parents, validated, humanized, report):
    rows = []
    for strategy, chains in humanized.items():
        for kind, title in (("VH", "heavy"), ("VL", "light")):
            some = {key: s for key, s in parents.items() if key[1] == kind}
            rows.append([f"{strategy}, {title}", *cells(compare(some, validated, chains))])
            assert compare(some, validated, chains).to_validated > compare(some, validated, parents).to_validated
    report["humanization_chains"] = table([*HEADER[:-1], "mutations made"], rows)


def applied(parent, texts):
    """A parent with the listed mutations: substitutions by index, insertions behind an index."""
    residues = [""] + list(parent)
    for mutation in texts:
        if "ins" in mutation:
            index, residue = mutation.split("ins")
            residues[int(index)] += residue
    for mutation in texts:
        if "ins" not in mutation:
            old, index, new = mutation[0], int(mutation[1:-1]), mutation[-1]
            assert residues[index][0] == old, mutation
            residues[index] = new + residues[index][1:]
    return "".join(residues)


def test_the_result_is_consistent(results, parents):
    for by_name in results.values():
        for name, result in by_name.items():
            for chain in ("vh", "vl"):
                parent = parents[name, chain.upper()]
                assert result["parental_" + chain] == parent
                assert applied(parent, result["mutations"][chain]) == result["humanized_" + chain]
                details = result["mutation_details"][chain]
                assert [d["mutation"] for d in details] == result["mutations"][chain]
                assert all(d["reason"] for d in details + result["back_mutations"][chain])
                numbering = result["numbering"][chain]
                assert "".join(r for _, r in numbering["positions"]) == result["humanized_" + chain]
                for cdr in numbering["cdrs"]["imgt"].values():
                    assert cdr["sequence"] in parent
                assert result["humanness"][chain]["after"]["score"] > result["humanness"][chain]["before"]["score"]
                assert result["germlines"][chain]["v"]["species"] == "human"


def damaged(sequence, source):
    """Substitutions, short insertions and deletions anywhere, ends cut off."""
    residues = list(sequence[source.randint(0, 6):len(sequence) - source.randint(0, 15)])
    for _ in range(source.randint(1, 8)):
        at = source.randrange(len(residues))
        kind = source.randrange(3)
        if kind == 0:
            residues[at] = source.choice("ACDEFGHIKLMNPQRSTVWY")
        elif kind == 1:
            residues[at:at] = source.choices("ACDEFGHIKLMNPQRSTVWY", k=source.randint(1, 5))
        else:
            del residues[at:at + source.randint(1, 3)]
    return "".join(residues)


def test_damaged_antibodies_are_humanized_consistently(parents):
    """What comes out of odd chains still adds up: mutations give the sequence, no forbidden liability comes in."""
    source = random.Random(5)
    records = [(f"{name}{i} {chain}", damaged(sequence, source))
               for i in range(8) for (name, chain), sequence in parents.items()]
    answered, _ = lines("humanization", records)
    assert len(answered) == 200
    done = [line for line in answered if "error" not in line]
    assert len(done) > 100
    for line in done:
        for result in line["results"]:
            for chain in ("vh", "vl"):
                assert applied(result["parental_" + chain], result["mutations"][chain]) == result["humanized_" + chain]
            assert not [d for d in result["liability_details"] if d["introduced"]
                        and d["name"] in ("n_glycosylation", "unpaired_cysteine")]


def test_no_glycosylation_site_or_cysteine_comes_in(results):
    for by_name in results.values():
        for name, result in by_name.items():
            bad = [d for d in result["liability_details"] if d["introduced"]
                   and d["name"] in ("n_glycosylation", "unpaired_cysteine")]
            assert not bad, name


def test_humanness_rises(results, report):
    rows = [[f"{strategy}", f"{sum(r['humanness']['before'] for r in by_name.values()) / len(by_name):.3f}",
             f"{sum(r['humanness']['after'] for r in by_name.values()) / len(by_name):.3f}"]
            for strategy, by_name in results.items()]
    answered, _ = lines("humanness", [(f"{n} {c}", s)
                                      for (n, c), s in read_fasta(shared("humab25/experimental.fa")).items()])
    mean = sum(line["score"] for line in answered) / len(answered)
    rows.append(["validated version", rows[0][1], f"{mean:.3f}"])
    report["humanness_pairs"] = table(["", "humanness of the parents", "of the humanized"], rows)
    assert mean > float(rows[0][1]) + 0.05
