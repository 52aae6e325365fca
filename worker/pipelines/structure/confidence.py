"""How far a residue of the model is expected to be from its place, read from a table that scripts/bench-structure
calibrated on the templates themselves, each modelled without itself."""
import bisect
import csv
import hashlib
import io
from pathlib import Path

FILE = 'structure_confidence.tsv'
CLOSED = 'closed'  # the rows of loops that the engine closed, without a template


class Confidence:
    def __init__(self, folder: Path) -> None:
        self.rows = {}  # region → [(spread up to, expected error in A, share within 1 A)]
        text = (folder / FILE).read_text()
        self.version = hashlib.sha256(text.encode()).hexdigest()[:12]
        for row in csv.DictReader(io.StringIO(text), delimiter='\t'):
            self.rows.setdefault(row['region'], []).append(
                (float(row['spread_up_to']), float(row['error_A']), float(row['within_1A'])))

    def of(self, region, spread):
        """Expected error (A) and the share of such residues that are within 1 A."""
        rows = self.rows[region]
        n = bisect.bisect_left([row[0] for row in rows[:-1]], spread)
        return rows[n][1:]


def region_name(chain, cdr, spread):
    """The table's name for a residue of chain H, L or N."""
    if spread is None:
        return CLOSED
    return f'{"H" if chain == "N" else chain}{cdr}' if cdr else f'{chain} framework'
