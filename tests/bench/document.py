"""The made part of docs/benchmarks.md: a section between two markers for each benchmark."""
import datetime
import os
import platform
import re
import subprocess
from pathlib import Path

from programs import CHECKOUT
from rounds import ROUNDS
from tables import Table

PAGE = CHECKOUT / 'docs' / 'benchmarks.md'


def write(to: Path, name: str, tables: list[Table], quiet: str) -> None:
    made = '\n'.join(table.markdown() for table in tables)
    text = f'{made}\n`scripts/bench {name}`, {datetime.date.today()}, commit {commit()}, rounds: {ROUNDS}; {quiet}.\n'
    page = to.read_text()
    for part, content in ((name, text), ('machine', machine())):
        page, count = re.subn(rf'(<!-- {part}: made by scripts/bench -->\n).*?(<!-- end -->)',
                              lambda found: found[1] + content + found[2], page, flags=re.DOTALL)
        if count != 1:
            raise SystemExit(f'scripts/bench: {to} has no place for {part}')
    to.write_text(page)


def commit() -> str:
    return said('git', 'rev-parse', '--short', 'HEAD')


def said(*command: str) -> str:
    done = subprocess.run(command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.stdout.strip()


def machine() -> str:
    info = Path('/proc/cpuinfo').read_text()
    model = re.search(r'model name\s*: (.*)', info)
    memory = int(re.search(r'MemTotal:\s*(\d+)', Path('/proc/meminfo').read_text())[1]) / 2**20
    versions = dict(re.findall(r'^(\S+) (\S+)$', said(
        'dpkg-query', '-W', '-f', '${Package} ${Version}\\n', 'postgresql-15', 'libzmq5', 'libczmq4', 'libcivetweb1',
        'wrk', 'hmmer', 'redis-tools', 'nodejs', 'python3-celery', 'python3-fastapi'), re.MULTILINE))
    return '\n'.join([
        f"- {os.cpu_count()} cores ({model[1] if model else platform.machine()}), {memory:.0f} GiB, "
        f'Linux {platform.release()}; everything, the load too, runs on them, over loopback',
        f"- {', '.join(f'{name} {version}' for name, version in sorted(versions.items()))}",
    ]) + '\n'
