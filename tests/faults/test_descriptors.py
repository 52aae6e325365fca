"""Clients that take every descriptor of a broker, and as many as they can of a gateway: who was there goes on."""
import os
import resource
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from harness.processes import die_with_parent, wait_for
from harness.system import programs
from protocol.broker_peers import Broker, Gateway, Peer, Ports, Worker, pump, wait

pytestmark = pytest.mark.timeout(120)


def descriptors(pid):
    return len(list(Path(f'/proc/{pid}/fd').iterdir()))


# ---- the broker ----------------------------------------------------------------------------------

LIMIT = 160  # so nobody new is welcome above 128


@pytest.fixture
def crowded():
    """(a broker with few descriptors, a gateway and a worker in session)"""
    broker, peers = Broker(), []
    try:
        resource.prlimit(broker.process.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
        peers += [Gateway(broker, leader=True), Worker(broker)]
        yield broker, *peers
    finally:
        for peer in peers:
            peer.close()
        broker.close()


def do_job(gateway, worker):
    """A job goes through from end to end."""
    wait(lambda: gateway.credit.get('humanization', 0) >= 1, gateway, worker, seconds=20, what='credit')
    job = gateway.job()
    wait(lambda: any(got['job_id'] == job for got in worker.of('job')), gateway, worker, seconds=20, what='job')
    gateway.say('settled', job_id=job, attempt=1, outcome='committed')
    wait(lambda: any(got['job_id'] == job for got in worker.of('settled')), gateway, worker, seconds=20, what='settled')
    worker.give(worker.total + 1)


def test_a_broker_short_of_descriptors_refuses_newcomers_and_says_why(crowded):
    broker, gateway, worker = crowded
    pump(1.5, gateway, worker)  # it looks once a second
    newcomers = []
    try:
        for _ in range(LIMIT):  # a worker is two connections; here it has only the one
            newcomers.append(Peer(broker.endpoints['gateways'], 'gateway'))
            newcomers[-1].beating = False
            pump(0.01, gateway, worker)
            if descriptors(broker.process.pid) > LIMIT * 0.9:
                break
        refused = newcomers[-1].wait_for('hello?', seconds=20, others=[gateway, worker])
        assert 'descriptors' in refused['reason']
        assert broker.metric('paratope_broker_dropped_total{socket="jobs",reason="hello refused"}') >= 1
        assert broker.metric('paratope_broker_descriptors_max') == LIMIT
        wait(lambda: broker.metric('paratope_broker_descriptors') > LIMIT * 0.8, gateway, worker, what='a figure')
        do_job(gateway, worker)
    finally:
        for peer in newcomers:
            peer.close()


def test_a_broker_without_descriptors_goes_on_with_who_is_there(crowded):
    broker, gateway, worker = crowded
    strangers = [socket.create_connection(('127.0.0.1', broker.ports[n % 4]), 10) for n in range(LIMIT * 2)]
    try:
        wait(lambda: descriptors(broker.process.pid) >= LIMIT, gateway, worker, seconds=20, what='shortage')
        for _ in range(3):
            do_job(gateway, worker)
            pump(1, gateway, worker)
        assert descriptors(broker.process.pid) >= LIMIT  # all that time
        assert not gateway.of('hello?') and not worker.of('hello?')
    finally:
        for stranger in strangers:
            stranger.close()
    late = Gateway.__new__(Gateway)
    Peer.__init__(late, broker.endpoints['gateways'], 'gateway')
    try:
        deadline = time.monotonic() + 30
        while not late.of('welcome') and time.monotonic() < deadline:  # refused until it has looked again
            late.hello()
            pump(0.5, gateway, worker, late)
        assert late.of('welcome')
    finally:
        late.close()


# ---- the gateway ---------------------------------------------------------------------------------

THREADS = 8
NEEDED = (THREADS + 512) + (8 + 64) + 200  # both listeners with all that they accept, and the rest


@contextmanager
def small_gateway(system, limit):
    ports = Ports(2)
    main, health = (f'127.0.0.1:{port}' for port in ports.numbers)

    def limited():
        die_with_parent(signal.SIGKILL)()
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    process = subprocess.Popen(
        [programs() / 'paratope-gateway', '--listen', main, '--health-listen', health, '--threads', str(THREADS)],
        env={**os.environ, **system.env}, stderr=subprocess.PIPE, text=True, preexec_fn=limited)
    try:
        yield process, f'http://{main}', f'http://{health}'
    finally:
        process.kill()
        process.communicate()
        ports.close()


def status_of(url):
    try:
        return httpx.get(url, timeout=10, trust_env=False).status_code
    except httpx.HTTPError:
        return None


def test_a_gateway_that_could_run_out_of_descriptors_does_not_start(system):
    with small_gateway(system, NEEDED - 1) as (process, _, _):
        said = process.communicate(timeout=30)[1]
        assert process.returncode == 1
        assert 'descriptors' in said and str(NEEDED) in said


def test_clients_cannot_take_a_gateways_last_descriptor(system):
    """Twice as many as there are descriptors, at both listeners."""
    with small_gateway(system, NEEDED) as (process, main, health):
        assert wait_for(lambda: status_of(main + '/readyz') == status_of(health + '/readyz') == 200, 30)
        places = [httpx.URL(url) for url in (main, health)]
        held, most = [], 0
        try:
            for n in range(2 * NEEDED):  # each has said half of a request
                held.append(socket.create_connection((places[n % 2].host, places[n % 2].port), 20))
                held[-1].sendall(b'GET /healthz HTTP/1.1\r\n')
                most = max(most, descriptors(process.pid))
            assert THREADS + 8 < most < NEEDED - 50, most
            assert status_of(health + '/healthz') == 200
            assert status_of(main + '/readyz') == 200
            assert process.poll() is None
        finally:
            for connection in held:
                connection.close()
        assert wait_for(lambda: descriptors(process.pid) < 300, 30)
        assert status_of(main + '/v1/jobs') == 401
