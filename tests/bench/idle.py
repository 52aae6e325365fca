"""What an idle system does in a minute: statements, context switches and processor time."""
import time
from pathlib import Path

import psycopg2

from harness.system import System
from programs import PROGRAMS
from rounds import part
from tables import Table

SECONDS = part(60)
SETTLE = part(5)


def switches(pid: int) -> tuple[int, int, float]:
    """Voluntary and other switches of all its threads, and seconds of processor time."""
    voluntary = other = ticks = 0
    for task in Path(f'/proc/{pid}/task').iterdir():
        fields = dict(line.split(':', 1) for line in (task / 'status').read_text().splitlines())
        voluntary += int(fields['voluntary_ctxt_switches'])
        other += int(fields['nonvoluntary_ctxt_switches'])
        numbers = (task / 'stat').read_text().rsplit(')', 1)[1].split()
        ticks += int(numbers[11]) + int(numbers[12])
    return voluntary, other, ticks / 100


def by_thread(pid: int) -> dict[str, int]:
    """Name and number of a thread → voluntary switches."""
    found = {}
    for task in Path(f'/proc/{pid}/task').iterdir():
        fields = dict(line.split(':', 1) for line in (task / 'status').read_text().splitlines())
        found[f"{fields['Name'].strip()} {task.name}"] = int(fields['voluntary_ctxt_switches'])
    return found


class Log:
    """PostgreSQL writes every statement down meanwhile, so that each can be told."""

    def __init__(self, system: System) -> None:
        self.path = system.home / 'log' / 'postgres.log'
        self.connection = psycopg2.connect(system.env['DATABASE_URL'].replace('user=paratope', 'user=postgres'))
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.cursor.execute("alter system set log_statement = 'all'")
        self.cursor.execute('select pg_reload_conf()')
        time.sleep(1)
        self.begin = self.path.stat().st_size

    def end(self) -> dict[str, int]:
        with open(self.path, errors='replace') as log:
            log.seek(self.begin)
            text = log.read()
        self.cursor.execute('alter system reset log_statement')
        self.cursor.execute('select pg_reload_conf()')
        self.connection.close()
        counts: dict[str, int] = {}
        for line in text.splitlines():
            if 'LOG:  execute' in line or 'LOG:  statement' in line:
                statement = ' '.join(line.split('LOG:  ', 1)[1].split())[:70]
                counts[statement] = counts.get(statement, 0) + 1
        return counts


def run() -> list[Table]:
    with System(programs=PROGRAMS) as system:
        time.sleep(SETTLE)
        log = Log(system)
        names = system.names()
        before = {name: switches(system.pid(name)) for name in names}
        threads = by_thread(system.pid('gateway-1'))
        time.sleep(SECONDS)
        after = {name: switches(system.pid(name)) for name in names}
        woken = {name: count - threads.get(name, 0) for name, count in by_thread(system.pid('gateway-1')).items()}
        statements = log.end()
    table = Table('idle: a minute of nothing to do',
                  ['process', 'voluntary switches', 'other switches', 'processor time, s'])
    for name in names:
        voluntary, other, seconds = (b - a for a, b in zip(before[name], after[name]))
        table.add(name, f'{voluntary:,}', f'{other:,}', f'{seconds:.2f}')
    table.notes.append('threads of the gateway that switch: ' + ', '.join(
        f'{name.rsplit(" ", 1)[0]} {count}' for name, count in sorted(woken.items(), key=lambda item: -item[1])
        if count > 5))
    queries = Table('idle: statements in that minute', ['statement', 'times'])
    for statement, count in sorted(statements.items(), key=lambda item: -item[1]):
        queries.add(f'`{statement}`', f'{count:,}')
    return [table, queries]
