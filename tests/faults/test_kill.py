"""kill -9 of each role in the middle of work: every job that was answered 202 ends, recorded once."""
import os
import subprocess
import time
from pathlib import Path

import pytest
from promises import Load, check

from harness import GENERIC
from harness.processes import wait_for
from harness.system import programs

HERE = Path(__file__).parent


def wait_running(system, jobs, count: int, seconds: float = 40) -> None:
    def running() -> bool:
        return sum(job['status'] == 'running' for job in system.jobs(jobs).values()) >= count
    assert wait_for(running, seconds), 'the jobs do not run'


def test_worker_killed(new_system):
    system = new_system(workers=2)
    jobs = [system.submit(system.make_variant('sleep=8')) for _ in range(4)]
    wait_running(system, jobs, 4)
    system.kill('worker-1')
    rows = system.wait_terminal(jobs)
    assert {row['status'] for row in rows.values()} == {'completed'}
    attempts = sorted(row['attempt'] for row in rows.values())
    assert attempts == [1, 1, 2, 2], 'the killed worker held two of the four'
    check(system)
    assert system.query('SELECT count(*) FROM jobs WHERE losses = 1 AND tries = 0')[0]['count'] == 2


def test_a_worker_that_never_comes_back_is_missed_by_its_silence(new_system):
    """One that nobody starts again, as on a machine that burnt down."""
    system = new_system(workers=0)
    worker = subprocess.Popen(
        [programs() / 'paratope-worker', '--brokers', system.env['PARATOPE_BROKER_WORKERS'],
         '--events-in', system.env['PARATOPE_EVENTS_IN'], '--name', 'burnt', '--slots', 'humanization=2',
         '--pipeline', f'humanization={GENERIC}'], stderr=subprocess.DEVNULL)
    try:
        jobs = [system.submit(system.make_variant('sleep=30')) for _ in range(2)]
        wait_running(system, jobs, 2)
    finally:
        worker.kill()
        worker.wait()
    lost = 'SELECT count(*) FROM jobs WHERE losses = 1 AND attempt = 2'
    assert wait_for(lambda: system.query(lost)[0]['count'] == 2, 60), 'nobody missed the worker'


def test_broker_killed_with_jobs_queued_and_running(new_system):
    system = new_system(workers=2)
    variant = system.make_variant('sleep=2')
    jobs = [system.submit(variant) for _ in range(24)]
    wait_running(system, jobs, 4)
    old = system.kill('broker-1')
    system.wait_restarted('broker-1', old)
    rows = system.wait_terminal(jobs, 60)
    assert {row['status'] for row in rows.values()} == {'completed'}
    check(system)
    assert sum(row['attempt'] == 1 for row in rows.values()) >= 4, 'what ran goes on under the new broker'


def test_broker_and_worker_killed_together(new_system):
    system = new_system(workers=2)
    variant = system.make_variant('sleep=2')
    jobs = [system.submit(variant) for _ in range(12)]
    wait_running(system, jobs, 4)
    system.kill('broker-1')
    system.kill('worker-1')
    rows = system.wait_terminal(jobs, 60)
    assert {row['status'] for row in rows.values()} == {'completed'}
    check(system)


def test_gateway_killed_under_load(new_system):
    system = new_system(workers=2)
    variant = system.make_variant('sleep=0.01')
    with Load(system, variant) as load:
        for _ in range(3):
            time.sleep(1.5)
            old = system.kill('gateway-1')
            system.wait_restarted('gateway-1', old)
            system.wait_ready()
        time.sleep(1)
    assert len(load.accepted) > 50
    system.wait_terminal(load.accepted, 60)
    system.wait_terminal([row['id'] for row in system.query('SELECT id::text FROM jobs')], 60)
    check(system)


@pytest.fixture(scope='module')
def kill_after(tmp_path_factory):
    library = tmp_path_factory.mktemp('preload') / 'kill_after.so'
    subprocess.run(['cc', '-shared', '-fPIC', '-o', library, HERE / 'kill_after.c', '-ldl'], check=True)
    return library


@pytest.mark.parametrize('statement', ['submit', 'append_events'])
def test_gateway_killed_right_after_a_commit(new_system, kill_after, tmp_path, monkeypatch, statement):
    """submit: between commit and dispatch; append_events (the recorder's last): between commit and settle."""
    order = tmp_path / 'order'
    monkeypatch.setenv('LD_PRELOAD', str(kill_after))
    monkeypatch.setenv('PT_KILL_AFTER', str(order))
    system = new_system(workers=1)
    variant = system.make_variant('sleep=0.2')
    first = system.submit(variant)
    system.wait_terminal([first])
    old = system.pid('gateway-1')
    if statement == 'append_events':
        jobs = [system.submit(system.make_variant('sleep=3'))]
        wait_running(system, jobs, 1)
    order.write_text(statement)
    if statement == 'submit':
        with pytest.raises(Exception):
            system.submit(variant)
    system.wait_restarted('gateway-1', old)
    assert not order.exists(), 'the gateway was not killed at that moment'
    system.wait_ready()
    jobs = [row['id'] for row in system.query('SELECT id::text FROM jobs')]
    assert len(jobs) == 2, 'the killed request had committed its job'
    rows = system.wait_terminal(jobs)
    assert {row['status'] for row in rows.values()} == {'completed'}
    check(system)


def test_database_killed_under_load(new_system):
    system = new_system(workers=2)
    variant = system.make_variant('sleep=0.01')
    with Load(system, variant) as load:
        for _ in range(2):
            time.sleep(2)
            system.kill('postgres')
            system.wait_database()
            system.wait_ready()
        time.sleep(1)
    assert len(load.accepted) > 50
    assert set(load.refused) <= {503}
    system.wait_terminal(load.accepted, 60)
    system.wait_terminal([row['id'] for row in system.query('SELECT id::text FROM jobs')], 60)
    check(system)


def test_everything_killed_in_turn_under_load(new_system):
    system = new_system(workers=3, brokers=2, gateways=2)
    variant = system.make_variant('sleep=0.02')
    victims = ['worker-1', 'broker-1', 'gateway-2', 'worker-2', 'broker-2', 'gateway-1', 'postgres', 'worker-3']
    with Load(system, variant) as load:
        for victim in victims:
            time.sleep(1)
            old = system.kill(victim)
            system.wait_restarted(victim, old)
        system.wait_database()
        system.wait_ready()
        time.sleep(1)
    assert len(load.accepted) > 50
    system.wait_terminal(load.accepted, 90)
    system.wait_terminal([row['id'] for row in system.query('SELECT id::text FROM jobs')], 90)
    check(system)
    assert os.path.exists(system.env_file)
