"""Which processes belong to a run: its home is in the environment of all that it started;
PostgreSQL writes over its own, but works in the data folder."""
import ctypes
import os
import time
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def die_with_parent(signum: int) -> Callable[[], object]:
    """For Popen's preexec_fn: a pytest that is killed leaves no system behind."""
    return lambda: LIBC.prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0)


def of_home(home: Path) -> dict[int, str]:
    """Process id → command line, without zombies."""
    mark = b'PARATOPE_HOME=' + os.fsencode(home)
    data = str((home / 'postgres').resolve() / 'data')
    found = {}
    for folder in Path('/proc').iterdir():
        if folder.name.isdecimal():
            try:
                if mark in (folder / 'environ').read_bytes().split(b'\0') or os.readlink(folder / 'cwd') == data:
                    found[int(folder.name)] = (folder / 'cmdline').read_bytes().replace(b'\0', b' ').decode()
            except OSError:
                continue  # ended meanwhile, or somebody else's
    return found


def family(pid: int) -> list[int]:
    """A process and those that it started."""
    try:
        return [pid, *map(int, Path(f'/proc/{pid}/task/{pid}/children').read_text().split())]
    except FileNotFoundError:
        return [pid]


def wait_gone(home: Path, seconds: float = 5.0) -> dict[int, str]:
    """What is left of a run after so many seconds: nothing, one hopes."""
    return wait_for(lambda: not of_home(home), seconds) and {} or of_home(home)


def wait_for(condition: Callable[[], object], seconds: float, step: float = 0.02) -> object:
    """The first true value of the condition, or its last value when time is up."""
    limit = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < limit:
        time.sleep(step)
    return value
