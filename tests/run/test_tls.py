"""scripts/run --tls: haproxy in front of the gateways."""
import hashlib
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest

import h2
from harness import NOOP, System, make_home, remove_home
from harness.processes import wait_for
from harness.system import CHECKOUT

SHIPPED = CHECKOUT / 'scripts' / 'haproxy.cfg'


@pytest.fixture(scope='module')
def running():
    with System(gateways=2, pipelines={'humanization': NOOP}, arguments=['--tls']) as started:
        yield started


@pytest.fixture
def https(running):
    with client(running) as made:
        yield made


def client(running, source: str | None = None, **options) -> httpx.Client:
    return httpx.Client(base_url=running.env['PARATOPE_TLS_URL'], timeout=60,
                        headers={'Authorization': f'Bearer {running.token}'},
                        transport=httpx.HTTPTransport(verify=trust(running), local_address=source), **options)


def trust(running) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=running.env['PARATOPE_TLS_CA'])


def address(running) -> tuple[str, int]:
    place = urlsplit(running.env['PARATOPE_TLS_URL'])
    return place.hostname, place.port


def secure(running, seconds: float = 10.0) -> ssl.SSLSocket:
    return trust(running).wrap_socket(socket.create_connection(address(running), seconds),
                                      server_hostname='127.0.0.1')


def said(running, data: bytes, seconds: float = 8.0) -> bytes:
    """All that comes back to these bytes until the connection ends, or nothing has come for a while."""
    got = b''
    with secure(running, seconds) as connection:
        connection.sendall(data)
        try:
            while more := connection.recv(65536):
                got += more
        except (TimeoutError, ConnectionError, ssl.SSLError):
            pass
    return got


def job(running) -> dict[str, str]:
    return {'variant_id': running.variant, 'job_type': 'humanization'}


def logged(running, request_id: str) -> dict:
    """The line of a gateway's access log."""
    def find() -> list[dict]:
        lines = (running.log('gateway-1') + running.log('gateway-2')).splitlines()
        return [json.loads(line) for line in lines if f'"request_id":"{request_id}"' in line]
    found = wait_for(find, 20)
    assert len(found) == 1, (request_id, found)
    return found[0]


# Requests

def test_a_job_goes_through_https_to_its_end(running, https):
    answer = https.post('/v1/jobs', json=job(running))
    assert answer.status_code == 202
    assert running.wait_terminal([answer.json()['id']])[answer.json()['id']]['status'] == 'completed'
    assert https.get(answer.headers['location']).json()['status'] == 'completed'


def test_another_authority_is_not_believed(running):
    with pytest.raises(httpx.ConnectError, match='CERTIFICATE_VERIFY_FAILED'):
        httpx.get(f"{running.env['PARATOPE_TLS_URL']}/healthz", trust_env=False)


@pytest.mark.parametrize('version', ['1.1', '2'])
def test_both_versions_of_http(running, version):
    done = subprocess.run(
        ['curl', '-sS', f'--http{version}', '--noproxy', '*', '--cacert', running.env['PARATOPE_TLS_CA'], '-w',
         '\n%{http_version} %{http_code}', f"{running.env['PARATOPE_TLS_URL']}/healthz"],
        capture_output=True, text=True, timeout=20)
    assert done.stdout.splitlines()[-1] == f'{version} 200', done.stderr


def test_localhost_is_its_name_too(running):
    host, port = address(running)
    assert httpx.get(f'https://localhost:{port}/healthz', verify=trust(running), trust_env=False).status_code == 200


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_old_versions_of_tls_are_refused(running):
    old = trust(running)
    old.set_ciphers('ALL:@SECLEVEL=0')
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with socket.create_connection(address(running), 5) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        old.wrap_socket(plain, server_hostname='127.0.0.1')


def test_the_key_is_its_owner_s_and_the_authority_s_is_gone(running):
    folder = running.home / 'tls'
    assert sorted(file.name for file in folder.iterdir()) == ['ca.pem', 'haproxy.cfg', 'server.pem']
    assert stat.S_IMODE((folder / 'server.pem').stat().st_mode) == 0o600
    assert 'KEY' not in (folder / 'ca.pem').read_text()


def test_env_has_the_plain_address_too(running):
    assert running.url.startswith('http://') and running.http.get('/healthz').status_code == 200
    assert running.env['PARATOPE_TLS_URL'].startswith('https://127.0.0.1:')
    assert os.path.isfile(running.env['PARATOPE_TLS_CA'])


