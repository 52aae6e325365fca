"""Nonsense at each of the broker's sockets, while a worker and a gateway beside it go on as ever."""
import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import msgpack
import pytest
import zmq

from broker_peers import BUILD, TYPE, Broker, Gateway, Worker, die_with_parent, wait

pytestmark = pytest.mark.timeout(180)
SECONDS = float(os.environ.get('PT_GARBAGE_SECONDS', 3))


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


class Sender:
    """A garbage_sender, started again when it dies of what it does."""

    def __init__(self, how, name, broker):
        program = Path(__file__).parent / 'garbage_sender.py'
        self.command, self.seed = [sys.executable, '-B', str(program), how, name, broker.endpoints[name]], 0
        self.process = None

    def keep_up(self):
        if self.process is None or self.process.poll() is not None:
            self.seed += 1
            self.process = subprocess.Popen([*self.command, str(self.seed)], stderr=subprocess.DEVNULL,
                                            preexec_fn=die_with_parent)

    def end(self):
        if self.process:
            self.process.kill()
            self.process.wait(5)


def dropped(broker, name):
    """What the broker says that it dropped there."""
    lines = [line for line in broker.metrics().splitlines()
             if line.startswith(f'paratope_broker_dropped_total{{socket="{name}"')]
    return sum(float(line.rsplit(' ', 1)[1]) for line in lines)


def resident(broker):
    with open(f'/proc/{broker.process.pid}/status') as status:
        return int(next(line for line in status if line.startswith('VmRSS')).split()[1]) / 1024


@pytest.mark.parametrize('name', ['gateways', 'workers', 'events-in', 'events'])
def test_garbage_harms_nobody(name):
    broker = Broker()
    worker, gateway = HonestWorker(broker), HonestGateway(broker)
    senders = [Sender(how, name, broker) for how in ('zmq', 'raw') if (how, name) != ('zmq', 'events')]
    try:
        wait(lambda: len(gateway.settled) > 20, gateway, worker, what='20 jobs before')
        before, sessions = len(gateway.settled), (gateway.session, worker.session)
        end = time.monotonic() + SECONDS
        wait(lambda: [sender.keep_up() for sender in senders] and time.monotonic() > end, gateway, worker,
             seconds=SECONDS + 40)
        assert broker.process.poll() is None
        assert len(gateway.settled) - before > 3 * SECONDS, 'the others were held up'
        assert (gateway.session, worker.session) == sessions and not worker.of('hello?') + gateway.of('hello?')
        for sender in senders:
            sender.end()
        gateway.sending = False
        wait(lambda: gateway.jobs == gateway.settled, worker, gateway, seconds=40, what='end of all jobs')
        if name != 'events':  # there libzmq itself reads subscriptions, and drops what is none
            assert dropped(broker, 'events' if name == 'events-in' else name) > 100
        assert resident(broker) < (600 if 'san' in BUILD.name else 200)
    finally:
        for peer in (*senders, worker, gateway):
            peer.end() if isinstance(peer, Sender) else peer.close()
        assert broker.close()[0] == 0


def test_a_peer_that_sends_nonsense_is_logged_once_a_minute(tmp_path):
    with open(tmp_path / 'log', 'wb') as log:
        broker = Broker(log=log)
    peers = [zmq.Context.instance().socket(zmq.DEALER) for _ in range(3)]
    try:
        for peer in peers:
            peer.linger = 0
            peer.connect(broker.endpoints['workers'])
            for _ in range(200):
                peer.send(b'nonsense')
        deadline = time.monotonic() + 40
        while dropped(broker, 'workers') < 600 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert dropped(broker, 'workers') == 600
    finally:
        for peer in peers:
            peer.close()
        broker.close()
    said = [json.loads(line) for line in (tmp_path / 'log').read_text().splitlines()]
    complaints = [line for line in said if line['message'].startswith('a message was dropped')]
    assert len(complaints) == len({line['peer'] for line in complaints}) == 3
    assert all(line['socket'] == 'workers' and line['reason'] for line in complaints)
