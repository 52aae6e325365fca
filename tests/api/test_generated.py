"""Requests made from the table of routes: right ones, and ones that are broken in one place each.

No answer is a 5xx of ours, and each has the stated shape. 1,000 requests, the same ones in every run;

    PARATOPE_GENERATED=50000 scripts/test api -k generated

makes that many, other ones each time (some ten minutes)."""
import json
import os
import re
import socket
import string
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from harness import EXAMPLE
from harness.system import CHECKOUT
from newcomers import newcomer
from problems import MEMBERS
from raw import Answer, Connection

COUNT = int(os.environ.get('PARATOPE_GENERATED', '1000'))
ROUTES = re.findall(r'\{"([A-Z]+)",\s*"([^"]+)"', (CHECKOUT / 'gateway' / 'api' / 'routes.c').read_text())
CODES = dict(re.findall(r'= \{(\d{3}), "(\w+)"', (CHECKOUT / 'gateway' / 'http' / 'problem.c').read_text()))
SETTINGS = dict(deadline=None, database=None, derandomize='PARATOPE_GENERATED' not in os.environ,
                suppress_health_check=list(HealthCheck), print_blob=True)
SECONDS = max(120, COUNT // 20)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str = ''
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    def data(self) -> bytes:
        target = self.path + (f'?{self.query}' if self.query else '')
        headers = [*self.headers, *((('Content-Length', str(len(self.body))),) if self.body is not None else ())]
        lines = [f'{self.method} {target} HTTP/1.1', *(f'{name}: {value}' for name, value in headers), '', '']
        return '\r\n'.join(lines).encode('utf-8', 'surrogateescape') + (self.body or b'')

    def without(self, name: str) -> 'Request':
        return replace(self, headers=tuple(header for header in self.headers if header[0] != name))

    def with_header(self, name: str, value: str) -> 'Request':
        return replace(self.without(name), headers=(*self.without(name).headers, (name, value)))


@dataclass
class World:
    """What there is to ask for."""
    url: str
    token: str
    ids: dict[str, str] = field(default_factory=dict)


WORLD = World('', '')  # strategies are made before there is a system, and look at it when they are drawn


@pytest.fixture(scope='module', autouse=True)
def world(system):
    ours = newcomer(system, 'generated')
    WORLD.url, WORLD.token = system.url, ours.token
    candidate, variant = ours.make_candidate('plain')
    done, failed = ours.submit(variant), ours.submit(ours.make_candidate('fail=no')[1])
    waiting = ours.submit(variant, 'structure')
    system.wait_terminal([done, failed])
    WORLD.ids = {'done': done, 'failed': failed, 'waiting': waiting, 'variant': variant, 'candidate': candidate}
    pid = system.pid('gateway-1')
    system.query('insert into declarations (job_type, title, version, options_schema) '
                 'select t, %s, %s, %s from unnest(%s) t', 'X', '1.0.0', OPTIONS, DECLARED)
    yield
    system.query('delete from declarations where job_type = any(%s)', DECLARED)
    assert system.pid('gateway-1') == pid, 'the gateway died of it'
    assert not re.search(r'paratope_http_requests_total\{[^}]*status="500"\} [1-9]', system.http.get('/metrics').text)


# ---- right ones ----------------------------------------------------------------------------------

uuids = st.one_of(st.sampled_from(['done', 'failed', 'waiting', 'variant', 'candidate']).map(lambda key: WORLD.ids[key]),
                  st.uuids().map(str))
job_types = st.sampled_from(['humanization', 'structure', 'stability', 'immunogenicity'])
names = st.text(st.characters(blacklist_categories=('Cs', 'Cc')), min_size=1, max_size=120)


@st.composite
def molecules(draw) -> dict:
    kinds = draw(st.sampled_from([('mab', ('heavy', 'light')), ('mab', ('light', 'heavy')), ('scfv', ('heavy', 'light')),
                                  ('nanobody', ('vhh',)), ('fc_fusion', ('heavy',)), ('fc_fusion', ('light', 'light'))]))
    tail = draw(st.text('ACDEFGHIKLMNPQRSTVWY', max_size=20))
    sequence = {'heavy': EXAMPLE['heavy'] + tail, 'light': EXAMPLE['light'], 'vhh': EXAMPLE['heavy']}
    return {'name': draw(names), 'format': kinds[0],
            'chains': [{'kind': kind, 'sequence': sequence[kind]} for kind in kinds[1]]}


BODIES = {
    '/v1/jobs': st.fixed_dictionaries({'variant_id': uuids, 'job_type': job_types}),
    '/v1/{resource}': st.fixed_dictionaries({'variant_id': uuids}, optional={'priority': st.sampled_from(['high', 'low'])}),
    '/v1/job-types/{job_type}/jobs': st.fixed_dictionaries({'variant_id': uuids}, optional={'n': st.integers(-9, 9)}),
    '/v1/batches': st.fixed_dictionaries({'job_type': job_types, 'variants': st.lists(uuids, min_size=1, max_size=3, unique=True)}),
    '/v1/therapeutic-candidates': molecules(),
}
QUERIES = {
    '/v1/events': st.fixed_dictionaries({}, optional={'after': st.integers(0, 10**6).map(str), 'limit': st.integers(1, 1000).map(str)}),
    '/v1/jobs/{id}/logs': st.fixed_dictionaries({}, optional={
        'attempt': st.integers(1, 2**31 - 1).map(str), 'after': st.integers(0, 10**17).map(str)}),
    '/v1/jobs': st.fixed_dictionaries({}, optional={
        'status': st.sampled_from(['pending', 'running', 'completed', 'failed']), 'job_type': job_types,
        'variant_id': uuids, 'limit': st.integers(1, 100).map(str)}),
    '/v1/{resource}': st.fixed_dictionaries({}, optional={
        'status': st.sampled_from(['pending', 'running', 'completed', 'failed', 'canceled']),
        'variant_id': uuids, 'limit': st.integers(1, 100).map(str)}),
}
DECLARED = ['structure', 'own_type']  # nobody serves them here; whoever asks for options is told 503 until they are known
OPTIONS = '{"type": "object", "properties": {"n": {"type": "integer", "default": 1, "description": "x"}}}'
RESOURCES = re.findall(r'^    \{"([a-z-]+)",', (CHECKOUT / 'gateway' / 'api' / 'resources.c').read_text(), re.MULTILINE)


def filled(draw, pattern: str, identifier: str | None = None) -> str:
    """The path with something in each of its holes."""
    holes = {'id': draw(uuids) if identifier is None else identifier, 'resource': draw(st.sampled_from(RESOURCES)),
             'job_type': draw(st.sampled_from(['humanization', 'own_type'])), 'name': draw(st.sampled_from(['model.pdb', 'a']))}
    return re.sub(r'\{(\w+)\}', lambda hole: holes[hole[1]], pattern)


@st.composite
def right_requests(draw, kinds: tuple[str, ...] = ('GET', 'POST'), body: bool = False) -> Request:
    """`body`: only those that have one."""
    method, pattern = draw(st.sampled_from([(method, path) for method, path in ROUTES if method in kinds and
                                            (path in BODIES or not body)]))
    headers = [('Host', 'test'), ('Authorization', f'Bearer {WORLD.token}')]
    headers += draw(st.sampled_from([[], [('Accept', '*/*')], [('Accept', 'application/json')], [('X-Request-Id', 'x')]]))
    if method == 'POST' and pattern not in BODIES:
        return Request(method, filled(draw, pattern), '', tuple(headers), b'')
    if method == 'POST':
        value = draw(BODIES[pattern])
        text = json.dumps(value, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 2])))
        headers += [('Content-Type', 'application/json')]
        return Request(method, filled(draw, pattern), '', tuple(headers), text.encode())
    query = '&'.join(f'{name}={value}' for name, value in draw(QUERIES[pattern]).items()) if pattern in QUERIES else ''
    return Request(draw(st.sampled_from(['GET', 'HEAD'])), filled(draw, pattern), query, tuple(headers))


