"""GET /v1/jobs: filters, and pages that fit together while jobs come in."""
import threading
import time
import uuid

import httpx
import pytest
from problems import check_problem

from harness.processes import wait_for


def read_all(api, **params) -> list[dict]:
    """All pages, each checked for itself."""
    jobs, cursor = [], None
    while True:
        answer = api.get('/v1/jobs', params={**params, **({'cursor': cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert list(page) == ['data', 'next_cursor']
        assert len(page['data']) <= params.get('limit', 100)
        assert not page['data'] or page['data'][0] not in jobs[-1:], 'a page begins with the last one of the page before'
        jobs += page['data']
        cursor = page['next_cursor']
        if cursor is None:
            return jobs
        assert len(page['data']) == params.get('limit', 100), 'a page that is not the last one is full'


def ids(jobs: list[dict]) -> list[str]:
    return [job['id'] for job in jobs]


def in_table(system, where: str, *values) -> list[str]:
    """What the table says, in the list's order."""
    return [row['id'] for row in system.query(f'select id::text from jobs where {where} '
                                              'order by created_at desc, id desc', *values)]


@pytest.fixture(scope='module')
def ours(system) -> dict:
    """Jobs of three variants and two types in each state that lasts; one was canceled."""
    plain, failing, waiting = (system.make_variant(name) for name in ('plain', 'fail=x', 'waits'))
    done = [system.submit(plain) for _ in range(6)] + [system.submit(failing) for _ in range(4)]
    system.wait_terminal(done)
    system.query("update jobs set status = 'canceled' where id = %s", done[-1])
    left = "select 1 from jobs where job_type = 'humanization' and completed_at is null"
    assert wait_for(lambda: not system.query(left), 60), 'what the tests before submitted goes on'
    for _ in range(5):
        system.submit(waiting, 'structure')  # nobody serves it
    return {'plain': plain, 'failing': failing, 'waiting': waiting}


@pytest.fixture
def org(system) -> str:
    return system.query('select org_id::text from variants where id = %s', system.variant)[0]['org_id']


def test_it_is_newest_first_and_whole(api, system, ours, org):
    jobs = read_all(api, limit=1000)
    assert ids(jobs) == in_table(system, 'org_id = %s', org)
    assert jobs == sorted(jobs, key=lambda job: (job['created_at'], job['id']), reverse=True)


def test_each_is_what_its_own_path_says(api, ours):
    for job in read_all(api, variant_id=ours['failing']) + read_all(api, variant_id=ours['waiting']):
        assert api.get(f'/v1/jobs/{job["id"]}').json() == job


@pytest.mark.parametrize('limit', [1, 2, 7, 1000])
def test_pages_have_each_job_once(api, system, ours, limit):
    assert ids(read_all(api, limit=limit, variant_id=ours['plain'])) == in_table(system, 'variant_id = %s', ours['plain'])


def test_jobs_of_the_same_moment_are_told_apart(api, system, ours):
    system.query('update jobs set created_at = (select min(created_at) from jobs where variant_id = %s) '
                 'where variant_id = %s', ours['plain'], ours['plain'])
    for limit in (1, 2, 5):
        assert ids(read_all(api, limit=limit, variant_id=ours['plain'])) == \
            in_table(system, 'variant_id = %s', ours['plain'])


@pytest.mark.parametrize('filters, where', [
    ({'status': 'completed'}, "status = 'completed'"), ({'status': 'failed'}, "status in ('failed', 'canceled')"),
    ({'status': 'pending'}, "status = 'pending'"), ({'status': 'running'}, "status = 'running'"),
    ({'job_type': 'structure'}, "job_type = 'structure'"), ({'job_type': 'stability'}, "job_type = 'stability'"),
    ({'job_type': 'humanization', 'status': 'failed'}, "job_type = 'humanization' and status in ('failed', 'canceled')"),
    ({'variant_id': 'failing', 'status': 'failed'}, 'variant_id = %(failing)s'),
    ({'variant_id': 'failing', 'status': 'completed'}, 'false'),
    ({'variant_id': 'waiting', 'job_type': 'structure', 'status': 'pending'}, 'variant_id = %(waiting)s'),
    ({'variant_id': 'waiting', 'job_type': 'humanization'}, 'false')])
@pytest.mark.parametrize('limit', [3, 1000])
def test_filters_are_combined(api, system, ours, org, filters, where, limit):
    given = {name: ours.get(value, value) for name, value in filters.items()}
    for name, variant in ours.items():
        where = where.replace(f'%({name})s', f"'{variant}'")
    assert ids(read_all(api, limit=limit, **given)) == in_table(system, f'org_id = %s and {where}', org)


def test_a_failed_filter_finds_what_is_shown_as_failed(api, ours):
    jobs = read_all(api, variant_id=ours['failing'], status='failed')
    assert {(job['status'], job['error_message'] == 'canceled') for job in jobs} == {('failed', True), ('failed', False)}


def test_100_if_nothing_is_said(api, system, ours, other):
    page = api.get('/v1/jobs').json()
    assert len(page['data']) == min(100, len(read_all(api, limit=1000)))
    assert other.http.get('/v1/jobs').json() == {'data': [], 'next_cursor': None}


def test_a_full_last_page_says_that_it_is_the_last(api, ours):
    page = api.get('/v1/jobs', params={'variant_id': ours['waiting'], 'limit': 5}).json()
    assert (len(page['data']), page['next_cursor']) == (5, None)


@pytest.mark.parametrize('query, names', [
    ('limit=0', ['limit']), ('limit=1001', ['limit']), ('limit=x', ['limit']), ('status=done', ['status']),
    ('status=canceled', ['status']), ('status=', ['status']), ('status=Pending', ['status']), ('job_type=x', ['job_type']),
    ('job_type=', ['job_type']), ('variant_id=1', ['variant_id']), ('variant_id=', ['variant_id']),
    ("variant_id=' or 1=1 --", ['variant_id']), ('cursor=x', ['cursor']), ('cursor=null', ['cursor']),
    ('cursor=' + 'A' * 43, ['cursor']), ('cursor=' + 'A' * 5000, ['cursor']), ('cursor=%00', ['cursor']),
    ('status=completed&status=failed', ['status']), ('offset=10', ['offset']),
    ('limit=0&status=x&job_type=y&variant_id=z&cursor=c&a=b', ['a', 'cursor', 'job_type', 'limit', 'status', 'variant_id'])])
def test_bad_values_are_named(api, query, names):
    body = check_problem(api.get(f'/v1/jobs?{query}'), 400, 'invalid_request')
    assert sorted(error['parameter'] for error in body['errors']) == names


def test_an_empty_cursor_is_the_beginning(api, ours):
    """As a client's loop sends it that has none yet."""
    assert api.get('/v1/jobs?cursor=&limit=3').json()['data'] == api.get('/v1/jobs?limit=3').json()['data']


def test_a_cursor_with_one_other_letter_is_none(api, ours):
    cursor = api.get('/v1/jobs?limit=1').json()['next_cursor']
    for at in range(0, len(cursor), 5):
        changed = cursor[:at] + ('A' if cursor[at] != 'A' else 'B') + cursor[at + 1:]
        check_problem(api.get('/v1/jobs', params={'cursor': changed}), 400, 'invalid_request')


def test_anothers_cursor_is_like_none(api, other, ours):
    cursor = api.get('/v1/jobs?limit=1').json()['next_cursor']
    theirs, nobodys = (other.http.get('/v1/jobs', params={'cursor': text}) for text in (cursor, 'A' * len(cursor)))
    assert theirs.status_code == 400
    assert theirs.content == nobodys.content


def test_anothers_variant_is_like_none(api, other, ours):
    theirs, nobodys = (other.http.get('/v1/jobs', params={'variant_id': variant})
                       for variant in (ours['plain'], uuid.uuid4()))
    assert theirs.content == nobodys.content == b'{"data":[],"next_cursor":null}'


class Rate:
    """POST /v1/jobs at a rate, from a few threads."""

    def __init__(self, system, per_second: int, threads: int = 8) -> None:
        self.system, self.pause, self.ending, self.made = system, threads / per_second, threading.Event(), []
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]

    def run(self) -> None:
        with httpx.Client(base_url=self.system.url, timeout=30, trust_env=False,
                          headers={'Authorization': f'Bearer {self.system.token}'}) as client:
            due = time.monotonic()
            while not self.ending.is_set():
                answer = client.post('/v1/jobs', json={'variant_id': self.system.variant, 'job_type': 'structure'})
                assert answer.status_code == 202
                self.made.append(answer.json()['id'])
                due += self.pause
                time.sleep(max(0.0, due - time.monotonic()))

    def __enter__(self) -> 'Rate':
        self.began = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.ending.set()
        for thread in self.threads:
            thread.join()
        self.per_second = len(self.made) / (time.monotonic() - self.began)


@pytest.mark.parametrize('filters', [{}, {'status': 'pending'}, {'job_type': 'structure'}, {'variant_id': True}])
def test_pages_stay_right_while_jobs_come_in(api, system, org, filters):
    """500 a second: who pages on sees each job that was there at the start once, and in order."""
    given = {**filters, **({'variant_id': system.variant} if 'variant_id' in filters else {})}
    for _ in range(60):
        system.submit(job_type='structure')
    with Rate(system, 500) as load:
        assert wait_for(lambda: len(load.made) > 100, 10)
        before = read_all(api, limit=1000, **given)
        during = [read_all(api, limit=limit, **given) for limit in (50, 7)]
    for jobs in during:
        assert len(set(ids(jobs))) == len(jobs), 'one came twice'
        assert jobs == sorted(jobs, key=lambda job: (job['created_at'], job['id']), reverse=True)
        if not filters.get('status'):  # else one may end meanwhile
            assert set(ids(before)) <= set(ids(jobs)), 'one was skipped'
    waiting = {job['id'] for job in before if job['job_type'] == 'structure'}
    assert len(waiting) > 100 and all(waiting <= set(ids(jobs)) for jobs in during)
    assert load.per_second > 20, 'too slow to tell'
