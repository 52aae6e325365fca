"""`paratope-gateway admin`, as an operator types it."""
import os
import subprocess
from pathlib import Path

from harness.system import CHECKOUT


def run_admin(system, *arguments: str) -> subprocess.CompletedProcess[str]:
    programs = Path(os.environ.get('PARATOPE_TEST_PROGRAMS') or CHECKOUT / 'build' / 'bin')
    return subprocess.run(
        [str(programs / 'paratope-gateway'), 'admin', '--database', system.env['DATABASE_URL'], *arguments],
        capture_output=True, text=True, timeout=30)
