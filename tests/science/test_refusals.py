"""No false domain: random sequences, other proteins, relatives; and no antibody of another species refused."""
import csv
import random
import re

from relatives import RELATIVES
from report import table
from sources import number, read_table, shared

AMINO = "ACDEFGHIKLMNPQRSTVWY"
SWISSPROT = [8.25, 1.39, 5.46, 6.72, 3.87, 7.07, 2.28, 5.91, 5.80, 9.65, 2.41, 4.06, 4.74, 3.93, 5.53, 6.64, 5.36, 6.86,
             1.10, 2.92]
BITS = re.compile(r"(?:has|like one \()\s?(\d+) bits")
ANTIBODIES_IN_STABILITY = {"2IMMA", "1LVEA"}  # McPC603's and Len's light chains


def judge(sequences):
    """How many were taken for antibodies, and the most bits that a refused one had."""
    found = number(sequences)
    taken = [domains[0] for domains in found if "error" not in domains[0]]
    bits = [int(m.group(1)) for domains in found if "error" in domains[0]
            for m in [BITS.search(domains[0]["error"])] if m]
    return taken, max(bits, default=0)


def random_sequences(count):
    source = random.Random(2023)
    return ["".join(source.choices(AMINO, SWISSPROT, k=source.randint(60, 600))) for _ in range(count)]


def shuffled_antibodies():
    source = random.Random(2024)
    chains = sorted({row["sequence"] for row in read_table(shared("numbering/anarci_chains.tsv"))})
    return ["".join(source.sample(chain, len(chain))) for chain in chains]


def other_proteins():
    proteins = {}
    for path in sorted(shared("stability").glob("*.csv")):
        for row in csv.DictReader(open(path)):
            if "wt_seq" in row and row["pdb_id"] not in ANTIBODIES_IN_STABILITY:
                proteins[row["wt_seq"]] = row["pdb_id"]
    return list(proteins)


def species_chains():
    """V genes of other species, each with one of its J genes; V genes of man are not among them."""
    genes = read_table(shared("test_only/imgt_species_germlines.tsv"))
    j = {}
    for row in genes:
        if row["segment"] == "J":
            j.setdefault((row["species"], row["chain"]), row["aligned128"].replace("-", ""))
    return [row["aligned128"].replace("-", "") + j[row["species"], row["chain"]] for row in genes
            if row["segment"] == "V" and row["species"] != "human" and (row["species"], row["chain"]) in j]


def test_only_antibodies_are_taken(report):
    sets = {"random sequences": random_sequences(1000), "shuffled antibodies": shuffled_antibodies(),
            "proteins of the stability sets": other_proteins(), "relatives": list(RELATIVES.values())}
    rows = []
    for name, sequences in sets.items():
        taken, most = judge(sequences)
        rows.append([name, len(sequences), len(taken), f"at most {most} bits"])
        assert not taken, name
    assert sum(len(s) for s in sets.values()) > 1900
    sequences = sorted({row["sequence"] for row in read_table(shared("numbering/anarci_chains.tsv"))
                        if row["scheme"] == "imgt"})
    for name, chains in (("antibodies of structures", sequences), ("germlines of other species", species_chains())):
        found = [domains[0] for domains in number(chains)]
        assert all("error" not in domain for domain in found), name
        bits = min(domain["score"] for domain in found)
        identity = min(domain["nearest_v"]["identity"] for domain in found)
        rows.append([name, len(chains), len(found), f"at least {bits:.0f} bits, {identity:.0%} identity"])
        assert bits >= 150 and identity >= 0.5
    report["refusals"] = table(["what", "sequences", "taken for antibodies", "score"], rows)
