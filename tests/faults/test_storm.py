"""A short storm of each test run; by command for as long as one likes: tests/faults/storm --seed N --seconds S."""
import subprocess
import sys
from pathlib import Path

import pytest

STORM = Path(__file__).parent / 'storm'


@pytest.mark.timeout(540)
def test_every_promise_is_kept_in_a_storm():
    done = subprocess.run([sys.executable, '-B', STORM, '--seed', '3', '--seconds', '25'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=500)
    print(done.stdout)
    assert done.returncode == 0, done.stdout
