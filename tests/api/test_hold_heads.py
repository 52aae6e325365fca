"""What test_smuggling.py does not ask: methods, encodings, chunks and the end, each with its one answer."""
import gzip
import json
import signal
import time

import pytest

from harness.processes import wait_for
from problems import check_problem
from raw import Answer, Connection, answers, head

INNER = b'GET /healthz HTTP/1.1\r\nHost: inner\r\nX-Request-Id: inner\r\n\r\n'


def one(url: str, data: bytes, status: int) -> Answer:
    """Exactly one answer, a problem of that status."""
    got = answers(url, data)
    assert [answer.status for answer in got] == [status]
    return got[0]


# ---- methods -------------------------------------------------------------------------------------


@pytest.mark.parametrize('method', ['OPTIONS', 'CONNECT', 'PATCH', 'PUT', 'DELETE', 'PROPFIND', 'MKCOL'])
def test_a_method_of_http_that_no_route_has_is_405(system, method):
    answer = one(system.url, head(method, '/v1/events', system.token, Connection='close'), 405)
    assert answer.headers['allow'] == 'GET, HEAD'
    assert answer.headers['content-type'] == 'application/problem+json'
    assert system.token.encode() not in answer.body


@pytest.mark.parametrize('method', ['BREW', 'TRACE', 'get', 'GETT', 'G\xc8T', 'PRI', 'GET\t'])
def test_a_method_of_nobody_is_400_and_ends_the_connection(system, method):
    answer = one(system.url, head(method, '/v1/events', system.token) + INNER, 400)
    assert answer.headers['connection'] == 'close'


@pytest.mark.parametrize('target', ['*', 'http://test/healthz', 'https://test/healthz', 'http://other.example/healthz'])
def test_a_target_for_proxies_ends_the_connection_without_a_word(system, target):
    for method in ('GET', 'OPTIONS'):
        assert answers(system.url, head(method, target, system.token) + INNER) == []


@pytest.mark.parametrize('target, status', [('test:80', 400), ('', 400), ('healthz', 400), ('//test/healthz', 404),
                                            ('/healthz#x', 404), ('/healthz;x', 404), ('/healthz%00', 404),
                                            ('/healthz?' + 'x' * 9000, 200)])
def test_targets_that_are_no_path_or_odd_ones(system, target, status):
    got = answers(system.url, head('GET', target, Connection='close'))
    assert [answer.status for answer in got] == [status]


def test_head_of_a_post_route_is_405_without_a_body(system):
    data = head('HEAD', '/v1/therapeutic-candidates', system.token) + head('GET', '/healthz', Connection='close')
    with Connection(system.url) as connection:
        connection.send(data)
        first = connection.head()
        assert first.startswith(b'HTTP/1.1 405 ')
        assert connection.answer().body == b'{"status":"ok"}'  # no body stood before it


# ---- what a body may be --------------------------------------------------------------------------


@pytest.mark.parametrize('encoding', ['gzip', 'deflate', 'br', 'zstd', 'x-gzip', 'gzip, gzip', 'identity, gzip'])
def test_an_encoded_body_is_415_and_is_told_what_is_taken(api, system, encoding):
    body = gzip.compress(json.dumps({'variant_id': system.variant, 'job_type': 'humanization'}).encode())
    answer = api.post('/v1/jobs', content=body,
                      headers={'Content-Type': 'application/json', 'Content-Encoding': encoding})
    check_problem(answer, 415, 'unsupported_media_type')
    assert answer.headers['accept-encoding'] == 'identity'


def test_a_gzip_bomb_is_not_opened(api):
    bomb = gzip.compress(b'[' * 20_000_000)
    answer = api.post('/v1/jobs', content=bomb, headers={'Content-Type': 'application/json', 'Content-Encoding': 'gzip'})
    check_problem(answer, 415, 'unsupported_media_type')


@pytest.mark.parametrize('encoding', ['identity', 'Identity', ''])
def test_identity_is_no_encoding(api, encoding):
    answer = api.post('/v1/jobs', content='{}', headers={'Content-Type': 'application/json', 'Content-Encoding': encoding})
    check_problem(answer, 400, 'invalid_request')


def test_another_type_is_told_what_is_taken(api):
    answer = api.post('/v1/jobs', content='{}', headers={'Content-Type': 'text/plain'})
    check_problem(answer, 415, 'unsupported_media_type')
    assert answer.headers['accept'] == 'application/json'


