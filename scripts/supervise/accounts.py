"""The system user who runs PostgreSQL, because PostgreSQL refuses root."""
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from errors import SetupError


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def runner_name() -> str:
    """Whoever runs this, as PostgreSQL's peer authentication will name them."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise SetupError(f'user id {os.geteuid()} has no name in /etc/passwd, and PostgreSQL wants one: '
                         'run as a named user') from None


def database_account() -> Account | None:
    """None: this user, who is not root, is good enough."""
    if os.geteuid() != 0:
        return None
    for name in ('postgres', 'nobody'):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid, tuple(os.getgrouplist(name, entry.pw_gid)))
    raise SetupError('neither user postgres nor nobody exists to run PostgreSQL: adduser --system postgres')


def can_enter(account: Account | None, folder: Path) -> bool:
    """Whether that user can get into the folder; asked of the kernel, as that user."""
    if account is None:
        return os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    return subprocess.run(
        ['/usr/bin/test', '-x', str(folder)], user=account.uid, group=account.gid,
        extra_groups=account.groups, cwd='/', stdin=subprocess.DEVNULL).returncode == 0
