"""For people: antibodies of a FASTA file, one JSON object a line, as `paratope-pipeline COMMAND --fasta` has it."""
import json
import sys
from pathlib import Path

from molecule import CHAINS_MAX, Chain, EngineError, Refused
from numbering import NumberingError

LABELS = {'VH': 'heavy', 'VL': 'light', 'VHH': 'vhh', 'SCFV': 'scfv'}


def read(path):
    """[(name, chains)] in the file's order: `NAME VH` and `NAME VL` are one antibody, any other record stands alone."""
    antibodies, by_name = [], {}
    for name, label, sequence in records(path):
        chain = Chain(LABELS.get(label.upper(), ''), sequence)
        paired = chain.kind in ('heavy', 'light')
        if paired and name in by_name:
            by_name[name].append(chain)
            continue
        antibodies.append((name, [chain]))
        if paired:
            by_name[name] = antibodies[-1][1]
    return antibodies


def records(path):
    found = []
    with (sys.stdin if path == '-' else open(path, encoding='utf-8')) as file:
        for line in file:
            if line.startswith('>'):
                name, label, *_ = [*line[1:].split(), '', '']
                found.append([name, label, ''])
            elif found:
                found[-1][2] += ''.join(line.split()).upper()
            elif line.strip():
                raise ValueError('it is no FASTA file: the first line must begin with >')
    if not found:
        raise ValueError('it has no records')
    return found


def line_of(modeller, name, chains, given, folder, stem):
    try:
        if len(chains) > CHAINS_MAX:
            raise Refused('duplicate_chain', f'there are more than {CHAINS_MAX} records of this name')
        answer = modeller.compute(chains, None, True, given)
    except Refused as refused:
        return {'name': name, 'error': refused.message, 'code': refused.code}
    except EngineError as failed:
        return {'name': name, 'error': f'ProMod3: {failed}', 'code': 'engine_failed'}
    except NumberingError as failed:
        return {'name': name, 'error': str(failed), 'code': 'numbering_failed'}
    written = write(answer.files, stem, folder) if folder else {}
    return {'name': name, **answer.results, **written, 'model_versions': answer.versions}


def stems(names):
    """What the files of each are called: as the antibody, with a number behind it where another is called so too,
    also on a file system that does not tell capitals apart."""
    taken = set()
    for name in names:
        stem = first = ''.join(c if c.isalnum() or c in '._-' else '_' for c in name) or 'model'
        number = 1
        while stem.casefold() in taken:
            number += 1
            stem = f'{first}-{number}'
        taken.add(stem.casefold())
        yield stem


def write(files, stem, folder):
    """The files; their names as the results have them."""
    names = {'pdb': f'{stem}.pdb', 'mmcif': f'{stem}.cif'}
    for called, model in zip(names.values(), ('model.pdb', 'model.cif')):
        (folder / called).write_text(files[model]['content'])
    return names


def run(make_modeller, path, folder, given):
    """The exit status: 1 if any failed, 2 if the file cannot be read."""
    try:
        antibodies = read(path)
        folder = Path(folder) if folder else None
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        print(f'paratope-structure: {path}: {error}', file=sys.stderr)
        return 2
    modeller = make_modeller(lambda words, fraction: None)
    failed = False
    for (name, chains), stem in zip(antibodies, stems(name for name, _ in antibodies)):
        line = line_of(modeller, name, chains, given, folder, stem)
        failed = failed or 'error' in line
        print(json.dumps(line), flush=True)
    return int(failed)
