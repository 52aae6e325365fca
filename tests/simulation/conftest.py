"""What the tests found out is printed at the end, also when they pass."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

SAID = []


@pytest.fixture
def say():
    return SAID.append


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line('\n'.join(SAID))