# Answers

def test_a_gateway_s_problem_arrives_whole(running, https):
    for answer, status in ((https.post('/v1/jobs', content=b'{' * (2 << 20),
                                       headers={'Content-Type': 'application/json'}), 413),
                           (https.post('/v1/jobs', json={}), 400), (https.get('/nowhere'), 404),
                           (https.get('/v1/jobs/x', headers={'Authorization': 'Bearer ab_none'}), 401)):
        assert answer.status_code == status
        assert answer.headers['content-type'] == 'application/problem+json'
        assert answer.json()['status'] == status and answer.json()['instance']
        assert answer.headers['x-request-id']


def test_the_gateway_is_asked_before_an_expected_body(running):
    head = (f'POST /v1/jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {running.token}\r\nConnection: close\r\n'
            f'Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ')
    assert said(running, f'{head}{2 << 20}\r\n\r\n'.encode(), 2).startswith(b'HTTP/1.1 413')
    assert said(running, f'{head}2\r\n\r\n'.encode(), 2).startswith(b'HTTP/1.1 100')


def test_what_a_gateway_lacks_it_says_itself_and_jobs_are_taken(running, https):
    running.kill('broker-1', signal.SIGSTOP)
    try:
        assert wait_for(lambda: not https.get('/readyz').json()['broker'], 40)
        time.sleep(1.5)  # until haproxy holds all of them for not ready
        said = https.get('/readyz').json()
        assert (said['ready'], said['database'], said['broker'], said['recorder']) == (False, True, False, True)
        answer = https.post('/v1/jobs', json=job(running))
        assert answer.status_code == 202
    finally:
        running.kill('broker-1', signal.SIGCONT)
    running.wait_terminal([answer.json()['id']], 60)  # once it was sent to a session that had ended, it is missed first


def is_refused(https) -> bool:
    """Whether haproxy answers itself; what it gave a gateway before it noticed is not answered at all."""
    try:
        return https.get('/healthz', timeout=2).status_code == 503
    except httpx.TimeoutException:
        return False


def test_without_a_gateway_the_answer_has_the_usual_shape(running, https):
    try:
        for name in ('gateway-1', 'gateway-2'):
            running.kill(name, signal.SIGSTOP)
        assert wait_for(lambda: is_refused(https), 60), 'haproxy does not notice'
        answer = https.get('/healthz')
    finally:
        for name in ('gateway-1', 'gateway-2'):
            running.kill(name, signal.SIGCONT)
    assert answer.status_code == 503 and answer.headers['content-type'] == 'application/problem+json'
    assert answer.json()['code'] == 'unavailable' and answer.headers['retry-after'] and answer.headers['x-request-id']
    assert wait_for(lambda: https.get('/readyz').status_code == 200, 60)


def test_metrics_are_not_for_clients(running, https):
    assert https.get('/metrics').status_code == 404
    assert https.get('/metrics').headers['content-type'] == 'application/problem+json'


# Client addresses

def test_the_client_s_address_is_in_the_gateway_s_log(running):
    with client(running, '127.0.0.7') as http:
        http.get(f'/v1/variants/{running.variant}?secret=x', headers={'X-Request-Id': 'from-seven'})
    line = logged(running, 'from-seven')
    assert line.pop('time') and line.pop('ms') >= 0
    assert line == {'level': 'info', 'program': 'paratope-gateway', 'message': 'request', 'client': '127.0.0.7',
                    'method': 'GET', 'path': f'/v1/variants/{running.variant}', 'route': '/v1/variants/{id}',
                    'status': 200, 'request_id': 'from-seven'}


@pytest.mark.parametrize('header', ['X-Forwarded-For', 'x-forwarded-for', 'Forwarded', 'X-Real-IP'])
def test_a_client_cannot_say_who_it_is(running, header):
    value = 'for=6.6.6.6' if header == 'Forwarded' else '6.6.6.6, 127.0.0.2'
    with client(running, '127.0.0.8') as http:
        http.get('/nowhere', headers={'X-Request-Id': f'tls-{header}', header: value})
    assert logged(running, f'tls-{header}')['client'] == '127.0.0.8'
    running.http.get('/nowhere', headers={'X-Request-Id': f'direct-{header}', header: value})
    assert logged(running, f'direct-{header}')['client'] == '127.0.0.1'


