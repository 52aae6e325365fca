"""Immunogenicity: every number computed again from the sources' own tables, and what the risk says of antibodies."""
import math
import random
import resource
from functools import cache

import pytest
from report import table
from sources import TABLES, lines, number, read_fasta, read_table, shared
from test_humanness import roc_area
from test_program import LINKER, VH, VL
from test_refusals import AMINO, SWISSPROT

CORE = 9
MHC2 = [f"HLA-DRB1*{n}" for n in "01:01 03:01 04:01 07:01 08:01 11:01 13:01 15:01".split()]
MHC1 = [f"HLA-{n}" for n in ("A*01:01 A*02:01 A*03:01 A*24:02 A*26:01 B*07:02 B*08:01 B*15:01 B*27:05 B*39:01 "
                             "B*40:01 B*58:01").split()]


@cache
def matrices(name):
    """allele → [{amino acid: score} for each position], and allele → constant, from the source."""
    scores, constants = {}, {}
    for row in read_table(shared(f"mhc/{name}.tsv")):
        if row["length"] != "9":
            continue
        if row["position"] == "const":
            constants[row["allele"]] = float(row["score"])
        else:
            positions = scores.setdefault(row["allele"], [{} for _ in range(CORE)])
            positions[int(row["position"]) - 1][row["aa"]] = float(row["score"])
    return scores, constants


@cache
def thresholds():
    """allele → the score of the best 1 % … 10 %."""
    return {row["allele"]: [float(row[f"top{n}%"]) for n in range(1, 11)]
            for row in read_table(shared("mhc/drb1_thresholds.tsv"))}


@cache
def germline_cores():
    """Every 9-mer of the human germlines."""
    proteins = [r["aligned"].replace("-", "") for r in read_table(TABLES / "germlines.tsv") if r["species"] == "human"]
    return {p[i:i + CORE] for p in proteins for i in range(len(p) - CORE + 1)}


def total(name, allele, core):
    scores, constants = matrices(name)
    return round(sum(scores[allele][i][a] for i, a in enumerate(core)) + constants.get(allele, 0), 5)


def expected_mhc2(core):
    """allele → (score, rank) of those that bind: the best 5 %."""
    found = {}
    for allele in MHC2:
        score = total("drb1_sturniolo", allele, core)
        rank = next((n for n, t in enumerate(thresholds()[allele], 1) if score >= t), None)
        if rank and rank <= 5:
            found[allele] = (score, rank)
    return found


def expected_mhc1(core):
    """allele → IC50 in nM of those that bind: 500 and less."""
    found = {allele: 10 ** total("mhc1_smm", allele, core) for allele in MHC1}
    return {allele: ic50 for allele, ic50 in found.items() if ic50 <= 500}


def analyse(records):
    answered, status = lines("immunogenicity", records)
    assert status == 0
    return {line["name"]: line for line in answered}


@pytest.fixture(scope="module")
def parents():
    return read_fasta(shared("humab25/parental.fa"))


@pytest.fixture(scope="module")
def results(parents):
    return analyse([(f"{name} {chain}", s) for (name, chain), s in parents.items()])


def domains_of(result, chains):
    """chain → (the sequence that was looked at, where it starts, from 0)."""
    return {part["chain"]: (chains[part["chain"]][part["start"] - 1:part["end"]], part["start"] - 1)
            for part in result["analysed"]}


def cores_of(result, chains):
    """(chain, position from 1, 9-mer) of all that was looked at."""
    for chain, (sequence, start) in domains_of(result, chains).items():
        for i in range(len(sequence) - CORE + 1):
            yield chain, start + i + 1, sequence[i:i + CORE]


def check_epitopes(result, chains):
    two, one = {}, {}
    for chain, position, core in cores_of(result, chains):
        for allele, (score, rank) in expected_mhc2(core).items():
            two[chain, position, core, allele] = (round(score, 4), rank)
        for allele, ic50 in expected_mhc1(core).items():
            one[chain, position, core, allele] = round(ic50, 2)

    def key(e):
        return e["chain"], e["position"], e["peptide"], e["allele"]
    assert {key(e): (e["score"], e["rank"]) for e in result["mhc2_epitopes"]} == two
    assert {key(e): round(e["score"], 2) for e in result["mhc1_epitopes"]} == pytest.approx(one, abs=0.011)
    for e in result["mhc1_epitopes"] + result["mhc2_epitopes"]:
        assert e["germline"] == (e["peptide"] in germline_cores())


