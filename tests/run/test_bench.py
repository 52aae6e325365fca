"""scripts/bench: each benchmark runs, shortly, and makes the tables of docs/benchmarks.md."""
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from harness.processes import die_with_parent
from harness.system import CHECKOUT

PAGE = CHECKOUT / 'docs' / 'benchmarks.md'
NAMES = ('submit', 'read', 'jobs', 'batch', 'broker', 'numbering')  # the others take long, or Node.js
TOOLS = {'wrk': 'wrk', 'hmmscan': 'hmmer'}  # of whom scripts/bench needs for these; scripts/test installs them
NUMBER = r'\d[\d,]*(?:\.\d+)?'

pytestmark = pytest.mark.skipif(not all(map(shutil.which, TOOLS)),
                                reason=f"needs Debian's {' and '.join(TOOLS.values())}: scripts/install-deps --test")


def call(*command: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment},
                          preexec_fn=die_with_parent(signal.SIGTERM))


def bench(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """What scripts/bench calls once all is installed."""
    return call('/usr/bin/python3', '-B', 'tests/bench', *arguments, **environment)


@pytest.fixture(scope='module')
def build(tmp_path_factory) -> Path:
    """In a fifth of the time of an optimised one: how fast it is does not matter here."""
    folder = tmp_path_factory.mktemp('bench')
    done = call('cmake', '-S', '.', '-B', folder, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Debug', '-DCMAKE_C_FLAGS=-g0',
                '-DPARATOPE_BENCH=ON')
    assert done.returncode == 0, done.stdout
    yield folder
    shutil.rmtree(folder)


def tables(page: str, name: str) -> dict[str, dict[str, list[str]]]:
    """Title → row → its cells. Titles and rows say how much was measured: their numbers are left out."""
    (made,) = re.findall(rf'<!-- {name}: made by scripts/bench -->\n(.*?)<!-- end -->', page, re.DOTALL)
    return {without_numbers(title): {without_numbers(first): cells for first, *cells in rows(lines)}
            for title, lines in re.findall(r'^### (.*)\n\n((?:\|.*\n)+)', made, re.MULTILINE)}


def rows(lines: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip('|').split(' | ')] for line in lines.splitlines()
            if not line.startswith('| :---')]


def without_numbers(text: str) -> str:
    return re.sub(NUMBER, '#', text)


@pytest.mark.timeout(600)
def test_every_benchmark_makes_the_tables_of_the_page(build, tmp_path):
    copy = tmp_path / PAGE.name
    shutil.copy(PAGE, copy)
    done = bench('--write', '--page', copy, *NAMES, PARATOPE_BENCH_BUILD=str(build), PARATOPE_BENCH_ROUNDS='1',
                 PARATOPE_BENCH_PART='0.02')
    assert done.returncode == 0, done.stdout[-5000:]
    for name in NAMES:
        wanted, made = tables(PAGE.read_text(), name), tables(copy.read_text(), name)
        assert made.keys() == wanted.keys(), name
        for title, lines in made.items():
            compare(title, lines, wanted[title])


def compare(title: str, made: dict[str, list[str]], wanted: dict[str, list[str]]) -> None:
    """All rows of the page are made, and whatever is made is figures, wherever the page has some."""
    assert not wanted.keys() - made.keys(), title
    heads = next(iter(wanted))
    assert made[heads] == wanted[heads], title
    for row, cells in made.items():
        if row != heads:
            assert len(cells) == len(wanted[heads]) and any(cells), (title, row, cells)
            assert row not in wanted or list(map(bool, cells)) == list(map(bool, wanted[row])), (title, row, cells)
            assert all(positive(cell) for cell in cells if cell), (title, row, cells)


def positive(cell: str) -> bool:
    """A figure, or a range of several: 13,840; 1.37 ×; 4,036 – 4,271."""
    figures = re.split(r' – |; ', cell.removesuffix(' ×'))
    return all(re.fullmatch(NUMBER, figure) and float(figure.replace(',', '')) > 0 for figure in figures)


def test_a_part_of_it_is_not_for_the_page():
    done = bench('--write', 'read', PARATOPE_BENCH_PART='0.02')
    assert done.returncode == 2 and 'not for the page' in done.stdout, done.stdout
