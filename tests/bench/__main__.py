"""scripts/bench: measures, prints tables, and with --write puts them into docs/benchmarks.md."""
import argparse
import importlib
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/, for the harness
os.environ.pop('PARATOPE_TEST_PROGRAMS', None)

from document import PAGE, write  # noqa: E402
from programs import build  # noqa: E402
from rounds import PART, quiet  # noqa: E402

NAMES = ('submit', 'read', 'jobs', 'broker', 'idle', 'memory', 'compare', 'numbering', 'pipelines', 'batch')


def main() -> int:
    parser = argparse.ArgumentParser(
        prog='scripts/bench', description='Measures Paratope on this machine; 27 minutes for all of it.')
    parser.add_argument('names', metavar='NAME', nargs='*', help=f"one of {', '.join(NAMES)} (default: all)")
    parser.add_argument('--write', action='store_true', help='put the tables into docs/benchmarks.md')
    parser.add_argument('--page', metavar='FILE', type=Path, default=PAGE, help='with --write: into this copy of that page')
    given = parser.parse_args()
    for name in given.names:
        if name not in NAMES:
            parser.error(f"no benchmark {name!r}; there are {', '.join(NAMES)}")
    if given.write and given.page == PAGE and PART != 1:
        parser.error('PARATOPE_BENCH_PART is set: such figures are not for the page')
    build()
    for name in given.names or NAMES:
        began = time.monotonic()
        print(f'== {name}', flush=True)
        quiet.seen.clear()
        tables = importlib.import_module(name).run()
        print(*(table.text() for table in tables), sep='\n', flush=True)
        print(f'{name}: {time.monotonic() - began:.0f} s, {quiet}\n', flush=True)
        if given.write:
            write(given.page, name, tables, str(quiet))
    return 0


if __name__ == '__main__':
    sys.exit(main())
