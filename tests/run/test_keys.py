"""scripts/run --keys: all that the processes say to each other is encrypted, and they know each other."""
import os
import socket
import subprocess
import uuid
from pathlib import Path

import msgpack
import pytest
import zmq
import zmq.auth

from harness import GENERIC, System
from harness.processes import wait_for
from harness.system import RUN

ENDPOINTS = ('PARATOPE_BROKER_GATEWAYS', 'PARATOPE_BROKER_WORKERS', 'PARATOPE_EVENTS_IN', 'PARATOPE_EVENTS')


@pytest.fixture(scope='module')
def running():
    with System(brokers=2, workers=2, keys=True, pipelines={'humanization': GENERIC}) as started:
        yield started


def subscriber(running, *prefixes, keys=True):
    made = zmq.Context.instance().socket(zmq.SUB)
    made.setsockopt(zmq.LINGER, 0)
    if keys:
        folder = Path(running.env['PARATOPE_KEYS'])
        made.curve_serverkey = zmq.auth.load_certificate(folder / 'broker.key')[0]
        made.curve_publickey, made.curve_secretkey = zmq.auth.load_certificate(folder / 'subscriber.key_secret')
    for prefix in prefixes:
        made.subscribe(prefix)
    for endpoint in running.env['PARATOPE_EVENTS'].split():
        made.connect(endpoint)
    return made


def keys_program(running, *arguments):
    programs = Path(os.readlink(f'/proc/{running.pid("broker-1")}/exe')).parent
    subprocess.run([programs / 'paratope-keys', *arguments], check=True, timeout=30)


def test_the_example_is_humanized_encrypted(home):
    programs = os.environ.get('PARATOPE_TEST_PROGRAMS')
    done = subprocess.run([RUN, '--keys', '--home', home, *(('--programs', programs) if programs else ())],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert 'numbering, germline search, grafting' in done.stdout and '→ completed' in done.stdout
    assert '"encryption":"curve"' in (home / 'log' / 'broker-1.log').read_text()


def test_the_subscriber_of_the_environment_follows_everything(running):
    folder = Path(running.env['PARATOPE_KEYS'])
    assert sorted(file.name for file in folder.iterdir()) == ['broker.key', 'subscriber.key_secret']
    listener = subscriber(running, b'')
    wait_for(lambda: listener.poll(100) and listener.recv_multipart(), 40)
    job = running.submit(running.make_variant('progress=2'))
    running.wait_terminal([job])
    kinds = set()

    def heard_all():
        while listener.poll(50):
            topic = listener.recv_multipart()[0].decode()
            kinds.update([topic.split('.')[0]] if job in topic else [])
        return kinds >= {'event', 'status', 'result'}
    assert wait_for(heard_all, 40), kinds
    listener.close()


def test_who_has_no_certificate_gets_nothing(running):
    listener = subscriber(running, b'', keys=False)
    peers = []
    for endpoint, role in zip(ENDPOINTS[:2], ('gateway', 'worker')):
        peer = zmq.Context.instance().socket(zmq.DEALER)
        peer.setsockopt(zmq.LINGER, 0)
        peer.connect(running.env[endpoint].split()[0])
        peer.send(msgpack.packb({'v': 1, 'm': 'hello', 'role': role, 'machine': 'm', 'instance': uuid.uuid4().bytes,
                                 'slots': {'humanization': 1}}))
        peers.append(peer)
    running.wait_terminal([running.submit()])
    assert not listener.poll(1000) and not any(peer.poll(0) for peer in peers)
    for one in (listener, *peers):
        one.close()


def test_nothing_can_be_read_on_the_way(running):
    """What a subscriber gets through a relay has none of the words that the messages are made of."""
    host, port = running.env['PARATOPE_EVENTS'].split()[0].removeprefix('tcp://').split(':')
    relay = socket.create_server(('127.0.0.1', 0))
    listener = subscriber(running, b'')
    listener.disconnect(running.env['PARATOPE_EVENTS'].split()[0])
    listener.connect(f'tcp://127.0.0.1:{relay.getsockname()[1]}')
    near, far = relay.accept()[0], socket.create_connection((host, int(port)))
    near.setblocking(False)
    far.setblocking(False)
    seen = bytearray()

    def carried():
        for one, other in ((near, far), (far, near)):
            try:
                data = one.recv(65536)
            except BlockingIOError:
                continue
            seen.extend(data)
            other.setblocking(True)
            other.sendall(data)
            other.setblocking(False)
        return listener.poll(0) and b'alive' in listener.recv_multipart()[0]
    assert wait_for(carried, 40)
    assert b'CURVE' in seen and b'alive' not in seen and b'instance' not in seen
    for one in (listener, near, far, relay):
        one.close()


def test_whoever_is_started_again_has_its_keys(running):
    for name in ('broker-1', 'broker-2', 'worker-1', 'gateway-1'):
        running.wait_restarted(name, running.kill(name))
    running.wait_ready()
    running.wait_terminal([running.submit() for _ in range(10)], 60)


def test_a_removed_worker_gets_no_more_and_the_others_do_its_jobs(running):
    keys = str(running.home / 'keys')
    job = running.submit(running.make_variant('sleep=2'))
    wait_for(lambda: running.jobs([job])[job]['status'] == 'running', 20)
    keys_program(running, 'remove', keys, 'worker-1')
    jobs = [job, *(running.submit() for _ in range(10))]
    running.wait_terminal(jobs, 60)
    assert {row['status'] for row in running.jobs(jobs).values()} == {'completed'}
    keys_program(running, 'add', keys, 'worker-1', '--role=worker', '--job-types=*')
    running.wait_restarted('worker-1', running.kill('worker-1'))  # its new secret is read at its start
    keys_program(running, 'remove', keys, 'worker-2')
    running.wait_terminal([running.submit() for _ in range(5)], 60)
