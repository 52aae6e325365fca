"""SIGTERM to each role under load: nothing is lost, nothing is done twice, and no job is worse off for it."""
import os
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

import httpx
import pytest
from own_worker import make_pipeline, own_worker, runs
from promises import Load, check

from harness import System
from harness.parts import Parts
from harness.processes import family, wait_for
from harness.system import programs


def all_jobs(system) -> list[str]:
    return [row['id'] for row in system.query('SELECT id::text FROM jobs')]


def check_done_once(system, done: Counter[str]) -> None:
    """Each job completed, was run once, and has no try or loss against it."""
    check(system)
    odd = system.query("SELECT id::text, status, tries, losses FROM jobs WHERE status <> 'completed' OR tries > 0 "
                       'OR losses > 0')
    assert odd == []
    assert {job: count for job, count in done.items() if count != 1} == {}
    assert set(done) == set(all_jobs(system))


def test_rolling_restart_of_everything_under_load(tmp_path):
    program, log = make_pipeline(tmp_path)
    with System(workers=3, brokers=2, gateways=2, pipelines={'humanization': program}) as system:
        variant = system.make_variant('sleep=0.1')
        with Load(system, variant, clients=3, pause=0.05) as load:
            for name in ('gateway-2', 'broker-1', 'worker-1', 'gateway-1', 'worker-2', 'broker-2', 'worker-3'):
                time.sleep(1)
                old = system.kill(name, signal.SIGTERM)
                system.wait_restarted(name, old)
                system.wait_ready()
            time.sleep(1)
        assert len(load.accepted) > 50
        system.wait_terminal(set(load.accepted) | set(all_jobs(system)), 90)
        check_done_once(system, runs(log))


def served_broker(system, worker) -> int:
    """The number of the broker that the worker is in session with."""
    endpoints = system.env['PARATOPE_BROKER_WORKERS'].split()
    assert wait_for(lambda: 'in session with broker' in worker.said(), 40)
    last = worker.said().rpartition('in session with broker ')[2]
    number = int(last.split('"')[0])
    assert number <= len(endpoints)
    return number


def test_a_broker_hands_over_what_runs_and_what_waits(new_system, tmp_path):
    """Queued jobs go to the other broker with the worker, and what runs goes on where it runs."""
    system = new_system(workers=0, brokers=2)
    with own_worker(system, tmp_path, slots=2) as worker:
        first = f'broker-{served_broker(system, worker)}'
        running = [system.submit(system.make_variant('sleep=6')) for _ in range(2)]
        worker.wait_started(running)
        waiting = [system.submit(system.make_variant('sleep=0.1')) for _ in range(10)]
        old = system.kill(first, signal.SIGTERM)
        system.wait_restarted(first, old)
        rows = system.wait_terminal(running + waiting, 60)
        assert {rows[job]['attempt'] for job in running} == {1}
        assert served_broker(system, worker) != int(first[-1]), 'it moved to the next one'
        check_done_once(system, worker.runs())
        counted = 'select coalesce(sum(tries + losses), 0) as n from jobs where id = any (%s::uuid[])'
        assert system.query(counted, running + waiting)[0]['n'] == 0, 'a drain counts nowhere'


def test_a_worker_finishes_what_runs_and_takes_nothing_new(new_system, tmp_path):
    system = new_system(workers=0)
    with own_worker(system, tmp_path, '--grace', '60', name='old') as old:
        running = [system.submit(system.make_variant('sleep=4')) for _ in range(2)]
        old.wait_started(running)
        waiting = [system.submit(system.make_variant('sleep=0.1')) for _ in range(4)]
        old.process.terminate()
        with own_worker(system, tmp_path, name='new') as new:
            assert old.process.wait(60) == 0
            system.wait_terminal(running + waiting, 60)
            assert set(old.runs()) == set(running)
            check_done_once(system, old.runs() + new.runs())


def test_what_does_not_finish_in_time_is_handed_back_and_counts_nowhere(new_system, tmp_path):
    system = new_system(workers=0)
    with own_worker(system, tmp_path, '--grace', '1', name='old') as old:
        job = system.submit(system.make_variant('sleep=8'))
        old.wait_started([job])
        old.process.terminate()
        assert old.process.wait(40) == 0
    with own_worker(system, tmp_path, name='new') as new:
        row = system.wait_terminal([job], 60)[job]
        assert (row['status'], row['attempt']) == ('completed', 2)
        assert system.query('SELECT tries, losses FROM jobs WHERE id = %s', job) == [{'tries': 0, 'losses': 0}]
        events = system.http.get(f'/v1/jobs/{job}/events').json()['data']
        assert [event['code'] for event in events if event['type'] == 'attempt_lost'] == ['handed_back']
        assert new.runs()[job] == 1


