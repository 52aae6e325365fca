"""A real paratope-broker, and gateways and workers for it written from proto/PROTOCOL.md alone."""
import ctypes
import os
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path

import msgpack
import zmq

CHECKOUT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get('PARATOPE_BUILD', CHECKOUT / 'build'))
PROGRAM = BUILD / 'bin' / 'paratope-broker'
TYPE = 'humanization'
INPUTS = msgpack.packb({'name': 'an antibody'})


class Ports:
    """So many free ports, kept bound until the end: nobody else gets them, also while the program, which sets
    SO_REUSEADDR, is away."""

    def __init__(self, n):
        self.holders = [socket.socket() for _ in range(n)]
        for holder in self.holders:
            holder.bind(('127.0.0.1', 0))
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.numbers = [holder.getsockname()[1] for holder in self.holders]

    def close(self):
        for holder in self.holders:
            holder.close()


def die_with_parent():
    """Also when the test run itself is killed nothing stays behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Broker:
    """The process, on ports of its own. Ended by its pid."""

    def __init__(self, *more, metrics=True, log=None):
        self.log = log  # a file for its standard error
        self.held = Ports(5)
        self.ports = self.held.numbers
        names = ('gateways', 'workers', 'events-in', 'events')
        self.endpoints = {name: f'tcp://127.0.0.1:{port}' for name, port in zip(names, self.ports)}
        self.command = [str(PROGRAM), *more]
        for name, endpoint in self.endpoints.items():
            self.command += [f'--{name}', endpoint]
        self.metrics_port = self.ports[4] if metrics else None
        if metrics:
            self.command += ['--metrics', f'127.0.0.1:{self.metrics_port}']
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stderr=self.log,
                                        preexec_fn=die_with_parent)
        deadline = time.monotonic() + 40
        while not can_connect(self.ports[3]) or not can_connect(self.ports[0]):
            assert self.process.poll() is None, 'the broker ended'
            assert time.monotonic() < deadline, 'the broker does not listen'
            time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait(5)

    def close(self):
        """Ends it as an operator would; returns its exit status and the seconds that it took."""
        begin = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            self.held.close()
        return status, time.monotonic() - begin

    def metric(self, line):
        """The value of the sample that begins so, or 0."""
        for text in self.metrics().splitlines():
            if text.startswith(line + ' '):
                return float(text.rsplit(' ', 1)[1])
        return 0

    def metrics(self):
        with socket.create_connection(('127.0.0.1', self.metrics_port), 20) as client:
            client.sendall(b'GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n')
            return read_response(client).partition(b'\r\n\r\n')[2].decode()


def can_connect(port):
    try:
        socket.create_connection(('127.0.0.1', port), 1).close()
        return True
    except OSError:
        return False


def read_response(client):
    """One HTTP response with its Content-Length."""
    client.settimeout(20)
    text = b''
    while b'\r\n\r\n' not in text:
        piece = client.recv(65536)
        assert piece, f'closed after {text!r}'
        text += piece
    head, _, body = text.partition(b'\r\n\r\n')
    length = next(int(line.split(b':')[1]) for line in head.split(b'\r\n')
                  if line.lower().startswith(b'content-length:'))
    while len(body) < length:
        piece = client.recv(65536)
        assert piece, 'the body is cut off'
        body += piece
    return head + b'\r\n\r\n' + body


def header(verb, **fields):
    return msgpack.packb({'v': 1, 'm': verb, **fields})


def connected(kind, endpoint, keys=None):
    """A socket; with `keys`, see curve_keys.Keys, it is encrypted."""
    made = zmq.Context.instance().socket(kind)
    made.setsockopt(zmq.LINGER, 0)
    if keys:
        keys.apply(made)
    made.connect(endpoint)
    return made


class Peer:
    """One DEALER in session. `pump` reads and beats; `wait` pumps until something is so."""

    def __init__(self, endpoint, role, machine=None, instance=None, keys=None, **hello):
        self.keys = keys
        self.endpoint, self.role = endpoint, role
        self.machine = machine or f'{role}-{uuid.uuid4()}'
        self.instance = instance or uuid.uuid4().bytes
        self.hello_fields = hello
        self.session, self.broker, self.credit, self.seen = None, None, {}, []
        self.beating, self.beat_at, self.leader = True, 0, None
        self.sockets = []
        self.connect()

    def connect(self):
        self.socket = connected(zmq.DEALER, self.endpoint, self.keys)
        self.sockets.append(self.socket)
        self.hello()

    def hello(self, **more):
        self.socket.send(header('hello', role=self.role, machine=self.machine, instance=self.instance,
                                **{**self.hello_fields, **more}))

    def say(self, verb, payload=None, **fields):
        parts = [header(verb, **{'session': self.session, **fields})]
        self.socket.send_multipart(parts + ([payload] if payload is not None else []))

    def pump(self, timeout=0.02):
        """Handles what has come; beats when it is time."""
        if self.beating and self.session and time.monotonic() - self.beat_at > 0.5:
            self.beat_at = time.monotonic()
            self.say('beat', **({} if self.leader is None else {'leader': self.leader}))
            self.on_beat()
        while self.socket.poll(timeout * 1000):
            timeout = 0
            parts = self.socket.recv_multipart()
            message = msgpack.unpackb(parts[0])
            assert message['v'] == 1
            message['payload'] = parts[1] if len(parts) > 1 else None
            if message['m'] == 'welcome':
                self.session, self.broker = message['session'], message
            elif message['m'] != 'hello?':
                assert message['session'] == self.session, message
            self.take(message)
            self.seen.append(message)

    def take(self, message):
        if message['m'] == 'credit':
            self.credit.update(message['credit'])

    def on_beat(self):
        pass

    def of(self, verb):
        return [message for message in self.seen if message['m'] == verb]

    def wait_for(self, verb, n=1, seconds=40, others=()):
        wait(lambda: len(self.of(verb)) >= n, self, *others, seconds=seconds, what=f'{n} × {verb}')
        return self.of(verb)[n - 1]

    def close(self):
        for each in self.sockets:
            each.close()


class Gateway(Peer):
    def __init__(self, broker, leader=None, **more):
        super().__init__(broker.endpoints['gateways'], 'gateway', **more)
        self.leader = leader
        self.wait_for('welcome')
        self.pump()

    def job(self, job_id=None, org_id=None, attempt=1, payload=INPUTS, job_type=TYPE):
        job_id = job_id or uuid.uuid4().bytes
        self.say('job', payload, job_id=job_id, org_id=org_id or uuid.uuid4().bytes, job_type=job_type,
                 attempt=attempt)
        return job_id


class Worker(Peer):
    """A worker whose path for events is `deaf` or not; it takes jobs and does nothing with them."""

    def __init__(self, broker, slots=4, deaf=False, job_type=TYPE, **more):
        self.deaf, self.job_type, self.total, self.sent_alive = deaf, job_type, slots, 0
        self.pub = connected(zmq.PUB, broker.endpoints['events-in'], more.get('keys'))
        super().__init__(broker.endpoints['workers'], 'worker', slots={job_type: slots}, **more)
        self.sockets.append(self.pub)
        self.wait_for('welcome')
        self.give(slots)

    def give(self, total):
        self.total = total
        self.say('credit', credit={self.job_type: total})

    def pump(self, timeout=0.02):
        super().pump(timeout)
        if not self.deaf and time.monotonic() - self.sent_alive > 0.1:
            self.sent_alive = time.monotonic()
            self.publish('alive', instance=self.instance, topic=f'alive.{uuid.UUID(bytes=self.instance)}.')

    def publish(self, verb, topic, payload=None, **fields):
        parts = [topic.encode(), header(verb, **fields)]
        self.pub.send_multipart(parts + ([payload] if payload is not None else []))


def wait(condition, *peers, seconds=40, what='it'):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f'no {what} within {seconds} s'
        for peer in peers:
            peer.pump()


def pump(seconds, *peers):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for peer in peers:
            peer.pump()
