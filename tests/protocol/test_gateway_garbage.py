"""A broker that sends a gateway nonsense on both sockets: counted, logged once a minute, and no harm to HTTP
or to the other broker's session."""
import json
import os
import random
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import msgpack
import pytest
import zmq

from harness import NOOP, System
from harness.processes import die_with_parent, wait_for
from harness.system import CHECKOUT

pytestmark = pytest.mark.timeout(300)
SECONDS = float(os.environ.get('PT_GARBAGE_SECONDS', 3))
PROGRAMS = Path(os.environ.get('PARATOPE_TEST_PROGRAMS') or CHECKOUT / 'build' / 'bin')


class MadBroker(threading.Thread):
    """Opens a session as a broker does, then mixes nonsense into it."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.random = random.Random(5)
        self.context, self.ending, self.mad = zmq.Context(), threading.Event(), threading.Event()
        self.sent = self.hellos = 0
        self.routing = self.session = None
        self.jobs, self.events, self.events_in = (self.bind(kind) for kind in (zmq.ROUTER, zmq.XPUB, zmq.XSUB))
        self.events_in.send(b'\x01')
        self.endpoints = [s.getsockopt_string(zmq.LAST_ENDPOINT) for s in (self.jobs, self.events, self.events_in)]
        self.start()

    def bind(self, kind: int) -> zmq.Socket:
        socket = self.context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.bind('tcp://127.0.0.1:*')
        return socket

    def run(self) -> None:
        beat = 0.0
        while not self.ending.is_set():
            self.jobs.poll(2)
            while self.jobs.poll(0):
                self.take(*self.jobs.recv_multipart()[:2])
            while self.events.poll(0):
                self.events.recv()
            while self.events_in.poll(0):
                self.events.send_multipart(self.events_in.recv_multipart())
            if self.session and time.monotonic() > beat:
                self.say({'m': 'beat', 'session': self.session})
                beat = time.monotonic() + 0.3
            for _ in range(20 if self.mad.is_set() and self.session else 0):
                self.jobs.send_multipart([self.routing, *self.nonsense()])
                self.events.send_multipart([self.topic(), *self.nonsense()])
                self.sent += 2
        self.context.destroy(linger=0)

    def take(self, routing: bytes, frame: bytes) -> None:
        if msgpack.unpackb(frame)['m'] == 'hello':
            self.routing, self.session = routing, os.urandom(8)
            self.hellos += 1
            self.say({'m': 'welcome', 'session': self.session, 'instance': uuid.uuid4().bytes, 'max': 131072,
                      'interval': 1000})

    def say(self, header: dict) -> None:
        self.jobs.send_multipart([self.routing, msgpack.packb({'v': 1, **header})])

    def topic(self) -> bytes:
        return self.random.choice([f'result.{uuid.uuid4()}.humanization.{uuid.uuid4()}.'.encode(), b'status.', b'event.x',
                                   b'result.\xff\x00'])

    def nonsense(self) -> list[bytes]:
        whole = msgpack.packb({'v': 1, 'm': 'have?', 'session': self.session, 'round': 1, 'jobs': []})
        return self.random.choice([
            [self.random.randbytes(self.random.randrange(200))], [whole[:self.random.randrange(len(whole))]], [b''],
            [msgpack.packb({'v': 9, 'm': 'beat', 'session': self.session})],
            [msgpack.packb({'v': 1, 'm': 'credit', 'session': os.urandom(8), 'credit': {'humanization': 9}})],
            [msgpack.packb({'v': 1, 'm': 'no_such_verb', 'session': self.session})],
            [msgpack.packb({'v': 1, 'm': 'result', 'job_id': b'short', 'status': 'completed'}), b'\xc1' * 100],
            [b'\xdd\xff\xff\xff\xff'], [b'\xdf\xff\xff\xff\xff', b'x', b'y', b'z']])

    def close(self) -> None:
        self.ending.set()
        self.join(10)


@pytest.fixture
def system():
    with System(pipelines={'humanization': NOOP}) as running:
        yield running


@pytest.fixture
def gateway(system, tmp_path):
    """A second gateway, of the system's broker and a mad one: (URL, process, log, mad broker)."""
    mad, log = MadBroker(), tmp_path / 'gateway.log'
    endpoints = {'--brokers': 0, '--events': 1, '--events-in': 2}
    real = dict(zip(endpoints, (system.env[f'PARATOPE_{name}'] for name in ('BROKER_GATEWAYS', 'EVENTS', 'EVENTS_IN'))))
    port = mad.context.socket(zmq.REP)  # a free one
    port.bind('tcp://127.0.0.1:*')
    address = port.getsockopt_string(zmq.LAST_ENDPOINT).removeprefix('tcp://')
    port.close(0)
    time.sleep(0.2)
    with open(log, 'wb') as file:
        process = subprocess.Popen(
            [PROGRAMS / 'paratope-gateway', '--database', system.env['DATABASE_URL'], '--listen', address,
             *(word for name, at in endpoints.items() for word in (name, f'{real[name]} {mad.endpoints[at]}'))],
            stderr=file, preexec_fn=die_with_parent(9))
    yield f'http://{address}', process, log, mad
    process.terminate()
    mad.close()
    assert process.wait(15) == 0


def metric(url: str, name: str) -> float:
    with urllib.request.urlopen(f'{url}/metrics', timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith(f'paratope_{name} ')).split()[1])


def served(url: str, name: str, wanted: float) -> bool:
    try:
        return metric(url, name) == wanted
    except (urllib.error.URLError, ConnectionError):
        return False


def submit(system, url: str) -> str:
    body = json.dumps({'variant_id': system.variant, 'job_type': 'humanization'}).encode()
    request = urllib.request.Request(f'{url}/v1/jobs', body, {'Authorization': f'Bearer {system.token}',
                                                              'Content-Type': 'application/json'})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 202
        return json.load(answer)['id']


def resident(pid: int) -> float:
    with open(f'/proc/{pid}/status') as status:
        return int(next(line for line in status if line.startswith('VmRSS')).split()[1]) / 1024


def test_a_mad_broker_harms_nobody(system, gateway):
    url, process, log, mad = gateway
    assert wait_for(lambda: served(url, 'brokers_in_session', 2), 40), log.read_text()[-2000:]
    os.kill(system.pid('gateway-1'), signal.SIGSTOP)  # so that this one leads, and hears all that is published
    try:
        assert wait_for(lambda: served(url, 'recorder_leader', 1), 40)
        system.wait_terminal([submit(system, url) for _ in range(100)], 60)
        before, hellos, memory = metric(url, 'dropped_total'), mad.hellos, resident(process.pid)
        mad.mad.set()
        jobs, end = [], time.monotonic() + SECONDS
        while time.monotonic() < end:
            jobs.append(submit(system, url))
        mad.mad.clear()
        system.wait_terminal(jobs, 60)
    finally:
        os.kill(system.pid('gateway-1'), signal.SIGCONT)
    assert len(jobs) > 3 * SECONDS, 'the others were held up'
    assert mad.sent > 500 and wait_for(lambda: metric(url, 'dropped_total') - before > mad.sent / 4, 30)
    assert mad.hellos == hellos, 'what is none of a session does not end it'
    assert process.poll() is None and served(url, 'brokers_in_session', 2)
    assert resident(process.pid) < memory + 12
    lines = [line for line in map(json.loads, log.read_text().splitlines()) if 'was dropped' in line['message']]
    assert [line['endpoint'] for line in lines] == [mad.endpoints[0]] * len(lines)
    assert 1 <= len(lines) <= 1 + SECONDS // 60, 'once a minute'
    assert lines[0]['reason']
