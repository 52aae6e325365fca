#!/usr/bin/python3
"""Turns worker/data/*.tsv into the C tables of immunogenicity: make_tables.py DATA_DIR OUTPUT.c"""
import csv
import math
import sys
from pathlib import Path

AMINO = "ACDEFGHIKLMNPQRSTVWY"
# class: (table, what its scores are multiplied with, binder: a level in percent, or an IC50 in nM)
CLASSES = {"mhc2": (100, "level", 5), "mhc1": (-100000, "nanomolar", 500)}
SCALES = ("parker_hydrophilicity", "karplus_schulz_bnorm0", "karplus_schulz_bnorm1", "karplus_schulz_bnorm2",
          "chou_fasman_turn", "emini_delta", "kolaskar_tongaonkar")


def read(path):
    """Rows; none when the table was left out."""
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def c_list(values):
    return "{" + ", ".join(str(v) for v in values) + "}"


def scores_of(row, unit):
    return c_list(round(unit * float(row[a])) if row[a] else "PT_MHC_NEVER" for a in AMINO)


def matrix(allele, rows, thresholds, unit, binder):
    constant = next((round(unit * float(r["A"])) for r in rows if r["position"] == "const"), 0)
    positions = sorted((r for r in rows if r["position"] != "const"), key=lambda r: int(r["position"]))
    return (f'    {{"{allele}", {constant}, {{' + ",\n      ".join(scores_of(r, unit) for r in positions)
            + f"}},\n     {c_list(thresholds)}, {binder}}},")


def panel(data, name):
    """(C of its matrices, C of its row in the list of panels)."""
    unit, kind, limit = CLASSES[name]
    rows, tails = read(data / f"{name}.tsv"), read(data / f"{name}_thresholds.tsv")
    if not rows or not tails:
        return "", "    {0, NULL, 0, {0}},"
    if len(tails) > 64:
        sys.exit(f"{name}_thresholds.tsv has {len(tails)} alleles: a panel has at most 64")
    levels = [key for key in tails[0] if key != "allele"]
    lines = []
    for tail in tails:
        thresholds = [round(unit * float(tail[level])) for level in levels]
        binder = thresholds[levels.index(str(limit))] if kind == "level" else round(unit * math.log10(limit))
        lines.append(matrix(tail["allele"], [r for r in rows if r["allele"] == tail["allele"]], thresholds, unit,
                            binder))
    return (f"static const pt_mhc_matrix_t {name}[] = {{\n" + "\n".join(lines) + "\n};",
            f"    {{{len(tails)}, {name}, {len(levels)}, {c_list(levels)}}},")


def main():
    data, output = Path(sys.argv[1]), Path(sys.argv[2])
    panels = [panel(data, name) for name in CLASSES]
    scales = {row["scale"]: row for row in read(data / "bcell_scales.tsv")}
    parts = ["/* Made by make_tables.py from worker/data; not for editing. */",
             '#include "worker/pipelines/immunogenicity/tables.h"', "", *(matrices for matrices, _ in panels),
             "const pt_mhc_panel_t pt_mhc_panels[PT_MHC_CLASSES] = {", *(row for _, row in panels), "};",
             "const double pt_scales[PT_SCALES][20] = {",
             *("    " + c_list(scales[name][a] for a in AMINO) + "," for name in SCALES), "};"]
    output.write_text("\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
