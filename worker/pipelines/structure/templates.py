"""The crystal structures from which is modelled (worker/data/templates.tsv.gz, made by scripts/make-templates)."""
import csv
import gzip
import hashlib
import io
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy
from regions import Layout
from residues import ATOMS, BACKBONE

CIS_CA = 3.4  # A between neighbouring CA; 3.8 if trans, 2.9 if cis


@dataclass(eq=False)
class Domain:
    """One variable domain of a crystal."""
    pdb: str
    chain: str  # H, L, or N for a nanobody's
    light: str  # K or L of a light chain, else ''
    source: str
    sequence: str
    positions: list[str]  # IMGT
    classes: dict[int, str]  # CDR → its canonical class, '' if it has none
    coordinates: numpy.ndarray  # A, one row for each atom of residues.ATOMS, in order
    missing: frozenset[int]  # rows that the crystal does not show
    starts: list[int] = field(init=False)  # the row of each residue's N
    index: dict[str, int] = field(init=False)  # IMGT position → number of the residue

    def __post_init__(self):
        counts = [len(ATOMS[letter]) for letter in self.sequence]
        self.starts = [sum(counts[:n]) for n in range(len(counts))]
        self.index = {position: n for n, position in enumerate(self.positions)}

    @cached_property
    def layout(self):
        return Layout(self.positions)

    @cached_property
    def backbone(self):
        """N, CA, C, O of each residue: an array of residues × 4 × 3."""
        return self.coordinates[numpy.array(self.starts)[:, None] + numpy.arange(len(BACKBONE))]

    @cached_property
    def cis(self):
        """Residues behind a cis peptide bond: their CA is near the one before."""
        ca = self.backbone[:, 1]
        return frozenset((numpy.flatnonzero(numpy.linalg.norm(ca[1:] - ca[:-1], axis=1) < CIS_CA) + 1).tolist())

    def side_chain(self, n):
        """Names and coordinates of residue n's side chain, or None when the crystal does not show it whole."""
        first, names = self.starts[n], ATOMS[self.sequence[n]]
        rows = range(first + len(BACKBONE), first + len(names))
        if self.missing.intersection(rows):
            return None
        return names[len(BACKBONE):], self.coordinates[rows.start:rows.stop]


def read_domain(row):
    steps = numpy.array(row['coordinates'].split(), dtype=numpy.int32).reshape(-1, 3)
    return Domain(row['pdb'], row['chain'], row['light'], row['source'], row['sequence'], row['positions'].split(),
                  {cdr: row.get(f'class{cdr}', '') for cdr in (1, 2, 3)}, numpy.cumsum(steps, axis=0) / 100.0,
                  frozenset(map(int, row['missing'].split())))


class Templates:
    def __init__(self, path: Path) -> None:
        packed = path.read_bytes()
        self.version = hashlib.sha256(packed).hexdigest()[:12]
        csv.field_size_limit(1 << 20)
        rows = csv.DictReader(io.StringIO(gzip.decompress(packed).decode()), delimiter='\t')
        self.domains = [read_domain(row) for row in rows]
        self.fvs = [(heavy, light) for heavy, light in zip(self.domains, self.domains[1:])
                    if heavy.pdb == light.pdb and (heavy.chain, light.chain) == ('H', 'L')]
