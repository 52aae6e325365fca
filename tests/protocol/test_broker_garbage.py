"""Nonsense at each of the broker's sockets, while a worker and a gateway beside it go on as ever."""
import os
import random
import socket
import threading
import time
import uuid

import msgpack
import pytest
import zmq

from broker_peers import TYPE, Broker, Gateway, Worker, header, wait

pytestmark = pytest.mark.timeout(90)
SECONDS = float(os.environ.get('PT_GARBAGE_SECONDS', 3))
SESSION = b'\x00' * 8
ID = b'i' * 16


class HonestWorker(Worker):
    """Ends each job at once, and keeps the ending until it is settled."""

    def __init__(self, *arguments, **more):
        self.unsettled = {}
        super().__init__(*arguments, **more)

    def take(self, message):
        super().take(message)
        if message['m'] == 'job':
            self.unsettled[message['job_id']] = message
            self.publish_ending(message)
            self.give(self.total + 1)
        elif message['m'] == 'settled':
            self.unsettled.pop(message['job_id'], None)

    def publish_ending(self, job):
        org, job_id = uuid.UUID(bytes=job['org_id']), uuid.UUID(bytes=job['job_id'])
        self.publish('result', f'result.{org}.{TYPE}.{job_id}.', msgpack.packb({'results': 1}),
                     **{key: job[key] for key in ('job_id', 'org_id', 'job_type', 'attempt')},
                     status='completed', at=2, started_at=1)

    def on_beat(self):
        for job in list(self.unsettled.values()):
            self.publish_ending(job)


class HonestGateway(Gateway):
    """Sends what it has credit for and settles each ending that it hears."""

    def __init__(self, broker, **more):
        self.jobs, self.settled, self.sending = set(), set(), True
        self.sub = zmq.Context.instance().socket(zmq.SUB)
        self.sub.setsockopt(zmq.LINGER, 0)
        self.sub.setsockopt(zmq.SUBSCRIBE, b'result.')
        self.sub.connect(broker.endpoints['events'])
        super().__init__(broker, leader=True, **more)
        self.sockets.append(self.sub)

    def pump(self, timeout=0.005):
        super().pump(timeout)
        while (self.sending and len(self.jobs) < self.credit.get(TYPE, 0)
               and len(self.jobs) - len(self.settled) < 20):
            self.jobs.add(self.job())
        while self.sub.poll(0):
            _, head, _ = self.sub.recv_multipart()
            ending = msgpack.unpackb(head)
            if ending['job_id'] in self.jobs:  # anybody can publish an ending
                self.say('settled', job_id=ending['job_id'], attempt=ending['attempt'], outcome='committed')
                self.settled.add(ending['job_id'])


def some_messages():
    """One valid message of each verb, had it a session."""
    job = dict(session=SESSION, job_id=ID, attempt=1)
    about = dict(job_id=ID, org_id=ID, job_type=TYPE, attempt=1, status='running', at=1)
    return [
        [header('welcome', session=SESSION, instance=ID, max=1, interval=1)],
        [header('job', **job, org_id=ID, job_type=TYPE), msgpack.packb({})],
        [header('credit', session=SESSION, credit={TYPE: 2**63 - 1})],
        [header('beat', session=SESSION, leader=True)],
        [header('stop', **job)], [header('settled', **job, outcome='committed')],
        [header('have?', session=SESSION, round=1, jobs=[[ID, 1, TYPE]] * 1000)],
        [header('gone', **job, certain=True)], [header('bye', session=SESSION)],
        [header('hello?')], [header('fetch', **job)], [header('chunk', **job), b'\xc0'],
        [header('hello', role='worker', machine='', instance=ID, slots={TYPE: 'many'})],
        [header('hello', role='nobody', machine='m', instance=ID)],
        [header('status', **about, type='started')],
        [header('result', **{**about, 'status': 'completed'}, started_at=1), msgpack.packb({})],
        [header('alive', instance=ID)], [header('edge', org_id=ID, seq=1, timeline=1)],
        [header('event', **about, type='started', seq=2**63, timeline=1)],
    ]


MESSAGES = some_messages()
TOPIC = f'result.{uuid.UUID(bytes=ID)}.{TYPE}.{uuid.UUID(bytes=ID)}.'.encode()


def random_bytes(chance):
    return [chance.randbytes(chance.choice([0, 1, 10, 300, 5000])) for _ in range(chance.choice([1, 2, 3, 9]))]


def truncated(chance):
    parts = chance.choice(MESSAGES)
    return [parts[0][:chance.randrange(len(parts[0]))], *parts[1:]]


def flipped(chance):
    parts = [bytearray(part) for part in chance.choice(MESSAGES)]
    for _ in range(chance.choice([1, 2, 8])):
        part = chance.choice(parts)
        part[chance.randrange(len(part))] = chance.randrange(256)
    return [bytes(part) for part in parts]


def oversize(chance):
    return [bytes(131073)]


