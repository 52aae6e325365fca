"""Numbers chains with the project's C core: `paratope-pipeline numbering`."""
import json
import subprocess


class NumberingError(Exception):
    """The program did not answer as it should."""


def number(program, sequences):
    """For each sequence what the core says: a list of its domains, or of one line with `error` and `code`. The
    sequences must have passed check_letters of molecule.py, so that they can stand in a FASTA file."""
    fasta = ''.join(f'>{n} chain\n{sequence}\n' for n, sequence in enumerate(sequences))
    try:
        done = subprocess.run([program, 'numbering', '--fasta', '-'], input=fasta.encode(), capture_output=True)
    except OSError as error:
        raise NumberingError(f'{program}: {error.strerror}') from None
    found = [[] for _ in sequences]
    try:
        for line in map(json.loads, done.stdout.splitlines()):
            found[int(line['name'])].append(line)
    except (ValueError, KeyError, IndexError):
        found = [[]]
    if not all(found):
        raise NumberingError(f'{program} numbering: {done.stderr.decode(errors="replace").strip()[-300:]}')
    return found
