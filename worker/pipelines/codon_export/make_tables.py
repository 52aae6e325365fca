#!/usr/bin/python3
"""Turns worker/data/codon_usage.tsv into the C table of codon_export: make_tables.py DATA_DIR OUTPUT.c"""
import csv
import itertools
import sys
from pathlib import Path

CODONS = ["".join(bases) for bases in itertools.product("ACGT", repeat=3)]  # in the order of codons.h


def main():
    data, output = Path(sys.argv[1]), Path(sys.argv[2])
    hosts = {}
    with open(data / "codon_usage.tsv", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            hosts.setdefault((row["host"], row["species"]), {})[row["codon"]] = row["fraction"]
    lines = [f'    {{"{name}", "{species}",\n     {{{", ".join(fractions[c] for c in CODONS)}}}}},'
             for (name, species), fractions in hosts.items()]
    output.write_text("/* Made by make_tables.py from worker/data; not for editing. */\n"
                      '#include "worker/pipelines/codon_export/tables.h"\n\n'
                      "const pt_host_t pt_hosts[] = {\n" + "\n".join(lines) + "\n};\n"
                      f"const size_t pt_host_count = {len(hosts)};\n")


if __name__ == "__main__":
    main()
