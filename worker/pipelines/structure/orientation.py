"""How VL lies on VH: the mean over the template Fvs, by identity."""
from dataclasses import dataclass

import numpy
from consensus import weights
from similarity import pair_identity
from superposition import fit

MOST = 40  # templates
STEEPNESS = 20.0


@dataclass
class Orientation:
    move: object  # of VL, from where it is to where it belongs
    spread: float  # A: how far the templates' VL are from the mean, by weight
    templates: list  # (Fv identity, heavy domain) of the templates, the most alike first


def fit_framework(domain, backbone):
    """The move of a template's domain onto a modelled framework {position: backbone}."""
    shared = [p for p in domain.layout.framework if p in backbone]
    return fit(domain.backbone[[domain.index[p] for p in shared]], numpy.array([backbone[p] for p in shared]))


def find(targets, heavy, light, fvs):
    """heavy and light: the modelled frameworks, {position: backbone}."""
    scored = sorted(((pair_identity(targets, fv), fv) for fv in fvs), key=lambda entry: (-entry[0], entry[1][0].pdb))
    ranked = scored[:MOST]
    w = weights([score for score, _ in ranked], STEEPNESS)
    own = numpy.array(list(light.values()))
    placed = numpy.array([place(fv, heavy, light, own) for _, fv in ranked])
    mean = numpy.einsum('t,trax->rax', w, placed)
    move = fit(own, mean)
    spread = numpy.sqrt(w @ ((placed - move(own)) ** 2).sum(-1).mean((1, 2)))
    return Orientation(move, float(spread), [(score, fv[0]) for score, fv in ranked])


def place(fv, heavy, light, own):
    """Our VL as this template's VL lies, when its VH lies on ours."""
    to_heavy, to_light = fit_framework(fv[0], heavy), fit_framework(fv[1], light)
    back = (own - to_light.shift) @ to_light.rotation.T
    return to_heavy(back)
