"""Results up to 64 MiB, which wait at their worker and are fetched in chunks: sizes, memory, and whoever dies meanwhile."""
import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import zmq
from promises import check

from harness import GENERIC
from harness.processes import die_with_parent, wait_for
from harness.relay import Relay
from harness.system import programs

sys.path.insert(0, str(Path(__file__).parents[1] / 'protocol'))

MIB = 1 << 20
LIMIT = 64 * MIB
AROUND = 57  # what the generic pipeline's result has beside its blob, at least


def peak(system, name: str) -> int:
    """The most memory that the process has had, in MiB."""
    for line in open(f'/proc/{system.pid(name)}/status'):
        if line.startswith('VmHWM'):
            return int(line.split()[1]) // 1024
    raise AssertionError('no VmHWM')


def submit(system, size: int) -> str:
    return system.submit(system.make_variant(f'result={size}'))


def ended(system, jobs: list[str], seconds: float = 90) -> dict[str, dict]:
    rows = system.wait_terminal(jobs, seconds)
    assert {row['status'] for row in rows.values()} == {'completed'}, rows
    return rows


def blob_is_whole(system, job: str, size: int) -> bool:
    """Whether the table has what the pipeline wrote."""
    return system.query("SELECT results->>'blob' = repeat('x', %s) AS whole FROM results WHERE job_id = %s",
                        size, job)[0]['whole']


def error_code(system, job: str) -> str:
    return system.query('SELECT error_code FROM jobs WHERE id = %s', job)[0]['error_code']


def metric(system, name: str) -> int:
    return int(re.search(rf'^paratope_{name} (\d+)$', system.http.get('/metrics').text, re.M)[1])


# Sizes

@pytest.mark.parametrize('size', [65 * 1024, MIB, LIMIT - 200])
def test_a_large_result_is_stored_and_answered_as_it_was(system, size):
    before = metric(system, 'large_results_total')
    job = submit(system, size)
    ended(system, [job])
    assert blob_is_whole(system, job, size)
    assert wait_for(lambda: metric(system, 'large_results_total') == before + 1, 40)
    assert wait_for(lambda: [metric(system, f'large_results_{name}') for name in ('waiting', 'fetching', 'bytes')] == [0, 0, 0], 40)
    assert system.http.get(f'/v1/jobs/{job}/results').json()['results']['blob'] == 'x' * size


@pytest.mark.parametrize('size', [LIMIT - AROUND, LIMIT + 1000, 2 * LIMIT])
def test_a_result_above_64_mib_fails_for_good(system, size):
    job = submit(system, size)
    row = system.wait_terminal([job], 60)[job]
    assert (row['status'], row['attempt'], error_code(system, job)) == ('failed', 1, 'result_too_large')
    assert '64 MiB' in row['error_message'] or str(LIMIT) in row['error_message']


def test_a_result_that_is_six_times_as_long_in_json(system):
    """252 MiB of text: as large as it may be."""
    size = 42 * MIB
    job = system.submit(system.make_variant(f'result={size} control'))
    ended(system, [job])
    assert system.query("SELECT bytes > 252 * 1048576 AS large FROM results WHERE job_id = %s", job)[0]['large']
    with system.http.stream('GET', f'/v1/jobs/{job}/results') as answer:
        assert answer.status_code == 200 and sum(map(len, answer.iter_bytes())) > 252 * MIB
    job = system.submit(system.make_variant(f'result={size + 2 * MIB} control'))
    row = system.wait_terminal([job], 60)[job]
    assert (row['status'], row['attempt'], error_code(system, job)) == ('failed', 1, 'invalid_result')
    assert '256 MiB' in row['error_message']


def test_the_spool_is_empty_once_all_is_settled(system):
    ended(system, [submit(system, MIB)])
    assert wait_for(lambda: not list(system.home.glob('spool/*/*')), 40), 'a spool file is left'


# Memory, and the others meanwhile

