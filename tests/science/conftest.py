"""Fixtures of the science tests. docs/science.md is written from what they measured, when all of them ran."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from report import Report  # noqa: E402
from sources import PROGRAM  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def program():
    assert PROGRAM.exists(), f"{PROGRAM} is not built; PARATOPE_BUILD names another build folder"
    return PROGRAM


@pytest.fixture(scope="session")
def report():
    """Filled by the tests: report["numbering"] = Markdown."""
    collected = Report()
    yield collected
    collected.write()
