"""A kind of tests is a folder of tests/: `unit` is C and CTest's, the others are pytest's."""
from pathlib import Path

from counts import Counts, from_ctest, from_pytest
from tools import BUILD, CHECKOUT, call

TESTS = CHECKOUT / 'tests'
NO_KINDS = ('harness', 'pipelines', 'bench', 'fixtures', 'data')
SECONDS = 120  # for one test; a longer one says so itself (@pytest.mark.timeout)


def run_kind(kind: str, results: Path) -> Counts:
    report = results / f'{kind}.xml'
    if kind == 'unit':
        status = call('ctest', '--test-dir', str(BUILD), '--output-on-failure', '--timeout', str(SECONDS),
                      '--test-output-size-passed', '1000000', '--no-tests=ignore', '--output-junit', str(report))
        return from_ctest(kind, report, status)
    if not any((TESTS / kind).rglob('test_*.py')):
        print('no tests here')
        return Counts()
    status = call('/usr/bin/python3', '-B', '-m', 'pytest', f'tests/{kind}', '--rootdir', 'tests', '-q',
                  '--tb=short', '-rfE', '-p', 'no:cacheprovider', '--timeout', str(SECONDS),
                  '-o', 'junit_family=xunit2', '--junit-xml', str(report))
    return from_pytest(kind, report, status)
