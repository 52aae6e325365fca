"""Numbering beside HMMER's hmmscan, which ANARCI runs, with profiles built from the same germlines."""
import csv
import itertools
import subprocess
import tempfile
from pathlib import Path

from programs import CHECKOUT, PROGRAMS, processor_seconds
from rounds import Figures, interleave, part, ratio
from tables import Table

COPIES = {'paratope': part(10), 'hmmscan': 1}  # of every chain, so that neither is over at once
LINE = 128


def germlines() -> dict[tuple[str, str], dict[str, list[str]]]:
    """(species, chain) → segment → genes over the 128 IMGT positions."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    with open(CHECKOUT / 'worker' / 'data' / 'germlines.tsv', newline='') as file:
        for row in csv.DictReader(file, delimiter='\t'):
            found.setdefault((row['species'], row['chain']), {'V': [], 'J': []})[row['segment']].append(row['aligned'])
    return found


def joined(genes: dict[str, list[str]]) -> list[str]:
    """Each V with a J, in turn: what V leaves open is J's."""
    return [''.join(a if a != '-' else b for a, b in zip(v[:117], j)) + j[117:]
            for v, j in zip(genes['V'], itertools.cycle(genes['J']))]


def write_chains(folder: Path, copies: int) -> tuple[Path, int]:
    chains = [chain.replace('-', '') for genes in germlines().values() for chain in joined(genes)] * copies
    path = folder / f'chains{copies}.fa'
    path.write_text(''.join(f'>{i}\n{chain}\n' for i, chain in enumerate(chains)))
    return path, len(chains)


def write_profiles(folder: Path) -> Path:
    """As ANARCI makes them: one for each species and chain type, a column for each IMGT position."""
    alignment = folder / 'all.stockholm'
    with open(alignment, 'w') as file:
        for (species, chain), genes in sorted(germlines().items()):
            file.write(f'# STOCKHOLM 1.0\n#=GF ID {species}_{chain}\n')
            file.writelines(f'{i:<12}{row}\n' for i, row in enumerate(joined(genes)))
            file.write(f"{'#=GC RF':<12}{'x' * LINE}\n//\n")
    profiles = folder / 'all.hmm'
    for command in (['hmmbuild', '--hand', '--amino', profiles, alignment], ['hmmpress', profiles]):
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return profiles


def run() -> list[Table]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        profiles = write_profiles(folder)
        chains = {what: write_chains(folder, copies) for what, copies in COPIES.items()}

        def paratope() -> Figures:
            path, count = chains['paratope']
            return {'per_s': count / processor_seconds([PROGRAMS / 'paratope-pipeline', 'numbering', '--fasta', path])}

        def hmmscan() -> Figures:
            path, count = chains['hmmscan']
            return {'per_s': count / processor_seconds(['hmmscan', '--cpu', '0', '-o', folder / 'out', profiles, path])}
        seen = interleave({'paratope': paratope, 'hmmscan': hmmscan})
    table = Table('numbering: chains a second of processor time', ['what', 'a second', 'range'])
    for what, words in (('paratope', 'paratope-pipeline numbering: positions, germlines, species, JSON'),
                        ('hmmscan', 'hmmscan: the alignments only, six profiles')):
        table.add(words, seen[what]['per_s'], seen[what].range('per_s'))
    table.check('Paratope, chains a second', seen['paratope']['per_s'], 5000)
    table.notes.append(f"Paratope does {ratio(seen['paratope'], seen['hmmscan'], 'per_s'):.0f} × hmmscan's rate")
    return [table]
