"""Models of the templates themselves, each made without itself and without what is more than 95 % identical, measured
against the crystals. Used by scripts/bench-structure for all of them and by test_structure.py for some."""
import os
import sys
import time

import numpy
from sources import BUILD

SHARE = BUILD / 'share' / 'paratope'
sys.path.insert(0, str(SHARE / 'structure'))
os.environ.setdefault('PROMOD3_SHARED_DATA_PATH', '/usr/share/promod3')
os.environ['OMP_NUM_THREADS'] = os.environ['OPENBLAS_NUM_THREADS'] = '1'

from molecule import Chain, EngineError  # noqa: E402
from superposition import fit, rmsd  # noqa: E402

BACKBONE = ('N', 'CA', 'C', 'O')
IDENTITY_MAX = 0.95
CDRS = ('H1', 'H2', 'H3', 'L1', 'L2', 'L3')
GEOMETRY = ('clashes', 'bad_bonds', 'bad_angles', 'cis_bonds', 'twisted_bonds', 'd_residues')


def make_modeller():
    from modeller import Modeller
    return Modeller(SHARE / 'data', BUILD / 'bin' / 'paratope-pipeline', lambda words, fraction: None)


def crystals(modeller):
    """The Fvs and nanobodies of the table of templates: lists of one or two domains."""
    return [list(fv) for fv in modeller.templates.fvs] + [[d] for d in modeller.templates.domains if d.chain == 'N']


def light_relatives(modeller, domains):
    """Templates that are left in, though their VL is more than 95 % identical to this Fv's."""
    from selection import allowed
    from similarity import identity
    left = allowed(modeller.templates, domains, {'template_identity_max': IDENTITY_MAX,
                                                 'templates_exclude': [domains[0].pdb]})[1]
    return [light.pdb for _, light in left if identity(domains[1], light) > IDENTITY_MAX]


def model(modeller, domains, without=()):
    """(the model, seconds of CPU) of a crystal's sequences; without: templates left out besides."""
    kinds = {'H': 'heavy', 'L': 'light', 'N': 'vhh'}
    chains = [Chain(kinds[domain.chain], domain.sequence) for domain in domains]
    before = time.process_time()
    made = modeller.model(chains, 'mab' if len(domains) == 2 else 'nanobody', False,
                          {'template_identity_max': IDENTITY_MAX, 'templates_exclude': sorted({domains[0].pdb, *without})})
    return made, time.process_time() - before


def backbone(residues):
    return numpy.array([[residue.FindAtom(name).pos.data for name in BACKBONE] for residue in residues])


def deviations(made, domains):
    """For each chain (region, backbone distance in A) of each residue, superposed on the chain's framework."""
    for domain, residues in zip(domains, made.residues):
        ours, truth = backbone(residues), domain.backbone
        frame = list(domain.layout.framework.values())
        moved = fit(ours[frame], truth[frame])(ours)
        yield [float(numpy.sqrt(((a - b) ** 2).sum(-1).mean())) for a, b in zip(moved, truth)]


def rms(values):
    return float(numpy.sqrt(numpy.mean(numpy.square(values))))


def measure(made, domains):
    """region → RMSD in A: framework and CDRs on the framework of their chain; `Fv` over all, on all; `VL` of the light
    framework, on the heavy one."""
    found = {}
    for domain, away in zip(domains, deviations(made, domains)):
        name = 'L' if domain.chain == 'L' else 'H'
        found[f'{name} framework'] = rms([away[n] for n in domain.layout.framework.values()])
        for cdr, part in domain.layout.cdrs.items():
            if part.start < part.stop:
                found[f'{name}{cdr}'] = rms(away[part])
    ours, truth = [backbone(r) for r in made.residues], [domain.backbone for domain in domains]
    found['Fv'] = rmsd(fit(numpy.concatenate(ours), numpy.concatenate(truth))(numpy.concatenate(ours)),
                       numpy.concatenate(truth))
    if len(domains) == 2:
        heavy, light = (list(domain.layout.framework.values()) for domain in domains)
        found['VL'] = rmsd(fit(ours[0][heavy], truth[0][heavy])(ours[1][light]), truth[1][light])
    return found


def row(modeller, domains, without=()):
    """A line of structure_loo.tsv, and the model."""
    made, seconds = model(modeller, domains, without)
    from outcome import results
    said = results(made)
    line = {'pdb': domains[0].pdb, 'kind': 'Fv' if len(domains) == 2 else 'VHH'}
    line |= {region: f'{value:.3f}' for region, value in measure(made, domains).items()}
    line |= {f'{entry["cdr"]} class': class_of(entry, domains) for entry in said['cdr_analysis']}
    line |= {'H3 length': domains[0].layout.length(3),
             'closed': ' '.join(entry['cdr'] for entry in said['cdr_analysis'] if not entry['template'])}
    line |= {kind: len(said['geometry'][kind]) for kind in GEOMETRY}
    line |= {'confidence': said['confidence_score'], 'seconds': f'{seconds:.2f}'}
    return line, made


def class_of(entry, domains):
    """Whether the canonical class is the crystal's: right, wrong, or empty where the crystal's loop has none."""
    domain = domains[entry['cdr'][0] == 'L']
    true = domain.classes[int(entry['cdr'][1])]
    return '' if not true else 'right' if entry['canonical_class'] == true else 'wrong'


__all__ = ['CDRS', 'EngineError', 'GEOMETRY', 'crystals', 'deviations', 'light_relatives', 'make_modeller', 'measure', 'model', 'row']