class Deaf:
    """Follows everything at every broker, and never reads."""

    def __init__(self, system) -> None:
        self.sockets = []
        for endpoint in system.env['PARATOPE_EVENTS'].split():
            socket = zmq.Context.instance().socket(zmq.SUB)
            socket.linger, socket.rcvhwm, socket.rcvbuf = 0, 1, 4096
            socket.connect(endpoint)
            socket.subscribe(b'')
            self.sockets.append(socket)

    def __enter__(self) -> 'Deaf':
        return self

    def __exit__(self, *exception: object) -> None:
        for socket in self.sockets:
            socket.close()


@pytest.mark.timeout(200)
def test_64_mib_through_two_brokers_with_a_subscriber_that_never_reads(new_system):
    """Nobody grows by a result that passes through, and other jobs go on meanwhile."""
    system = new_system(workers=2, brokers=2)
    ended(system, [system.submit(system.make_variant('plain')) for _ in range(20)])
    with Deaf(system):
        large = [submit(system, LIMIT - 200) for _ in range(3)]
        small, slowest = [], 0.0
        variant = system.make_variant('plain')
        while not all(row['status'] == 'completed' for row in system.jobs(large).values()):
            began = time.monotonic()
            small.append(system.submit(variant))
            ended(system, small[-1:])
            slowest = max(slowest, time.monotonic() - began)
            assert len(small) < 2000
        ended(system, large)
    peaks = {name: peak(system, name) for name in system.names() if name != 'postgres'}
    print(f'{len(small)} small jobs meanwhile, the slowest took {slowest:.2f} s; most memory, MiB: {peaks}')
    assert max(peaks['broker-1'], peaks['broker-2']) < 40
    assert max(peaks['worker-1'], peaks['worker-2']) < 500  # two slots each: read, and once more to be written
    assert peaks['gateway-1'] < 600
    for name in ('worker-1', 'worker-2'):
        assert system.log(name).count('in session') == 1, 'a worker lost its broker meanwhile'
    assert {row['attempt'] for row in ended(system, large + small).values()} == {1}
    check(system)


@pytest.mark.timeout(200)
def test_200_results_of_1_mib_at_once(new_system):
    system = new_system(workers=4)
    variant = system.make_variant(f'result={MIB}')
    began = time.monotonic()
    jobs = [system.submit(variant) for _ in range(200)]
    rows = ended(system, jobs, 150)
    print(f'{time.monotonic() - began:.1f} s; gateway {peak(system, "gateway-1")} MiB')
    assert {row['attempt'] for row in rows.values()} == {1}
    assert peak(system, 'gateway-1') < 400
    assert peak(system, 'broker-1') < 60
    check(system)


def test_six_read_64_mib_at_once(new_system):
    """Four of them wait in memory, the others for their turn; who waits too long is told so and asks again."""
    system = new_system(workers=1)
    job = submit(system, LIMIT - 200)
    ended(system, [job])
    before, sizes = peak(system, 'gateway-1'), []

    def read() -> None:
        with httpx.Client(base_url=system.url, headers=system.http.headers, timeout=120, trust_env=False) as client:
            while (answer := client.get(f'/v1/jobs/{job}/results')).status_code == 503:
                time.sleep(1)
            sizes.append(len(answer.content))

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sizes) == 6 and min(sizes) > LIMIT - 200
    print(f'gateway: {before} MiB before, {peak(system, "gateway-1")} MiB after')
    assert peak(system, 'gateway-1') < 600


# Deaths

class SlowWorker:
    """A worker of the test's own; what it says to its brokers is slow, so that a result of 16 MiB takes seconds."""

    def __init__(self, system, spool: Path, delay: float) -> None:
        self.spool = spool
        self.relays = [Relay(('127.0.0.1', urlsplit(endpoint).port), lambda: delay)
                       for endpoint in system.env['PARATOPE_BROKER_WORKERS'].split()]
        self.process = subprocess.Popen(
            [programs() / 'paratope-worker', '--brokers', ' '.join(f'tcp://127.0.0.1:{r.port}' for r in self.relays),
             '--events-in', system.env['PARATOPE_EVENTS_IN'], '--name', 'slow', '--slots', 'humanization=1',
             '--spool', spool, '--pipeline', f'humanization={GENERIC}'],
            stderr=open(spool.parent / 'slow.log', 'ab'), preexec_fn=die_with_parent(9))

    def __enter__(self) -> 'SlowWorker':
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.wait()
        for relay in self.relays:
            relay.close()

    def file(self) -> Path | None:
        return next(self.spool.iterdir(), None) if self.spool.exists() else None


