"""Bodies that are too large, at their limit, or that do not come."""
import time

import pytest

from problems import check_problem
from raw import Connection, answers, drip, head

LIMIT = 1024 * 1024
JSON = {'Content-Type': 'application/json'}


def test_ten_megabytes_are_413(api):
    check_problem(api.post('/v1/jobs', content=b'x' * 10 * LIMIT, headers=JSON), 413, 'content_too_large')


def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not(api):
    check_problem(api.post('/v1/jobs', content=b' ' * LIMIT, headers=JSON), 400, 'invalid_request')
    check_problem(api.post('/v1/jobs', content=b' ' * (LIMIT + 1), headers=JSON), 413, 'content_too_large')


def test_chunks_are_counted(api):
    def chunks(total):
        for _ in range(total // 4096):
            yield b' ' * 4096
    check_problem(api.post('/v1/jobs', content=chunks(LIMIT), headers=JSON), 400, 'invalid_request')
    check_problem(api.post('/v1/jobs', content=chunks(3 * LIMIT), headers=JSON), 413, 'content_too_large')


def test_a_chunked_body_is_a_body(api, system):
    body = b'{"variant_id": "%s", "job_type": "humanization"}' % system.variant.encode()
    answer = api.post('/v1/jobs', content=iter([body[:10], body[10:]]), headers=JSON)
    assert answer.status_code == 202


def test_413_comes_before_the_body(system):
    with Connection(system.url) as connection:
        connection.send(head('POST', '/v1/jobs', system.token, Content_Type='application/json',
                             Content_Length=str(10 * LIMIT)))
        answer = connection.answer()
        assert answer.status == 413
        assert answer.headers['connection'] == 'close'
        assert connection.is_closed()


def test_expect_100_continue_is_answered(system):
    body = b'{"variant_id": "%s", "job_type": "humanization"}' % system.variant.encode()
    with Connection(system.url) as connection:
        connection.send(head('POST', '/v1/jobs', system.token, Content_Type='application/json',
                             Expect='100-continue', Content_Length=str(len(body))))
        assert connection.head() == b'HTTP/1.1 100 Continue'
        connection.send(body)
        assert connection.answer().status == 202


def test_expect_gets_the_refusal_at_once_where_there_is_one(system):
    with Connection(system.url) as connection:
        began = time.monotonic()
        connection.send(head('POST', '/v1/jobs', Content_Type='application/json', Expect='100-continue',
                             Content_Length='100'))
        answer = connection.answer()
        assert answer.status == 401
        assert answer.headers['connection'] == 'close'
        assert time.monotonic() - began < 8, 'it waited for the body, which has 10 s'


@pytest.mark.timeout(120)
def test_a_body_that_drips_holds_no_thread_for_long(system):
    with Connection(system.url) as connection:
        connection.send(head('POST', '/v1/jobs', system.token, Content_Type='application/json',
                             Content_Length='1000'))
        took = drip(connection, b' ' * 1000, 0.25, 30)
        assert 5 < took < 20
        assert connection.answer().status == 408


def test_a_body_that_nobody_wants_holds_no_thread(system):
    with Connection(system.url) as connection:
        connection.send(head('POST', '/v1/jobs', Content_Type='application/json', Content_Length='1000'))
        took = drip(connection, b' ' * 1000, 0.25, 30)
        assert took < 8, 'a body has 10 s'
        assert connection.answer().status == 401


def test_a_body_that_breaks_off_becomes_no_job(system):
    before = system.query('select count(*) as n from jobs')[0]['n']
    body = b'{"variant_id": "%s", "job_type": "humanization"}' % system.variant.encode()
    with Connection(system.url) as connection:
        connection.send(head('POST', '/v1/jobs', system.token, Content_Type='application/json',
                             Content_Length=str(len(body) + 1)) + body)
    assert answers(system.url, head('GET', '/healthz', Connection='close'))[0].status == 200
    assert system.query('select count(*) as n from jobs')[0]['n'] == before
