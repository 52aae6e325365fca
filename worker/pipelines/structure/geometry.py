"""What a finished model's geometry is like, by OpenStructure: clashes, bonds, angles; twisted and cis peptide bonds;
residues of the wrong hand."""
import math
from dataclasses import dataclass

import ost
from ost import geom, mol

TOLERANCE = 10  # standard deviations of a bond or angle, as ProMod3 has it
PROLINE = 'PRO'
CIS, FLAT = 30.0, 150.0  # degrees of omega: up to CIS is cis, from FLAT on trans, between them twisted


@dataclass
class Problems:
    clashes: list
    bonds: list
    angles: list

    @property
    def count(self):
        return len(self.clashes) + len(self.bonds) + len(self.angles)


def problems(entity):
    """Pairs of heavy atoms nearer than van der Waals radii allow, and bonds and angles that no crystal has."""
    view = entity.Select('ele!=H and aname!=OXT')
    ost.PushVerbosityLevel(0)
    _, clashes = mol.alg.FilterClashes(view, mol.alg.DefaultClashingDistances())
    _, stereo = mol.alg.CheckStereoChemistry(view, mol.alg.DefaultBondStereoChemicalParams(),
                                             mol.alg.DefaultAngleStereoChemicalParams(), TOLERANCE, TOLERANCE)
    ost.PopVerbosityLevel()
    return Problems([(c.GetFirstAtom(), c.GetSecondAtom()) for c in clashes.GetClashList()],
                    [(b.GetFirstAtom(), b.GetSecondAtom()) for b in stereo.GetBondViolationList()],
                    [(a.GetFirstAtom(), a.GetThirdAtom()) for a in stereo.GetAngleViolationList()])


def cis_bonds(entity):
    """Residues behind a cis peptide bond that are no proline."""
    return [residue for residue in entity.residues
            if residue.name != PROLINE and (angle := omega(residue)) is not None and angle <= CIS]


def is_d(residue):
    """A residue of the wrong hand: CB on the other side of the backbone."""
    atoms = [residue.FindAtom(name) for name in ('N', 'CA', 'C', 'CB')]
    if not all(atom.IsValid() for atom in atoms):
        return False
    n, ca, c, cb = (atom.pos for atom in atoms)
    return geom.Dot(geom.Cross(n - ca, c - ca), cb - ca) < 0


def omega(residue):
    """Degrees, 0 to 180, of the peptide bond before the residue; None at a chain's start."""
    torsion = residue.GetOmegaTorsion()
    return abs(math.degrees(torsion.GetAngle())) if torsion.IsValid() else None