def check_risks(result, chains):
    """The formulas of docs/science.md, from the epitopes' definition alone."""
    cores = [core for _, _, core in cores_of(result, chains)]
    foreign = [core for core in cores if core not in germline_cores()]
    two = [len(expected_mhc2(core)) / len(MHC2) for core in foreign]
    one = [len(expected_mhc1(core)) / len(MHC1) for core in foreign]
    assert result["foreign_share"] == pytest.approx(len(foreign) / len(cores), abs=1e-4)
    assert result["mhc2_risk"] == pytest.approx(sum(two) / len(cores), abs=1e-4)
    assert result["mhc1_risk"] == pytest.approx(sum(one) / len(cores), abs=1e-4)
    assert result["risk_score"] == pytest.approx(sum((1 + share) / 2 for share in two) / len(cores), abs=1e-4)


def chains_of(parents, name):
    return {chain.lower(): parents[name, chain] for chain in ("VH", "VL")}


def test_epitopes_and_risks_follow_from_the_sources_tables(results, parents):
    for name, result in results.items():
        check_epitopes(result, chains_of(parents, name))
        check_risks(result, chains_of(parents, name))


def test_an_scfv_is_looked_at_across_its_linker():
    sequence = VL + LINKER + VH
    result = analyse([("single", sequence + "HHHHHH")])["single"]
    assert result["analysed"] == [{"chain": "scfv", "start": 1, "end": len(sequence)}]
    check_epitopes(result, {"scfv": sequence})
    check_risks(result, {"scfv": sequence})
    result = analyse([("single", VH + "GGGGSFLRKLAAAKLGGGGS" + VL)])["single"]
    assert [e for e in result["mhc2_epitopes"] if e["region"] == "linker" and e["imgt"] is None and not e["germline"]]


def test_what_is_too_long_for_a_linker_is_left_out():
    between = "GGGGS" * 13  # 65 residues
    result = analyse([("long", VH + between + VL)])["long"]
    assert [(p["chain"], p["end"] - p["start"] + 1) for p in result["analysed"]] == [("vh", len(VH)), ("vl", len(VL))]
    two = analyse([("a VH", VH), ("a VL", VL)])["a"]
    assert result["risk_score"] == two["risk_score"]


def test_constant_parts_and_tags_are_left_out():
    plain = analyse([("a VH", VH), ("a VL", VL)])["a"]
    constant = "ASTKGPSVFPLAPSSKSTSGGTAALGCLVKDYFPEPVTVSWNSGALTSGVHTFPAVLQ"
    tagged = analyse([("a VH", "MKLF" + VH + constant), ("a VL", VL)])["a"]
    assert tagged["risk_score"] == plain["risk_score"]
    assert [e["position"] - 4 for e in tagged["mhc2_epitopes"] if e["chain"] == "vh"] == [
        e["position"] for e in plain["mhc2_epitopes"] if e["chain"] == "vh"]


# --- B-cell epitopes -------------------------------------------------------------------------------------

WEIGHTS = (.25, .5, .75, 1, .75, .5, .25)
RIGID = set("ALHVYIFCWM")  # Karplus & Schulz 1985


@cache
def scales():
    return {row["scale"]: {a: float(row[a]) for a in AMINO} for row in read_table(shared("scales/bcell_scales.tsv"))}


def sevens(s, value):
    return {i: sum(w * value(j) for w, j in zip((1,) * 7, range(i - 3, i + 4))) / 7 for i in range(3, len(s) - 3)}


def karplus(s):
    def value(j):
        rigid = (s[j - 1] in RIGID) + (s[j + 1] in RIGID)
        return scales()[f"karplus_schulz_bnorm{rigid}"][s[j]]
    return {i: sum(w * value(j) for w, j in zip(WEIGHTS, range(i - 3, i + 4))) / 4 for i in range(4, len(s) - 4)}


def emini(s):
    delta = scales()["emini_delta"]
    average = sum(p * delta[a] for p, a in zip(SWISSPROT, AMINO)) / sum(SWISSPROT)
    return {i: math.prod(delta[a] / average for a in s[i - 2:i + 4]) for i in range(2, len(s) - 3)}


def mean(values):
    return sum(values) / len(values)


def expected_bcell(s):
    """[(first, end)] of runs of six and more residues for which three of five methods speak."""
    methods = []
    for scale, cut in (("parker_hydrophilicity", mean), ("kolaskar_tongaonkar", lambda v: min(1, mean(v))),
                       ("chou_fasman_turn", lambda v: 1)):
        profile = sevens(s, lambda j: scales()[scale][s[j]])
        methods.append((profile, cut(list(profile.values()))))
    methods += [(karplus(s), 1), (emini(s), 1)]
    agreed = [sum(p.get(i, -math.inf) > cut for p, cut in methods) >= 3 for i in range(len(s))]
    runs, start = [], None
    for i, yes in enumerate(agreed + [False]):
        if yes and start is None:
            start = i
        elif not yes and start is not None:
            if i - start >= 6:
                runs.append((start, i))
            start = None
    return runs


