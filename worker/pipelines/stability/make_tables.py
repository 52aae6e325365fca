#!/usr/bin/python3
"""Turns worker/data/*.tsv into the C tables of stability: make_tables.py DATA_DIR OUTPUT.c"""
import csv
import sys
from pathlib import Path

AMINO = "ACDEFGHIKLMNPQRSTVWY"
WINDOWS = {"helix4": ("helix", 4), "charge4": ("charge", 4), "hydrophobicity8": ("hydrophobicity", 8)}
METRICS = ("cdr_length", "psh", "ppc", "pnc", "sfvcsp")  # the order of pt_tap_metric_t
KINDS, PROPERTIES = ("fv", "nanobody"), ("cdr_hydrophobicity", "cdr_charge", "liability_load")  # the order of pt_property_t
PAIRS = {"pair_hydrophobicity": "hydrophobicity", "pair_volume": "volume"}


def read(data, name):
    with open(data / name, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def term(row, index):
    """{scale, kind of context, the context's scale, neighbours on each side, weight}"""
    scale, context = index[row["scale"]], row["context"]
    if context in WINDOWS:
        of, reach = WINDOWS[context]
        return f"    {{{scale}, PT_NEIGHBOURS, {index[of]}, {reach}, {row['weight']}}},"
    if context in PAIRS:
        return f"    {{{scale}, PT_PAIR, {index[PAIRS[context]]}, 0, {row['weight']}}},"
    assert context == "1", context
    return f"    {{{scale}, PT_ALWAYS, 0, 0, {row['weight']}}},"


def quantiles(row):
    return "{" + ", ".join(v for name, v in row.items() if name.startswith("q")) + "}"


def limits(guideline):
    """Where the range is open, infinity."""
    cells = [guideline[c] or "-INFINITY" for c in ("amber_low", "green_low")]
    cells += [guideline[c] or "INFINITY" for c in ("green_high", "amber_high")]
    return "    {" + ", ".join(cells) + "},"


def main():
    data, output = Path(sys.argv[1]), Path(sys.argv[2])
    scales = read(data, "ddg_scales.tsv")
    index = {r["scale"]: i for i, r in enumerate(scales)}
    guidelines = {r["metric"]: r for r in read(data, "tap_guidelines.tsv")}
    (hydropathy,) = read(data, "hydropathy.tsv")
    (interfacial,) = read(data, "interfacial.tsv")
    reference = {(r["kind"], r["property"]): r for r in read(data, "developability.tsv")}
    parts = ["/* Made by make_tables.py from worker/data; not for editing. */", '#include "tables.h"', "#include <math.h>", "",
             "const double pt_ddg_scales[][PT_AMINO_COUNT] = {",
             *("    {" + ", ".join(r[a] for a in AMINO) + "}," for r in scales), "};",
             "const pt_ddg_term_t pt_ddg_terms[] = {", *(term(r, index) for r in read(data, "ddg_terms.tsv")), "};",
             "const size_t pt_ddg_term_count = sizeof pt_ddg_terms / sizeof pt_ddg_terms[0];",
             f"const int pt_simba_hydrophobicity = {index['simba_hydrophobicity']};",
             f"const int pt_simba_volume = {index['simba_volume']};",
             "const double pt_hydropathy[PT_AMINO_COUNT] = {" + ", ".join(hydropathy[a] for a in AMINO) + "};",
             "const double pt_interfacial[PT_AMINO_COUNT] = {" + ", ".join(interfacial[a] for a in AMINO) + "};",
             "const double pt_reference[2][PT_PROPERTIES][PT_QUANTILES] = {",
             *("    {" + ",\n     ".join(quantiles(reference[kind, p]) for p in PROPERTIES) + "}," for kind in KINDS), "};",
             "const pt_range_t pt_tap_ranges[PT_TAP_METRICS] = {", *map(limits, (guidelines[m] for m in METRICS)), "};"]
    output.write_text("\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
