"""What every answer has: headers, request id, types; and the answers HTTP itself asks for."""
import re
import uuid
from datetime import datetime

import pytest

from problems import check_problem
from raw import Connection, answers, head

TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00')
READS = ('/v1/events', '/v1/jobs/{job}', '/v1/jobs/{job}/events', '/v1/variants/{variant}')


@pytest.fixture
def paths(system):
    job = system.submit()
    return [path.format(job=job, variant=system.variant) for path in READS]


def test_json_answers_say_so_and_are_not_stored(api, paths):
    for path in paths:
        answer = api.get(path)
        assert answer.status_code == 200
        assert answer.headers['content-type'] == 'application/json'
        assert answer.headers['cache-control'] == 'no-store'
        assert int(answer.headers['content-length']) == len(answer.content)
        assert answer.headers['date'].endswith(' GMT')
        assert 'server' not in answer.headers


def test_head_is_get_without_the_body(api, paths):
    for path in [*paths, '/healthz', '/readyz', f'/v1/jobs/{uuid.uuid4()}']:
        whole, alone = api.get(path), api.head(path)
        assert (alone.status_code, alone.content) == (whole.status_code, b'')
        assert alone.headers['content-type'] == whole.headers['content-type']
        assert int(alone.headers['content-length']) > 0


def test_times_are_iso_8601_with_microseconds(api, system):
    answer = api.post('/v1/jobs', json={'variant_id': system.variant, 'job_type': 'humanization'}).json()
    assert TIME.fullmatch(answer['created_at'])
    age = datetime.now().astimezone() - datetime.fromisoformat(answer['created_at'])
    assert abs(age.total_seconds()) < 10


@pytest.mark.parametrize('given', ['a', 'A-Z.09_~!', 'x' * 128, str(uuid.uuid4())])
def test_a_request_id_is_echoed(api, given):
    for path in ('/healthz', '/v1/events', '/nowhere'):
        assert api.get(path, headers={'X-Request-Id': given}).headers['x-request-id'] == given


@pytest.mark.parametrize('given', ['', 'x' * 129, 'two words', 'é'.encode(), 'a\tb'])
def test_a_request_id_that_is_none_is_replaced(system, given):
    text = given if isinstance(given, bytes) else given.encode()
    data = b'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-Id: ' + text + b'\r\n\r\n'
    made = answers(system.url, data)[0].headers['x-request-id']
    assert made.encode() != text
    assert uuid.UUID(made).version == 4


def test_request_ids_differ(api):
    assert len({api.get('/healthz').headers['x-request-id'] for _ in range(20)}) == 20


@pytest.mark.parametrize('method, path, allow', [
    ('DELETE', '/v1/jobs', 'POST, GET, HEAD'), ('OPTIONS', '/v1/jobs', 'POST, GET, HEAD'),
    ('GET', '/v1/therapeutic-candidates', 'POST'),
    ('POST', '/v1/events', 'GET, HEAD'), ('PUT', '/healthz', 'GET, HEAD'),
    ('PATCH', '/v1/jobs/00000000-0000-4000-8000-000000000000', 'GET, HEAD'),
    ('DELETE', '/v1/variants/x', 'GET, HEAD')])
def test_another_method_is_405_with_allow(anonymous, method, path, allow):
    answer = anonymous.request(method, path)
    check_problem(answer, 405, 'method_not_allowed')
    assert answer.headers['allow'] == allow


@pytest.mark.parametrize('path', ['/', '/v1', '/v1/', '/v1/jobs/', '/v1/jobs//results', '/v2/jobs', '/v1/Jobs',
                                  '/v1/jobs/a/b', '/etc/passwd', '/v1/jobs/00000000-0000-4000-8000-000000000000/x'])
def test_what_is_not_served_is_404(api, path):
    check_problem(api.get(path), 404, 'not_found')


@pytest.mark.parametrize('accept', ['text/html', 'text/event-stream', 'application/xml, text/*;q=0.5',
                                    'application/json;q=0', '*/*;q=0', 'application/json;q=0, */*'])
def test_406_where_json_is_excluded(api, accept):
    check_problem(api.get('/v1/events', headers={'Accept': accept}), 406, 'not_acceptable')


@pytest.mark.parametrize('accept', ['application/json', '*/*', 'application/*', 'text/html, */*;q=0.1',
                                    'Application/JSON; charset=utf-8', 'text/html,application/json;q=0.9'])
def test_no_406_where_json_is_allowed(api, accept):
    assert api.get('/v1/events', headers={'Accept': accept}).status_code == 200


@pytest.mark.parametrize('kind', ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data',
                                  'application/jsonp', 'json'])
def test_another_content_type_is_415_and_says_what_to_send(api, kind):
    body = check_problem(api.post('/v1/jobs', content='{}', headers={'Content-Type': kind}), 415,
                         'unsupported_media_type')
    assert 'application/json' in body['detail']


def test_a_compressed_body_is_415(api):
    answer = api.post('/v1/jobs', content=b'\x1f\x8b', headers={'Content-Type': 'application/json',
                                                               'Content-Encoding': 'gzip'})
    check_problem(answer, 415, 'unsupported_media_type')


@pytest.mark.parametrize('kind', ['application/json; charset=utf-8', 'Application/JSON', None])
def test_json_under_its_other_names(api, kind):
    answer = api.post('/v1/jobs', content='{}', headers={'Content-Type': kind} if kind else {})
    check_problem(answer, 400, 'invalid_request')


@pytest.mark.parametrize('bad', ['x', '1', '00000000-0000-4000-8000-00000000000', '00000000-0000-4000-8000-0000000000000'])
@pytest.mark.parametrize('path', ['/v1/jobs/{}', '/v1/jobs/{}/results', '/v1/jobs/{}/events', '/v1/variants/{}'])
def test_an_identifier_in_a_path_that_is_no_uuid_is_400(api, path, bad):
    check_problem(api.get(path.format(bad)), 400, 'invalid_request')


@pytest.mark.parametrize('path', ['/v1/jobs', '/v1/jobs/{}', '/v1/jobs/{}/results', '/v1/jobs/{}/events', '/v1/jobs/{}/position',
                                  '/v1/jobs/{}/logs', '/v1/events', '/v1/me', '/v1/job-types', '/readyz', '/v1/variants/{variant}'])
def test_json_is_written_in_one_way(system, api, path):
    """Without white space, whoever made it, the database or the gateway."""
    job = system.submit(system.make_variant('white : "two" \\ '))
    system.wait_terminal([job])
    answer = api.get(path.format(job, variant=system.variant))
    assert answer.status_code == 200
    assert not re.search(r'\s', re.sub(r'"(\\.|[^"\\])*"', '', answer.text)), answer.text


def test_a_connection_is_kept_for_the_next_request(system):
    with Connection(system.url) as connection:
        for _ in range(3):
            connection.send(head('GET', '/v1/events', system.token))
            answer = connection.answer()
            assert (answer.status, answer.headers['connection']) == (200, 'keep-alive')
        connection.send(head('GET', '/healthz', Connection='close'))
        assert connection.answer().headers['connection'] == 'close'
        assert connection.is_closed(1)
