"""A job from its chains to its answer."""
from dataclasses import dataclass
from pathlib import Path

import assembly
import framework
import molecule
import options as job_options
import orientation
import ost
import outcome
import promod3
from confidence import Confidence
from engine import Engine
from geometry import cis_bonds, problems
from molecule import Refused
from selection import allowed
from templates import Templates

FEWEST = 3  # templates of a kind; with fewer there is nothing to choose from


@dataclass
class Answer:
    results: dict
    versions: dict
    files: dict


class Modeller:
    """What stays loaded between jobs. `program` is paratope-pipeline, `step` is told what is being done and how far
    the job is."""

    def __init__(self, data: Path, program: Path, step) -> None:
        self.templates = Templates(data / 'templates.tsv.gz')
        self.confidence = Confidence(data)
        self.program = str(program)
        self.step = step
        self.doing = self.reached = 'nothing'  # the step, and the last one that succeeded
        self.furthest = 0.0  # the fraction that was said last
        self.engine = Engine(self.on)

    def on(self, words, fraction):
        self.reached, self.doing = self.doing, words
        self.furthest = max(self.furthest, fraction)  # a model that is built again does not go back
        self.step(words, self.furthest)

    def versions(self):
        return {'promod3': promod3.__version__, 'openstructure': ost.VERSION, 'force_field': 'CHARMM27 (OpenStructure)',
                'templates': self.templates.version, 'confidence': self.confidence.version,
                'structure': job_options.VERSION}

    def compute(self, chains, form, lone_heavy, given):
        model = self.model(chains, form, lone_heavy, given)
        return Answer(outcome.results(model), self.versions(), outcome.files(model, self.versions()))

    def model(self, chains, form, lone_heavy, given):
        self.doing, self.furthest = 'nothing', 0.0
        self.on('numbering', 0.0)
        options = job_options.read(given)
        targets = molecule.read(self.program, chains, form, lone_heavy)
        self.on('choosing templates', 0.05)
        domains, fvs = allowed(self.templates, targets, options)
        self.check_enough(targets, domains, fvs)
        assemblies, placed = self.assemble(targets, domains, fvs)
        entity = self.build(assemblies, options['minimise'])
        self.on('checking geometry', 0.95)
        return outcome.Model(assemblies, placed, entity, self.confidence, options)

    def check_enough(self, targets, domains, fvs):
        for target in targets:
            if sum(domain.chain == target.chain for domain in domains) < FEWEST or len(fvs) < FEWEST:
                raise Refused('no_templates', 'the options leave fewer than three templates: exclude less', '/options')

    def assemble(self, targets, domains, fvs):
        assemblies, placed = [], None
        for n, target in enumerate(targets):
            self.on(f'framework of {"VL" if target.chain == "L" else "VH"}', 0.1 + 0.05 * n)
            assemblies.append(assembly.Assembly(target, framework.build(target, domains)))
        if len(assemblies) == 2:
            self.on('orientation of VL to VH', 0.2)
            placed = orientation.find(targets, *(built.framework.backbone for built in assemblies), fvs)
            assemblies[1].framework.move(placed.move)
        assembly.add_loops(assemblies, domains, lambda cdr: self.on(f'loop {cdr}', 0.25))
        return assemblies, placed

    def build(self, assemblies, minimise):
        """The whole model. Where a drawn loop leaves it worse than that of the template does, it stays as that has it."""
        undrawn = self.engine.draw(assemblies)
        drawn = self.finish(assemblies, minimise)
        found = flaws(drawn) if undrawn and minimise else 0
        if not found:
            return drawn
        for loop, backbone in undrawn:
            loop.backbone = backbone
        plain = self.finish(assemblies, minimise)
        return drawn if found < flaws(plain) else plain

    def finish(self, assemblies, minimise):
        assembly.finish(assemblies)
        return self.engine.build(assemblies, minimise)


def flaws(entity):
    """How much of it no crystal has."""
    return problems(entity).count + len(cis_bonds(entity))
