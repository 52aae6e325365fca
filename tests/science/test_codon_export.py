"""Codon export: every gene is read back by Biopython and looked at by code of its own."""
import csv
import io
import json
import math
import random
import re
from functools import lru_cache

import msgpack
import pytest
from report import table
from sources import TABLES, lines, read_fasta, read_table, run, shared
from test_program import LINKER, VH, VL, messages_in
from test_program import job as job_of

Restriction = pytest.importorskip("Bio.Restriction", reason="python3-biopython is not there: scripts/install-deps --test")
from Bio import SeqIO  # noqa: E402
from Bio.Seq import Seq  # noqa: E402
from Bio.SeqUtils import CodonAdaptationIndex  # noqa: E402

JOB_TYPE = "codon_export"
HOSTS = ("cho", "hek293", "ecoli", "pichia", "yeast", "mouse")
FAB = [("heavy", VH + "ASTKGPSVFPLAPSSKSTSGGTAALGCLVKDYFPEPVTVSWNSGALTSGVHTFPAVLQSSGLYSLSSVVTVPSSSLGTQTYICNVNHKPSNTKVDKKV"),
       ("light", VL + "RTVAAPSVFIFPPSDEQLKSGTASVVCLLNNFYPREAKVQWKVDNALQSGNSQESVTEQDSKDSTYSLSSTLTLSKADYEKHKVYACEVTHQGLSSPVTKSFNRGEC")]
SITES = ("BamHI", "BsaI", "BsmBI", "EcoRI", "HindIII", "NheI", "NotI", "XbaI", "XhoI")  # the default
SIGNALS = {"kozak": "[AG]CCATGG", "splice_donor": "GGT[AG]AG", "splice_acceptor": "[CT]{8}[ACGT]CAGG",
           "poly_a": "A[AT]TAAA", "au_rich": "ATTTA"}
RIBOSOME = "GGAG[ACGT]{4,10}ATG"
STOPS = {"TAA", "TAG", "TGA"}


def job(*chains, options=None, **changes):
    message = job_of(*chains, **{"job_type": JOB_TYPE, **changes})
    message["inputs"]["options"] = options or {}
    if chains[0][0] == "scfv":
        message["inputs"]["format"] = "scfv"
    return message


def serve(*messages):
    done = run(JOB_TYPE, text=b"".join(msgpack.packb(m) for m in messages))
    assert done.returncode == 0, done.stderr
    return messages_in(done.stdout)


def endings(answers):
    return [a for a in answers if a["m"] in ("result", "error")]


def ending_of(*chains, **options):
    (ending,) = endings(serve(job(*chains, options=options)))
    return ending


def genes(*chains, **options):
    """The answer, after everything in it was checked anew."""
    answer = ending_of(*chains, **options)
    assert answer["m"] == "result", answer
    for gene, (_, chain) in zip(answer["results"]["chains"], chains, strict=True):
        check(gene, chain, options)
    return answer


@lru_cache(maxsize=None)
def usage(host):
    """codon → (amino acid, share)"""
    return {row["codon"]: (row["amino_acid"], float(row["fraction"]))
            for row in read_table(TABLES / "codon_usage.tsv") if row["host"] == host}


@lru_cache(maxsize=None)
def adaptiveness(host):
    most = {}
    for amino, share in usage(host).values():
        most[amino] = max(most.get(amino, 0), share)
    return {codon: share / most[amino] for codon, (amino, share) in usage(host).items()}


def cai_of(dna, host):
    """Biopython's; it leaves out ATG and TGG, and is not to be given stops."""
    index = CodonAdaptationIndex([])
    index.update(adaptiveness(host))
    return index.calculate(dna[:-3] if dna[-3:] in STOPS else dna)


def windows_of(dna, size):
    return [sum(base in "GC" for base in dna[i:i + size]) / size for i in range(len(dna) - size + 1)]