def burial(chains):
    """chain → accessibility of each residue of its domain, by the table of IMGT positions."""
    shares = {(r["chain"], r["imgt"]): float(r["rsa"]) for r in read_table(TABLES / "burial.tsv")}
    domains = dict(zip(chains, (domain for domain, in number(chains.values()))))
    return {chain: [shares.get((domain["chain_type"], place.rstrip("ABCDEFGH")), 0) for place, _ in domain["positions"]]
            for chain, domain in domains.items()}


def test_bcell_epitopes_follow_from_the_published_scales(results, parents):
    for name, result in results.items():
        shares = burial(chains_of(parents, name))
        expected, risk, residues = set(), 0, 0
        for chain, (s, start) in domains_of(result, chains_of(parents, name)).items():
            cores = [s[i:i + CORE] not in germline_cores() for i in range(len(s) - CORE + 1)]
            residues += len(s)
            for first, end in expected_bcell(s):
                expected.add((chain, start + first + 1, start + end, s[first:end]))
                risk += sum(mean(cores[max(0, i - 8):i + 1]) * shares[chain][i] for i in range(first, end))
        found = {(e["chain"], e["position"], e["end"], e["peptide"]) for e in result["bcell_epitopes"]}
        assert found == expected, name
        assert result["bcell_risk"] == pytest.approx(risk / residues, abs=1e-4)


# --- suggestions -----------------------------------------------------------------------------------------

def mutated(chains, suggestion):
    old, index, new = suggestion["mutation"][0], int(suggestion["mutation"][1:-1]), suggestion["mutation"][-1]
    sequence = chains[suggestion["chain"]]
    assert sequence[index - 1] == old
    return {**chains, suggestion["chain"]: sequence[:index - 1] + new + sequence[index:]}


def binding(result):
    """What counts for the class II risk."""
    return {(e["chain"], e["position"], e["allele"]) for e in result["mhc2_epitopes"] if not e["germline"]}


def test_suggestions_do_what_they_say(results, parents):
    """Each mutation made by hand, and the whole antibody analysed again."""
    records, pairs = [], {}
    for name, result in results.items():
        for number, suggestion in enumerate(result["deimmunization_suggestions"]):
            pairs[f"{name}_{number}"] = result, suggestion
            records += [(f"{name}_{number} {chain.upper()}", s)
                        for chain, s in mutated(chains_of(parents, name), suggestion).items()]
    again = analyse(records)
    assert len(pairs) > 250
    for key, (result, suggestion) in pairs.items():
        after = again[key]
        before, now = binding(result), binding(after)
        assert (suggestion["removed"], suggestion["created"]) == (len(before - now), len(now - before))
        assert suggestion["removed"] > suggestion["created"]
        assert {(suggestion["chain"], r["position"], a) for r in suggestion["removes"] for a in r["alleles"]} == (
            before - now)
        for change, value in (("risk_score_change", "risk_score"), ("mhc2_risk_change", "mhc2_risk")):
            assert suggestion[change] == pytest.approx(after[value] - result[value], abs=2e-4)
        assert suggestion["humanness_change"] == pytest.approx(
            after["humanness"]["score"] - result["humanness"]["score"], abs=2e-4)


def test_suggestions_come_from_human_germlines_and_leave_the_fold_alone(results):
    germlines = {r["allele"]: r["aligned"] for r in read_table(TABLES / "germlines.tsv") if r["species"] == "human"}
    for result in results.values():
        listed = result["deimmunization_suggestions"]
        for s in listed:
            position = int(s["imgt"][1:])
            assert germlines[s["human_germline"]][position - 1] == s["mutation"][-1]
            assert position not in (23, 41, 104, 118, 119, 121) and not 105 <= position <= 117
        assert [s["region"][:3] == "CDR" for s in listed] == sorted(s["region"][:3] == "CDR" for s in listed)


def test_no_suggestion_makes_a_liability(results, parents):
    """Glycosylation sites and cysteines are easy to see without the program."""
    for name, result in results.items():
        for s in result["deimmunization_suggestions"]:
            chains = chains_of(parents, name)
            before, after = chains[s["chain"]], mutated(chains, s)[s["chain"]]
            assert after.count("C") <= before.count("C")

            def sites(q):
                return {i for i in range(len(q) - 2) if q[i] == "N" and q[i + 1] != "P" and q[i + 2] in "ST"}
            assert not sites(after) - sites(before), (name, s["mutation"])


