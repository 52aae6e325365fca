"""Sends nonsense to one of a broker's sockets until it is killed: garbage_sender.py zmq|raw SOCKET ENDPOINT SEED.
A process of its own, because libzmq now and then aborts the one that misuses it like this."""
import os
import random
import socket
import sys
import time
import uuid

import msgpack
import zmq

from broker_peers import TYPE, header

SESSION = b'\x00' * 8
ID = b'i' * 16
SOCKETS = {'gateways': zmq.DEALER, 'workers': zmq.DEALER, 'events-in': zmq.PUB, 'events': zmq.XSUB}


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


class Flood:
    """Sends one kind after the other to one endpoint until it is killed."""

    def __init__(self, name, endpoint, seed):
        self.endpoint, self.kind, self.topics = endpoint, SOCKETS[name], name == 'events-in'
        self.chance = random.Random(seed)

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
        return parts

    def run(self):
        peer = self.connect()
        while True:
            if self.chance.random() < 0.002:
                peer.close()
                peer = self.connect()
            try:
                peer.send_multipart(self.message())
            except zmq.Again:
                pass


GREETING = b'\xff' + bytes(8) + b'\x7f\x03\x00NULL' + bytes(48)


def zmtp(flags, data):
    """A frame as ZMTP 3.0 has it: 1 more, 2 long, 4 command."""
    if len(data) < 256:
        return bytes([flags & ~2, len(data)]) + data
    return bytes([flags | 2]) + len(data).to_bytes(8, 'big') + data


class RawFlood(Flood):
    """Bytes under libzmq's own feet: no ZMTP at all, half of its greeting, and behind a right greeting
    frames in any order, cut off anywhere."""

    def run(self):
        address = ('127.0.0.1', int(self.endpoint.rpartition(':')[2]))
        while True:
            try:
                with socket.create_connection(address, 2) as client:
                    client.settimeout(0.5)
                    client.sendall(self.opening())
                    if self.chance.random() < 0.5:
                        client.recv(4096)
            except OSError:
                pass
            time.sleep(0.002)

    def message(self):
        parts = super().message()
        if self.kind == zmq.XSUB:
            parts = [self.chance.choice([b'\x01', b'\x00', b'']) + part for part in parts]
        return parts

    def opening(self):
        name = {zmq.DEALER: b'DEALER', zmq.PUB: b'PUB', zmq.XSUB: b'SUB'}[self.kind]
        ready = zmtp(4, b'\x05READY\x0bSocket-Type' + len(name).to_bytes(4, 'big') + name)
        frames = b''.join(zmtp(self.chance.choice([0, 1, 1, 4, 0x80]), part) for _ in range(5) for part in self.message())
        whole = GREETING + ready + frames
        return self.chance.choice([os.urandom(500), GREETING[:20], GREETING + os.urandom(300), whole, whole, whole,
                                   whole[:self.chance.randrange(len(whole))], b'GET / HTTP/1.1\r\n\r\n', b''])


if __name__ == '__main__':
    how, to, where, number = sys.argv[1:]
    {'zmq': Flood, 'raw': RawFlood}[how](to, where, int(number)).run()
