"""A backlog costs nothing but room in the table: not memory, not the rate at which jobs are handed out."""
import time

import pytest
from promises import check
from tables import FULL

from harness.processes import wait_for
from harness.system import programs

pytestmark = pytest.mark.timeout(900)
WAITING = 1_000_000 if FULL else 50_000
SAMPLE = 2_000  # jobs that a rate is measured over
SUBMIT = """
select count(*) from submit_jobs(
    (select array_agg(gen_random_uuid()) from generate_series(1, %(count)s)),
    array_fill((select org_id from variants where id = %(variant)s), array[%(count)s]),
    array_fill(%(variant)s::uuid, array[%(count)s]), array_fill('humanization'::text, array[%(count)s]),
    array_fill(false, array[%(count)s]), array_fill(1::smallint, array[%(count)s]),
    array_fill(null::text, array[%(count)s]), array_fill(null::uuid, array[%(count)s]),
    array_fill(null::text, array[%(count)s]), array_fill(null::uuid, array[%(count)s]))
"""


def make_waiting(system, total: int) -> None:
    """As the committer does it, in its largest batches, but for the HTTP before."""
    connection = system.db()
    with connection.cursor() as cursor:
        for _ in range(total // 1000):
            cursor.execute(SUBMIT, {'count': 1000, 'variant': system.variant})
            assert cursor.fetchone()[0] == 1000
    connection.close()
    system.submit()  # tells the sweep that something waits


def resident(system, name: str) -> float:
    """MiB"""
    with open(f'/proc/{system.pid(name)}/status') as status:
        return int(next(line for line in status if line.startswith('VmRSS')).split()[1]) / 1024


def completed(system) -> int:
    return system.query('select count(*) from results')[0]['count']


def rate(system, worker) -> float:
    """Jobs that complete in a second, once the worker has its first."""
    with worker(system):
        before = completed(system)
        assert wait_for(lambda: completed(system) > before, 60), 'nothing is handed out'
        first, began = completed(system), time.monotonic()
        assert wait_for(lambda: completed(system) >= first + SAMPLE, 200)
        return (completed(system) - first) / (time.monotonic() - began)


def test_jobs_wait_for_a_worker(new_system, worker):
    """None is there: they are accepted, and run when one comes."""
    system = new_system(workers=0)
    jobs = [system.submit() for _ in range(100)]
    assert {job['status'] for job in system.jobs(jobs).values()} == {'pending'}
    with worker(system):
        system.wait_terminal(jobs)
        check(system)
    more = [system.submit() for _ in range(100)]  # and when it has gone again
    with worker(system):
        system.wait_terminal(more)
    check(system)


def test_a_backlog_takes_neither_memory_nor_speed(new_system, worker):
    system = new_system(workers=0)
    make_waiting(system, 2 * SAMPLE)
    rates = [rate(system, worker)]
    before = {name: resident(system, name) for name in ('gateway-1', 'broker-1')}
    make_waiting(system, WAITING)
    waiting = {name: resident(system, name) for name in before}
    rates.append(max(rate(system, worker) for _ in range(3)))  # a moment of other load slows one of them
    after = {name: resident(system, name) for name in before}
    page = system.http.get('/v1/jobs?status=pending&limit=1000')
    assert page.status_code == 200 and len(page.json()['data']) == 1000
    print(f'{WAITING} waiting: {rates[0]:.0f} jobs/s without, {rates[1]:.0f} with; MiB {before} {waiting} {after}')
    more = 256 if 'san' in str(programs()) else 0  # sanitizers keep what was freed
    for name in before:
        assert waiting[name] - before[name] < 8 + more, f'{name} grew with what waits: {before} {waiting}'
        assert after[name] - before[name] < 16 + more, f'{name} grew as it was handed out: {before} {after}'
    assert rates[1] > 0.5 * rates[0], 'a backlog makes handing out slow'