def test_nanobodies():
    """Every nanobody with a solved structure at hand: hallmarks are never suggested."""
    records = [(f"{n}", row["VHH"]) for n, row in enumerate(read_table(shared("vhh_structures.tsv")))]
    answered = analyse(records)
    assert len(answered) == len(records)
    for name, sequence in records:
        check_epitopes(answered[name], {"vh": sequence})
        assert not {s["imgt"] for s in answered[name]["deimmunization_suggestions"]} & {"H42", "H49", "H50", "H52"}


# --- what it says ----------------------------------------------------------------------------------------

def test_thresholds_are_those_of_random_peptides():
    """A sample, against tables that were made by convolution: four standard errors."""
    source = random.Random(7)
    count = 20000
    peptides = ["".join(source.choices(AMINO, SWISSPROT, k=CORE)) for _ in range(count)]
    for name, file, levels, sign in (("drb1_sturniolo", "mhc2_thresholds", (2, 5, 10), 1),
                                     ("mhc1_smm", "mhc1_thresholds", (0.5, 2, 10), -1)):
        for row in read_table(TABLES / f"{file}.tsv"):
            scores = [total(name, row["allele"], p) for p in peptides]
            for level in levels:
                share = sum(sign * s >= sign * float(row[str(level)]) for s in scores) / count
                error = math.sqrt(level / 100 * (1 - level / 100) / count)
                assert abs(share - level / 100) < 4 * error + 0.05 * level / 100, (row["allele"], level, share)


RISKS = ("risk_score", "mhc2_risk", "mhc1_risk", "bcell_risk", "foreign_share")


def means(found):
    return [f"{mean([r[k] for r in found.values()]):.3f}" for k in RISKS]


def test_humanized_antibodies_have_a_lower_risk(results, report):
    """The 25 pairs: each validated version is below its parent; methods on the whole."""
    rows = []
    for title, file in (("validated", "experimental"), ("straight CDR graft", "straight_grafts"),
                        ("Vernier graft", "vernier_grafts"), ("Sapiens", "sapiens1"), ("Hu-mAb", "humab")):
        others = analyse([(f"{n} {c}", s) for (n, c), s in read_fasta(shared(f"humab25/{file}.fa")).items()])
        lower = sum(others[name]["risk_score"] < results[name]["risk_score"] for name in results)
        rows.append([title, *means(others), f"{lower} of {len(results)}"])
        assert mean([r["risk_score"] for r in others.values()]) < mean([r["risk_score"] for r in results.values()])
        assert lower == len(results) or file != "experimental"
    rows.insert(0, ["parental", *means(results), ""])
    report["immunogenicity_pairs"] = table(["antibodies", *RISKS, "risk_score below the parent's"], rows)


def test_binders_alone_do_not_tell_antibodies_apart_but_foreign_ones_do(report):
    """137 clinical-stage antibodies by type; all binders, as counted everywhere, and what is foreign of them."""
    rows = read_table(shared("test_only/jain2017.tsv"))
    found = analyse([(f"{r['name']} {c}", r[c.lower()]) for r in rows for c in ("VH", "VL")])
    kinds = {r["name"]: "human" if r["type"] == "HU" else "humanized" if r["type"] == "ZU" else "chimeric" for r in rows}
    scores = {"all class II binders": {n: len(r["mhc2_epitopes"]) for n, r in found.items()}}
    scores.update({k: {n: r[k] for n, r in found.items()} for k in RISKS})

    def area(score, high, low):
        return roc_area([v for n, v in score.items() if kinds[n] in high],
                        [v for n, v in score.items() if kinds[n] in low])
    areas = {k: (area(s, ("humanized", "chimeric"), ("human",)), area(s, ("chimeric",), ("human", "humanized")))
             for k, s in scores.items()}
    report["immunogenicity_types"] = table(
        ["score", "human below all others", "chimeric above all others"],
        [["**risk_score**" if k == "risk_score" else k, *(f"{a:.3f}" for a in pair)] for k, pair in areas.items()])
    assert areas["all class II binders"][0] < 0.7 < 0.85 < areas["mhc2_risk"][0]
    assert min(areas["risk_score"]) > 0.95


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_speed(parents, report):
    """Milliseconds are for the report; the limit here only says that nothing is badly wrong."""
    records = [(f"{name}{i} {chain}", s) for i in range(8) for (name, chain), s in parents.items()]
    began = processor_seconds()
    assert len(analyse(records)) == 200
    each = (processor_seconds() - began) / 200
    report["immunogenicity_time"] = f"{1000 * each:.0f}"
    assert each < 1