# ---- one place broken ----------------------------------------------------------------------------

tokens = st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~", min_size=1, max_size=12)
printable = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)
any_text = st.text(st.characters(min_codepoint=1, max_codepoint=0x2fff, blacklist_characters='\r\n'), max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4), max_leaves=8)


@st.composite
def other_method(draw) -> Request:
    method = draw(st.sampled_from(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'CONNECT', 'TRACE', 'POST', 'get']) | tokens)
    return replace(draw(right_requests(('GET',))), method=method)


@st.composite
def other_path(draw) -> Request:
    request = draw(right_requests())
    at = draw(st.integers(0, len(request.path)))
    piece = draw(printable | st.sampled_from(['/', '//', '/..', '%00', '%2e%2e', '%', ';x', '\\', 'é', '{id}', '/' * 300]))
    cut = draw(st.integers(0, 3))
    return replace(request, path=request.path[:at] + piece + request.path[at + cut:])


@st.composite
def other_identifier(draw) -> Request:
    pattern = draw(st.sampled_from([path for _, path in ROUTES if '{id}' in path]))
    request = replace(draw(right_requests(('GET',))), path=filled(draw, pattern, draw(printable)), query='')
    return request


@st.composite
def other_query(draw) -> Request:
    request = draw(right_requests(('GET',)))
    more = draw(st.sampled_from(['limit=0', 'limit=1001', 'limit=-1', 'limit=1e3', 'after=-1', 'after=' + '9' * 30, 'limit',
                                 'limit=', '=', '&&&', 'x=1', 'limit=1&limit=2', 'cursor=x', 'cursor=' + 'A' * 3000,
                                 'status=done', 'variant_id=x', 'job_type=', '%6cimit=1', 'limit=%31', 'a=%zz', 'a=%00'])
                | printable | any_text.map(lambda text: 'x=' + text.replace(' ', '+')))
    return replace(request, query=f'{request.query}&{more}' if request.query else more)


