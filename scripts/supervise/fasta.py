"""Antibodies from a FASTA file: `NAME VH` and `NAME VL` belong together, a lone record stands alone."""
from dataclasses import dataclass, field
from pathlib import Path

from errors import SetupError

AMINO_ACIDS = set('ACDEFGHIKLMNPQRSTVWY')
SCFV_LENGTH = 180  # a lone record as long as two domains and their linker


@dataclass
class Antibody:
    name: str
    chains: dict[str, str] = field(default_factory=dict)  # VH, VL or '' for a lone one → sequence

    def candidate(self) -> dict[str, object]:
        """What POST /v1/therapeutic-candidates takes."""
        if len(self.chains) == 2:
            return {'name': self.name, 'format': 'mab', 'chains': [
                {'kind': 'heavy', 'sequence': self.chains['VH']},
                {'kind': 'light', 'sequence': self.chains['VL']}]}
        sequence = next(iter(self.chains.values()))
        kind, form = ('scfv', 'scfv') if len(sequence) >= SCFV_LENGTH else ('vhh', 'nanobody')
        return {'name': self.name, 'format': form, 'chains': [{'kind': kind, 'sequence': sequence}]}


def read(path: Path) -> list[Antibody]:
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except OSError as error:
        raise SetupError(f'cannot read {path}: {error.strerror}') from None
    except UnicodeDecodeError:
        raise SetupError(f'{path} is no FASTA file: it is not text') from None

    def wrong(number: int, what: str) -> SetupError:
        return SetupError(f'{path}, line {number}: {what}')

    antibodies: dict[str, Antibody] = {}
    opened = 0  # line of the record's header
    chain = ''
    antibody = None
    for number, line in enumerate([*lines, '>'], 1):
        line = line.strip()
        if line.startswith('>'):
            if antibody and not antibody.chains[chain]:
                raise wrong(opened, f'{antibody.name} {chain} has no sequence')
            if number > len(lines):
                break
            words = line[1:].split()
            if not words:
                raise wrong(number, 'the record has no name')
            opened = number
            chain = words[1].upper() if len(words) > 1 and words[1].upper() in ('VH', 'VL') else ''
            antibody = antibodies.setdefault(words[0], Antibody(words[0]))
            if chain in antibody.chains or antibody.chains and '' in (chain, *antibody.chains):
                raise wrong(number, f'{words[0]} {chain}'.rstrip() + ' stands here a second time')
            antibody.chains[chain] = ''
        elif antibody is None and line:
            raise wrong(number, 'a FASTA file begins with a line ">NAME VH"')
        elif line:
            residues = ''.join(line.split()).upper().removesuffix('*')
            for residue in residues:
                if residue not in AMINO_ACIDS:
                    raise wrong(number, f'{residue!r} is none of the 20 amino acids')
            antibody.chains[chain] += residues
    if not antibodies:
        raise SetupError(f'{path} has no records')
    return list(antibodies.values())