@pytest.fixture
def slow_worker(tmp_path):
    with contextlib.ExitStack() as stack:
        yield lambda system, delay=0.02: stack.enter_context(SlowWorker(system, tmp_path / 'spool', delay))


SLOW = 16 * MIB  # 256 chunks, four at a time


def begin_fetch(system, worker: SlowWorker) -> str:
    """A job whose result is on its way, and will be for a while."""
    job = submit(system, SLOW)
    assert wait_for(lambda: worker.file() and worker.file().stat().st_size > SLOW, 30), 'no result is kept'
    time.sleep(0.7)
    assert system.jobs([job])[job]['status'] == 'running', 'too fast to be disturbed'
    return job


def test_the_recorder_is_killed_in_mid_fetch(new_system, slow_worker):
    system = new_system(workers=0, gateways=2)
    worker = slow_worker(system)
    job = begin_fetch(system, worker)
    system.kill(system.wait_recorder(('gateway-1', 'gateway-2')))
    assert ended(system, [job])[job]['attempt'] == 1
    assert blob_is_whole(system, job, SLOW)
    assert wait_for(lambda: worker.file() is None, 60), 'nobody told the worker that it is settled'
    check(system)


def test_the_broker_is_killed_in_mid_fetch(new_system, slow_worker):
    system = new_system(workers=0, brokers=2)
    worker = slow_worker(system)
    job = begin_fetch(system, worker)
    used = [relay for relay in worker.relays if relay.partner]
    name = f'broker-{1 + worker.relays.index(used[0])}'
    old = system.kill(name)
    assert ended(system, [job])[job]['attempt'] == 1
    assert system.wait_restarted(name, old)
    assert blob_is_whole(system, job, SLOW)
    check(system)


def test_the_worker_is_killed_in_mid_fetch(new_system, slow_worker):
    system = new_system(workers=0)
    worker = slow_worker(system)
    job = begin_fetch(system, worker)
    worker.process.kill()
    worker.process.wait()
    slow_worker(system, 0.0)  # the same machine again: what it had is known to be lost
    assert ended(system, [job])[job]['attempt'] == 2
    assert blob_is_whole(system, job, SLOW)
    check(system)


def damage(file: Path) -> None:
    with open(file, 'r+b') as bytes_of:
        bytes_of.seek(-1000, os.SEEK_END)
        bytes_of.write(b'?')


@pytest.mark.parametrize('how', [damage, lambda file: os.truncate(file, 12 * MIB), os.unlink],
                         ids=['damaged', 'cut', 'removed'])
def test_a_spool_file_is_not_what_it_was(new_system, slow_worker, how):
    """The job is done again, and the worker, which has one slot and much unsettled, works on."""
    system = new_system(workers=0)
    worker = slow_worker(system, 0.01)
    job = begin_fetch(system, worker)
    how(worker.file())
    row = ended(system, [job])[job]
    assert row['attempt'] == 2
    assert blob_is_whole(system, job, SLOW)
    assert system.query('SELECT losses, tries FROM jobs WHERE id = %s', job) == [{'losses': 1, 'tries': 0}]
    check(system)


