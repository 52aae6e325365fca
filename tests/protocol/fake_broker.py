"""A broker as a worker sees it, written from proto/PROTOCOL.md alone: it answers hello, beats, records what
it is told, and sends what a test orders. It runs in a thread of its own; tests ask it with `wait`."""
import os
import queue
import threading
import time
import uuid

import msgpack
import zmq

INTERVAL_MS = 500  # three of them without a word end a session: more than a busy machine takes away from this thread


class Message:
    """One message of the worker: the verb, its fields, and where it came from."""

    def __init__(self, header, payload=None, topic=None, routing=None):
        self.verb, self.fields, self.payload = header['m'], header, payload
        self.topic, self.routing, self.time = topic, routing, time.monotonic()

    def __getitem__(self, key):
        return self.fields[key]

    def get(self, key, default=None):
        return self.fields.get(key, default)

    def __repr__(self):
        return f'{self.verb} {self.fields}'


class FakeBroker:
    def __init__(self, interval=INTERVAL_MS, welcoming=True, ports=None):
        self.interval, self.welcoming, self.beating = interval, welcoming, True
        self.instance = uuid.uuid4().bytes
        self.messages, self.wrong, self.foreign = [], [], []
        self.session = self.routing = None
        self.changed = threading.Condition()
        self.orders, self.ending = queue.Queue(), threading.Event()
        self.context = zmq.Context()
        self.jobs = self._bind(zmq.ROUTER, ports and ports[0])
        self.events = self._bind(zmq.SUB, ports and ports[1])
        self.events.setsockopt(zmq.SUBSCRIBE, b'')
        self.jobs_endpoint = self.jobs.getsockopt_string(zmq.LAST_ENDPOINT)
        self.events_endpoint = self.events.getsockopt_string(zmq.LAST_ENDPOINT)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _bind(self, kind, endpoint):
        socket = self.context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.bind(endpoint or 'tcp://127.0.0.1:*')
        return socket

    def close(self):
        self.ending.set()
        self.thread.join(10)
        self.context.destroy(linger=0)

    # ---- the thread

    def _run(self):
        poller = zmq.Poller()
        poller.register(self.jobs, zmq.POLLIN)
        poller.register(self.events, zmq.POLLIN)
        next_beat = 0.0
        while not self.ending.is_set():
            for socket, _ in poller.poll(5):
                while socket.poll(0):
                    self._received(socket, socket.recv_multipart())
            while not self.orders.empty():
                self._send(*self.orders.get())
            if self.session and self.beating and time.monotonic() >= next_beat:
                self._send({'m': 'beat', 'session': self.session}, None)
                next_beat = time.monotonic() + self.interval / 1000

    def _received(self, socket, frames):
        try:
            if socket is self.jobs:
                header = self._header(frames[1])
                assert len(frames) == 2 + (header['m'] == 'chunk'), 'only a chunk has a payload on the job socket'
                message = Message(header, msgpack.unpackb(frames[2]) if len(frames) > 2 else None, routing=frames[0])
                self._answer(message)
            else:
                payload = msgpack.unpackb(frames[2]) if len(frames) > 2 else None
                message = Message(self._header(frames[1]), payload, topic=frames[0].decode())
                assert message.topic == topic_of(message), message.topic
        except Exception as why:  # shown by the test that looks at `wrong`
            self.wrong.append((why, frames))
            return
        with self.changed:
            self.messages.append(message)
            self.changed.notify_all()

    @staticmethod
    def _header(frame):
        header = msgpack.unpackb(frame)
        assert list(header)[:2] == ['v', 'm'] and header['v'] == 1, header
        return header

    def _answer(self, message):
        if message.verb == 'hello':
            if self.welcoming:
                self.routing, self.session = message.routing, os.urandom(8)
                self._send({'m': 'welcome', 'session': self.session, 'instance': self.instance,
                            'max': 131072, 'interval': self.interval}, None)
        elif (message.routing, message['session']) != (self.routing, self.session):
            self.foreign.append(message)
            self.jobs.send_multipart([message.routing, msgpack.packb({'v': 1, 'm': 'hello?'})])

    def _send(self, header, payload):
        frames = [self.routing, header if isinstance(header, bytes) else msgpack.packb({'v': 1, **header})]
        self.jobs.send_multipart(frames + ([payload] if payload is not None else []))

    # ---- for tests

    def send(self, verb, payload=None, **fields):
        """A message of the session; payload is packed."""
        packed = None if payload is None else msgpack.packb(payload)
        self.orders.put(({'m': verb, 'session': self.session, **fields}, packed))

    def send_raw(self, header, payload=None):
        self.orders.put((header, payload))

    def wait(self, verb, timeout=40.0, after=0, **fields):
        """The first message of that verb with those fields, from the `after`-th message on."""
        limit = time.monotonic() + timeout
        with self.changed:
            while True:
                for message in self.messages[after:]:
                    if message.verb == verb and all(message.get(k) == v for k, v in fields.items()):
                        return message
                left = limit - time.monotonic()
                assert left > 0, f'no {verb} {fields} within {timeout} s; came: {self.messages[-30:]}'
                self.changed.wait(left)

    def all(self, verb, **fields):
        with self.changed:
            return [m for m in self.messages
                    if m.verb == verb and all(m.get(k) == v for k, v in fields.items())]

    def mark(self):
        with self.changed:
            return len(self.messages)

    def job(self, name='', job_type='humanization', attempt=1, job_id=None):
        """Sends a job; returns its id."""
        job_id = job_id or uuid.uuid4().bytes
        inputs = {'variant_id': uuid.uuid4().bytes, 'name': name, 'format': 'mab', 'chains': []}
        self.send('job', inputs, job_id=job_id, org_id=ORGANISATION, job_type=job_type, attempt=attempt)
        return job_id

    def settle(self, job_id, attempt=1, outcome='committed'):
        self.send('settled', job_id=job_id, attempt=attempt, outcome=outcome)


ORGANISATION = uuid.uuid4().bytes


def topic_of(message):
    if message.verb == 'alive':
        return f'alive.{uuid.UUID(bytes=message["instance"])}.'
    if message.verb == 'declare':
        return f'declare.{message["job_type"]}.'
    return (f'{message.verb}.{uuid.UUID(bytes=message["org_id"])}.{message["job_type"]}.'
            f'{uuid.UUID(bytes=message["job_id"])}.')
