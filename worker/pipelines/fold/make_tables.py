#!/usr/bin/python3
"""Turns worker/data/accessibility.tsv into C: make_tables.py DATA_DIR OUTPUT.c"""
import csv
import sys
from pathlib import Path

AMINO = "ACDEFGHIKLMNPQRSTVWY"


def main():
    with open(Path(sys.argv[1]) / "accessibility.tsv", newline="") as file:
        rows = {r["residue"]: r for r in csv.DictReader(file, delimiter="\t")}
    parts = ["/* Made by make_tables.py from worker/data; not for editing. */",
             '#include "worker/pipelines/fold/tables.h"', "", "const pt_largest_area_t pt_largest_areas[20] = {",
             *(f"    {{{rows[a]['whole']}, {rows[a]['side']}}}, /* {a} */" for a in AMINO), "};"]
    Path(sys.argv[2]).write_text("\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
