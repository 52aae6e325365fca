"""Packages and programs, before anything runs."""
import signal
from pathlib import Path

from errors import SetupError
from options import CHECKOUT
from processes import Program, start
from signals import Signals
from supervisor import end_now


def prepare(signals: Signals, tls: bool, structure: bool) -> Path:
    """Installs and builds what is missing; the folder of the programs."""
    wanted = [*(['--tls'] if tls else []), *(['--structure'] if structure else [])]
    run_in_foreground(signals, CHECKOUT / 'scripts' / 'install-deps', *wanted)
    run_in_foreground(signals, CHECKOUT / 'scripts' / 'build')
    return CHECKOUT / 'build' / 'bin'


def run_in_foreground(signals: Signals, script: Path, *arguments: str) -> None:
    """At the terminal, where sudo may ask for a password; the script tells by itself what fails."""
    process = start(Program(script.name, [str(script), *arguments], death_signal=signal.SIGTERM,
                            cwd=str(CHECKOUT), session=False))
    try:
        while process.poll() is None:
            signals.sleep(1)
            signals.check()
    finally:
        end_now(process)
    if process.returncode != 0:
        raise SetupError(f'{script.name} did not succeed, see above')