@st.composite
def other_header(draw) -> Request:
    request = draw(right_requests())
    name = draw(st.sampled_from(['Host', 'Authorization', 'Accept', 'Content-Type', 'Content-Encoding', 'Transfer-Encoding',
                                 'Expect', 'Connection', 'X-Request-Id', 'Cookie', 'Content-Length', 'Upgrade']) | tokens)
    value = draw(any_text | st.sampled_from(['gzip', 'chunked', 'close', 'websocket', 'text/html', 'application/json;q=0',
                                             'Bearer', 'Bearer x', 'Basic eA==', '0', '5', '-1', '99999999999', 'x' * 20000]))
    if draw(st.booleans()):
        return request.without(name)
    if draw(st.booleans()):
        return request.with_header(name, value)
    return replace(request, headers=(*request.headers, (name, value)))


@st.composite
def other_field(draw) -> Request:
    request = draw(right_requests(('POST',), body=True))
    value = json.loads(request.body)
    places = [value, *value.get('chains', [])]
    place = draw(st.sampled_from(places))
    key = draw(st.sampled_from(sorted(place)) | st.text(max_size=10))
    if draw(st.booleans()) and key in place:
        del place[key]
    else:
        place[key] = draw(json_values)
    return replace(request, body=json.dumps(value).encode())


@st.composite
def other_json(draw) -> Request:
    request = draw(right_requests(('POST',), body=True))
    body = request.body
    at = draw(st.integers(0, len(body)))
    broken = draw(st.sampled_from([
        b'', body[:at], body + body, body[:at] + b'\xff' + body[at:], b'\xef\xbb\xbf' + body, body[:at] + b'\0' + body[at:],
        b'[' * 5000, b'{"a":' * 5000, b'null', b'[]', b'NaN', b'1e999', b'-', b'"\\ud800"', body.decode().encode('utf-16'),
        body.replace(b'{', b'{"job_type": 1, "job_type": 1,', 1), b' ' * 100_000 + body, body[:at] + b'\\' + body[at:],
        b'[' + b'0,' * 100_000 + b'0]', b'{' + b'"a":0,' * 1000 + b'"b":0}'])
        | st.binary(max_size=200))
    return replace(request, body=broken)


whole = st.one_of(other_method(), other_path(), other_identifier(), other_query(), other_header(), other_field(), other_json())


@st.composite
def other_bytes(draw) -> bytes:
    """A right request in which a few bytes of its head or its length are others, or are missing."""
    data = bytearray(draw(right_requests()).data())
    at = draw(st.integers(0, len(data) - 1))
    size = draw(st.integers(0, 3))
    data[at:at + size] = draw(st.binary(max_size=3))
    return bytes(data[:draw(st.integers(0, len(data)))]) if draw(st.integers(0, 9)) == 0 else bytes(data)


