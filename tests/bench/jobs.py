"""Jobs from end to end: no-op pipelines, so that everything but the computing is measured."""
import threading
import time
from functools import partial

from harness.processes import wait_for
from harness.system import NOOP as PYTHON_NOOP
from harness.system import System
from programs import NOOP, PROGRAMS, ask
from rounds import Figures, Median, interleave, part, ratio
from tables import Table
from tenants import Tenant, add_tenants, first_tenant

COUNT = part(20_000)  # jobs of a round of throughput
RATE = 200            # jobs a second of a round of latencies
SECONDS = part(8)     # of such a round
BATCH = 200

OPEN = """select exists (select from jobs where due_at is not null)
              or exists (select from jobs where due_at is null and completed_at is null)"""


def throughput(system: System, tenant: Tenant, connections: int = 64) -> Figures:
    """From the first POST until the last is completed in the table."""
    before = count(system)
    began = time.monotonic()
    said = drive(system, tenant, connections, 0, COUNT)
    wait_all_ended(system, 120)
    seconds = time.monotonic() - began
    made = count(system) - before
    if made != COUNT or said['accepted'] != COUNT:
        raise RuntimeError(f'{said} but {made} jobs were completed')
    return {'per_s': COUNT / seconds, 'accepted_per_s': COUNT / said['seconds']}


def wait_all_ended(system: System, seconds: float) -> None:
    """Looks in the two indexes of what is open; a plan may think better of reading the whole table."""
    with system.db() as connection, connection.cursor() as cursor:
        cursor.execute('set enable_seqscan = off')

        def ended() -> bool:
            cursor.execute(OPEN)
            return not cursor.fetchone()[0]
        assert wait_for(ended, seconds, 0.02), 'jobs remain'
    connection.close()


def count(system: System) -> int:
    return system.query("select count(*) as n from jobs where status = 'completed'")[0]['n']


def drive(system: System, tenant: Tenant, connections: int, rate: float, jobs: int, *events: str) -> dict:
    said = ask('drive', system.url.removeprefix('http://'), tenant.token, tenant.variant, connections, rate, jobs,
               *events)
    if said['accepted'] != jobs:
        raise RuntimeError(f'not all were accepted: {said}')
    return said


def latency(system: System, tenant: Tenant, rate: float = RATE) -> Figures:
    """Open loop. started_at and completed_at are the agent's own clock readings, created_at the submitting
    transaction's start; heard: at a subscriber, after the commit that recorded it."""
    after = system.query('select now() as now')[0]['now']
    said = drive(system, tenant, 32, rate, int(rate * SECONDS), system.env['PARATOPE_EVENTS'])
    wait_all_ended(system, 60)
    times = system.query("""
        select count(*) as n, percentile_disc(array[0.5, 0.99]) within group (order by started_at - created_at) as s,
               percentile_disc(array[0.5, 0.99]) within group (order by completed_at - created_at) as d
        from jobs where created_at >= %s""", after)[0]
    assert times['n'] == int(rate * SECONDS)
    start, done = ([at.total_seconds() * 1000 for at in times[key]] for key in 'sd')
    heard = said.get('heard_completed') or {'p50_ms': float('nan'), 'p99_ms': float('nan'), 'count': 0}
    return {'post_p50': said['post']['p50_ms'], 'post_p99': said['post']['p99_ms'],
            'start_p50': start[0], 'start_p99': start[1], 'done_p50': done[0], 'done_p99': done[1],
            'heard_p50': heard['p50_ms'], 'heard_p99': heard['p99_ms'], 'heard': heard['count']}


def alone(system: System, tenants: list[Tenant]) -> Figures:
    """A connection for each tenant, at the same time."""
    said: list[dict] = []
    threads = [threading.Thread(target=lambda tenant=tenant: said.append(
        ask('sql_alone', 'life', system.env['DATABASE_URL'], tenant.org, tenant.variant, BATCH, part(4))))
        for tenant in tenants]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(said) != len(tenants):
        raise RuntimeError('sql_alone failed')
    return {'per_s': sum(one['jobs'] / one['seconds'] for one in said)}


def run() -> list[Table]:
    with System(programs=PROGRAMS, pipelines={'humanization': NOOP}) as in_c, \
            System(programs=PROGRAMS, pipelines={'humanization': PYTHON_NOOP}) as in_python, \
            System(programs=PROGRAMS, workers=0) as bare:
        tenant, other = first_tenant(in_c), first_tenant(in_python)
        owners = [first_tenant(bare), *add_tenants(bare, 1)]
        throughput(in_c, tenant)
        throughput(in_python, other)
        rates = interleave({'c': partial(throughput, in_c, tenant),
                            'python': partial(throughput, in_python, other),
                            'alone': partial(alone, bare, owners[:1]),
                            'alone2': partial(alone, bare, owners)})
        times = interleave({'c': partial(latency, in_c, tenant), 'python': partial(latency, in_python, other)})
    return [rate_table(rates), time_table(times)]


def rate_table(rates: dict[str, Median]) -> Table:
    table = Table('jobs: no-op jobs from POST to completed in the table, 2 workers with 2 slots each',
                  ['what', 'jobs a second', 'range', 'of PostgreSQL alone'])
    for key, name in (('c', f'Paratope, no-op pipeline in C, {COUNT:,} jobs from 64 connections'),
                      ('python', 'Paratope, no-op pipeline in Python (tests/pipelines/noop)'),
                      ('alone', f'PostgreSQL alone, the same statements in batches of {BATCH}, one connection'),
                      ('alone2', 'PostgreSQL alone, two connections and organisations')):
        table.add(name, rates[key]['per_s'], rates[key].range('per_s'),
                  f"{ratio(rates[key], rates['alone'], 'per_s'):.2f}")
    table.check('C no-op / PostgreSQL alone', ratio(rates['c'], rates['alone'], 'per_s'), 0.4)
    return table


def time_table(times: dict[str, Median]) -> Table:
    table = Table(f'jobs: latencies at {RATE} jobs a second, open loop', ['ms', 'p50', 'p99', 'p50, Python no-op'])
    for key, name in (('post', 'POST until its answer'),
                      ('start', 'created_at to started_at'),
                      ('done', 'created_at to completed_at'),
                      ('heard', 'created_at until a subscriber hears that it is completed')):
        table.add(name, times['c'][f'{key}_p50'], times['c'][f'{key}_p99'], times['python'][f'{key}_p50'])
    table.check('start p50 ms', times['c']['start_p50'], 1.2, below=True)
    table.check('done p50 ms', times['c']['done_p50'], 2, below=True)
    return table
