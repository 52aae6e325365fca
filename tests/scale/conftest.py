import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'faults')]  # promises.py is there

from harness import NOOP  # noqa: E402
from harness.processes import die_with_parent  # noqa: E402
from harness.system import CHECKOUT  # noqa: E402


@pytest.fixture
def worker():
    """with worker(system, slots=4): one that comes later than the system, and goes."""
    @contextmanager
    def run(system, slots: int = 4):
        programs = Path(os.environ.get('PARATOPE_TEST_PROGRAMS') or CHECKOUT / 'build' / 'bin')
        process = subprocess.Popen(
            [programs / 'paratope-worker', '--brokers', system.env['PARATOPE_BROKER_WORKERS'],
             '--events-in', system.env['PARATOPE_EVENTS_IN'], '--name', 'late', '--slots', f'humanization={slots}',
             '--pipeline', f'humanization={NOOP}'], stderr=subprocess.DEVNULL, preexec_fn=die_with_parent(9))
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)
    return run
