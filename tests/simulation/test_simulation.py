"""The seeds of the normal run, and the deliberate faults that they must find."""
import os
import re
import subprocess
from pathlib import Path

import pytest

from mutants import CHECKOUT, MUTANTS

PROGRAMS = Path(os.environ.get('PARATOPE_TEST_PROGRAMS', CHECKOUT / 'build' / 'bin'))
SEEDS = 3000
SEEDS_OF_A_MUTANT = 20000  # one that lives longer fails


def simulate(program: Path, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run([program, *options], capture_output=True, text=True)


@pytest.fixture(scope='session')
def mutants() -> Path:
    """The folder of their programs, built now: nobody else needs them."""
    build = PROGRAMS.parent
    subprocess.run(['flock', build / '.lock', 'ninja', '-C', build, 'simulation-mutants'], check=True,
                   stdout=subprocess.DEVNULL)
    return build / 'mutants'


@pytest.mark.timeout(600)
def test_no_promise_is_broken_and_everything_is_reached(say):
    run = simulate(PROGRAMS / 'paratope-simulation', '--seeds', str(SEEDS), '--whole')
    say(run.stdout)
    assert run.returncode == 0, run.stdout


def test_seed_replays():
    options = '--seed', '7', '--trace'
    first, second = (simulate(PROGRAMS / 'paratope-simulation', *options).stdout for _ in range(2))
    steps = [text.splitlines()[:-1] for text in (first, second)]  # the last line says how fast it was
    assert len(steps[0]) > 500 and steps[0] == steps[1]


@pytest.mark.timeout(600)
@pytest.mark.parametrize('name', MUTANTS)
def test_mutant_is_caught(name, mutants, say):
    run = simulate(mutants / f'simulation-{name}', '--seeds', str(SEEDS_OF_A_MUTANT), '--quiet')
    caught = re.search(r'^seed (\d+) FAILED: (.*)$|^seed (\d+): (signal \d+)', run.stdout, re.MULTILINE)
    assert run.returncode == 1 and caught, f'{MUTANTS[name].what}: {run.stdout[-2000:]}'
    seed, why = caught[1] or caught[3], caught[2] or caught[4]
    original = simulate(PROGRAMS / 'paratope-simulation', '--seed', seed, '--quiet')
    assert original.returncode == 0, f'seed {seed} fails without the fault too: {original.stdout[-2000:]}'
    say(f'{name} ({MUTANTS[name].what}): caught after {seed} seeds: {why}')
