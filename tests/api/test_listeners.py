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


HELD: list[socket.socket] = []


def free_port() -> int:
    """Kept bound and never listened on, so that nobody else gets it before our program, which sets SO_REUSEADDR."""
    holder = socket.socket()
    holder.bind(('127.0.0.1', 0))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    HELD.append(holder)
    return holder.getsockname()[1]


def answers(url: str) -> bool:
    try:
        return httpx.get(f'{url}/healthz', timeout=10, trust_env=False).status_code == 200
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
        assert wait_for(lambda: answers(f'http://{main}') and answers(f'http://{health}'), 40)
        yield f'http://{main}', f'http://{health}'
    finally:
        gateway.terminate()
        status = gateway.wait(40)
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
        assert time.monotonic() - began < 4.5, 'those who are held have 5 s'
    finally:
        for connection in held:
            connection.socket.close()
    assert wait_for(lambda: answers(main), 40)


def test_the_health_listener_serves_nothing_else(small, system):
    _, health = small
    for method, path in (('GET', '/v1/events'), ('POST', '/v1/jobs'), ('PUT', '/v1/jobs')):
        answer = httpx.request(method, health + path, trust_env=False, headers={'Authorization': f'Bearer {system.token}'})
        assert answer.status_code == 404


def test_no_thread_is_kept_for_an_idle_client_when_most_are_taken(small):
    main, _ = small

    def is_kept() -> bool:
        with Connection(main) as one:
            one.send(head('GET', '/healthz'))
            return one.answer().headers['connection'] == 'keep-alive'
    assert wait_for(is_kept, 20)  # once those of the test before have gone
    held = [Connection(main) for _ in range(THREADS - 1)]
    try:
        for connection in held:
            connection.send(b'GET /healthz HTTP/1.1\r\n')
        assert wait_for(lambda: not is_kept(), 4)  # once each has its thread, for 5 s
    finally:
        for connection in held:
            connection.socket.close()


@pytest.mark.parametrize('listen', ['127.0.0.1:443s', '127.0.0.1:1,127.0.0.1:2', '8080', 'x', ':80', '127.0.0.1:', '192.0.2.1:80'])
def test_an_address_that_is_none_ends_the_start_with_a_reason(system, listen):
    ended = subprocess.run([program('paratope-gateway'), '--listen', listen], env={**os.environ, **system.env},
                           capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert listen in ended.stderr
