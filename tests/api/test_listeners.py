"""A gateway beside the system's own: few threads, all of them taken, and a listener for health."""
import os
import signal
import socket
import subprocess
import time

import httpx
import pytest

from commands import program
from harness.processes import die_with_parent, wait_for
from raw import Connection, head

THREADS = 4


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def answers(url: str) -> bool:
    try:
        return httpx.get(f'{url}/healthz', timeout=1, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope='module')
def small(system):
    """(its URL, the URL of its health listener)"""
    main, health = (f'127.0.0.1:{free_port()}' for _ in range(2))
    gateway = subprocess.Popen([program('paratope-gateway'), '--listen', main, '--health-listen', health, '--threads',
                                str(THREADS)], env={**os.environ, **system.env}, stderr=subprocess.DEVNULL,
                               preexec_fn=die_with_parent(signal.SIGKILL))
    try:
        assert wait_for(lambda: answers(f'http://{main}') and answers(f'http://{health}'), 10)
        yield f'http://{main}', f'http://{health}'
    finally:
        gateway.terminate()
        status = gateway.wait(15)
    assert status == 0


def test_both_listeners_answer_at_once_while_every_thread_is_taken(small):
    main, health = small
    held = [Connection(main) for _ in range(THREADS * 3)]
    try:
        for connection in held:
            connection.send(b'GET /healthz HTTP/1.1\r\n')
        time.sleep(0.2)
        began = time.monotonic()
        for url in (health, main):
            for path in ('/healthz', '/readyz', '/metrics'):
                assert httpx.get(url + path, timeout=10, trust_env=False).status_code == 200
        assert time.monotonic() - began < 3, 'those who are held have 5 s'
    finally:
        for connection in held:
            connection.socket.close()
    assert wait_for(lambda: answers(main), 10)


def test_the_health_listener_serves_nothing_else(small, system):
    _, health = small
    for method, path in (('GET', '/v1/events'), ('POST', '/v1/jobs'), ('PUT', '/v1/jobs')):
        answer = httpx.request(method, health + path, trust_env=False, headers={'Authorization': f'Bearer {system.token}'})
        assert answer.status_code == 404


def test_no_thread_is_kept_for_an_idle_client_when_most_are_taken(small):
    main, _ = small
    with Connection(main) as first:
        first.send(head('GET', '/healthz'))
        assert first.answer().headers['connection'] == 'keep-alive'
    held = [Connection(main) for _ in range(THREADS - 1)]
    try:
        for connection in held:
            connection.send(b'GET /healthz HTTP/1.1\r\n')
        time.sleep(0.2)
        with Connection(main) as last:
            last.send(head('GET', '/healthz'))
            assert last.answer().headers['connection'] == 'close'
    finally:
        for connection in held:
            connection.socket.close()


@pytest.mark.parametrize('listen', ['127.0.0.1:443s', '127.0.0.1:1,127.0.0.1:2', '8080', 'x', ':80', '127.0.0.1:', '192.0.2.1:80'])
def test_an_address_that_is_none_ends_the_start_with_a_reason(system, listen):
    ended = subprocess.run([program('paratope-gateway'), '--listen', listen], env={**os.environ, **system.env},
                           capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1
    assert listen in ended.stderr
