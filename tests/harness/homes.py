"""Homes for runs: a short path, since that of a socket is bounded, where PostgreSQL's user can go."""
import os
import shutil
import tempfile
from pathlib import Path


def make_home() -> Path:
    folder = Path(tempfile.mkdtemp(prefix='pt-', dir='/tmp'))
    folder.chmod(0o755)
    return folder


def remove_home(home: Path) -> None:
    """With what a run had to put elsewhere. PARATOPE_KEEP=1 keeps it, to look into."""
    if os.environ.get('PARATOPE_KEEP'):
        return
    for name in ('postgres', 'sockets'):
        if (home / name).is_symlink():
            shutil.rmtree((home / name).resolve(), ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)
