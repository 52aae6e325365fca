#!/usr/bin/python3
"""Turns worker/data/*.tsv into the C tables of the antibody core: make_tables.py DATA_DIR OUTPUT.c"""
import csv
import sys
from pathlib import Path

AMINO = "ACDEFGHIKLMNPQRSTVWY"
CHAINS = "HKL"
LOOPS = ((27, 38), (56, 65), (105, 117))
PEPTIDE = 9
COLUMNS = 128
NO_MATCH = -5000  # score of the columns that only fill up a row


def read(data, name):
    with open(data / name, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def in_loop(position):
    return any(first <= position <= last for first, last in LOOPS)


def gap_costs(chain, position):
    """(delete open, delete extend, insert after open, insert extend) in 1/100 bit.

    A loop may have any length; in a framework a gap is the exception. Heavy chains of rabbits lack two
    residues of the turn at 80 to 87, which numbering.c then lays out; half of the lambda families lack 81
    and 82.
    """
    insert = (300, 40) if in_loop(position) or in_loop(position + 1) else (1000, 100)
    if in_loop(position):
        return (100, 10, *insert)
    if in_loop(position - 1):  # a gap of the loop must not run on into the framework for less
        return (900, 900, *insert)
    if chain == "L" and position in (81, 82):
        return (20, 10, *insert)
    if chain == "H" and 80 <= position <= 86:
        return (500, 150, 700, 100)
    return (900, 250, *insert)


def in_scale(hundredths):
    """1/100 bit into the core's 1/32 bit (PT_BIT in tables.h)."""
    return round(int(hundredths) * 32 / 100)


def row_of_columns(values, beyond):
    values = [in_scale(v) for v in values]
    return c_list(values + [beyond] * (COLUMNS - len(values)))


def c_list(values):
    return "{" + ",".join(str(v) for v in values) + "}"


def c_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def profiles(data):
    rows = read(data, "profiles.tsv")
    for chain in CHAINS:
        mine = [r for r in rows if r["chain"] == chain]
        positions = [int(r["imgt"]) for r in mine]
        costs = list(zip(*(gap_costs(chain, p) for p in positions)))
        scores = (row_of_columns([r[a] for r in mine], NO_MATCH) for a in AMINO)
        yield (f"    {{'{chain}', {len(mine)}, {c_list(positions)},\n     "
               + ", ".join(row_of_columns(c, 0) for c in costs) + ",\n     {" + ",\n      ".join(scores) + "}},")


def germlines(data):
    order = sorted(read(data, "germlines.tsv"), key=lambda r: (r["species"], r["chain"], r["segment"]))
    for r in order:
        yield (f"    {{{c_text(r['species'])}, '{r['chain']}', '{r['segment']}', {c_text(r['allele'])}, "
               f"{c_text(r['same_protein'])}, {float(r['presence']):.3f}F,\n     {c_text(r['aligned'])}}},")


def repertoire(data):
    families = {}
    for r in read(data, "repertoire.tsv"):
        if r["imgt"].isdigit():  # insertions of long CDR3 say nothing about a framework
            families.setdefault(r["family"], {})[int(r["imgt"])] = [r[a] for a in AMINO]
    for family, shares in families.items():
        rows = (f"[{p}] = {c_list(values)}" for p, values in sorted(shares.items()))
        yield f"    {{{c_text(family)}, {{" + ",\n      ".join(rows) + "}},"


def peptides(data):
    """Every 9-mer of human germline V and J regions, as a number in base 32, rising."""
    found = set()
    for r in read(data, "germlines.tsv"):
        if r["species"] == "human":
            protein = r["aligned"].replace("-", "")
            found |= {protein[i:i + PEPTIDE] for i in range(len(protein) - PEPTIDE + 1)}
    return sorted(sum(AMINO.index(a) << 5 * (PEPTIDE - 1 - i) for i, a in enumerate(p)) for p in found)


def liabilities(data):
    for r in read(data, "liabilities.tsv"):
        fields = (r["name"], r["group"], r["motif"], r["region"], r["severity"], r["condition"])
        yield "    {" + ", ".join(c_text(f) for f in fields) + "},"


def vernier(data):
    rows = read(data, "vernier.tsv")
    for chain in "HL":
        mine = [int(r["imgt"]) for r in rows if r["chain"] == chain]
        yield f"    {c_list([len(mine)] + mine)},"


def position_facts(data):
    """Exposure by chain type and for nanobodies alone, contacts of an Fv."""
    exposure, contacts = read(data, "burial.tsv"), read(data, "contacts.tsv")
    for kind in "HKLN":
        columns = [[(r, "rsa") for r in exposure]] + [[(r, c) for r in contacts] for c in ("cdr", "partner")]
        rows = ({int(r["imgt"]): round(1000 * float(r[name])) for r, name in column if r["chain"] == kind}
                for column in columns)
        yield f"    {{'{kind}', " + ", ".join(c_list([row.get(p, 0) for p in range(129)]) for row in rows) + "},"


def main():
    data, output = Path(sys.argv[1]), Path(sys.argv[2])
    numbers = peptides(data)
    parts = ["/* Made by make_tables.py from worker/data; not for editing. */", '#include "tables.h"', "",
             "const pt_profile_t pt_profiles[PT_PROFILE_COUNT] = {", *profiles(data), "};",
             "const pt_germline_t pt_germlines[] = {", *germlines(data), "};",
             "const size_t pt_germline_count = sizeof pt_germlines / sizeof pt_germlines[0];",
             "const pt_repertoire_t pt_repertoires[] = {", *repertoire(data), "};",
             "const size_t pt_repertoire_count = sizeof pt_repertoires / sizeof pt_repertoires[0];",
             "const uint64_t pt_germline_peptides[] = {", ",\n".join(f"{n}U" for n in numbers), "};",
             f"const size_t pt_germline_peptide_count = {len(numbers)};",
             "const pt_liability_rule_t pt_liability_rules[] = {", *liabilities(data), "};",
             "const size_t pt_liability_rule_count = sizeof pt_liability_rules / sizeof pt_liability_rules[0];",
             "const pt_position_facts_t pt_position_facts[PT_FACTS_COUNT] = {", *position_facts(data), "};",
             "const uint8_t pt_vernier[2][PT_VERNIER_MAX] = {", *vernier(data), "};"]
    output.write_text("\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
