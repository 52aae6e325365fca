"""The folder that holds all that a run writes, and that only one run uses at a time."""
import fcntl
import os
from pathlib import Path

from errors import SetupError
from files import replace_file


class Home:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / 'log'
        self.pids = path / 'pids'
        self.state = path / 'state'
        self.spool = path / 'spool'
        self.env = path / 'env'
        try:
            for folder in (path, self.log, self.pids, self.spool):
                folder.mkdir(parents=True, exist_ok=True)
            self.state.mkdir(mode=0o700, exist_ok=True)
            self.state.chmod(0o700)
            self._lock()
            self._tidy()
        except OSError as error:
            raise SetupError(f'cannot use {path}: {error.strerror} ({error.filename}); '
                             'choose another --home DIR') from None

    def _lock(self) -> None:
        self.lock = open(self.state / 'lock', 'a+')  # closed, and so given up, when this process ends
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.lock.seek(0)
            raise SetupError(f'{self.path} is used by another run (pid {self.lock.read().strip()}): '
                             'end that one, or choose another --home DIR') from None
        self.lock.truncate(0)
        self.lock.write(f'{os.getpid()}\n')
        self.lock.flush()

    def _tidy(self) -> None:
        """What a run that was killed left behind; the last run's logs are kept as NAME.log.1."""
        self.env.unlink(missing_ok=True)
        for file in self.pids.iterdir():
            file.unlink()
        for file in self.log.glob('*.log'):
            file.rename(file.with_name(f'{file.name}.1'))

    def log_of(self, name: str) -> Path:
        return self.log / f'{name}.log'

    def write_env(self, values: dict[str, str]) -> None:
        """Only its owner reads it: there is a token in it."""
        for name, value in values.items():
            assert "'" not in value, name
        replace_file(self.env, ''.join(f"export {name}='{value}'\n" for name, value in values.items()), 0o600)

    def remove_env(self) -> None:
        self.env.unlink(missing_ok=True)
