"""scripts/test: runs the kinds of tests one after the other and adds up what came out."""
import argparse
import os
import sys
import tempfile
from pathlib import Path

from counts import Counts
from kinds import NO_KINDS, TESTS, run_kind
from tools import build


def main() -> int:
    kinds = sorted((path.name for path in TESTS.iterdir()
                    if path.is_dir() and path.name not in NO_KINDS and not path.name.startswith(('.', '_'))),
                   key=lambda name: (name != 'unit', name))
    parser = argparse.ArgumentParser(prog='scripts/test', description='Runs the tests.')
    parser.add_argument('kinds', metavar='KIND', nargs='*', help=f"a folder of tests/: {', '.join(kinds)}")
    parser.add_argument('--minutes', type=float, help='how long fuzz goes on')
    arguments = parser.parse_args()
    wanted = arguments.kinds or kinds
    if arguments.minutes:
        os.environ['PARATOPE_FUZZ_MINUTES'] = str(arguments.minutes)
    for kind in wanted:
        if kind not in kinds:
            parser.error(f"no kind {kind!r} in {TESTS}; there are {', '.join(kinds)}")

    total = Counts()
    if not build():
        total.fail('the build')
        wanted = []
    for kind in wanted:
        print(f'== {kind}', flush=True)
        with tempfile.TemporaryDirectory(prefix='paratope-test-') as folder:
            total += run_kind(kind, Path(folder))
    for failure in total.failures:
        print(f'failed: {failure}')
    print(total, flush=True)
    return 0 if total.passed and not total.failed else 1


if __name__ == '__main__':
    sys.exit(main())
