"""Small files and messages."""
import os
import sys
from pathlib import Path


def replace_file(path: Path, text: str, mode: int = 0o644) -> None:
    """By rename, so that a reader sees the old text or the new one."""
    draft = path.with_name(f'.{path.name}.new')
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), 'w') as file:
        file.write(text)
    os.replace(draft, path)


def last_line(log: Path | None) -> str:
    """The last thing that a process said, to tell why it died."""
    if log is None or not log.exists():
        return ''
    with open(log, 'rb') as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = file.read().decode(errors='replace').strip().splitlines()
    return lines[-1][-300:] if lines else ''


def say(text: str) -> None:
    try:
        print(f'scripts/run: {text}', file=sys.stderr, flush=True)
    except OSError:
        pass  # nobody reads it any more; what runs goes on
