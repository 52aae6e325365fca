"""A CDR: the weighted mean of the most typical conformation among the templates most alike. H3, where none of them can
be relied on, is the one of them that is nearest to the mean of them all; the engine draws it towards that mean."""
from dataclasses import dataclass

import numpy
from consensus import nearness, place_on, weighted_mean, weights
from similarity import framework_identity, loop_similarity

ALIKE = 1.0  # A; conformations much further than this from the most typical one do not enter the mean
SHARE = 0.05  # of the greatest weight: templates with less are not named
CROWDED = 2.8  # A between backbone atoms that are not bonded
LENGTH = 2.0  # what a residue more or less costs, in the same units
CHAIN = 2.0  # the framework's identity, in units of BLOSUM62 for each residue of a loop


@dataclass(frozen=True)
class Rule:
    """How the templates of a CDR are chosen."""
    most: int  # candidates
    steepness: float  # of the weight by similarity
    around: int  # residues on both sides that count for similarity
    anchor: int  # residues on both sides by which a loop is placed
    longer: int = 0  # or shorter: loops whose length differs by so much join in
    crowding: float = 1.0  # a candidate weighs e to the power of this less for each atom that runs into what is there


RULES = {('H', 1): Rule(40, 2.0, 4, 4), ('H', 2): Rule(40, 2.0, 4, 4), ('H', 3): Rule(40, 1.0, 2, 2, 2, 0.3),
         ('L', 1): Rule(40, 2.0, 4, 4), ('L', 2): Rule(40, 2.0, 4, 2), ('L', 3): Rule(40, 2.0, 4, 4)}


@dataclass
class Loop:
    backbone: numpy.ndarray  # residues × 4 × 3
    spread: numpy.ndarray  # A, a residue: how far the candidates are from the mean, by weight
    placed: list  # the templates in the mean, the most typical first
    goal: numpy.ndarray | None = None  # where the engine is to draw the backbone


def kinds(chain):
    return 'HN' if chain in 'HN' else 'L'


def rule_of(chain, cdr):
    return RULES['L' if chain == 'L' else 'H', cdr]


def anchor_positions(target, cdr, size):
    """The residues on both sides of the CDR, as far as there are any."""
    loop, end = target.layout.cdrs[cdr], len(target.positions)
    return [*range(max(0, loop.start - size), loop.start), *range(loop.stop, min(end, loop.stop + size))]


def candidates(target, cdr, domains, rule):
    """The most alike first, at least one of them of equal length; none when no template has this length."""
    scored = [(score(target, domain, cdr, rule.around), domain) for domain in domains
              if domain.chain in kinds(target.chain) and differing(target, domain, cdr) <= rule.longer
              and domain.layout.length(cdr) and not wrongly_cis(target, domain, cdr)]
    scored.sort(key=lambda entry: (-entry[0], entry[1].pdb, entry[1].chain))
    equal = next((n for n, (_, domain) in enumerate(scored) if not differing(target, domain, cdr)), None)
    if equal is None:
        return []
    return scored[:rule.most] + scored[equal:equal + 1] * (equal >= rule.most)


def differing(target, domain, cdr):
    return abs(domain.layout.length(cdr) - target.layout.length(cdr))


def score(target, domain, cdr, around):
    """The loop itself counts most; a framework that is alike holds it alike."""
    return (loop_similarity(target, domain, cdr, around) + CHAIN * framework_identity(target, domain)
            - LENGTH * differing(target, domain, cdr))


def wrongly_cis(target, domain, cdr):
    """A cis bond where the target has no proline."""
    loop = domain.layout.cdrs[cdr]
    ours = [target.index.get(domain.positions[n]) for n in domain.cis if loop.start <= n < loop.stop]
    return any(n is not None and target.sequence[n] != 'P' for n in ours)


def place(target, cdr, backbone, ranked, rule):
    """Each candidate superposed by its anchors on the model's."""
    w = weights([score for score, _ in ranked], rule.steepness)
    anchors = [target.positions[n] for n in anchor_positions(target, cdr, rule.anchor)]
    return place_on([domain for _, domain in ranked], w, anchors, backbone)


def free(loops, surroundings, crowding):
    """How much of its weight each candidate keeps."""
    distances = numpy.linalg.norm(loops.reshape(len(loops), -1, 1, 3) - surroundings, axis=3)
    return numpy.exp(-crowding * (distances.min(axis=2) < CROWDED).sum(axis=1))


def build(target, cdr, backbone, domains, surroundings):
    """None when no template has a loop of this length. surroundings: backbone atoms (n × 3) that are in the way."""
    rule = rule_of(target.chain, cdr)
    ranked = candidates(target, cdr, domains, rule)
    if not ranked:
        return None
    placed = place(target, cdr, backbone, ranked, rule)
    loops = numpy.array([t.backbone(target.positions[target.layout.cdrs[cdr]]) for t in placed])
    w = numpy.array([t.weight for t in placed]) * free(loops, surroundings, rule.crowding)
    w /= w.sum()
    return mean_of_all(placed, loops, w) if rule.longer else mean_of_typical(placed, loops, w)


def mean_of_typical(placed, loops, w):
    near, typical = nearness(loops, w, ALIKE)
    return Loop(weighted_mean(loops, near)[0], weighted_mean(loops, w)[1], ordered(placed, near, typical))


def mean_of_all(placed, loops, w):
    """A mean over conformations that differ is too short to be a chain: it is only what the nearest whole loop is
    drawn towards."""
    mean, spread = weighted_mean(loops, w)
    away = ((loops - mean) ** 2).sum(-1).mean((1, 2))  # not a number where a template lacks a residue
    nearest = int(numpy.nanargmin(away))
    return Loop(loops[nearest], spread, ordered(placed, w, nearest), mean)


def ordered(placed, w, first):
    """`first`, and behind it those that weigh most."""
    order = sorted(range(len(placed)), key=lambda t: (t != first, -w[t]))
    return [placed[t] for t in order if t == first or w[t] > SHARE * w.max()]
