"""The framework of a chain: the weighted mean of the templates most alike."""
from dataclasses import dataclass

import numpy
from consensus import nearness, place_on, weighted_mean, weights
from regions import number
from similarity import framework_identity

MOST = 20  # templates
STEEPNESS = 10.0  # a template with a tenth fewer framework residues alike counts for 1/e
ALIKE = 1.0  # A; of three neighbouring residues: templates further than this from the most typical hardly count
ENOUGH = 0.1  # of the weight; with less, only the most alike is taken
STRETCHES = ((1, 26), (39, 55), (66, 104), (118, 129))


@dataclass
class Framework:
    backbone: dict  # position → 4 × 3, without what no template has
    spread: dict  # position → A
    placed: list  # the templates, the most alike first
    identity: float  # with the first

    def move(self, move):
        self.backbone = {position: move(place) for position, place in self.backbone.items()}


def candidates(target, domains):
    """Of the target's kind, the most alike first. A nanobody is also like other heavy chains."""
    kinds = {'H': 'H', 'L': 'L', 'N': 'NH'}[target.chain]
    scored = [(framework_identity(target, domain), domain) for domain in domains if domain.chain in kinds]
    return sorted(scored, key=lambda entry: (-entry[0], entry[1].pdb, entry[1].chain))


def stretch(domain, first, last, within):
    """Positions first to last that the domain has, of those between the two ends of `within`."""
    low, high = number(within[0]), number(within[-1])
    return [p for p in domain.positions if first <= number(p) <= last and low <= number(p) <= high]


def build(target, domains):
    ranked = candidates(target, domains)[:MOST]
    w = weights([score for score, _ in ranked], STEEPNESS)
    chosen = [domain for _, domain in ranked]
    start = chosen[0]
    onto = {p: start.backbone[n] for p, n in start.layout.framework.items()}
    for _ in range(2):  # on the first template, then on the mean
        placed = place_on(chosen, w, target.layout.framework, onto)
        backbone, spread = average(target, placed)
        onto = backbone
    return Framework(backbone, spread, placed, ranked[0][0])


def average(target, placed):
    """Stretch by stretch, over the templates that have the same positions there, if any has: a mean over others
    would tear the chain where one has a residue that another lacks."""
    backbone, spread = {}, {}
    for first, last in STRETCHES:
        ours = [p for p in target.layout.framework if first <= number(p) <= last]
        if not ours:
            continue
        alike = [t for t in placed if stretch(t.domain, first, last, ours) == ours]
        if sum(t.weight for t in alike) < ENOUGH:
            alike = placed[:1]
        for n, p in enumerate(ours):
            add_residue(fitting(target, alike, ours[n:n + 2]), p, ours[max(0, n - 1):n + 2], backbone, spread)
    return backbone, spread


def fitting(target, placed, bonds):
    """Without templates that have a cis bond before a residue that is no proline here, if any are left."""
    free = [p for p in bonds if target.sequence[target.index[p]] != 'P']
    return [t for t in placed if not any(t.domain.index.get(p) in t.domain.cis for p in free)] or placed


def add_residue(placed, position, window, backbone, spread):
    """The mean over those that go the same way here: peptide bonds may be flipped in some."""
    there = [t for t in placed if all(p in t.domain.index for p in window)]
    there = there or [t for t in placed if position in t.domain.index]
    if not there:
        return
    window = [p for p in window if all(p in t.domain.index for t in there)]
    w = numpy.array([t.weight for t in there])
    around = numpy.array([t.move(t.domain.backbone[[t.domain.index[p] for p in window]]) for t in there])
    near, _ = nearness(around, w / w.sum(), ALIKE)
    here = around[:, [window.index(position)]]
    backbone[position] = weighted_mean(here, near)[0][0]
    spread[position] = float(weighted_mean(here, w)[1][0])
