"""ProMod3: from assembled domains to a whole model. What it keeps loaded between jobs grows to 1 GB when a loop is first
missing and its fragment libraries are read.
"""
import math
from functools import cached_property

import ost
from ost import conop, geom, mol, seq
from ost.mol import mm
from promod3 import loop, modelling, sidechain

from geometry import CIS, FLAT, omega, problems
from mechanics import HOLD, settings
from molecule import EngineError
from residues import BACKBONE, THREE
from settling import draw

MERGE = 4  # residues between two gaps that are closed as one
ROUNDS, REST, DESCENT, LBFGS = 12, 3, 20, 20  # at most and at least so many rounds, of so many steps each


class Engine:
    """Reports through step(words, fraction)."""

    def __init__(self, step):
        self.step = step
        ost.PushVerbosityLevel(1)  # errors and warnings, on standard error

    @cached_property
    def rotamers(self):
        return sidechain.LoadBBDepLib()

    @cached_property
    def force_field(self):
        return mm.LoadCHARMMForcefield()

    @cached_property
    def fragments(self):
        return loop.LoadFragDB()

    @cached_property
    def structures(self):
        return loop.LoadStructureDB()

    def build(self, assemblies, minimise):
        """An entity with a chain A, B … for each assembly, residues numbered from 1."""
        return self.attempt(lambda: self.finish(self.raw(assemblies), minimise))

    def draw(self, assemblies):
        """Brings loops that have a goal as near to it as a chain can come. [(loop, its backbone before)]"""
        undrawn = []
        for assembly in assemblies:
            for cdr, built in assembly.loops.items():
                if built and built.goal is not None:
                    self.step('drawing a loop to the mean', 0.28)
                    undrawn.append((built, built.backbone))
                    built.backbone = self.attempt(draw, assembly, cdr, self.force_field)
        return undrawn

    @staticmethod
    def attempt(function, *arguments):
        try:
            return function(*arguments)
        except (RuntimeError, ValueError) as error:  # what ProMod3, OpenStructure and OpenMM raise
            raise EngineError(str(error)) from error

    def finish(self, handle, minimise):
        if len(handle.gaps):
            self.step('closing loops that no template has', 0.3)
            self.close(handle)
        self.step('side chains', 0.5)
        modelling.ReconstructSidechains(handle.model, keep_sidechains=True, rotamer_library=self.rotamers)
        return self.minimise(handle.model) if minimise else handle.model

    def raw(self, assemblies):
        alignments = seq.AlignmentList()
        entity = mol.CreateEntity()
        editor = entity.EditXCS(mol.BUFFERED_EDIT)
        for name, assembly in zip('AB', assemblies):
            add_chain(editor, name, assembly.residues)
        editor.UpdateICS()
        conop.RuleBasedProcessor(conop.GetDefaultLib()).Process(entity)
        for name, assembly in zip('AB', assemblies):
            there = ''.join(r.letter if r.backbone is not None else '-' for r in assembly.residues)
            alignment = seq.CreateAlignment(seq.CreateSequence('target', assembly.target.sequence),
                                            seq.CreateSequence('templates', there))
            alignment.AttachView(1, entity.Select(f'cname={name}'))
            alignments.append(alignment)
        return modelling.BuildRawModel(alignments)

    def close(self, handle):
        torsions = loop.LoadTorsionSamplerCoil()  # anew for each job: its random numbers go on from where they were
        modelling.CloseGaps(handle, merge_distance=MERGE, fragment_db=self.fragments, structure_db=self.structures,
                            torsion_sampler=torsions)
        modelling.ModelTermini(handle, torsions)
        if len(handle.gaps):
            raise EngineError(f'ProMod3 could not close {", ".join(map(str, handle.gaps))}')

    def minimise(self, model):
        """Descends as long as there are clashes or bad bonds, but at least REST rounds."""
        simulation = self.simulation(model)
        if not math.isfinite(simulation.GetEnergy()):
            raise EngineError('atoms lie on each other: the energy is not a number')
        for turn in range(ROUNDS):
            self.step('energy minimisation', 0.6 + 0.3 * turn / ROUNDS)
            simulation.ApplySD(tolerance=1.0, max_iterations=DESCENT)
            simulation.ApplyLBFGS(tolerance=1.0, max_iterations=LBFGS)
            simulation.UpdatePositions()
            if turn + 1 >= REST and not problems(simulation.GetEntity()).count:
                break
        return mol.CreateEntityFromView(simulation.GetEntity().Select('ele!=H and aname!=OXT'), True)

    def simulation(self, model):
        options = settings(self.force_field)
        entity = mol.CreateEntityFromView(model.Select('ele!=H'), True)
        topology = mm.TopologyCreator.Create(entity, options)  # adds hydrogens to the entity
        loose = strained(entity)
        for n, atom in enumerate(entity.atoms):
            if atom.name in BACKBONE and atom.residue.qualified_name not in loose:
                topology.AddHarmonicPositionRestraint(n, atom.pos, HOLD)
        return mm.Simulation(topology, entity, options)


def strained(entity):
    """Names of the residues on both sides of a twisted peptide bond: it has to turn flat."""
    found = set()
    for chain in entity.chains:
        for before, residue in zip(chain.residues, chain.residues[1:]):
            if CIS < (omega(residue) or 0.0) < FLAT:
                found |= {before.qualified_name, residue.qualified_name}
    return found


def add_chain(editor, name, residues):
    chain = editor.InsertChain(name)
    for n, residue in enumerate(residues, 1):
        if residue.backbone is None:
            continue
        added = editor.AppendResidue(chain, THREE[residue.letter], mol.ResNum(n))
        atoms = list(zip(BACKBONE, residue.backbone)) + list(zip(*residue.side_chain or ((), ())))
        for atom, place in atoms:
            editor.InsertAtom(added, atom, geom.Vec3(*map(float, place)), atom[0])
