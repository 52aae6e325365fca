"""Certificates for all processes of a run (CURVE), made anew by paratope-keys at each start."""
import shutil
from pathlib import Path

from processes import Program
from supervisor import Supervisor

SUBSCRIBER = 'subscriber'  # may follow everything; what DIR/env names as PARATOPE_KEYS


class Keys:
    def __init__(self, supervisor: Supervisor, program: str, folder: Path) -> None:
        self.supervisor = supervisor
        self.program = program
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        self._call('init', str(folder))
        self.add(SUBSCRIBER, SUBSCRIBER, '--org=*')

    def add(self, name: str, role: str, *more: str) -> None:
        self._call('add', str(self.folder), name, f'--role={role}', *more)

    def of(self, name: str) -> Path:
        """The folder that this process is given with --keys."""
        return self.folder / 'machines' / name

    def _call(self, *arguments: str) -> None:
        self.supervisor.call(Program('keys', [self.program, *arguments]), 'making certificates')
