"""Heads that two programs would read differently: refused, and never a second request found in a body."""
import pytest

from raw import Connection, answers, head

INNER = b'GET /healthz HTTP/1.1\r\nHost: inner\r\nX-Request-Id: inner\r\n\r\n'


def request(*lines: str, body: bytes = INNER, end: str = '\r\n') -> bytes:
    return end.join(['POST /v1/jobs HTTP/1.1', 'Host: test', 'Content-Type: application/json', *lines, '',
                     '']).encode() + body


@pytest.mark.parametrize('lines', [
    ('Content-Length: 0', 'Content-Length: {n}'),
    ('Content-Length: {n}', 'Content-Length: {n}'),
    ('Content-Length: {n}', 'Transfer-Encoding: chunked'),
    ('Transfer-Encoding: chunked', 'Content-Length: {n}'),
    ('Transfer-Encoding: identity', 'Content-Length: {n}'),
    ('Transfer-Encoding: identity',),
    ('Transfer-Encoding: gzip, chunked',),
    ('Transfer-Encoding: xchunked',),
    ('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
    ('Transfer-Encoding : chunked',),
    ('Transfer-Encoding:\tchunked',),
    ('Content-Length : {n}',),
    ('Content-Length: +{n}',),
    ('Content-Length: -1',),
    ('Content-Length: {n}x',),
    ('Content-Length: 0x10',),
    ('Content-Length: {n}, {n}',),
    ('Content-Length:',),
    ('Content-Length: 99999999999999999999',),
    ('Host: other', 'Content-Length: {n}'),
    ('X-A: b', ' Content-Length: {n}'),   # civetweb takes these four for the end of the head
    ('X-A: b', '\tContent-Length: {n}'),
    ('X-A: b', ': c', 'Content-Length: {n}'),
    ('X-A: b', 'é: c', 'Content-Length: {n}'),
    *[tuple(f'X-{n}: y' for n in range(70)) + ('Content-Length: {n}',)],
])
def test_an_ambiguous_head_is_refused_once(system, lines):
    data = request(*(line.replace('{n}', str(len(INNER))) for line in lines))
    got = answers(system.url, data)
    assert [answer.status for answer in got] in ([400], [431])
    assert got[0].headers['content-type'] == 'application/problem+json'
    assert got[0].headers['connection'] == 'close'


def test_lines_that_end_in_lf_alone_are_refused_once(system):
    got = answers(system.url, request(f'Content-Length: {len(INNER)}', end='\n'))
    assert [answer.status for answer in got] == [400]
    mixed = request().replace(b'Host: test\r\n', b'Host: test\nX-A: b\r\n')
    assert [answer.status for answer in answers(system.url, mixed)] == [400]


@pytest.mark.parametrize('chunks', [b'zz\r\n', b'-1\r\n', b'5\r\nabc\r\n0\r\n\r\n', b'ffffffffffffffff\r\nx', b'3;a=b\r\nabc\r\n',
                                    b'0x3\r\nabc\r\n0\r\n\r\n', b'3\nabc\n0\n\n'])
def test_chunks_that_are_none_end_the_connection(system, chunks):
    data = head('POST', '/v1/jobs', system.token, Content_Type='application/json', Transfer_Encoding='chunked')
    got = answers(system.url, data + chunks + INNER)
    assert [answer.status for answer in got] in ([400], [408])
    assert got[0].headers['connection'] == 'close'


def test_what_follows_chunks_is_no_request(system):
    data = head('POST', '/v1/jobs', system.token, Content_Type='application/json', Transfer_Encoding='chunked')
    got = answers(system.url, data + b'2\r\n{}\r\n0\r\n\r\n' + INNER)
    assert [answer.status for answer in got] == [400]
    assert got[0].headers['connection'] == 'close'


def test_a_body_is_never_read_as_a_request(system):
    for path, token in (('/v1/jobs', system.token), ('/v1/jobs', None), ('/nowhere', None), ('/healthz', None)):
        data = head('POST', path, token, Content_Type='application/json', Content_Length=str(len(INNER)))
        got = answers(system.url, data + INNER + head('GET', '/healthz', X_Request_Id='second', Connection='close'))
        assert got[0].status in (400, 401, 404, 405)
        assert [answer.headers['x-request-id'] for answer in got[1:]] == ['second']


def test_a_get_with_a_body(system):
    got = answers(system.url, head('GET', '/healthz', Content_Length=str(len(INNER))) + INNER
                  + head('GET', '/healthz', X_Request_Id='second', Connection='close'))
    assert [answer.status for answer in got] == [200, 200]
    assert got[1].headers['x-request-id'] == 'second'


def test_pipelined_requests_are_answered_in_order(system):
    data = b''.join(head('GET', '/healthz', X_Request_Id=str(n)) for n in range(20))
    got = answers(system.url, data + head('GET', '/healthz', X_Request_Id='20', Connection='close'))
    assert [answer.headers['x-request-id'] for answer in got] == [str(n) for n in range(21)]


@pytest.mark.parametrize('data, status', [
    (b'GET /healthz\r\n\r\n', 400),
    (b'GET /healthz HTTP/1.1\r\n\r\n', 400),                       # no Host
    (b'GET /healthz HTTP/1.0\r\n\r\n', 200),
    (b'GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n', 505),
    (b'GET /healthz HTTQ/1.1\r\nHost: a\r\n\r\n', 400),
    (b'BREW /healthz HTTP/1.1\r\nHost: a\r\n\r\n', 400),
    (b'GET /he\x01althz HTTP/1.1\r\nHost: a\r\n\r\n', 400),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n', 400),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nX: \x1b[0m\r\n\r\n', 400),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n', 400),
    (b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400),         # somebody speaks TLS
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nX: ' + b'y' * 40000 + b'\r\n\r\n', 400),
    (b'GET /../healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 404),
    (b'GET //healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 404),
    (b'GET /%68ealthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 404),
    (b'GET /healthz/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 404),
])
def test_odd_heads_have_one_defined_answer(system, data, status):
    got = answers(system.url, data, seconds=8)
    assert [answer.status for answer in got] == [status]


def test_a_head_that_does_not_end_is_closed_in_time(system):
    with Connection(system.url, 15) as connection:
        connection.send(b'GET /healthz HTTP/1.1\r\nHost: a\r\n')
        answer = connection.answer()
        assert answer is None or answer.status == 400
        assert connection.is_closed()


def test_an_idle_connection_is_closed_in_time(system):
    with Connection(system.url, 10) as connection:
        connection.send(head('GET', '/healthz'))
        assert connection.answer().headers['connection'] == 'keep-alive'
        assert connection.is_closed(6)
