"""The programs, as an operator types them."""
import os
import subprocess
from pathlib import Path

from harness.system import CHECKOUT


def program(name: str) -> str:
    """Where the program stands that the system runs, too."""
    return str(Path(os.environ.get('PARATOPE_TEST_PROGRAMS') or CHECKOUT / 'build' / 'bin') / name)


def run_admin(system, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program('paratope-gateway'), 'admin', '--database', system.env['DATABASE_URL'], *arguments],
        capture_output=True, text=True, timeout=30)
