"""Programs that the tests are made and run with; each ends when this process does."""
import ctypes
import signal
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BUILD = CHECKOUT / 'build'
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def call(*command: str) -> int:
    """Runs it in the checkout, its output where ours goes; the exit status."""
    return subprocess.run(
        command, cwd=CHECKOUT, stdin=subprocess.DEVNULL,
        preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)).returncode


def build() -> bool:
    cache = BUILD / 'CMakeCache.txt'
    if cache.exists() and 'CMOCKA_FOUND:INTERNAL=1' not in cache.read_text():
        (BUILD / 'build.ninja').unlink(missing_ok=True)  # configured before cmocka was there
    return call('scripts/build') == 0