def check(gene, chain, options):
    """Everything that the options (or their defaults) ask of a gene."""
    dna, host = gene["dna"], options.get("host", "cho")
    assert str(Seq(dna).translate()) == gene["protein"]
    assert chain in gene["protein"] and len(gene["protein"]) - len(chain) <= 2 + len(options.get("signal_peptide", ""))
    assert gene["protein"][gene["residues_before"]:].startswith(chain)
    around = Seq(options.get("upstream", "") + dna + options.get("downstream", ""))
    coding = range(len(options.get("upstream", "")), len(options.get("upstream", "")) + len(dna))
    for name in options.get("avoid_sites", SITES):
        enzyme = getattr(Restriction, name)
        sites = (enzyme.site, str(Seq(enzyme.site).reverse_complement()))
        assert not any(overlaps(coding, m) for site in sites for m in find(iupac(site), str(around))), name
    for motif in options.get("avoid_motifs", []):
        assert not any(overlaps(coding, m) for m in find(iupac(motif), str(around))), motif
        assert not any(overlaps(coding, m) for m in find(iupac(str(Seq(motif).reverse_complement())), str(around)))
    for pattern in ([RIBOSOME] if host == "ecoli" else SIGNALS.values()) if "avoid" not in options else []:
        assert not re.search(pattern, dna), pattern
    most = options.get("max_homopolymer", 6)
    assert not most or not re.search("A{%d}|C{%d}|G{%d}|T{%d}" % ((most + 1,) * 4), dna)
    gc = sum(base in "GC" for base in dna) / len(dna)
    assert options.get("gc_min", 0.3) - 1e-9 <= gc <= options.get("gc_max", 0.65) + 1e-9
    assert gene["gc"] == pytest.approx(gc, abs=1e-4)
    size = options.get("gc_window", 60)
    if 0 < size < len(dna):
        shares = windows_of(dna, size)
        assert options.get("gc_window_min", 0.25) - 1e-9 <= min(shares)
        assert max(shares) <= options.get("gc_window_max", 0.8) + 1e-9
    size = options.get("max_repeat", 19) + 1
    stretches = [dna[i:i + size] for i in range(len(dna) - size + 1)]
    assert size == 1 or len(set(stretches)) == len(stretches)
    assert gene["cai"] == pytest.approx(cai_of(dna, host), abs=1e-4)
    assert len(dna) == gene["length"] == 3 * sum(gene["codon_counts"].values())


def iupac(site):
    letters = {"R": "[AG]", "Y": "[CT]", "S": "[CG]", "W": "[AT]", "K": "[GT]", "M": "[AC]", "B": "[CGT]", "D": "[AGT]",
               "H": "[ACT]", "V": "[ACG]", "N": "[ACGT]"}
    return "".join(letters.get(base, base) for base in site)


def find(pattern, text):
    """Overlapping matches too."""
    return [(m.start(1), m.end(1)) for m in re.finditer(f"(?=({pattern}))", text)]


def overlaps(coding, match):
    return match[0] < coding.stop and match[1] > coding.start


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("strategy", ["best", "harmonised", "sampled"])
def test_genes_of_whole_chains_meet_the_defaults(host, strategy):
    answer = genes(*FAB, host=host, strategy=strategy)
    results = answer["results"]
    assert (results["host"], results["strategy"]) == (host, strategy)
    assert all(gene["exact"] for gene in results["chains"])
    for gene in results["chains"]:
        assert all(c.get("found") is not None for c in gene["constraints"])
        if strategy == "best":
            assert gene["cai"] > 0.97 and gene["unconstrained"]["cai"] == 1
    assert answer["model_versions"]["codon_usage_species"] == results["species"]


def best_by_hand(protein, host, motifs, memory):
    """The highest product of w for a protein without any of the motifs: by the last `memory` codons, in the plainest
    way."""
    w = adaptiveness(host)
    patterns = [re.compile(iupac(m)) for m in motifs]
    beginnings = {"": 0.0}
    for amino in protein:
        longer = {}
        for dna, cost in beginnings.items():
            for codon, (of, _) in usage(host).items():
                text = dna + codon
                if of == amino and not any(p.search(text) for p in patterns):
                    key = text[-3 * memory:]
                    value = cost - math.log(w[codon])
                    if key not in longer or value < longer[key]:
                        longer[key] = value
        beginnings = longer
    return min(beginnings.values())


@pytest.mark.parametrize("host, motifs", [("cho", ["GGC", "CTGG", "GTGT"]), ("ecoli", ["CTG", "GCGC", "AACC"]),
                                          ("pichia", ["TTGR", "AGAC", "CAAG"])])
def test_nothing_better_meets_the_constraints(host, motifs):
    """Against another search: motifs that meet the best codons again and again."""
    forward = [str(Seq(m).reverse_complement()) for m in motifs] + motifs
    options = {"host": host, "avoid_motifs": motifs, "avoid_sites": [], "avoid": [], "gc_min": 0, "gc_max": 1, "gc_window": 0,
               "max_homopolymer": 0, "max_repeat": 0}
    (light,) = [g for g in genes(*FAB, **options)["results"]["chains"] if g["chain"] == "light"]
    cost = sum(-math.log(adaptiveness(host)[light["dna"][i:i + 3]]) for i in range(0, light["length"], 3))
    by_hand = best_by_hand(light["protein"], host, forward, 2)
    assert cost == pytest.approx(by_hand, abs=1e-4) and cost > 1