def test_endings_wait_for_their_settlement(new_system, tmp_path):
    """The database is away when the job ends; the worker that drains waits for it."""
    system = new_system(workers=0)
    with own_worker(system, tmp_path, '--grace', '60', slots=1) as worker:
        job = system.submit(system.make_variant('sleep=3'))
        worker.wait_started([job])
        worker.process.terminate()
        whole = family(system.pid('postgres'))
        for pid in whole:
            os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(6)
            assert worker.process.poll() is None, 'it did not wait'
        finally:
            for pid in whole:
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass
        row = system.wait_terminal([job], 60)[job]
        assert (row['status'], row['attempt']) == ('completed', 1)
        assert worker.process.wait(50) == 0
        check_done_once(system, worker.runs())


class OpenRequest:
    """POST /v1/jobs whose body is only half sent, once the gateway has begun to read it."""

    def __init__(self, system, variant: str) -> None:
        place = urlsplit(system.url)
        body = f'{{"variant_id": "{variant}", "job_type": "humanization"}}'.encode()
        self.socket = socket.create_connection((place.hostname, place.port), 20)
        self.socket.sendall(f'POST /v1/jobs HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {system.token}\r\n'
                            f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n'.encode())
        assert self.socket.recv(4096) == b'HTTP/1.1 100 Continue\r\n\r\n'
        self.socket.sendall(body[:10])
        self.rest = body[10:]

    def finish(self) -> str:
        self.socket.sendall(self.rest)
        answer = b''
        while data := self.socket.recv(4096):
            answer += data
        return answer.decode()


def test_a_gateway_answers_what_it_has_begun_and_refuses_what_is_new(new_system, tmp_path):
    program, log = make_pipeline(tmp_path)
    system = new_system(workers=1, pipelines={'humanization': program})
    variant = system.make_variant('plain')
    requests = [OpenRequest(system, variant) for _ in range(5)]
    idle = httpx.Client(base_url=system.url, trust_env=False)
    idle.get('/healthz')
    old = system.kill('gateway-1', signal.SIGTERM)
    assert wait_for(lambda: '"ending"' in system.log('gateway-1'), 8)
    new = httpx.get(f'{system.url}/v1/me', trust_env=False, headers={'Authorization': f'Bearer {system.token}'})
    assert (new.status_code, new.headers['connection']) == (503, 'close')
    answers = [request.finish() for request in requests]
    assert {answer.split()[1] for answer in answers} == {'202'}
    assert all('\r\nConnection: close\r\n' in answer for answer in answers)
    system.wait_restarted('gateway-1', old)
    system.wait_ready()
    jobs = all_jobs(system)
    assert len(jobs) == 5
    system.wait_terminal(jobs)
    check_done_once(system, runs(log))


@pytest.fixture
def held_ports(tmp_path):
    with Parts(tmp_path) as parts:
        yield parts


def test_a_gateway_as_process_1(new_system, held_ports):
    if subprocess.run(['unshare', '--pid', '--fork', 'true'], stderr=subprocess.DEVNULL).returncode:
        pytest.skip('no new process namespace is allowed here')
    system = new_system(workers=1)
    listen = held_ports.address()
    outer = subprocess.Popen(
        ['unshare', '--pid', '--fork', '--kill-child', programs() / 'paratope-gateway', '--listen', listen,
         '--database', system.env['DATABASE_URL'], '--brokers', system.env['PARATOPE_BROKER_GATEWAYS'],
         '--events-in', system.env['PARATOPE_EVENTS_IN'], '--events', system.env['PARATOPE_EVENTS']],
        stderr=subprocess.DEVNULL)
    try:
        def answers() -> bool:
            try:
                return httpx.get(f'http://{listen}/readyz', timeout=10, trust_env=False).status_code == 200
            except httpx.HTTPError:
                return False
        assert wait_for(answers, 60)
        inner = int(open(f'/proc/{outer.pid}/task/{outer.pid}/children').read().split()[0])
        os.kill(inner, signal.SIGTERM)
        assert outer.wait(40) == 0
    finally:
        outer.kill()
        outer.wait()


def test_a_second_signal_ends_a_gateway_at_once(new_system):
    system = new_system(workers=1)
    request = OpenRequest(system, system.make_variant('plain'))
    old = system.kill('gateway-1', signal.SIGTERM)
    threading.Timer(1, lambda: os.kill(old, signal.SIGTERM)).start()
    began = time.monotonic()
    system.wait_restarted('gateway-1', old)
    assert time.monotonic() - began < 8, 'it waited for the open request, which has 10 s'
    request.socket.close()
