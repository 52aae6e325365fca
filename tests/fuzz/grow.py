#!/usr/bin/python3
"""grow.py [TARGET…]: makes the archives of corpus/ anew, from what is in them and what long runs have found: the
fewest and smallest inputs that together reach each edge that all of them reach."""
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import runs
import seeds


def grow(target: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        all_of_them, kept = Path(folder) / 'all', Path(folder) / 'kept'
        all_of_them.mkdir()
        kept.mkdir()
        seeds.write(target, all_of_them)
        runs.unpack(target, all_of_them)
        more = runs.BUILD / 'corpus' / target
        more.mkdir(parents=True, exist_ok=True)
        subprocess.run([runs.BUILD / 'bin' / f'fuzz_{target}', '-merge=1', '-use_counters=0', '-close_fd_mask=3',
                        '-detect_leaks=0', str(kept), str(all_of_them), str(more)], check=True, capture_output=True, cwd=folder)
        with zipfile.ZipFile(runs.HERE / 'corpus' / f'{target}.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(kept.iterdir()):
                archive.writestr(zipfile.ZipInfo(file.name), file.read_bytes(), zipfile.ZIP_DEFLATED)
        print(f'{target}: {len(list(kept.iterdir()))} inputs')


if __name__ == '__main__':
    for name in sys.argv[1:] or seeds.TARGETS:
        grow(name)