def test_hard_constraints_are_met():
    genes(*FAB, gc_min=0.5, gc_max=0.52)
    genes(*FAB, gc_max=0.4)
    genes(*FAB, gc_window_min=0.45, gc_window_max=0.62)
    genes(*FAB, max_repeat=10)
    genes(*FAB, host="pichia", gc_min=0.55, gc_window=30, gc_window_min=0.4)
    genes(*FAB, strategy="harmonised", gc_min=0.56, max_homopolymer=4)
    genes(*FAB, strategy="sampled", gc_max=0.5, gc_window_max=0.6)


def test_a_repeated_linker_does_not_repeat_its_dna():
    (gene,) = genes(("scfv", VH + LINKER + VL))["results"]["chains"]
    assert gene["exact"]
    (gene,) = genes(("scfv", VH + "GGGGS" * 8 + VL), max_repeat=14)["results"]["chains"]
    assert not gene["exact"]


def test_ends():
    for options, begins, ends in [
            ({}, "M" + VH[:3], "*"), ({"start_codon": "never", "stop_codon": "none"}, VH[:4], VH[-1]),
            ({"signal_peptide": "MGWSCIILFLVATATGVHS", "stop_codon": "TAA"}, "MGWSCIILFLVATATGVHS" + VH[:3], "*")]:
        gene = genes(("vhh", VH), **options)["results"]["chains"][0]
        assert gene["protein"].startswith(begins) and gene["protein"].endswith(ends)
        assert options.get("stop_codon") != "TAA" or gene["dna"].endswith("TAA")


def test_sites_across_the_junctions_are_avoided():
    """ATGGA… behind CC makes an NcoI site; what lies in the flanks whole is nobody's fault."""
    free = {"avoid_sites": ["NcoI"], "signal_peptide": "MG"}
    answer = ending_of(("vhh", VH), upstream="GAATTCGCCAC", avoid_sites=["NcoI", "EcoRI"], signal_peptide="MA")
    assert answer["m"] == "result" and check(answer["results"]["chains"][0], VH, {
        "upstream": "GAATTC", "avoid_sites": ["NcoI"], "signal_peptide": "MA"}) is None
    answer = ending_of(("vhh", VH), upstream="GCC", **free)
    assert (answer["m"], answer["code"]) == ("error", "constraints_conflict")
    assert answer["partial"]["conflict"] == {"first_residue": 1, "last_residue": 2, "residues": "MG",
                                             "constraints": ["no NcoI"]}
    genes(("vhh", VH), upstream="GCCACC", downstream="TCTAGA", stop_codon="TAG", avoid_motifs=["GTAGT"])


@pytest.mark.parametrize("options, residues, constraints", [
    ({"avoid_motifs": ["ATGG"]}, "ME", ["no ATGG"]),
    ({"avoid_motifs": ["TATTGG", "TACTGG"]}, "YW", ["no TATTGG", "no TACTGG"]),
    ({"gc_max": 0.3}, None, ["G+C of the whole"]),
    ({"gc_window_max": 0.3, "gc_window": 50}, None, ["G+C from"]),
    ({"signal_peptide": "MWWWWWWWWWW", "max_repeat": 12}, "MWWWWW", ["no stretch of more than 12 bases twice"]),
])
def test_a_conflict_is_named(options, residues, constraints):
    ending = ending_of(*FAB, **options)
    assert (ending["m"], ending["code"], ending["retry"]) == ("error", "constraints_conflict", False)
    conflict = ending["partial"]["conflict"]
    assert ending["partial"]["at_fault"] == "/chains/0" and ending["partial"]["reached"] == "numbering"
    assert [c.startswith(w) for c, w in zip(conflict["constraints"], constraints, strict=True)] == [True] * len(constraints)
    assert residues in (None, conflict["residues"])
    length = conflict["last_residue"] - conflict["first_residue"] + 1
    assert len(conflict["residues"]) == length
    assert all(c in ending["message"] for c in conflict["constraints"])


@pytest.mark.parametrize("options, pointer", [
    ({"host": "tobacco"}, "/host"), ({"gc_min": 0.6, "gc_max": 0.5}, "/gc_min"), ({"max_repeat": 5}, "/max_repeat"),
    ({"avoid_sites": ["EcoR1"]}, "/avoid_sites/0"), ({"avoid_motifs": ["ACGU"]}, "/avoid_motifs/0"), ({"speed": 1}, "/speed"),
    ({"signal_peptide": "MXA"}, "/signal_peptide"), ({"gc_window_min": 0.9}, "/gc_window_min"),
])
def test_options_that_do_not_fit(options, pointer):
    ending = ending_of(*FAB, **options)
    assert (ending["m"], ending["code"]) == ("error", "invalid_options") and pointer in ending["message"]


