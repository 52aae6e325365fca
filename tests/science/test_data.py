"""The project's tables are what scripts/make-data makes from the shared data, byte for byte."""
import subprocess
import sys

from sources import CHECKOUT, PROGRAM, SHARED, TABLES, read_table, shared

# Made by scripts of their own, which the tests of what uses them look at.
OF_STRUCTURES = ("burial.tsv", "contacts.tsv", "developability.tsv", "structure_confidence.tsv")


def test_tables_are_what_the_script_makes(tmp_path):
    """Without test_only/ and without any antibody sequence: the script does not even see them here."""
    data = tmp_path / "data"
    data.mkdir()
    for name in ("germlines", "oas_frequency", "developability", "mhc", "scales", "stability", "codon"):
        (data / name).symlink_to(shared(name))
    root = tmp_path / "checkout"
    (root / "scripts").mkdir(parents=True)
    (root / "worker").mkdir()
    for script in ("make-data", "fit-ddg"):
        (root / "scripts" / script).write_bytes((CHECKOUT / "scripts" / script).read_bytes())
    subprocess.run([sys.executable, root / "scripts" / "make-data", data], check=True, capture_output=True)
    made = {path.name: path.read_bytes() for path in (root / "worker" / "data").iterdir()}
    kept = {path.name: path.read_bytes() for path in TABLES.glob("*.tsv")}
    for name in OF_STRUCTURES:
        kept.pop(name, None)
    assert made == kept


def test_contacts_are_what_the_script_makes(tmp_path):
    root = tmp_path / "checkout"
    (root / "worker" / "data").mkdir(parents=True)
    (root / "scripts").symlink_to(CHECKOUT / "scripts")
    script = root / "scripts" / "make-contacts"
    shared("fv_templates")
    subprocess.run([sys.executable, "-B", script, PROGRAM, SHARED], check=True, capture_output=True)
    made = (root / "worker" / "data" / "contacts.tsv").read_text()
    assert made == (TABLES / "contacts.tsv").read_text()


def test_contacts_are_where_they_are_known_to_be():
    """What holds VH and VL together (Chothia et al. 1985; Kabat H 39, 45, 47, L 38, 44, 98), and strands that do not."""
    partner = {(r["chain"], r["imgt"]): float(r["partner"]) for r in read_table(TABLES / "contacts.tsv")}
    for chain, position in (("H", "44"), ("H", "50"), ("H", "52"), ("K", "44"), ("K", "50"), ("K", "118")):
        assert partner[chain, position] > 0.9, (chain, position)
    assert partner["H", "20"] == partner["K", "20"] == 0


def test_every_germline_has_its_anchors():
    for row in read_table(TABLES / "germlines.tsv"):
        aligned = row["aligned"]
        assert len(aligned) == 128
        if row["segment"] == "V":
            assert (aligned[22], aligned[40], aligned[103]) == ("C", "W", "C"), row["allele"]
        else:
            assert aligned[117] in "WF" and aligned[118] == "G" and aligned[120] == "G", row["allele"]