def test_what_could_not_be_read_is_logged_with_its_client(running):
    with socket.create_connection(tuple(running.url[7:].split(':')), 5, ('127.0.0.6', 0)) as plain:
        plain.sendall(b'BREW / HTTP/1.1\r\nHost: a\r\n\r\n')
        assert plain.recv(100).startswith(b'HTTP/1.1 400')
    assert wait_for(lambda: re.search('"client":"127.0.0.6",.*"status":400', running.log('gateway-1')), 20)


def test_no_token_is_in_a_log(running, https):
    https.get('/v1/variants/' + running.variant)
    for file in (running.home / 'log').glob('*.log'):
        assert running.token not in file.read_text(errors='replace'), file


# What two programs could read differently

@pytest.mark.parametrize('lines', [
    ('Content-Length: 0', 'Content-Length: {n}'),
    ('Content-Length: {n}', 'Content-Length: 0'),
    ('Content-Length: {n}', 'Transfer-Encoding: chunked'),
    ('Transfer-Encoding: chunked', 'Content-Length: {n}'),
    ('Transfer-Encoding: identity', 'Content-Length: {n}'),
    ('Transfer-Encoding: gzip, chunked',),
    ('Transfer-Encoding: xchunked',),
    ('Transfer-Encoding: chunked', 'Transfer-Encoding: identity'),
    ('Transfer-Encoding : chunked',),
    ('Transfer-Encoding:\tchunked',),
    ('Transfer-Encoding:\x0bchunked', 'Content-Length: {n}'),
    ('Content-Length : {n}',),
    ('Content-Length: +{n}',),
    ('Content-Length: 0, {n}',),
    ('Content-Length:', 'Content-Length: {n}'),
    (': Content-Length: {n}',),
    ('X-A: b', ' Content-Length: {n}'),
    ('X-A: b\rContent-Length: {n}',),
    ('X-A: b\nTransfer-Encoding: chunked',),
    ('Connection: Content-Length', 'Content-Length: {n}'),
    ('Connection: X-Forwarded-For, Transfer-Encoding', 'Transfer-Encoding: chunked'),
    ('Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'),
])
@pytest.mark.parametrize('method', ['POST', 'GET'])
def test_a_body_is_never_passed_on_as_a_request(running, https, method, lines):
    name = 'inner-' + hashlib.sha256(f'{method} {lines}'.encode()).hexdigest()[:12]
    body = b'0\r\n\r\n' + inner(name)
    head = '\r\n'.join([f'{method} /v1/jobs HTTP/1.1', 'Host: test', f'Authorization: Bearer {running.token}',
                        'Content-Type: application/json',
                        *(line.replace('{n}', str(len(body))) for line in lines), '', '']).encode()
    answers = said(running, head + body, 1.0).count(b'HTTP/1.1 ')
    assert_not_smuggled(running, https, name)
    assert answers <= 2


@pytest.mark.parametrize('more', [
    [(b'transfer-encoding', b'chunked')],
    [(b'content-length', b'0')],
    [(b'content-length', b'5'), (b'content-length', b'0')],
    [(b'content-length', b'9999')],
    [(b'content-length', b'5, 5')],
    [(b'a', b'b\r\nTransfer-Encoding: chunked')],
    [(b'a', b'b\nContent-Length: 0')],
    [(b'a\r\ncontent-length: 0\r\nb', b'c')],
    [(b'a:b', b'c')],
    [(b'Content-Length', b'0')],
    [(b'connection', b'transfer-encoding'), (b'transfer-encoding', b'chunked')],
    [(b':path', b'/nowhere HTTP/1.1\r\nContent-Length: 0\r\nA: b')],
    [(b':path', b'/nowhere HTTP/1.1')],
    [(b':method', b'GET /x HTTP/1.1\r\nHost: a\r\n\r\nPOST')],
    [(b':authority', b'a\r\nContent-Length: 0')],
    [(b'host', b'a\r\nContent-Length: 0')],
    [(b':scheme', b'https://a/ HTTP/1.1\r\nContent-Length: 0\r\n\r\n')],
])
def test_an_http2_body_is_never_passed_on_as_a_request(running, https, more):
    name = 'inner-' + hashlib.sha256(repr(more).encode()).hexdigest()[:12]
    usual = {b':method': b'POST', b':scheme': b'https', b':path': b'/v1/jobs', b':authority': b'test'}
    own = [entry for entry in more if entry[0] in usual]
    headers = [*(entry for entry in usual.items() if entry[0] not in dict(own)), *own,
               (b'authorization', b'Bearer ' + running.token.encode()), (b'content-type', b'application/json'),
               *(entry for entry in more if entry not in own)]
    kinds = h2.kinds_answered(address(running), trust(running), h2.request(headers, b'0\r\n\r\n' + inner(name)))
    assert set(kinds) & {h2.HEADERS, h2.RST_STREAM, h2.GOAWAY}, kinds
    assert_not_smuggled(running, https, name)


