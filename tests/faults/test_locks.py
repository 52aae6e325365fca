"""Somebody holds a lock in the database, or is stopped while holding one: everybody else goes on."""
import os
import secrets
import signal
import sys
import time
from pathlib import Path

import psycopg2
import pytest
from promises import Load, check

from harness.processes import wait_for
from harness.system import CHECKOUT

sys.path.insert(0, str(Path(__file__).parents[1] / 'protocol'))
from subscriber import Subscriber  # noqa: E402


class Lock:
    """A session that holds row locks until the end of the block."""

    def __init__(self, system, statement: str, *values: object) -> None:
        self.connection = psycopg2.connect(system.env['DATABASE_URL'])
        self.statement, self.values = statement, values

    def __enter__(self) -> 'Lock':
        self.connection.cursor().execute(self.statement, self.values)
        return self

    def __exit__(self, *exception: object) -> None:
        self.connection.rollback()
        self.connection.close()


def backends(system) -> int:
    return system.query("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'paratope'")[0]['count']


def test_a_locked_job_holds_up_nobody_else(new_system):
    system = new_system(workers=2)
    blocked = system.submit(system.make_variant('sleep=1'))
    assert wait_for(lambda: system.jobs([blocked])[blocked]['status'] == 'running', 40)
    before = backends(system)
    with Lock(system, 'SELECT 1 FROM jobs WHERE id = %s FOR UPDATE', blocked):
        time.sleep(1.5)  # its ending is said now, and cannot be recorded
        others = [system.submit(system.make_variant('sleep=0.1')) for _ in range(10)]
        system.wait_terminal(others, 30)
        assert backends(system) <= before + 3, 'connections pile up in the server'
    system.wait_terminal([blocked])
    check(system)


def test_a_locked_organisation_holds_up_no_other(new_system):
    system = new_system(workers=2)
    first = system.query('SELECT org_id::text FROM variants WHERE id = %s', system.variant)[0]['org_id']
    other = system.query("INSERT INTO organisations (id, name) VALUES (gen_random_uuid(), 'other') "
                         "RETURNING id::text")[0]['id']
    system.query('INSERT INTO event_counters (org_id) VALUES (%s)', other)
    mine = system.submit(system.make_variant('sleep=1'))
    with Lock(system, 'SELECT 1 FROM event_counters WHERE org_id = %s FOR UPDATE', other):
        assert system.submit(), 'a job of the organisation that is not locked is accepted'
        system.wait_terminal([mine, system.submit()])
    with Lock(system, 'SELECT 1 FROM event_counters WHERE org_id = %s FOR UPDATE', first):
        answer = system.http.post('/v1/jobs', json={'variant_id': system.variant, 'job_type': 'humanization'})
        assert answer.status_code == 503 and answer.headers['Retry-After']
    system.wait_terminal([system.submit()])
    check(system)


