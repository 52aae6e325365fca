"""Fixtures of all tests that run the system."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import GENERIC, System, make_home, remove_home  # noqa: E402


@pytest.fixture(scope='session')
def system():
    """One running system for all tests that only use it; humanization is tests/pipelines/generic."""
    with System(pipelines={'humanization': GENERIC}) as running:
        yield running


@pytest.fixture
def new_system():
    """new_system(workers=1, …) starts one for this test alone, to be broken; see harness.System."""
    started = []

    def start(**options):
        options.setdefault('pipelines', {'humanization': GENERIC})
        started.append(System(**options))
        return started[-1].start()

    yield start
    for running in reversed(started):
        running.stop()


@pytest.fixture
def home():
    """A folder for `scripts/run --home`, removed afterwards."""
    folder = make_home()
    yield folder
    remove_home(folder)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the processes said."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for running in System.running:
            report.sections += running.log_tails()
