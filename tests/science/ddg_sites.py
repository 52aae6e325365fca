#!/usr/bin/python3
"""What is known of the places whose substitutions were measured: writes ddg_sites.tsv, which tests read.

    tests/science/ddg_sites.py

Of s2648's and Ssym's proteins, those that ProMod3's database of structures has (Debian's promod3-data): the relative
accessibility of each mutated residue there, and the share of each amino acid at its place among the protein's relatives,
as HHblits aligned them for that database. Nothing in it was measured by mutation. Half a minute.
"""
import csv
import os
from collections import Counter
from difflib import SequenceMatcher
from pathlib import Path

from sources import SHARED, TABLES, read_table

os.environ.setdefault("PROMOD3_SHARED_DATA_PATH", "/usr/share/promod3")
from promod3 import loop  # noqa: E402, it reads the variable as it is loaded

TABLE = Path(__file__).with_name("ddg_sites.tsv")
AMINO = "ACDEFGHIKLMNPQRSTVWY"
KMER = 4
SAME = 0.7  # a chain is the protein's if it has this much of its 4-mers: about nine tenths of the residues
STRETCH = 4  # equal residues in a row that are taken for the same place


def kmers(sequence):
    return {sequence[i:i + KMER] for i in range(len(sequence) - KMER + 1)}


def measured():
    """{(protein, sequence): positions from 0}"""
    found = {}
    for name in ("s2648", "ssym_direct"):
        with open(SHARED / "stability" / f"{name}.csv", newline="") as file:
            for r in csv.DictReader(file):
                found.setdefault((r["pdb_id"], r["wt_seq"]), set()).add(int(r["pos"]))
    return found


def same_chains(database, sequences):
    """sequence -> the chain that shares most of its 4-mers, the first of equals; those without one are left out."""
    of_word, best = {}, {}
    for sequence in sequences:
        for word in kmers(sequence):
            of_word.setdefault(word, []).append(sequence)
    for chain in range(database.GetNumCoords()):
        shared = Counter(s for word in kmers(str(database.GetSequence(chain))) for s in of_word.get(word, ()))
        for sequence, count in shared.items():
            if count >= SAME * len(kmers(sequence)) and count > best.get(sequence, (0, 0))[0]:
                best[sequence] = (count, chain)
    return {sequence: chain for sequence, (_, chain) in best.items()}


def places(sequence, chain):
    """Position in the sequence -> in the chain."""
    blocks = SequenceMatcher(None, sequence, chain, autojunk=False).get_matching_blocks()
    return {b.a + i: b.b + i for b in blocks if b.size >= STRETCH for i in range(b.size)}


def sites(database, most):
    """Rows of the table, without repeats."""
    proteins = measured()
    chains = same_chains(database, {sequence for _, sequence in proteins})
    for (protein, sequence), positions in sorted(proteins.items()):
        chain = chains.get(sequence)
        if chain is None:
            continue
        place = places(sequence, str(database.GetSequence(chain)))
        areas, columns = database.GetSolventAccessibilities(chain), database.GetSequenceProfile(chain).columns
        for at in sorted(positions & place.keys()):
            wild, there = sequence[at], place[at]
            yield [protein, at, wild, f"{min(areas[there] / most[wild], 1):.2f}",
                   *(f"{columns[there].GetFreq(a):.3f}" for a in AMINO)]


def main():
    most = {r["residue"]: float(r["whole"]) for r in read_table(TABLES / "accessibility.tsv")}
    rows = list(sites(loop.LoadStructureDB(), most))
    with open(TABLE, "w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["protein", "pos", "wild", "rsa", *AMINO])
        writer.writerows(rows)
    print(f"{TABLE.name}: {len(rows)} places of {len({r[0] for r in rows})} proteins")


if __name__ == "__main__":
    main()
