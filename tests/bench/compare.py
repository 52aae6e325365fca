"""The same work through Fastify + BullMQ + PostgreSQL, through FastAPI + Celery + PostgreSQL, and here."""
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qs, urlsplit

import psycopg2

from harness.processes import wait_for
from harness.system import NOOP as PYTHON_NOOP
from harness.system import System
from programs import BUILD, HERE, NOOP, PROGRAMS, ask, free_port, running, wrk
from rounds import Figures, Median, interleave, part, ratio
from tables import Table
from tenants import first_tenant

VARIANT = '11111111-1111-4111-8111-111111111111'
BODY = '{"variant_id":"VARIANT","job_type":"humanization"}'
SECONDS = part(4)
COUNT = part(4_000)     # jobs from end to end, in a round
RATE, LONG = 200, part(5)
SOURCES = HERE / 'compare_with'


@dataclass
class Other:
    """A system that answers POST /v1/jobs as ours does, and has a table jobs."""
    url: str
    token: str
    variant: str
    database: str

    def query(self, statement: str) -> list[tuple]:
        connection = psycopg2.connect(self.database)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
        connection.close()
        return rows

    def wait_all_ended(self) -> None:
        def ended() -> bool:
            return not self.query('select exists (select from jobs where completed_at is null)')[0][0]
        assert wait_for(ended, 120, 0.05), 'jobs remain'


def door(other: Other) -> Figures:
    before = other.query('select count(*) from jobs')[0][0]
    said = wrk(other.url, 64, SECONDS, 'POST', '/v1/jobs', BODY, [(other.variant, other.token)])
    accepted = said['requests'] - said['status']
    other.wait_all_ended()
    made = other.query('select count(*) from jobs')[0][0] - before
    if not accepted <= made <= accepted + 64 or said['status']:
        raise RuntimeError(f'{accepted} answers with 202, {made} rows: {said}')
    return {'per_s': accepted / said['seconds']}


def drive(other: Other, connections: int, rate: int, count: int) -> dict:
    return ask('drive', other.url.removeprefix('http://'), other.token, other.variant, connections, rate, count)


def end_to_end(other: Other) -> Figures:
    began = time.monotonic()
    said = drive(other, 64, 0, COUNT)
    other.wait_all_ended()
    if said['accepted'] != COUNT:
        raise RuntimeError(f'not all were accepted: {said}')
    return {'per_s': COUNT / (time.monotonic() - began)}


def latency(other: Other) -> Figures:
    after = other.query('select now()')[0][0]
    drive(other, 32, RATE, RATE * LONG)
    other.wait_all_ended()
    rows = other.query(f"""
        select percentile_disc(array[0.5, 0.99]) within group (order by started_at - created_at),
               percentile_disc(array[0.5, 0.99]) within group (order by completed_at - created_at),
               percentile_disc(array[0.5, 0.99]) within group (order by pg_xact_commit_timestamp(xmin) - created_at)
        from jobs where created_at >= '{after}'""")
    (start, start99), (done, done99), (kept, kept99) = ([at.total_seconds() * 1000 for at in pair] for pair in rows[0])
    return {'start_p50': start, 'start_p99': start99, 'done_p50': done, 'done_p99': done99,
            'kept_p50': kept, 'kept_p99': kept99}


