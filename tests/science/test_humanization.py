"""Humanization against the 25 antibodies that were humanized by hand and validated in experiments."""
import random

import pytest
from measure import compare
from report import table
from sources import lines, read_fasta, read_table, shared

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


def test_heavy_and_light_chains_apart(parents, validated, humanized, report):
    rows = []
    for strategy, chains in humanized.items():
        for kind, title in (("VH", "heavy"), ("VL", "light")):
            some = {key: s for key, s in parents.items() if key[1] == kind}
            rows.append([f"{strategy}, {title}", *cells(compare(some, validated, chains))])
            assert compare(some, validated, chains).to_validated > compare(some, validated, parents).to_validated
    report["humanization_chains"] = table([*HEADER[:-1], "mutations made"], rows)


def applied(parent, mutations):
    """A parent with the listed mutations: substitutions by index, insertions behind an index."""
    residues = [""] + list(parent)
    for mutation in mutations:
        if "ins" in mutation:
            index, residue = mutation.split("ins")
            residues[int(index)] += residue
    for mutation in mutations:
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


def test_nanobodies_keep_their_hallmarks():
    """Every nanobody with a solved structure at hand."""
    records = [(row["pdb"], row["VHH"]) for row in read_table(shared("vhh_structures.tsv"))]
    answered, status = lines("humanization", records)
    assert status == 0 and len(answered) == len(records)
    for line in answered:
        for result in line["results"]:
            assert result["humanized_vl"] is None
            hallmarks = result["vhh_analysis"]["hallmarks"]
            assert [h["imgt"] for h in hallmarks] == ["42", "49", "50", "52"]
            assert all(h["residue"] == h["parental"] for h in hallmarks)
            assert result["humanness"]["after"] >= result["humanness"]["before"]
