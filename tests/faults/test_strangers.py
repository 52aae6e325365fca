"""Messages that do not fit, straight to the broker's XSUB, and two workers with one name."""
import subprocess
import time
import uuid

import msgpack
import pytest
import zmq
from promises import check

from harness import GENERIC
from harness.processes import wait_for
from harness.relay import Relay
from harness.system import programs


@pytest.fixture
def stranger(new_system):
    system = new_system(workers=1)
    socket = zmq.Context.instance().socket(zmq.PUB)
    socket.linger = 0
    socket.connect(system.env['PARATOPE_EVENTS_IN'].split()[0])
    time.sleep(0.5)

    def publish(verb: str, job: str, org: object, **fields: object) -> None:
        head = {'v': 1, 'm': verb, 'job_id': uuid.UUID(job).bytes, 'org_id': uuid.UUID(str(org)).bytes,
                'job_type': 'humanization', 'at': int(time.time() * 1e6), **fields}
        socket.send_multipart([f'{verb}.{org}.humanization.{job}.'.encode(), msgpack.packb(head)])

    yield system, publish
    socket.close()


@pytest.mark.parametrize('verb, fields', [
    ('status', {'status': 'running', 'type': 'started'}),
    ('result', {'status': 'failed', 'started_at': 1, 'code': 'x', 'message': 'y'})])
def test_a_message_of_another_organisation_changes_nothing(stranger, verb, fields):
    system, publish = stranger
    job = system.submit(system.make_variant('sleep=3'))
    assert wait_for(lambda: system.jobs([job])[job]['status'] == 'running', 40)
    for _ in range(20):
        for attempt in range(1, 4):
            publish(verb, job, uuid.uuid4(), attempt=attempt, **fields)
        time.sleep(0.05)
    row = system.wait_terminal([job])[job]
    assert (row['status'], row['attempt']) == ('completed', 1)
    check(system)


def test_a_forged_event_does_not_move_the_edge(stranger):
    system, publish = stranger
    org = system.query('SELECT org_id::text FROM variants WHERE id = %s', system.variant)[0]['org_id']
    job = system.submit()
    system.wait_terminal([job])
    listener = zmq.Context.instance().socket(zmq.SUB)
    listener.connect(system.env['PARATOPE_EVENTS'].split()[0])
    listener.subscribe(f'edge.{org}.'.encode())
    try:
        time.sleep(0.5)
        publish('event', job, org, attempt=1, status='completed', type='completed', seq=2**62, timeline=9)
        system.wait_terminal([system.submit()])
        assert listener.poll(40000), 'no edge'
        edge = msgpack.unpackb(listener.recv_multipart()[1])
        assert edge['seq'] <= system.query('SELECT seq FROM event_counters WHERE org_id = %s', org)[0]['seq']
        assert edge['timeline'] == 1
    finally:
        listener.close(0)


def test_two_workers_with_one_name_do_not_kill_each_others_jobs(new_system):
    system = new_system(workers=0)
    workers = [subprocess.Popen(
        [programs() / 'paratope-worker', '--brokers', system.env['PARATOPE_BROKER_WORKERS'],
         '--events-in', system.env['PARATOPE_EVENTS_IN'], '--name', 'same', '--slots', 'humanization=2', '--pipeline',
         f'humanization={GENERIC}'], stderr=subprocess.DEVNULL) for _ in range(2)]
    try:
        variant = system.make_variant('sleep=2')
        jobs = [system.submit(variant) for _ in range(4)]
        rows = system.wait_terminal(jobs)
        assert {row['status'] for row in rows.values()} == {'completed'}
        assert max(row['attempt'] for row in rows.values()) <= 2
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    check(system)


@pytest.mark.parametrize('side', ['events', 'events-in'])
def test_an_event_path_that_dies_silently_is_opened_anew(new_system, side):
    """A gateway whose SUB or PUB is cut off, while its job socket lives, notices and connects again."""
    system = new_system(workers=1)
    name = {'events': 'PARATOPE_EVENTS', 'events-in': 'PARATOPE_EVENTS_IN'}[side]
    host, port = system.env[name].removeprefix('tcp://').split(':')
    relay = Relay((host, int(port)))
    endpoints = {'events': system.env['PARATOPE_EVENTS'], 'events-in': system.env['PARATOPE_EVENTS_IN'],
                 side: f'tcp://127.0.0.1:{relay.port}'}
    gateway = subprocess.Popen(
        [programs() / 'paratope-gateway', '--database', system.env['DATABASE_URL'], '--listen',
         '127.0.0.1:0', '--brokers', system.env['PARATOPE_BROKER_GATEWAYS'], '--events-in', endpoints['events-in'],
         '--events', endpoints['events']], stderr=subprocess.PIPE, text=True)
    try:
        sessions = count_sessions(gateway)
        assert wait_for(lambda: sessions() >= 1, 40), 'it never came into session'
        relay.cut()
        assert wait_for(lambda: sessions() >= 2, 40), 'it never noticed'
        time.sleep(5)
        assert sessions() == 2, 'it goes on and on'
    finally:
        gateway.kill()
        gateway.wait()
        relay.close()


def count_sessions(process: subprocess.Popen):
    """A function that tells how often the process has said that it is in session."""
    import threading
    count = [0]

    def read() -> None:
        for line in process.stderr:
            count[0] += 'in session with the broker' in line
    threading.Thread(target=read, daemon=True).start()
    return lambda: count[0]