@contextmanager
def redis() -> Iterator[int]:
    """Debian's tools hold the server too: it goes by the name that it is called."""
    port = free_port()
    with running(['redis-check-rdb', '--port', str(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
                 argv0='redis-server', port=port):
        yield port


def install_node() -> str:
    folder = BUILD / 'node'
    folder.mkdir(parents=True, exist_ok=True)
    for name in ('api.mjs', 'worker.mjs', 'shared.mjs'):
        (folder / name).write_text((SOURCES / name).read_text())
    if not (folder / 'node_modules' / 'bullmq').exists():
        subprocess.run(['npm', 'install', '--no-audit', '--no-fund', '--silent', 'fastify', 'pg', 'bullmq', 'ioredis'],
                       cwd=folder, check=True, stdin=subprocess.DEVNULL)
    return str(folder)


def make_database(system: System, name: str) -> dict[str, str]:
    """Where the two find it."""
    place = parse_qs(urlsplit(system.env['DATABASE_URL']).query)
    with psycopg2.connect(host=place['host'][0], port=place['port'][0], user='postgres', dbname='postgres') as owner:
        owner.autocommit = True
    with owner.cursor() as cursor:
        cursor.execute(f'create database {name} owner paratope')
    owner.close()
    with psycopg2.connect(host=place['host'][0], port=place['port'][0], user='paratope', dbname=name) as connection, \
            connection.cursor() as cursor:
        cursor.execute((SOURCES / 'schema.sql').read_text())
        cursor.execute('insert into variants values (%s)', (VARIANT,))
    connection.close()
    return {'PG_HOST': place['host'][0], 'PG_PORT': place['port'][0], 'PG_NAME': name}


def keep_commit_times(system: System) -> None:
    """So that of each row the time of its last commit is known, whoever made it."""
    connection = psycopg2.connect(system.env['DATABASE_URL'].replace('user=paratope', 'user=postgres'))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute('alter system set track_commit_timestamp = on')
    connection.close()
    old = system.kill('postgres', signal.SIGINT)
    system.wait_restarted('postgres', old, 15)
    system.wait_database()
    system.wait_ready()


def start_bullmq(stack: ExitStack, system: System) -> Other:
    env = {**make_database(system, 'bullmq'), 'REDIS_PORT': str(stack.enter_context(redis())),
           'PORT': str(free_port()), 'CONCURRENCY': '16', 'NODE_ENV': 'production'}
    folder = install_node()
    stack.enter_context(running(['node', f'{folder}/api.mjs'], env=env, port=int(env['PORT'])))
    for _ in range(2):
        stack.enter_context(running(['node', f'{folder}/worker.mjs'], env=env))
    return other(env, env['PORT'])


def start_celery(stack: ExitStack, system: System) -> Other:
    env = {**make_database(system, 'celery'), 'REDIS_PORT': str(stack.enter_context(redis())),
           'PYTHONDONTWRITEBYTECODE': '1'}
    port = str(free_port())
    python = ['/usr/bin/python3', '-m']
    stack.enter_context(running([*python, 'uvicorn', 'celery_api:app', '--port', port, '--workers', '2',
                                 '--no-access-log'], env=env, cwd=SOURCES, port=int(port)))
    for number in range(2):
        stack.enter_context(running([*python, 'celery', '-A', 'celery_app', 'worker', '-c', '2', '-n', f'w{number}',
                                     '--without-mingle', '--without-gossip'], env=env, cwd=SOURCES))
    return other(env, port)


def other(env: dict[str, str], port: str) -> Other:
    return Other(f'http://127.0.0.1:{port}', 'none', VARIANT,
                 f"host={env['PG_HOST']} port={env['PG_PORT']} user=paratope dbname={env['PG_NAME']}")


def ours(system: System) -> Other:
    tenant = first_tenant(system)
    return Other(system.url, tenant.token, tenant.variant, system.env['DATABASE_URL'])


def run() -> list[Table]:
    with ExitStack() as stack:
        system = stack.enter_context(System(programs=PROGRAMS, pipelines={'humanization': NOOP}))
        in_python = stack.enter_context(System(programs=PROGRAMS, pipelines={'humanization': PYTHON_NOOP}))
        for one in (system, in_python):
            keep_commit_times(one)
        all_of_them = {'paratope': ours(system), 'python': ours(in_python), 'bullmq': start_bullmq(stack, system),
                       'celery': start_celery(stack, system)}
        for one in all_of_them.values():
            drive(one, 64, 0, 1000)
            one.wait_all_ended()
        seen = {measure.__name__: interleave({name: partial(measure, one) for name, one in all_of_them.items()})
                for measure in (door, end_to_end, latency)}
    return [compare_table(seen)]


def compare_table(seen: dict[str, dict[str, Median]]) -> Table:
    table = Table('compare: the same work', ['', 'Paratope', 'Paratope, Python no-op', 'Fastify + BullMQ',
                                             'FastAPI + Celery'])
    for measure, key, words in (('door', 'per_s', 'POST answered with 202, a second, 64 connections'),
                                ('end_to_end', 'per_s', f'{COUNT:,} jobs from POST to completed, a second'),
                                ('latency', 'start_p50', f'start p50, ms, {RATE} jobs/s'),
                                ('latency', 'start_p99', 'start p99, ms'),
                                ('latency', 'done_p50', 'done p50, ms'),
                                ('latency', 'done_p99', 'done p99, ms'),
                                ('latency', 'kept_p50', 'committed as completed p50, ms'),
                                ('latency', 'kept_p99', 'committed as completed p99, ms')):
        table.add(words, *(seen[measure][name][key] for name in ('paratope', 'python', 'bullmq', 'celery')))
    for measure, key, words, wanted in (('door', 'per_s', 'POST/s, × BullMQ', 10),
                                        ('end_to_end', 'per_s', 'completed/s, × BullMQ', 5)):
        table.check(words, ratio(seen[measure]['paratope'], seen[measure]['bullmq'], key), wanted)
    for key in ('start_p50', 'done_p50', 'kept_p50'):
        table.check(f'{key}, × BullMQ', ratio(seen['latency']['paratope'], seen['latency']['bullmq'], key), 0.5,
                    below=True)
    return table
