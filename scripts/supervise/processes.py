"""One process that dies with this one, in a session of its own, its output in a log."""
import ctypes
import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from accounts import Account
from errors import SetupError

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


@dataclass
class Program:
    """How a process is started: all that stays the same when it is started again."""
    name: str
    argv: list[str]
    log: Path | None = None  # where its output goes; None: where this process' own goes
    account: Account | None = None
    death_signal: int = signal.SIGKILL  # what it gets when this process dies
    cwd: str = '/'
    env: dict[str, str] = field(default_factory=dict)
    session: bool = True  # False: stays at the terminal, for sudo's password


def clean_environment(extra: dict[str, str]) -> dict[str, str]:
    """Without what would lead our programs to another database or configuration."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(('PG', 'PARATOPE_', 'DATABASE_URL'))}
    return kept | extra


def start(program: Program, stdout: IO[bytes] | None = None,
          stderr: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    """Only from the main thread: the death signal is the thread's, not the process'."""
    parent = os.getpid()

    def die_with_parent() -> None:  # runs after the change of user, which would clear it
        LIBC.prctl(PR_SET_PDEATHSIG, program.death_signal, 0, 0, 0)
        if os.getppid() != parent:  # it died before prctl
            os._exit(1)

    account = program.account
    log = open(program.log, 'ab') if program.log else None
    try:
        return subprocess.Popen(
            program.argv, stdin=subprocess.DEVNULL if program.session else None,
            stdout=stdout or log, stderr=stderr or log,
            cwd=program.cwd, env=clean_environment(program.env), start_new_session=program.session,
            user=account.uid if account else None, group=account.gid if account else None,
            extra_groups=account.groups if account else None, preexec_fn=die_with_parent)
    except FileNotFoundError:
        raise SetupError(f'{program.argv[0]} is missing: run scripts/build') from None
    except PermissionError:
        raise SetupError(f'{program.argv[0]} may not be executed: chmod +x it') from None
    finally:
        if log:
            log.close()


def how_it_ended(status: int) -> str:
    """A Popen return code in words."""
    if status >= 0:
        return f'ended with status {status}'
    try:
        return f'was killed by {signal.Signals(-status).name}'
    except ValueError:
        return f'was killed by signal {-status}'