@pytest.mark.parametrize('chunks', [
    b'zz\r\n', b'-1\r\n', b'\r\n', b' 2\r\n{}\r\n0\r\n\r\n', b'0x2\r\n{}\r\n0\r\n\r\n', b'2\r\n{}xx0\r\n\r\n',
    b'5\r\nabc\r\n0\r\n\r\n', b'2;\r\n{}\r\n0\r\n\r\n'])
def test_malformed_chunks_are_400_at_once(system, chunks):
    data = head('POST', '/v1/jobs', system.token, Content_Type='application/json', Transfer_Encoding='chunked')
    began = time.monotonic()
    answer = one(system.url, data + chunks + INNER, 400)
    assert time.monotonic() - began < 8, 'what does not come has 10 s'
    assert answer.headers['connection'] == 'close'
    assert json.loads(answer.body)['code'] == 'invalid_request'


@pytest.mark.timeout(90)
def test_chunks_that_do_not_come_are_408(system):
    data = head('POST', '/v1/jobs', system.token, Content_Type='application/json', Transfer_Encoding='chunked')
    with Connection(system.url, 60) as connection:
        connection.send(data + b'2\r\n{')
        assert connection.answer().status == 408
        assert connection.is_closed()


# ---- Expect --------------------------------------------------------------------------------------


@pytest.mark.parametrize('expect', ['100-continue', '100-Continue'])
def test_expect_with_a_body_that_is_already_there(system, expect):
    body = json.dumps({'variant_id': system.variant, 'job_type': 'humanization'}).encode()
    with Connection(system.url) as connection:
        connection.send(head('POST', '/v1/jobs', system.token, Content_Type='application/json', Expect=expect,
                             Content_Length=str(len(body))) + body + head('GET', '/healthz', Connection='close'))
        assert connection.head() == b'HTTP/1.1 100 Continue'
        assert connection.answer().status == 202
        assert connection.answer().status == 200


def test_expect_without_a_body_is_passed_over(system):
    got = answers(system.url, head('GET', '/healthz', Expect='100-continue', Connection='close'))
    assert [answer.status for answer in got] == [200]


def test_expect_too_large_is_413_instead_of_an_invitation(system):
    got = answers(system.url, head('POST', '/v1/jobs', system.token, Content_Type='application/json',
                                   Expect='100-continue', Content_Length=str(2**21)))
    assert [answer.status for answer in got] == [413]


# ---- the end -------------------------------------------------------------------------------------


@pytest.mark.timeout(240)
def test_a_gateway_that_ends_says_so(new_system):
    """While one request's body is still coming, another one comes: 503, and why."""
    system = new_system(workers=0)
    with Connection(system.url) as slow, Connection(system.url) as late:
        slow.send(head('POST', '/v1/jobs', system.token, Content_Type='application/json', Content_Length='2',
                       Expect='100-continue') + b'{')
        assert slow.head() == b'HTTP/1.1 100 Continue'  # so it has begun
        late.send(head('GET', '/healthz'))
        assert late.answer().status == 200
        old = system.kill('gateway-1', signal.SIGTERM)
        assert wait_for(lambda: '"ending"' in system.log('gateway-1'), 10)
        late.send(head('GET', '/v1/events', system.token))
        answer = late.answer()
        body = json.loads(answer.body)
        assert (answer.status, body['code'], answer.headers['connection']) == (503, 'unavailable', 'close')
        assert 'ending' in body['detail'] and int(answer.headers['retry-after']) >= 1
        slow.send(b'}')
        assert slow.answer().status == 400
    system.wait_restarted('gateway-1', old)


@pytest.mark.timeout(240)
def test_idle_clients_do_not_hold_up_an_end(new_system):
    system = new_system(workers=0)
    idle = [Connection(system.url) for _ in range(20)]
    for connection in idle:
        connection.send(head('GET', '/healthz'))
        assert connection.answer().headers['connection'] == 'keep-alive'
    old = system.kill('gateway-1', signal.SIGTERM)
    began = time.monotonic()
    system.wait_restarted('gateway-1', old)
    assert time.monotonic() - began < 8, 'it waited for them'
    for connection in idle:
        connection.socket.close()
