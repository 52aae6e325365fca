"""Least-squares superposition of points (Kabsch 1976). Arrays end in three coordinates."""
import numpy


class Move:
    """A rotation and a translation."""

    def __init__(self, rotation, shift):
        self.rotation, self.shift = rotation, shift

    def __call__(self, points):
        return points @ self.rotation + self.shift


def fit(points, onto, weights=None):
    """The move that brings points nearest to `onto`; weights, if any, one for each point."""
    a, b = points.reshape(-1, 3), onto.reshape(-1, 3)
    w = numpy.full(len(a), 1 / len(a)) if weights is None else weights / weights.sum()
    middle_a, middle_b = w @ a, w @ b
    left, _, right = numpy.linalg.svd((a - middle_a).T @ ((b - middle_b) * w[:, None]))
    if numpy.linalg.det(left @ right) < 0:
        left[:, -1] *= -1  # a mirror image is no move
    rotation = left @ right
    return Move(rotation, middle_b - middle_a @ rotation)


def rmsd(a, b):
    """Root of the mean squared distance of the points."""
    return float(numpy.sqrt(((a - b) ** 2).sum(-1).mean()))