def test_same_inputs_and_seed_same_bytes():
    def answer(**options):
        return run(JOB_TYPE, text=msgpack.packb(job(*FAB, options=options))).stdout.split(b"\xa6result", 1)[1]
    assert answer() == answer()
    assert answer(strategy="sampled", seed=5) == answer(strategy="sampled", seed=5) != answer(strategy="sampled", seed=6)


def test_files_are_read_back():
    answer = genes(*FAB, host="ecoli", signal_peptide="MKYLLPTAAAGLLLLAAQPAMA")
    files = answer["files"]
    assert answer["results"]["files"] == sorted(files, key=list(files).index) == ["genes.fasta", "genes.csv", "genes.gb"]
    wanted = {gene["chain"]: gene for gene in answer["results"]["chains"]}
    fasta = {r.id: str(r.seq) for r in SeqIO.parse(io.StringIO(files["genes.fasta"]["content"]), "fasta")}
    rows = {row["chain"]: row for row in csv.DictReader(io.StringIO(files["genes.csv"]["content"]))}
    records = {r.name: r for r in SeqIO.parse(io.StringIO(files["genes.gb"]["content"]), "genbank")}
    assert set(rows) == set(wanted) == {"heavy", "light"} and {row["antibody"] for row in rows.values()} == {"4D5"}
    assert set(fasta) == set(records) == {"4D5_heavy", "4D5_light"}
    fasta, records = ({name.removeprefix("4D5_"): of for name, of in found.items()} for found in (fasta, records))
    for name, gene in wanted.items():
        assert fasta[name] == rows[name]["dna"] == str(records[name].seq) == gene["dna"]
        features = {f.type: f for f in records[name].features}
        cds = features["CDS"]
        assert cds.qualifiers["transl_table"] == ["11"]
        assert cds.qualifiers["translation"] == [gene["protein"].rstrip("*")]
        assert str(cds.translate(records[name].seq)) == gene["protein"].rstrip("*")
        assert str(features["sig_peptide"].extract(records[name].seq).translate()) == "MKYLLPTAAAGLLLLAAQPAMA"
        assert str(features["V_region"].extract(records[name].seq).translate()) == (VH if name == "heavy" else VL)
    only = ending_of(*FAB, formats=["csv"])
    assert list(only["files"]) == ["genes.csv"]


def named(name):
    """The antibody's files under a name: FASTA's ids, GenBank's records."""
    message = job(*FAB)
    message["inputs"]["name"] = name
    (ending,) = endings(serve(message))
    files = {what: ending["files"]["genes." + what]["content"] for what in ("fasta", "gb")}
    assert max(map(len, files["gb"].splitlines())) <= 80 and files["gb"].isascii() and files["fasta"].isascii()
    return ([r.id for r in SeqIO.parse(io.StringIO(files["fasta"]), "fasta")],
            list(SeqIO.parse(io.StringIO(files["gb"]), "genbank")))


def test_two_orders_do_not_look_alike():
    ids, records = named("trastuzumab, Fassung Ä1")
    assert ids == ["trastuzumab__Fassung__1_heavy", "trastuzumab__Fassung__1_light"]
    other_ids, others = named("trastuzumab, Fassung Ä2")
    assert not {r.name for r in records} & {r.name for r in others} and not set(ids) & set(other_ids)
    for record in (*records, *others):
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,16}", record.name) and record.name.endswith(("_heavy", "_light"))
    assert "trastuzumab__Fassung__1" in records[0].description and "heavy chain" in records[0].description


def test_names_of_any_length_and_letters():
    ids, records = named("x" * 120)
    assert ids[0] == "x" * 120 + "_heavy" and records[0].name == "x" * 10 + "_heavy"
    assert records[0].description.replace(" ", "").count("x" * 120) == 1
    assert named("é\n>ü" * 300)[0][0] == "__" * 60 + "_heavy" and named("")[0] == ["heavy", "light"]


