"""How many tests passed and failed, read from what the tools wrote."""
import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)

    def __add__(self, other: 'Counts') -> 'Counts':
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped,
                      self.failures + other.failures)

    def __str__(self) -> str:
        skipped = f', {self.skipped} skipped' if self.skipped else ''
        return f'{self.passed} passed, {self.failed} failed{skipped}'

    def fail(self, what: str) -> None:
        self.failed += 1
        self.failures.append(what)


def from_pytest(kind: str, report: Path, status: int) -> Counts:
    counts = Counts()
    for case in cases(report):
        name = f"{kind}: {case.get('classname', '').replace('.', '/')}::{case.get('name')}"
        if case.find('failure') is not None or case.find('error') is not None:
            counts.fail(name)
        elif case.find('skipped') is not None:
            counts.skipped += 1
        else:
            counts.passed += 1
    if status and not counts.failed:
        counts.fail(f'{kind}: pytest ended with status {status}')
    return counts


def from_ctest(kind: str, report: Path, status: int) -> Counts:
    """A program of cmocka's counts as the tests that it says it ran."""
    counts = Counts()
    for case in cases(report):
        said = case.findtext('system-out') or ''
        passed = sum(int(n) for n in re.findall(r'\[  PASSED  \] (\d+) test', said))
        failed = re.findall(r'^\[  FAILED  \] (?!\d+ test)(?:.*: )?(\w+)$', said, re.MULTILINE)
        if case.find('skipped') is not None or case.get('status') == 'disabled':
            counts.skipped += 1
        elif case.find('failure') is not None or case.get('status') == 'fail':
            counts.passed += passed
            for name in dict.fromkeys(failed) or ['']:
                counts.fail(f"{kind}: {case.get('name')} {name}".rstrip())
        else:
            counts.passed += passed or 1
    if status and not counts.failed:
        counts.fail(f'{kind}: ctest ended with status {status}')
    return counts


def cases(report: Path) -> list[ElementTree.Element]:
    try:
        return list(ElementTree.parse(report).iter('testcase'))
    except (FileNotFoundError, ElementTree.ParseError):
        return []