def inner(name: str) -> bytes:
    return f'GET /{name} HTTP/1.1\r\nHost: inner\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n'.encode()


def assert_not_smuggled(running, https, name: str) -> None:
    """Where both agree that the body ended before it, the inner request is the client's own next one;
    then haproxy has seen it, and said whose it is."""
    for n in range(4):
        answer = https.get(f'/after-{name}-{n}', headers={'X-Request-Id': f'{name}-{n}'})
        assert answer.json()['instance'] == f'/after-{name}-{n}'
    assert logged(running, f'{name}-3')['client'] == '127.0.0.1'
    lines = [json.loads(line) for number in (1, 2) for line in running.log(f'gateway-{number}').splitlines()
             if f'"path":"/{name}"' in line]
    assert all(line['client'] == '127.0.0.1' for line in lines), lines


# Slow and many

def test_clients_that_do_not_finish_are_cut_while_others_go_on(running, https):
    slow = [secure(running, 30) for _ in range(100)]
    began = time.monotonic()
    for number, connection in enumerate(slow):
        connection.sendall(b'GET /healthz HTTP/1.1\r\nHost: a\r\n' if number % 2 else
                           b'POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{')
    slowest = 0.0
    while time.monotonic() - began < 3:
        asked = time.monotonic()
        assert https.get(f'/v1/variants/{running.variant}').status_code == 200
        slowest = max(slowest, time.monotonic() - asked)
    assert slowest < 3, 'who is cut has 5 s'
    for connection in slow:
        assert connection.recv(100).startswith(b'HTTP/1.1 408')
        connection.close()
    assert 4 < time.monotonic() - began < 20


def test_one_source_has_so_many_connections_and_others_go_on(running, https):
    many = []
    try:
        for _ in range(600):
            many.append(socket.create_connection(address(running), 5, ('127.0.0.9', 0)))
        wait_for(lambda: sum(map(is_closed, many)) >= 600 - 512, 4)  # the others are cut after 5 s
        refused = sum(map(is_closed, many))
        assert https.get('/healthz').status_code == 200
    finally:
        for connection in many:
            connection.close()
    assert refused == 600 - 512


def test_one_source_has_so_many_requests_and_others_go_on(running, https):
    headers = [(b':method', b'POST'), (b':scheme', b'https'), (b':path', b'/v1/jobs'), (b':authority', b'a'),
               (b'content-length', b'9')]
    many, trusted = [], trust(running)
    trusted.set_alpn_protocols(['h2'])
    try:
        for _ in range(10):
            many.append(trusted.wrap_socket(socket.create_connection(address(running), 5, ('127.0.0.10', 0)),
                                            server_hostname='127.0.0.1'))
            many[-1].sendall(h2.unfinished(headers, 60))
        assert wait_for(lambda: b'too_many_requests' in received(many[-1]), 4)
        assert https.get('/healthz').status_code == 200
        assert b'too_many_requests' not in received(many[0])
    finally:
        for connection in many:
            connection.close()


def received(connection: ssl.SSLSocket) -> bytes:
    connection.settimeout(0.2)
    got = b''
    try:
        while more := connection.recv(65536):
            got += more
    except TimeoutError:
        pass
    return got


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b''
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


# What dies

def test_haproxy_killed_is_back_at_the_same_place(running):
    began = time.monotonic()
    running.wait_restarted('haproxy', running.kill('haproxy'))
    assert time.monotonic() - began < 5
    with client(running) as http:
        assert wait_for(lambda: works(http), 20)
        assert running.wait_terminal([http.post('/v1/jobs', json=job(running)).json()['id']])


def works(http: httpx.Client) -> bool:
    try:
        return http.get('/readyz').status_code == 200
    except httpx.HTTPError:
        return False


