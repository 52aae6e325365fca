"""What a job answers: results and files of a finished model."""
import output
from confidence import region_name
from geometry import CIS, FLAT, PROLINE, is_d, omega, problems
from regions import CDRS

SHOWN = 5  # templates named of each mean


class Model:
    """A finished model: each of its chains with what it was made from."""

    def __init__(self, assemblies, placed, entity, confidence, options):
        self.assemblies, self.placed, self.entity, self.options = assemblies, placed, entity, options
        self.names = ['L' if built.target.chain == 'L' else 'H' for built in assemblies]
        self.residues = [list(chain.residues) for chain in entity.chains]  # in the order of the assemblies
        self.sure = [[confidence.of(region_name(built.target.chain, built.target.layout.regions[n], r.spread), r.spread)
                      for n, r in enumerate(built.residues)] for built in assemblies]
        self.orientation_error = confidence.of('orientation', placed.spread)[0] if placed else None

    def label(self, chain, residue):
        """H107 of the entity's residue."""
        built = self.assemblies[chain]
        return self.names[chain] + built.target.positions[residue.number.num - 1]


def results(model):
    everywhere = [entry for chain in model.sure for entry in chain]
    return {
        'pdb': 'model.pdb', 'mmcif': 'model.cif', 'model_used': model.options['engine'],
        'confidence_score': rounded(mean([within for _, within in everywhere]), 3),
        'expected_error': rounded(mean([error for error, _ in everywhere]), 2),
        'numbering': {'scheme': 'imgt', 'chains': {
            name: {'modelled': [built.target.start + 1, built.target.start + len(built.target.sequence)],
                   'sequence': built.target.sequence} for name, built in zip(model.names, model.assemblies)}},
        'templates': templates(model),
        'cdr_analysis': [entry for name, built, sure in zip(model.names, model.assemblies, model.sure)
                         for entry in cdrs(name, built, sure)],
        'per_residue_confidence': [
            {'chain': name, 'position': residue.position, 'residue': residue.letter,
             'expected_error': rounded(error, 2), 'confidence': rounded(within, 3)} for name, built, sure in zip(model.names, model.assemblies, model.sure)
            for residue, (error, within) in zip(built.residues, sure)],
        'geometry': geometry(model)}


def templates(model):
    found = {name: {'framework_identity': rounded(built.framework.identity, 3),
                    'framework': named(built.framework.placed)}
             for name, built in zip(model.names, model.assemblies)}
    if model.placed:
        found['orientation'] = {'fv_identity': rounded(model.placed.templates[0][0], 3),
                                'pdb': [domain.pdb for _, domain in model.placed.templates[:SHOWN]],
                                'expected_error': rounded(model.orientation_error, 2)}
    return found


def named(placed):
    """The templates that weigh most."""
    heaviest = sorted(placed, key=lambda t: (-t.weight, t.domain.pdb))[:SHOWN]
    return [{'pdb': t.domain.pdb, 'chain': t.domain.chain, 'weight': rounded(t.weight, 3)} for t in heaviest]


def cdrs(name, built, sure):
    for cdr in CDRS:
        part = built.target.layout.cdrs[cdr]
        loop = built.loops.get(cdr)
        if part.start < part.stop:
            yield {'cdr': f'{name}{cdr}', 'length': part.stop - part.start, 'sequence': built.target.sequence[part],
                   'canonical_class': loop.placed[0].domain.classes[cdr] or None if loop else None,
                   'template': loop.placed[0].domain.pdb if loop else None,
                   'templates': named(loop.placed) if loop else [],
                   'method': 'templates' if loop else 'closed by the engine',
                   'confidence': rounded(mean([within for _, within in sure[part]]), 3),
                   'expected_error': rounded(mean([error for error, _ in sure[part]]), 2)}


def geometry(model):
    found = problems(model.entity)
    chains = {chain.name: n for n, chain in enumerate(model.entity.chains)}
    bonds = [(model.label(n, residue), residue.name, omega(residue)) for n, residues in enumerate(model.residues)
             for residue in residues if omega(residue) is not None]

    def place(atom):
        return f'{model.label(chains[atom.GetChainName()], Numbered(atom.GetResNum()))}.{atom.GetAtomName()}'

    return {
        'clashes': sorted(f'{place(a)} {place(b)}' for a, b in found.clashes),
        'bad_bonds': sorted(f'{place(a)} {place(b)}' for a, b in found.bonds),
        'bad_angles': sorted(f'{place(a)} {place(b)}' for a, b in found.angles),
        'cis_prolines': [label for label, name, angle in bonds if angle <= CIS and name == PROLINE],
        'cis_bonds': [label for label, name, angle in bonds if angle <= CIS and name != PROLINE],
        'twisted_bonds': [label for label, _, angle in bonds if CIS < angle < FLAT],
        'd_residues': [model.label(n, residue) for n, residues in enumerate(model.residues) for residue in residues
                       if is_d(residue)]}


class Numbered:
    """A residue of which only the number is known."""

    def __init__(self, number):
        self.number = number


def files(model, versions):
    errors = [[error for error, _ in sure] for sure in model.sure]
    chains = [output.lines_of(name, built.target, residues, error)
              for name, built, residues, error in zip(model.names, model.assemblies, model.residues, errors)]
    remarks = [f'Model by Paratope structure {versions["structure"]}, ProMod3 {versions["promod3"]}',
               'Numbers are IMGT. B-factors are expected errors in A.']
    targets = [built.target for built in model.assemblies]
    return {'model.pdb': {'media_type': 'chemical/x-pdb', 'content': output.pdb(chains, remarks)},
            'model.cif': {'media_type': 'chemical/x-mmcif', 'content': output.mmcif(chains, targets, remarks)}}


def mean(values):
    return sum(values) / len(values)


def rounded(value, digits):
    return round(float(value), digits)
