"""The project's tables are what scripts/make-data makes from the shared data, byte for byte."""
import subprocess
import sys

from sources import CHECKOUT, TABLES, read_table, shared


def test_tables_are_what_the_script_makes(tmp_path):
    """Without test_only/ and without any antibody sequence: the script does not even see them here."""
    data = tmp_path / "data"
    data.mkdir()
    for name in ("germlines", "oas_frequency", "developability", "mhc", "scales", "stability"):
        (data / name).symlink_to(shared(name))
    root = tmp_path / "checkout"
    (root / "scripts").mkdir(parents=True)
    (root / "worker").mkdir()
    for script in ("make-data", "fit-ddg"):
        (root / "scripts" / script).write_bytes((CHECKOUT / "scripts" / script).read_bytes())
    subprocess.run([sys.executable, root / "scripts" / "make-data", data], check=True, capture_output=True)
    made = {path.name: path.read_bytes() for path in (root / "worker" / "data").iterdir()}
    kept = {path.name: path.read_bytes() for path in TABLES.glob("*.tsv")}
    kept.pop("burial.tsv")  # of structures: test_stability.py
    assert made == kept


def test_every_germline_has_its_anchors():
    for row in read_table(TABLES / "germlines.tsv"):
        aligned = row["aligned"]
        assert len(aligned) == 128
        if row["segment"] == "V":
            assert (aligned[22], aligned[40], aligned[103]) == ("C", "W", "C"), row["allele"]
        else:
            assert aligned[117] in "WF" and aligned[118] == "G" and aligned[120] == "G", row["allele"]