def test_recognition_sequences_are_those_of_rebase():
    source = (TABLES.parent / "pipelines" / JOB_TYPE / "pattern.c").read_text()
    enzymes = dict(re.findall(r'\{"(\w+)", "([ACGTN]+|[A-Z]+)"\}', source[source.index("enzymes[]"):source.index("ENZYMES =")]))
    assert len(enzymes) >= 60
    for name, site in enzymes.items():
        assert getattr(Restriction, name).site == site, name
    declared = next(msgpack.Unpacker(io.BytesIO(run(JOB_TYPE).stdout)))
    schema = json.loads(declared["options_schema"])
    assert set(schema["properties"]["avoid_sites"]["items"]["enum"]) == set(enzymes)
    assert tuple(schema["properties"]["avoid_sites"]["default"]) == SITES


def test_what_is_no_antibody_has_no_gene():
    ending = ending_of(("heavy", "ACDEFGHIKLMNPQRSTVWY" * 5), ("light", VL))
    assert (ending["m"], ending["code"]) == ("error", "not_an_antibody")


def test_the_tool():
    (line,), status = lines(JOB_TYPE, [("a VH", VH), ("a VL", VL)])
    assert status == 0 and [c["chain"] for c in line["chains"]] == ["heavy", "light"]
    for gene, chain in zip(line["chains"], (VH, VL), strict=True):
        check(gene, chain, {})


def distance(host, counts):
    """How far the codons' shares are from the host's: half the sum of differences, by amino acid, weighed by how often
    it stands; 0 to 1."""
    whole = sum(counts.values())
    by_amino = {}
    for codon, n in counts.items():
        by_amino.setdefault(usage(host)[codon][0], {})[codon] = n
    sum_ = 0
    for amino, found in by_amino.items():
        n = sum(found.values())
        sum_ += n / whole * sum(abs(found.get(c, 0) / n - share) for c, (a, share) in usage(host).items() if a == amino) / 2
    return sum_


def test_what_constraints_cost(report):
    """The 25 pairs (validated versions), all hosts and strategies."""
    records = read_fasta(shared("humab25/experimental.fa"))
    pairs = {}
    for (name, label), sequence in records.items():
        pairs.setdefault(name, []).append(("heavy" if label == "VH" else "light", sequence))
    rows = []
    for host in HOSTS:
        for strategy in ("best", "harmonised", "sampled"):
            found = []
            for e in endings(serve(*[job(*chains, options={"host": host, "strategy": strategy}) for chains in pairs.values()])):
                assert e["m"] == "result", e
                found += e["results"]["chains"]
            for gene in found:
                check(gene, gene["protein"][gene["residues_before"]:].rstrip("*"), {"host": host})
            mean = [sum(values) / len(found) for values in zip(*(
                (g["cai"], g["gc"], distance(host, g["codon_counts"]), len(g["changes"] or []), g["exact"]) for g in found))]
            broken = sum(any(c.get("unconstrained") for c in g["constraints"]) for g in found)
            rows.append([host, strategy, f"{mean[0]:.3f}", f"{mean[1]:.3f}", f"{mean[2]:.3f}",
                         "–" if strategy == "sampled" else f"{mean[3]:.1f}",
                         "–" if strategy == "sampled" else f"{broken} of {len(found)}"])
            assert mean[4] == 1
    report["codon_export"] = table(["host", "strategy", "CAI", "G+C", "distance from the host's usage",
                                    "codons changed by constraints", "genes that held a motif without them"], rows)


def test_random_options_are_met_or_the_conflict_is_named():
    source = random.Random(26)
    outcomes = set()
    for _ in range(40):
        low = source.uniform(0.3, 0.55)
        options = {"host": source.choice(HOSTS), "strategy": source.choice(["best", "harmonised", "sampled"]),
                   "seed": source.randrange(1000), "gc_min": low, "gc_max": low + source.uniform(0.05, 0.3),
                   "gc_window": source.choice([0, 30, 50, 90]), "gc_window_min": max(0, low - 0.2),
                   "gc_window_max": min(1, low + 0.35), "max_homopolymer": source.choice([0, 4, 6]),
                   "max_repeat": source.choice([0, 12, 20]), "avoid": [],
                   "avoid_motifs": ["".join(source.choices("ACGTN", [3, 3, 3, 3, 1], k=source.randint(4, 8)))
                                    for _ in range(source.randint(0, 4))]}
        ending = ending_of(("heavy", VH), ("light", VL), **options)
        outcomes.add(ending.get("code", "result"))
        if ending["m"] == "result":
            for gene, chain in zip(ending["results"]["chains"], (VH, VL), strict=True):
                check(gene, chain, options)
        else:
            assert ending["code"] == "constraints_conflict" and ending["partial"]["conflict"]["constraints"], ending
    assert outcomes == {"result", "constraints_conflict"}