def wrong_version(chance):
    parts = chance.choice(MESSAGES)
    return [parts[0].replace(b'\xa1v\x01', b'\xa1v\x02'), *parts[1:]]


def wrong_session(chance):
    return chance.choice(MESSAGES)


def unknown_verb(chance):
    return [header(chance.choice(['ping', '', 'HELLO', 'x' * 1000]), session=SESSION)]


def deep(chance):
    return [b'\x83\xa1v\x01\xa1m\xa4beat\xa1x' + b'\x91' * chance.choice([20, 100, 100000]) + b'\xc0']


def promises(chance):
    return [b'\x83\xa1v\x01\xa1m\xa5have?\xa4jobs' + chance.choice([b'\xdd\xff\xff\xff\xff', b'\xdf\x7f\xff\xff\xff'])]


KINDS = [random_bytes, truncated, flipped, oversize, wrong_version, wrong_session, unknown_verb, deep, promises]


class Flood(threading.Thread):
    """Sends one kind after the other to one endpoint until told to stop."""

    def __init__(self, endpoint, kind, topics, seed):
        super().__init__()
        self.endpoint, self.kind, self.topics, self.chance = endpoint, kind, topics, random.Random(seed)
        self.stop, self.sent = threading.Event(), 0
        self.start()

    def connect(self):
        peer = zmq.Context.instance().socket(self.kind)
        peer.setsockopt(zmq.LINGER, 0)
        peer.setsockopt(zmq.SNDTIMEO, 50)
        peer.connect(self.endpoint)
        return peer

    def message(self):
        parts = self.chance.choice(KINDS)(self.chance)
        if self.topics and self.chance.random() < 0.7:
            parts = [TOPIC, *parts]
        if self.kind == zmq.SUB:
            parts = [self.chance.choice([b'\x01', b'\x00', b'']) + parts[0], *parts[1:]]
        return parts

    def run(self):
        peer = self.connect()
        while not self.stop.is_set():
            if self.chance.random() < 0.002:
                peer.close()
                peer = self.connect()
            try:
                peer.send_multipart(self.message())
                self.sent += 1
            except zmq.Again:
                pass
        peer.close()

    def end(self):
        self.stop.set()
        self.join(10)


class RawFlood(Flood):
    """Bytes that are not even ZMTP, or stop in the middle of its greeting."""

    def run(self):
        address = ('127.0.0.1', int(self.endpoint.rpartition(':')[2]))
        while not self.stop.is_set():
            try:
                with socket.create_connection(address, 2) as client:
                    greeting = b'\xff' + bytes(8) + b'\x7f\x03\x00NULL' + bytes(48)
                    client.sendall(self.chance.choice([os.urandom(500), greeting[:20], greeting + os.urandom(300),
                                                       b'GET / HTTP/1.1\r\n\r\n', b'']))
                    self.sent += 1
            except OSError:
                pass
            time.sleep(0.002)


SOCKETS = {'gateways': zmq.DEALER, 'workers': zmq.DEALER, 'events-in': zmq.PUB, 'events': zmq.XSUB}


def resident(broker):
    with open(f'/proc/{broker.process.pid}/status') as status:
        return int(next(line for line in status if line.startswith('VmRSS')).split()[1]) / 1024


@pytest.mark.parametrize('name', SOCKETS)
def test_garbage_harms_nobody(name):
    broker = Broker()
    worker, gateway = HonestWorker(broker), HonestGateway(broker)
    floods = []
    try:
        wait(lambda: len(gateway.settled) > 20, gateway, worker, what='20 jobs before')
        kind, endpoint = SOCKETS[name], broker.endpoints[name]
        floods += [Flood(endpoint, kind, name.startswith('events'), 1),
                   RawFlood(endpoint, kind, False, 2)]
        before, sessions = len(gateway.settled), (gateway.session, worker.session)
        end = time.monotonic() + SECONDS
        wait(lambda: time.monotonic() > end, gateway, worker, seconds=SECONDS + 5)
        assert broker.process.poll() is None
        assert len(gateway.settled) - before > 20 * SECONDS, 'the others were held up'
        # The one that floods may not have been told anything that ended an honest session.
        assert (gateway.session, worker.session) == sessions and not worker.of('hello?') + gateway.of('hello?')
        assert all(flood.sent > 100 for flood in floods)
        for flood in floods:
            flood.end()
        gateway.sending = False
        wait(lambda: gateway.jobs == gateway.settled, worker, gateway, seconds=10, what='end of all jobs')
        dropped = broker.metric(f'paratope_broker_dropped_total{{socket="{name}",reason="not one msgpack object"}}')
        assert dropped > 0 or name == 'events-in' or name == 'events'
        if name == 'events-in':
            assert 'paratope_broker_dropped_total{socket="events",reason="unknown verb"}' in broker.metrics()
        assert resident(broker) < 200
    finally:
        for flood in floods:
            flood.end()
        for peer in (worker, gateway):
            peer.close()
        assert broker.close()[0] == 0
