"""A domain put together from templates: its backbone, how sure it is, and the side chains that templates show."""
from dataclasses import dataclass, field

import loops
import numpy
from framework import Framework
from regions import Layout
from residues import BACKBONE
from superposition import fit

BOND = (0.7, 2.2)  # A, C to N; outside of it the chain is broken, and the engine closes it; the rest minimisation mends

CROWDED = 2.5  # A between heavy atoms that are not bonded


@dataclass
class Target:
    """A domain to be modelled."""
    chain: str  # H, L, N for a nanobody's
    light: str  # K or L of a light chain
    sequence: str
    positions: list[str]
    start: int  # of the domain in the chain that was given, from 0
    layout: Layout = field(init=False)
    index: dict[str, int] = field(init=False)  # IMGT position → number of the residue

    def __post_init__(self):
        self.layout = Layout(self.positions)
        self.index = {position: n for n, position in enumerate(self.positions)}


@dataclass
class Residue:
    position: str
    letter: str
    backbone: numpy.ndarray | None = None  # 4 × 3; None: for the engine to find
    spread: float | None = None  # A; None where no template speaks
    side_chain: tuple | None = None  # names, coordinates


@dataclass
class Assembly:
    target: Target
    framework: Framework
    loops: dict = field(default_factory=dict)  # CDR → Loop, or None where no template has its length
    residues: list[Residue] = field(default_factory=list)


# The loops that templates settle best come first: those behind them have to make do with the room that is left.
ORDER = (('L', 2), ('L', 1), ('H', 1), ('H', 2), ('L', 3), ('H', 3))


def add_loops(assemblies, domains, step):
    """The CDRs of domains whose frameworks are in place, one after the other."""
    for kind, cdr in ORDER:
        for built in assemblies:
            if kind == ('L' if built.target.chain == 'L' else 'H') and built.target.layout.length(cdr):
                step(f'{kind}{cdr}')
                built.loops[cdr] = loops.build(built.target, cdr, built.framework.backbone, domains,
                                               surroundings(assemblies, built, cdr))


def surroundings(assemblies, built, cdr):
    """Backbone atoms around a loop that is to come: what is there but its next neighbours."""
    part = built.target.layout.cdrs[cdr]
    beside = {built.target.positions[n] for n in (part.start - 1, part.stop) if 0 <= n < len(built.target.positions)}
    there = [place for other in assemblies for position, place in other.framework.backbone.items()
             if other is not built or position not in beside]
    there += [place for other in assemblies for loop in other.loops.values() if loop for place in loop.backbone]
    return numpy.concatenate(there)


def finish(assemblies):
    """Residue by residue, with what side chains the templates have."""
    for built in assemblies:
        built.residues = [residue_at(built, n, position, letter) for n, (position, letter)
                          in enumerate(zip(built.target.positions, built.target.sequence))]
        open_breaks(built.residues)
    drop_crowded(assemblies)


def residue_at(built, n, position, letter):
    cdr = built.target.layout.regions[n]
    residue = Residue(position, letter)
    if not cdr:
        if position in built.framework.backbone:
            residue.backbone, residue.spread = built.framework.backbone[position], built.framework.spread[position]
            residue.side_chain = borrow(residue, [(t, t.domain.index.get(position)) for t in built.framework.placed])
    elif built.loops[cdr]:
        loop, first = built.loops[cdr], built.target.layout.cdrs[cdr].start
        residue.backbone, residue.spread = loop.backbone[n - first], float(loop.spread[n - first])
        residue.side_chain = borrow(residue, [(t, t.domain.index.get(position)) for t in loop.placed])
    return residue


def borrow(residue, places):
    """The side chain of the first template with the same residue there, put on our backbone."""
    for placed, n in places:
        if n is not None and placed.domain.sequence[n] == residue.letter:
            side_chain = placed.domain.side_chain(n)
            if side_chain:
                move = fit(placed.domain.backbone[n][:3], residue.backbone[:3])
                return side_chain[0], move(side_chain[1])
    return None


def drop_crowded(assemblies):
    """Takes away borrowed side chains that run into other residues: rings would be threaded on each other, which no
    minimisation undoes. The engine builds them anew."""
    residues = [residue for built in assemblies for residue in built.residues if residue.backbone is not None]
    atoms, owners, names = [], [], []
    for n, residue in enumerate(residues):
        own = [residue.backbone, *([residue.side_chain[1]] if residue.side_chain else [])]
        atoms += own
        owners += [n] * sum(map(len, own))
        names += [*BACKBONE, *(residue.side_chain[0] if residue.side_chain else ())]
    places, owners, names = numpy.concatenate(atoms), numpy.array(owners), numpy.array(names)
    side = ~numpy.isin(names, (*BACKBONE, 'CB'))
    near = numpy.linalg.norm(places[side][:, None] - places[None], axis=2) < CROWDED
    near &= numpy.abs(owners[side][:, None] - owners[None]) > 0
    near &= ~((names[side][:, None] == 'SG') & (names[None] == 'SG'))  # a disulfide bond
    for n in {int(owner) for owner, row in zip(owners[side], near) if row.any()}:
        residues[n].side_chain = None


def open_breaks(residues):
    """Where two neighbours do not meet, both are left to the engine."""
    for before, after in zip(residues, residues[1:]):
        if before.backbone is not None and after.backbone is not None:
            bond = numpy.linalg.norm(after.backbone[0] - before.backbone[2])
            if not BOND[0] < bond < BOND[1]:
                before.backbone = after.backbone = before.side_chain = after.side_chain = None
