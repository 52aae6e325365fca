"""Resident memory of each process: after start, after 100,000 jobs, with 1,000,000 waiting."""
import time
from pathlib import Path

import jobs
from harness.system import System
from programs import NOOP, PROGRAMS, ask
from rounds import part
from tables import Table
from tenants import first_tenant

DONE = part(100_000)
WAITING = part(1_000_000)
ROLES = ('gateway-1', 'broker-1', 'worker-1', 'postgres')


def resident(system: System, name: str) -> float:
    """MiB, without what it shares (PostgreSQL: of all its processes, which share their buffers)."""
    own = system.pid(name)
    total = 0
    for folder in Path('/proc').iterdir():
        if folder.name.isdecimal() and (int(folder.name) == own or name == 'postgres' and parent(folder) == own):
            try:
                lines = (folder / 'smaps_rollup').read_text().splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in lines if line.startswith('Private_'))
    return total / 1024


def parent(folder: Path) -> int:
    try:
        return int((folder / 'stat').read_text().rsplit(')', 1)[1].split()[1])
    except OSError:
        return 0


def look(system: System) -> list[float]:
    time.sleep(2)
    return [resident(system, name) for name in ROLES]


def run() -> list[Table]:
    with System(programs=PROGRAMS, pipelines={'humanization': NOOP}) as system:
        tenant = first_tenant(system)
        columns = [look(system)]
        for _ in range(DONE // jobs.COUNT):
            jobs.throughput(system, tenant)
        columns.append(look(system))
    with System(programs=PROGRAMS, workers=0) as system:
        tenant = first_tenant(system)
        ask('sql_alone', 'wait', system.env['DATABASE_URL'], tenant.org, tenant.variant, 1000, WAITING)
        system.submit(tenant.variant)  # the sweep looks
        waiting = look(system) if 'worker-1' in system.names() else \
            [resident(system, name) if name != 'worker-1' else float('nan') for name in ROLES]
        columns.append(waiting)
    table = Table('memory: private, MiB',
                  ['process', 'after start', f'after {DONE:,} jobs', f'{WAITING:,} waiting'])
    for row, name in enumerate(ROLES):
        table.add(name, *('–' if column[row] != column[row] else f'{column[row]:.1f}' for column in columns))
    return [table]