def test_a_spool_that_is_full_fails_the_job_with_the_reason(new_system, slow_worker, tmp_path):
    disk = tmp_path / 'spool'
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4m', 'paratope-test', disk],
                                           capture_output=True).returncode:
        pytest.skip('a disk of its own takes the right to mount one')
    try:
        system = new_system(workers=0)
        worker = slow_worker(system, 0.0)
        full, fits = submit(system, 8 * MIB), submit(system, MIB)
        rows = system.wait_terminal([full, fits], 60)
        assert (rows[full]['status'], rows[full]['attempt']) == ('failed', 3)
        assert error_code(system, full) == 'spool_failed'
        assert 'No space left' in rows[full]['error_message']
        assert rows[fits]['status'] == 'completed'
        assert worker.process.poll() is None
        check(system)
    finally:
        subprocess.run(['umount', '--lazy', disk], check=True)


# Inputs

def submit_with_options(system, options: object) -> str:
    """A job that waits, because nobody serves its type yet; the API takes no options so far."""
    job = system.submit(system.make_variant('with options'))
    changed = system.query('UPDATE jobs SET options = %s WHERE id = %s AND due_at IS NOT NULL RETURNING id::text',
                           json.dumps(options), job)
    assert changed == [{'id': job}]
    return job


def options_read(system, job: str) -> str:
    """What the pipeline tells of what it read."""
    return system.query("SELECT results->>'options' AS digest FROM results WHERE job_id = %s", job)[0]['digest']


def digest(options: object) -> str:
    return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()


OPTIONS = {'small': {'depth': 3, 'names': ['é', '\n', ''], 'score': -0.25, 'all': None},
           'of 60 KB': {'text': 'y' * 60000},
           'of 70 KB': {'text': 'y' * 70000},
           'of 20 MiB': {'numbers': list(range(1_000_000)), 'text': 'z' * (13 * MIB)}}


def test_options_reach_the_pipeline(new_system, slow_worker):
    """Small ones in the message, larger ones fetched by the worker before it starts."""
    system = new_system(workers=0)
    jobs = {name: submit_with_options(system, options) for name, options in OPTIONS.items()}
    plain = system.submit(system.make_variant('plain'))
    slow_worker(system, 0.0)
    rows = ended(system, [*jobs.values(), plain])
    assert {row['attempt'] for row in rows.values()} == {1}
    assert {name: options_read(system, job) for name, job in jobs.items()} == \
        {name: digest(options) for name, options in OPTIONS.items()}
    assert options_read(system, plain) is None
    assert metric(system, 'input_chunks_sent_total') > 200  # of 64 KiB
    print(f'gateway {peak(system, "gateway-1")} MiB, broker {peak(system, "broker-1")} MiB')
    assert peak(system, 'gateway-1') < 400
    check(system)


def test_inputs_that_nobody_can_read_fail_with_the_reason(new_system, slow_worker):
    system = new_system(workers=0)
    large = submit_with_options(system, 'w' * (LIMIT + 1))
    job = submit_with_options(system, None)
    system.query("UPDATE jobs SET options = '[\"\\u0000\"]' WHERE id = %s RETURNING 1", job)
    slow_worker(system, 0.0)
    rows = system.wait_terminal([large, job], 60)
    assert {(row['status'], row['attempt']) for row in rows.values()} == {('failed', 1)}
    assert (error_code(system, large), error_code(system, job)) == ('inputs_too_large', 'invalid_inputs')
    check(system)


def test_the_gateway_that_sent_the_job_is_killed_while_its_inputs_are_fetched(new_system, slow_worker):
    """The next leader answers from the table, and what had come need not come again."""
    system = new_system(workers=0, gateways=2)
    options = {'text': 'z' * (10 * MIB)}
    job = submit_with_options(system, options)
    worker = slow_worker(system)
    assert wait_for(lambda: any(relay.partner for relay in worker.relays), 20)
    out = 'SELECT 1 FROM jobs WHERE id = %s AND due_at IS NULL'
    assert wait_for(lambda: system.query(out, job), 30), 'it is not handed out'
    time.sleep(0.7)
    assert system.jobs([job])[job]['status'] == 'pending', 'nothing is said of it before its inputs are there'
    system.kill(system.wait_recorder(('gateway-1', 'gateway-2')))
    assert ended(system, [job])[job]['attempt'] == 1
    assert options_read(system, job) == digest(options)
    check(system)
