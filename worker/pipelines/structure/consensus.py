"""Means over crystal structures. Where several templates speak of the same place, their weighted mean is nearer to a
structure that is none of them than the best of them is: what is particular to each crystal averages out."""
import numpy
from superposition import fit


def weights(scores, steepness):
    """Sum to 1; a score that is lower by 1 / steepness weighs less by e. The first score is the greatest."""
    w = numpy.exp(steepness * (numpy.array(scores) - scores[0]))
    return w / w.sum()


class Placed:
    """A template moved to where it lies on the model."""

    def __init__(self, domain, move, weight):
        self.domain, self.move, self.weight = domain, move, weight

    def backbone(self, positions):
        """At IMGT positions; not a number where the template has no residue."""
        rows = [self.domain.index.get(position) for position in positions]
        found = numpy.full((len(rows), 4, 3), numpy.nan)
        have = [n for n, row in enumerate(rows) if row is not None]
        found[have] = self.move(self.domain.backbone[[rows[n] for n in have]])
        return found


def weighted_mean(backbones, w):
    """The mean of templates × residues × 4 × 3, and how far they are from it (A, root mean square) at each residue.
    A residue that a template lacks is not a number; one template at least must have it."""
    there = ~numpy.isnan(backbones[:, :, 0, 0])
    share = w[:, None] * there
    share = share / share.sum(axis=0)
    known = numpy.where(there[:, :, None, None], backbones, 0.0)
    mean = numpy.einsum('tr,trax->rax', share, known)
    return mean, numpy.sqrt(numpy.einsum('tr,tr->r', share, ((known - mean) ** 2).sum(-1).mean(-1)))


def nearness(backbones, w, scale):
    """Weights of templates × residues × 4 × 3 that fall off around the most typical of them: a mean over two
    conformations would be neither. Also the number of the most typical one."""
    distances = numpy.sqrt(((backbones[:, None] - backbones[None]) ** 2).sum(-1).mean((2, 3)))
    typical = int(numpy.argmin(distances @ w))
    near = w * numpy.exp(-(distances[typical] / scale) ** 2)
    return near / near.sum(), typical


def place_on(domains, w, positions, onto):
    """Templates superposed on `onto` {position: backbone} over what they share of `positions`."""
    placed = []
    for domain, weight in zip(domains, w):
        shared = [p for p in positions if p in domain.index and p in onto]
        move = fit(domain.backbone[[domain.index[p] for p in shared]], numpy.array([onto[p] for p in shared]))
        placed.append(Placed(domain, move, weight))
    return placed