# ---- what is asked of each answer ----------------------------------------------------------------


def ask(data: bytes) -> list[Answer]:
    """All answers. The end of our stream stands behind the request, so that nobody waits for more."""
    found = []
    with Connection(WORLD.url, 10) as connection:
        try:
            connection.send(data)
            connection.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has ended the connection already, and perhaps said why
        while (head := connection.head()) is not None:
            if head.startswith(b'HTTP/1.1 100 '):
                continue
            found.append(read_answer(connection, head, data))
    assert not connection.received, f'something else than an answer: {connection.received[:200]}'
    return found


def is_head(data: bytes) -> bool:
    """Empty lines before a request are passed over (RFC 9112, 2.2)."""
    return data.lstrip(b'\r\n').startswith(b'HEAD ')


def read_answer(connection: Connection, head: bytes, data: bytes) -> Answer:
    first, *lines = head.decode('ascii').split('\r\n')
    assert re.fullmatch(r'HTTP/1\.1 \d{3} [A-Za-z -]+', first), first
    headers = {name.lower(): value for name, value in (line.split(': ', 1) for line in lines)}
    assert len(headers) == len(lines), 'a header is there twice'
    rejected = first.startswith(('HTTP/1.1 400', 'HTTP/1.1 505')) and headers['connection'] == 'close'  # its method may not be known
    size = 0 if is_head(data) and not rejected else int(headers['content-length'])
    while len(connection.received) < size and connection.more():
        pass
    body, connection.received = connection.received[:size], connection.received[size:]
    assert len(body) == size or rejected
    return Answer(int(first.split()[1]), headers, body)


def check(answer: Answer, is_head: bool) -> None:
    assert answer.status < 500 or answer.status == 505, f'{answer.status} {answer.body[:300]}'
    assert answer.headers['cache-control'] == 'no-store'
    assert re.fullmatch(r'[!-~]{1,128}', answer.headers['x-request-id'])
    assert answer.headers['connection'] in ('close', 'keep-alive')
    if answer.status < 400:
        assert answer.status in (200, 201, 202)
        assert answer.headers['content-type'] in ('application/json', 'text/plain; version=0.0.4; charset=utf-8')
        return
    assert answer.headers['content-type'] == 'application/problem+json'
    if is_head:
        return
    body = json.loads(answer.body.decode('utf-8'))
    assert MEMBERS - {'instance'} <= set(body) <= MEMBERS | {'detail', 'errors', 'error'}
    assert body['status'] == answer.status and str(answer.status) in CODES
    assert body['type'] == f'urn:paratope:problem:{body["code"]}'
    for error in body.get('errors', []):
        assert set(error) <= {'pointer', 'parameter', 'position', 'message'} and error['message']


# ---- the tests -----------------------------------------------------------------------------------


@pytest.mark.timeout(SECONDS)
@settings(max_examples=COUNT // 5, **SETTINGS)
@given(right_requests())
def test_right_requests(request):
    note(request.data())
    answers = ask(request.data())
    assert len(answers) == 1
    check(answers[0], request.method == 'HEAD')
    assert answers[0].status in (200, 201, 202, 404, 409)
    assert answers[0].status != 404 or re.search('[0-9a-f]{8}-|/job-types/', request.path + str(request.body))


@pytest.mark.timeout(SECONDS)
@settings(max_examples=COUNT - COUNT // 5 - COUNT // 5, **SETTINGS)
@given(whole)
def test_one_place_broken(request):
    data = request.data()
    note(data)
    answers = ask(data)
    # A shorter length than the body's makes a second request of its rest, as HTTP has it.
    assert len(answers) <= 1 or 'content-length' in data.decode(errors='replace').lower()
    for answer in answers:
        check(answer, request.method == 'HEAD')


@pytest.mark.timeout(SECONDS)
@settings(max_examples=COUNT // 5, **SETTINGS)
@given(other_bytes())
def test_a_few_bytes_broken(data):
    note(data)
    for answer in ask(data):
        check(answer, is_head(data))