def test_large_inputs_that_are_not_read_in_time_are_no_workers_loss(new_system):
    """They were handed out together, and the first ones take all the time in which they may be sent."""
    system = new_system(workers=1, pipelines={'own_type': CHECKOUT / 'tests' / 'pipelines' / 'echo'})
    path = '/v1/job-types/own_type/jobs'
    assert wait_for(lambda: system.http.get(path).status_code == 200, 30)
    system.query("INSERT INTO limits (job_type, max_out) VALUES ('own_type', 0)")
    time.sleep(1)  # until the limit counts
    jobs = [system.http.post(path, json={'variant_id': system.variant, 'note': secrets.token_hex(4096)}).json()['id']
            for _ in range(5)]
    assert all(row['status'] == 'pending' for row in system.jobs(jobs).values())
    with Lock(system, 'LOCK TABLE results IN ACCESS EXCLUSIVE MODE'):
        system.query("DELETE FROM limits WHERE job_type = 'own_type'")
        assert wait_for(lambda: system.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"), 20)
        time.sleep(3)  # longer than a job may take to be sent
    system.wait_terminal(jobs, 60)
    lost = [event for job in jobs for event in system.http.get(f'/v1/jobs/{job}/events').json()['data']
            if event['type'] == 'attempt_lost']
    assert {event['code'] for event in lost} == {'not_started'}
    assert any('in time' in event['message'] for event in lost), 'who knows that it was not sent says so at once'
    assert system.query('SELECT max(losses) AS most, max(tries) AS tries FROM jobs') == [{'most': 0, 'tries': 0}]
    check(system)


def test_a_stopped_leader_is_followed_within_seconds(new_system):
    system = new_system(workers=2, gateways=2)
    leader = system.wait_recorder(('gateway-1', 'gateway-2'))
    other = 1 if leader == 'gateway-1' else 0
    system.http.base_url = system.env['PARATOPE_URLS'].split()[other]
    variant = system.make_variant('sleep=0.05')
    for _ in range(3):
        with Load(system, variant, clients=2, pause=0.02):
            time.sleep(1)
            pid = system.kill(leader, signal.SIGSTOP)
            try:
                after = [system.submit(variant) for _ in range(5)]
                system.wait_terminal(after, 25)
            finally:
                os.kill(pid, signal.SIGCONT)
        system.wait_terminal([row['id'] for row in system.query('SELECT id::text FROM jobs')])
        leader, other = f'gateway-{other + 1}', 1 - other
        system.http.base_url = system.env['PARATOPE_URLS'].split()[other]
    check(system)


@pytest.mark.timeout(200)
def test_an_ending_whose_commit_was_slow_is_still_told(new_system):
    """The deadline passes, the connection is dropped, and then the commit goes through after all."""
    system = new_system(workers=1)
    org = system.query('SELECT org_id::text FROM variants WHERE id = %s', system.variant)[0]['org_id']
    subscriber = Subscriber(system.env['PARATOPE_EVENTS'], system.url, system.token, org)
    try:
        events = subscriber.take(1)
        job = system.submit(system.make_variant('sleep=2'))
        assert wait_for(lambda: system.jobs([job])[job]['status'] == 'running', 40)
        with Lock(system, 'SELECT 1 FROM event_counters FOR UPDATE'):
            time.sleep(9)
        system.wait_terminal([job])
        events += subscriber.take(12)
        assert [event['type'] for event in events if event['job_id'] == job][-1] == 'completed'
        assert subscriber.last == system.query('SELECT seq FROM event_counters')[0]['seq']
    finally:
        subscriber.close()
    check(system)


def test_a_table_that_is_away_for_a_while_fails_no_job(new_system):
    system = new_system(workers=2)
    jobs = [system.submit(system.make_variant('sleep=3')) for _ in range(4)]
    assert wait_for(lambda: all(job['status'] == 'running' for job in system.jobs(jobs).values()), 40)
    system.query('ALTER TABLE results RENAME TO results_elsewhere')
    time.sleep(5)
    system.query('ALTER TABLE results_elsewhere RENAME TO results')
    rows = system.wait_terminal(jobs)
    assert {row['status'] for row in rows.values()} == {'completed'}
    check(system)


def test_the_sweep_does_not_spin_on_a_locked_row(new_system):
    system = new_system(workers=0)
    job = system.submit()
    commits = "SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()"
    with Lock(system, 'SELECT 1 FROM jobs WHERE id = %s FOR UPDATE', job):
        import subprocess
        from harness import GENERIC
        from harness.system import programs
        worker = subprocess.Popen(
            [programs() / 'paratope-worker', '--brokers', system.env['PARATOPE_BROKER_WORKERS'],
             '--events-in', system.env['PARATOPE_EVENTS_IN'], '--slots', 'humanization=2', '--pipeline',
             f'humanization={GENERIC}'], stderr=subprocess.DEVNULL)
        try:
            time.sleep(2)
            first = system.query(commits)[0]['n']
            time.sleep(3)
            assert system.query(commits)[0]['n'] - first < 200
        finally:
            worker.kill()
            worker.wait()
