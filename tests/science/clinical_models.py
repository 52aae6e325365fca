#!/usr/bin/python3
"""Measures stability's scores of the 137 clinical-stage antibodies on models, for the page: writes clinical_models.tsv.

    tests/science/clinical_models.py [MODELS_DIR]

Models are made into MODELS_DIR by paratope-structure, which needs ProMod3; those that are there are taken. Ten minutes.
"""
import csv
import subprocess
import sys
import tempfile
from pathlib import Path

from models import endings, job
from sources import BUILD, read_table, shared

TABLE = Path(__file__).with_name("clinical_models.tsv")
SCORES = ("solubility_score", "aggregation_score", "developability_score")
PATCHES = ("psh", "ppc", "pnc", "sfvcsp")


def make_models(rows, folder):
    missing = [r for r in rows if not (folder / f"{r['name']}.pdb").exists()]
    fasta = "".join(f">{r['name']} {c}\n{r[c.lower()]}\n" for r in missing for c in ("VH", "VL"))
    if missing:
        program = BUILD / "bin" / "paratope-structure"
        subprocess.run([program, "--fasta", "-", "--pdb-dir", folder], input=fasta.encode(), stdout=subprocess.DEVNULL,
                       check=True)


def measured(row, text):
    """A row of the table."""
    answer, = endings(job(row["vh"], row["vl"], text))
    result = answer["results"]
    assert result["burial"] == "model", (row["name"], result["structure_note"])
    parts = result["developability"]
    patches = {m: parts["patches"][m]["value"] for m in PATCHES}
    states = {m + "_state": parts["patches"][m]["state"] for m in PATCHES}
    scores = {s: result[s] for s in SCORES}
    return {"name": row["name"], **scores, "cdr_charge": parts["cdr_charge"], **patches, **states}


def main():
    rows = read_table(shared("test_only/jain2017.tsv"))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        make_models(rows, folder)
        found = [measured(r, (folder / f"{r['name']}.pdb").read_text()) for r in rows]
    with open(TABLE, "w", newline="") as file:
        writer = csv.DictWriter(file, found[0], delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)


if __name__ == "__main__":
    main()
