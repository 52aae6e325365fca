"""The model as PDB and mmCIF: chains H and L, IMGT numbers, the expected error in the column of the B-factor."""
from dataclasses import dataclass

from residues import ATOMS, THREE
from regions import number


@dataclass
class Line:
    """An atom of the model, as both formats have it."""
    atom: str
    residue: str  # three letters
    chain: str
    number: int  # IMGT
    insertion: str  # '' for none
    place: tuple
    error: float  # A
    sequential: int  # of the residue in its domain, from 1


def lines_of(chain, target, residues, errors):
    """residues: of the engine's entity; errors: A, one for each."""
    lines = []
    for n, (position, residue, error) in enumerate(zip(target.positions, residues, errors)):
        for name in ATOMS[target.sequence[n]]:
            atom = residue.FindAtom(name)
            if atom.IsValid():
                lines.append(Line(name, THREE[target.sequence[n]], chain, number(position),
                                  position.lstrip('0123456789'), tuple(atom.pos.data), error, n + 1))
    return lines


def pdb(chains, remarks):
    """chains: a list of lines of each."""
    text = [f'REMARK   3 {remark}' for remark in remarks]
    serial = 0
    for lines in chains:
        for line in lines:
            serial += 1
            x, y, z = line.place
            name = f' {line.atom:<3}' if len(line.atom) < 4 else line.atom
            text.append(f'ATOM  {serial:5} {name} {line.residue} {line.chain}{line.number:4}{line.insertion or " "}   '
                        f'{x:8.3f}{y:8.3f}{z:8.3f}{1:6.2f}{line.error:6.2f}          {line.atom[0]:>2}')
        serial += 1
        text.append(f'TER   {serial:5}      {lines[-1].residue} {lines[-1].chain}{lines[-1].number:4}'
                    f'{lines[-1].insertion}'.rstrip())
    return '\n'.join(text + ['END', ''])


COLUMNS = ('group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_entity_id '
           'label_seq_id pdbx_PDB_ins_code Cartn_x Cartn_y Cartn_z occupancy B_iso_or_equiv auth_seq_id auth_asym_id '
           'pdbx_PDB_model_num').split()


def mmcif(chains, targets, remarks):
    names = [lines[0].chain for lines in chains]
    text = ['data_model', '#', '_entry.id model', '#', '_struct.entry_id model',
            f"_struct.title '{remarks[0]}'", '#']
    text += loop('entity', ('id', 'type', 'pdbx_description'),
                 [(n, 'polymer', f"'variable domain {name}'") for n, name in enumerate(names, 1)])
    text += loop('entity_poly', ('entity_id', 'type', 'pdbx_seq_one_letter_code'),
                 [(n, "'polypeptide(L)'", target.sequence) for n, target in enumerate(targets, 1)])
    text += loop('struct_asym', ('id', 'entity_id'), [(name, n) for n, name in enumerate(names, 1)])
    rows = []
    for entity, lines in enumerate(chains, 1):
        for line in lines:
            x, y, z = line.place
            rows.append(('ATOM', len(rows) + 1, line.atom[0], line.atom, '.', line.residue, line.chain, entity,
                         line.sequential, line.insertion or '?', f'{x:.3f}', f'{y:.3f}', f'{z:.3f}', '1.00',
                         f'{line.error:.2f}', line.number, line.chain, 1))
    return '\n'.join(text + loop('atom_site', COLUMNS, rows) + [''])


def loop(category, names, rows):
    return ['loop_', *(f'_{category}.{name}' for name in names), *(' '.join(map(str, row)) for row in rows), '#']
