"""A loop drawn towards a goal that is itself no chain: CHARMM27 keeps bonds, angles and hands as they have to be, springs
pull each backbone atom to its place. Side chains come later; here all but glycine are alanine."""
import math

import numpy
from mechanics import HOLD, settings
from ost import conop, geom, mol
from ost.mol import mm
from residues import BACKBONE
from templates import CIS_CA

FIXED = 20 * HOLD  # of the residues beside the loop
FLAT = 100.0  # kJ/mol: keeps peptide bonds flat, and trans or cis as the loop that is drawn has them
BESIDE = 2  # residues on both sides
ROUNDS, DESCENT, LBFGS = 3, 20, 100  # rounds, of so many steps each


def draw(assembly, cdr, force_field):
    """The backbone of an assembly's loop, drawn to its goal between the residues beside it; as it was, if a peptide bond
    was pressed into cis."""
    target, built, frame = assembly.target, assembly.loops[cdr], assembly.framework.backbone
    part = target.layout.cdrs[cdr]
    before = [p for p in target.positions[max(0, part.start - BESIDE):part.start] if p in frame]
    behind = [p for p in target.positions[part.stop:part.stop + BESIDE] if p in frame]
    start, goal = (numpy.array([*map(frame.get, before), *loop, *map(frame.get, behind)])
                   for loop in (built.backbone, built.goal))
    letters = [target.sequence[target.index[p]] for p in (*before, *target.positions[part], *behind)]
    loop = range(len(before), len(before) + len(built.goal))
    settled = settle(start, goal, letters, loop, force_field)
    return (start if shortest_step(settled) < min(CIS_CA, shortest_step(start)) else settled)[loop.start:loop.stop]


def shortest_step(backbone):
    """A: the shortest way from one CA to the next."""
    return numpy.linalg.norm(backbone[1:, 1] - backbone[:-1, 1], axis=1).min()


def settle(start, goal, letters, loop, force_field):
    """start and goal: residues × 4 × 3; what is not of the loop stays. The backbone where it came to rest."""
    entity = poly_alanine(start, letters)
    options = settings(force_field)
    topology = mm.TopologyCreator.Create(entity, options)  # adds hydrogens to the entity
    rows = {(atom.residue.number.num - 1, atom.name): n for n, atom in enumerate(entity.atoms)}
    for n, places in enumerate(goal):
        for name, place in zip(BACKBONE, places):
            topology.AddHarmonicPositionRestraint(rows[n, name], geom.Vec3(*map(float, place)),
                                                  HOLD if n in loop else FIXED)
    atoms = list(entity.atoms)
    for n in range(len(goal) - 1):
        bond = [rows[n, 'CA'], rows[n, 'C'], rows[n + 1, 'N'], rows[n + 1, 'CA']]
        cis = abs(geom.DihedralAngle(*(atoms[row].pos for row in bond))) < math.pi / 2
        topology.AddPeriodicDihedral(*bond, 2, math.pi, FLAT)  # least at 0 and 180 degrees
        topology.AddPeriodicDihedral(*bond, 1, math.pi if cis else 0.0, FLAT)  # least at one of them
    simulation = mm.Simulation(topology, entity, options)
    for _ in range(ROUNDS):
        simulation.ApplySD(tolerance=1.0, max_iterations=DESCENT)
        simulation.ApplyLBFGS(tolerance=1.0, max_iterations=LBFGS)
    simulation.UpdatePositions()
    atoms = list(simulation.GetEntity().atoms)
    return numpy.array([[atoms[rows[n, name]].pos.data for name in BACKBONE] for n in range(len(goal))])


def poly_alanine(backbone, letters):
    entity = mol.CreateEntity()
    editor = entity.EditXCS(mol.BUFFERED_EDIT)
    chain = editor.InsertChain('A')
    for n, (places, letter) in enumerate(zip(backbone, letters), 1):
        residue = editor.AppendResidue(chain, 'GLY' if letter == 'G' else 'ALA', mol.ResNum(n))
        atoms = list(zip(BACKBONE, places)) + ([] if letter == 'G' else [('CB', beta(*places[:3]))])
        for name, place in atoms:
            editor.InsertAtom(residue, name, geom.Vec3(*map(float, place)), name[0])
    editor.UpdateICS()
    conop.RuleBasedProcessor(conop.GetDefaultLib()).Process(entity)
    for before, behind in zip(chain.residues, chain.residues[1:]):
        ends = before.FindAtom('C'), behind.FindAtom('N')
        if not mol.BondExists(*ends):
            editor.Connect(*ends)  # however far apart the ends of a loop are yet
    return entity


def beta(n, ca, c):
    """CB of an L-residue, where ideal bonds and angles put it."""
    before, behind = ca - n, c - ca
    return ca - 0.58273431 * numpy.cross(before, behind) + 0.56802827 * before - 0.54067466 * behind
