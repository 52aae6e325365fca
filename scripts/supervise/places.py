"""A folder private to the user who runs PostgreSQL: in the home, or elsewhere if that user
cannot go there or the path is of no use. Then the home has a link to it."""
import os
import re
import tempfile
from pathlib import Path

from accounts import Account, can_enter
from errors import SetupError


def private_folder(home: Path, name: str, account: Account | None, elsewhere: Path,
                   longest: int | None = None) -> Path:
    """Makes it, or finds the one made before. With `longest` (bytes) it holds sockets, and its
    path also has no character that PostgreSQL's list of such folders would trip over."""
    place = home / name
    owner = account.uid if account else os.geteuid()
    if place.is_symlink():
        there = Path(os.readlink(place))
        if is_private(there, owner):
            return there
        if there.exists():
            raise SetupError(f'{there} belongs to somebody else: remove the link {place} to begin anew')
        place.unlink()
    elif place.is_dir():
        os.chmod(place, 0o700)
        give(place, account)
        if fits(place, account, longest):
            return place
        if any(place.iterdir()):
            raise SetupError(f'{place} is of no use to user {account.name if account else os.geteuid()}, '
                             'who cannot go there: move it away, or use another --home DIR')
        place.rmdir()

    place.mkdir(mode=0o700)
    give(place, account)
    if fits(place, account, longest):
        return place
    place.rmdir()
    there = Path(tempfile.mkdtemp(prefix=f'paratope-{name}-', dir=elsewhere))
    give(there, account)
    place.symlink_to(there)
    return there


def remove_if_elsewhere(place: Path) -> None:
    """An empty folder that only this run needed."""
    if place.is_symlink():
        try:
            os.rmdir(os.readlink(place))
            place.unlink()
        except OSError:
            pass  # whoever still has something there keeps it


def fits(place: Path, account: Account | None, longest: int | None) -> bool:
    usable = longest is None or len(os.fsencode(place)) <= longest and re.fullmatch(r'[\w/.+-]+', str(place))
    return bool(usable) and can_enter(account, place)


def is_private(folder: Path, owner: int) -> bool:
    try:
        found = os.lstat(folder)
    except FileNotFoundError:
        return False
    return folder.is_dir() and not folder.is_symlink() and found.st_uid == owner \
        and found.st_mode & 0o077 == 0


def give(folder: Path, account: Account | None) -> None:
    if account:
        os.chown(folder, account.uid, account.gid)
