"""A CDR: the weighted mean of the most typical conformation among the templates most alike."""
from dataclasses import dataclass

import numpy
from consensus import Placed, nearness, weighted_mean, weights
from similarity import framework_identity, loop_similarity
from superposition import fit

ALIKE = 1.0  # A; conformations much further than this from the most typical one do not enter the mean
SHARE = 0.05  # of the most typical one's weight: templates with less are not named
CROWDED = 2.8  # A between backbone atoms that are not bonded
CHAIN = 2.0  # the framework's identity, in units of BLOSUM62 for each residue of a loop


@dataclass(frozen=True)
class Rule:
    """How the templates of a CDR are chosen."""
    most: int  # candidates
    steepness: float  # of the weight by similarity
    around: int  # residues on both sides that count for similarity
    anchor: int  # residues on both sides by which a loop is placed


RULES = {('H', 1): Rule(40, 2.0, 4, 4), ('H', 2): Rule(40, 2.0, 4, 4), ('H', 3): Rule(20, 1.0, 2, 2),
         ('L', 1): Rule(40, 2.0, 4, 4), ('L', 2): Rule(40, 2.0, 4, 2), ('L', 3): Rule(40, 2.0, 4, 4)}


@dataclass
class Loop:
    backbone: numpy.ndarray  # residues × 4 × 3
    spread: numpy.ndarray  # A, a residue: how far the candidates are from the mean, by weight
    placed: list  # the templates in the mean, the most typical first


def kinds(chain):
    return 'HN' if chain in 'HN' else 'L'


def rule_of(chain, cdr):
    return RULES['L' if chain == 'L' else 'H', cdr]


def anchor_positions(target, cdr, size):
    """The residues on both sides of the CDR, as far as there are any."""
    loop, end = target.layout.cdrs[cdr], len(target.positions)
    return [*range(max(0, loop.start - size), loop.start), *range(loop.stop, min(end, loop.stop + size))]


def candidates(target, cdr, domains, rule):
    """Of equal length, the most alike first."""
    length = target.layout.length(cdr)
    scored = [(score(target, domain, cdr, rule.around), domain) for domain in domains
              if domain.chain in kinds(target.chain) and domain.layout.length(cdr) == length
              and not wrongly_cis(target, domain, cdr)]
    return sorted(scored, key=lambda entry: (-entry[0], entry[1].pdb, entry[1].chain))[:rule.most]


def score(target, domain, cdr, around):
    """The loop itself counts most; a framework that is alike holds it alike."""
    return loop_similarity(target, domain, cdr, around) + CHAIN * framework_identity(target, domain)


def wrongly_cis(target, domain, cdr):
    """A cis bond where the target has no proline."""
    ours, theirs = target.layout.cdrs[cdr], domain.layout.cdrs[cdr]
    return any(target.sequence[n + ours.start - theirs.start] != 'P' for n in domain.cis
               if theirs.start <= n < theirs.stop)


def place(target, cdr, backbone, ranked, rule):
    """Each candidate superposed by its anchors on the model's."""
    w = weights([score for score, _ in ranked], rule.steepness)
    ours = [n for n in anchor_positions(target, cdr, rule.anchor) if target.positions[n] in backbone]
    goal = numpy.array([backbone[target.positions[n]] for n in ours])
    placed = []
    for (_, domain), weight in zip(ranked, w):
        shift = domain.layout.cdrs[cdr].start - target.layout.cdrs[cdr].start
        there = [i for i, n in enumerate(ours) if 0 <= n + shift < len(domain.positions)]
        move = fit(domain.backbone[[ours[i] + shift for i in there]], goal[there])
        placed.append(Placed(domain, move, weight))
    return placed


def free(loops, surroundings):
    """How much of its weight each candidate keeps: e less for each of its atoms that runs into what is there."""
    distances = numpy.linalg.norm(loops.reshape(len(loops), -1, 1, 3) - surroundings, axis=3)
    return numpy.exp(-(distances.min(axis=2) < CROWDED).sum(axis=1).astype(float))


def build(target, cdr, backbone, domains, surroundings):
    """None when no template has a loop of this length. surroundings: backbone atoms (n × 3) that are in the way."""
    rule = rule_of(target.chain, cdr)
    ranked = candidates(target, cdr, domains, rule)
    if not ranked:
        return None
    placed = place(target, cdr, backbone, ranked, rule)
    loops = numpy.array([t.backbone(t.domain.layout.cdrs[cdr]) for t in placed])
    w = numpy.array([t.weight for t in placed]) * free(loops, surroundings)
    w /= w.sum()
    near, typical = nearness(loops, w, ALIKE)
    order = sorted(range(len(placed)), key=lambda t: (t != typical, -near[t]))
    return Loop(weighted_mean(loops, near)[0], weighted_mean(loops, w)[1],
                [placed[t] for t in order if near[t] > SHARE * near[typical]])