def test_a_gateway_killed_under_load_costs_only_what_was_under_way(running):
    clients, until = 8, time.monotonic() + 6
    accepted, failed, kills = [], [], 3
    before = running.query('SELECT count(*) AS n FROM jobs')[0]['n']

    def load() -> None:
        with client(running) as http:
            while time.monotonic() < until:
                try:
                    answer = http.post('/v1/jobs', json=job(running))
                    (accepted if answer.status_code == 202 else failed).append(answer)
                except httpx.HTTPError as error:
                    failed.append(error)

    threads = [threading.Thread(target=load) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for _ in range(kills):
        time.sleep(1.5)
        running.wait_restarted('gateway-2', running.kill('gateway-2'))
    for thread in threads:
        thread.join()
    assert len(accepted) > 20
    assert len(failed) <= kills * clients
    # haproxy 2.6 answers the first request of a connection, and ends the connection at a later one.
    assert all(isinstance(answer, httpx.RemoteProtocolError) or answer.status_code == 502 for answer in failed), failed
    rows = running.wait_terminal([answer.json()['id'] for answer in accepted])
    assert len(rows) == len(accepted) and {row['status'] for row in rows.values()} == {'completed'}
    made = running.query('SELECT count(*) AS n FROM jobs')[0]['n'] - before
    assert len(accepted) <= made <= len(accepted) + len(failed)  # none was submitted twice


def test_the_end_comes_in_time_with_connections_open(new_system):
    running = new_system(gateways=2, pipelines={}, arguments=['--tls'])
    idle = [secure(running) for _ in range(20)]
    idle[0].sendall(b'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n')
    assert idle[0].recv(100).startswith(b'HTTP/1.1 200')
    idle[1].sendall(b'GET /healthz HTTP/1.1\r\n')
    assert running.stop() < 10
    assert idle[0].recv(100000)[-15:] in (b'', b'{"status":"ok"}')


def test_a_stopped_haproxy_does_not_hold_up_the_end_and_the_certificate_stays(new_system):
    running = new_system(pipelines={}, workers=0, arguments=['--tls'])
    made = (running.home / 'tls' / 'server.pem').read_text()
    running.crash()
    running.start()
    assert (running.home / 'tls' / 'server.pem').read_text() == made
    running.kill('haproxy', signal.SIGSTOP)
    running.stop()


@pytest.mark.parametrize('name', ['x' * 100, 'with space, comma, "two" and #'])
def test_a_home_with_an_odd_name(name):
    folder = make_home()
    try:
        (folder / name).mkdir()
        with System(folder / name, workers=0, pipelines={}, arguments=['--tls']) as running, client(running) as http:
            assert http.get('/healthz').status_code == 200
    finally:
        remove_home(folder / name)
        folder.rmdir()


# What is shipped

def test_the_shipped_configuration_is_valid(running, tmp_path):
    file = tmp_path / 'haproxy.cfg'
    file.write_text(SHIPPED.read_text().replace('/etc/haproxy/paratope.pem', str(running.home / 'tls' / 'server.pem')))
    done = subprocess.run(['haproxy', '-c', '-f', str(file)], capture_output=True, text=True,
                          env={'PATH': '/usr/sbin:/usr/bin'})
    assert done.returncode == 0 and 'WARNING' not in done.stderr, done.stderr


def test_without_haproxy_it_says_what_to_do(tmp_path):
    asked = ('import shutil, sys; sys.path.insert(0, sys.argv[1]); shutil.which = lambda *a, **k: None\n'
             'import proxy, errors, pathlib\n'
             'try: proxy.Proxy(pathlib.Path("/tmp"), "127.0.0.1:1", pathlib.Path("/tmp/log"))\n'
             'except errors.SetupError as error: print(error)')
    done = subprocess.run([sys.executable, '-B', '-c', asked, str(CHECKOUT / 'scripts' / 'supervise')],
                          capture_output=True, text=True)
    assert done.stdout == '--tls needs haproxy: scripts/install-deps --tls, or apt-get install haproxy\n', done.stderr


def test_proxies_that_are_none_are_refused_at_the_start(running):
    gateway = re.search(r'\S+/paratope-gateway', open(f"/proc/{running.pid('gateway-1')}/cmdline").read()).group()
    done = subprocess.run([gateway.split('\0')[0], '--database', running.env['DATABASE_URL'], '--listen', '127.0.0.1:0',
                           '--brokers', running.env['PARATOPE_BROKER_GATEWAYS'], '--events-in',
                           running.env['PARATOPE_EVENTS_IN'], '--events', running.env['PARATOPE_EVENTS'],
                           '--trusted-proxies', '127.0.0.1 nowhere'], capture_output=True, text=True, timeout=20)
    assert done.returncode != 0 and '"wrong":"nowhere"' in done.stderr
