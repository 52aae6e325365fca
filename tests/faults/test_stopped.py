"""SIGSTOP of each role for longer than anybody waits for it, then SIGCONT: it finds its way back by itself, and what it
still believes harms nobody.

A stopped process differs from a dead one: its connections stay, and when it goes on it goes on where it was."""
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from own_worker import make_pipeline, own_worker, runs
from promises import Load, check

from harness import System
from harness.processes import family, wait_for

LONG = 8.0  # seconds: leases, sessions and the leader's lock are lost after 2 to 6


def send(pids: list[int], signum: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            pass  # one of PostgreSQL's, which come and go


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    try:
        send(pids, signal.SIGSTOP)
        yield
    finally:
        send(pids, signal.SIGCONT)


def all_jobs(system) -> list[str]:
    return [row['id'] for row in system.query('SELECT id::text FROM jobs')]


def check_recovered(system, jobs, seconds: float = 90) -> None:
    system.wait_ready()
    rows = system.wait_terminal(set(jobs) | set(all_jobs(system)), seconds)
    assert {row['status'] for row in rows.values()} == {'completed'}
    check(system)
    late = system.submit(system.make_variant('sleep=0'))
    assert system.wait_terminal([late])[late]['status'] == 'completed'


@pytest.mark.parametrize('name', ['worker-1', 'broker-1', 'gateway-1'])
def test_one_of_several_is_stopped_under_load(tmp_path, name):
    """The others do its work meanwhile; when it is back it harms nothing, and works again."""
    program, log = make_pipeline(tmp_path)
    with System(workers=2, brokers=2, gateways=2, pipelines={'humanization': program}) as system:
        pid = system.pid(name)
        variant = system.make_variant('sleep=0.1')
        with Load(system, variant, clients=3, pause=0.05) as load:
            time.sleep(1)
            with stopped([pid]):
                time.sleep(LONG)
            time.sleep(3)
        assert load.accepted
        check_recovered(system, load.accepted)
        assert system.pid(name) == pid, 'it went on, and was not started again'
        assert set(load.accepted) <= set(runs(log))


@pytest.mark.parametrize('name', ['worker-1', 'broker-1', 'gateway-1'])
def test_the_only_one_is_stopped(new_system, name):
    system = new_system(workers=1)
    jobs = [system.submit(system.make_variant('sleep=2')) for _ in range(4)]
    assert wait_for(lambda: any(row['status'] == 'running' for row in system.jobs(jobs).values()), 40)
    pid = system.pid(name)
    with stopped([pid]):
        time.sleep(LONG)
    check_recovered(system, jobs)
    assert system.pid(name) == pid


def test_a_worker_that_was_taken_for_dead_stops_what_others_do_by_now(new_system, tmp_path):
    """Its job runs again elsewhere. When it goes on, its process is ended, and its ending counts for nothing."""
    system = new_system(workers=0)
    with own_worker(system, tmp_path, name='first', slots=1) as first:
        job = system.submit(system.make_variant('sleep=30'))
        first.wait_started([job])
        with own_worker(system, tmp_path, name='second', slots=1) as second:
            with stopped([first.process.pid]):
                second.wait_started([job], 60)
            assert wait_for(lambda: not is_working(first.process.pid), 20), 'it works on at a job of another'
            row = system.query('SELECT status, attempt, losses FROM jobs WHERE id = %s', job)[0]
            assert (row['status'], row['attempt'], row['losses']) == ('running', 2, 1)
            rows = system.wait_terminal([job], 90)
            assert (rows[job]['status'], rows[job]['attempt']) == ('completed', 2)
    check(system)


def is_working(agent: int) -> bool:
    """Whether a pipeline process of the agent's is in time.sleep of a job, and not waiting for one."""
    for keeper in family(agent)[1:]:
        for pipeline in family(keeper)[1:]:
            with open(f'/proc/{pipeline}/wchan') as where:
                if 'pipe' not in where.read():
                    return True
    return False


def test_a_pipeline_that_is_stopped_is_ended_at_its_time_out(new_system, tmp_path):
    system = new_system(workers=0)
    with own_worker(system, tmp_path, '--timeout', 'humanization=5', slots=1) as worker:
        job = system.submit(system.make_variant('sleep=1'))
        worker.wait_started([job])
        pipeline = int(worker.log.read_text().split()[2])
        with stopped([pipeline]):
            wait_for(lambda: worker.runs()[job] == 2, 30)
            assert not os.path.exists(f'/proc/{pipeline}/cwd'), 'it was not ended'
        row = system.wait_terminal([job], 60)[job]
        assert (row['status'], row['attempt']) == ('completed', 2)
        codes = [event.get('code') for event in system.http.get(f'/v1/jobs/{job}/events').json()['data']]
        assert 'timed_out' in codes
    check(system)


def test_a_pipeline_that_is_stopped_for_less_goes_on(new_system, tmp_path):
    system = new_system(workers=0)
    with own_worker(system, tmp_path, slots=1) as worker:
        job = system.submit(system.make_variant('progress=4 sleep=2'))
        worker.wait_started([job])
        with stopped([int(worker.log.read_text().split()[2])]):
            time.sleep(LONG)
        row = system.wait_terminal([job], 60)[job]
        assert (row['status'], row['attempt']) == ('completed', 1)


def test_postgresql_is_stopped_under_load(tmp_path):
    program, log = make_pipeline(tmp_path)
    with System(workers=2, gateways=2, pipelines={'humanization': program}) as system:
        variant = system.make_variant('sleep=0.1')
        with Load(system, variant, clients=3, pause=0.05) as load:
            time.sleep(1)
            whole = family(system.pid('postgres'))
            with stopped(whole):
                time.sleep(LONG)
            system.wait_database()
            time.sleep(2)
        assert set(load.refused) <= {503}
        check_recovered(system, load.accepted)
        assert set(load.accepted) <= set(runs(log))


def test_everything_is_stopped_and_continues(new_system):
    """As when a laptop sleeps. Nobody takes anybody for dead: all slept."""
    system = new_system(workers=2)
    jobs = [system.submit(system.make_variant('sleep=1')) for _ in range(8)]
    assert wait_for(lambda: any(row['status'] == 'running' for row in system.jobs(jobs).values()), 40)
    whole = [pid for name in system.names() for pid in family(system.pid(name))]
    with stopped(whole):
        time.sleep(LONG)
    check_recovered(system, jobs)
    assert {row['attempt'] for row in system.jobs(jobs).values()} == {1}
