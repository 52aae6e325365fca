"""Jobs as a client sees them: envelope, results, history."""
import uuid

import pytest

from harness.processes import wait_for
from problems import check_problem

ENVELOPE = ['id', 'variant_id', 'job_type', 'status', 'created_at', 'started_at', 'completed_at', 'error_message']


def test_202_has_location_and_envelope(api, system):
    answer = api.post('/v1/jobs', json={'variant_id': system.variant, 'job_type': 'humanization'})
    assert answer.status_code == 202
    job = answer.json()
    assert list(job) == ENVELOPE
    assert answer.headers['location'] == f'/v1/jobs/{job["id"]}'
    assert (job['status'], job['variant_id'], job['job_type']) == ('pending', system.variant, 'humanization')
    assert job['started_at'] is job['completed_at'] is job['error_message'] is None
    assert str(uuid.UUID(job['id'])) == job['id']


def test_202_is_durable_and_read_gives_the_same(api, system):
    job = api.post('/v1/jobs', json={'variant_id': system.make_variant('sleep=2'), 'job_type': 'humanization'}).json()
    assert system.jobs([job['id']])[job['id']]['status'] in ('pending', 'running')
    read = api.get(f'/v1/jobs/{job["id"]}').json()
    assert list(read) == ENVELOPE
    assert {key: read[key] for key in ENVELOPE[:3] + ['created_at']} == {key: job[key] for key in ENVELOPE[:3] + ['created_at']}


def test_a_completed_job_has_times_and_results(api, system):
    job = system.submit(system.make_variant('plain'))
    system.wait_terminal([job])
    read = api.get(f'/v1/jobs/{job}').json()
    assert read['status'] == 'completed'
    assert read['created_at'] <= read['started_at'] <= read['completed_at']
    assert read['error_message'] is None
    results = api.get(f'/v1/jobs/{job}/results')
    assert results.status_code == 200
    assert list(results.json()) == ['job_id', 'job_type', 'results', 'model_versions']
    assert (results.json()['job_id'], results.json()['job_type']) == (job, 'humanization')
    assert results.json()['results']['name'] == 'plain'
    assert results.json()['model_versions'] == {'generic': '1'}


def test_results_before_the_end_are_409(api, system):
    job = system.submit(system.make_variant('sleep=6'))
    check_problem(api.get(f'/v1/jobs/{job}/results'), 409, 'not_completed')
    assert wait_for(lambda: api.get(f'/v1/jobs/{job}').json()['status'] == 'running', 60)
    check_problem(api.get(f'/v1/jobs/{job}/results'), 409, 'not_completed')


def test_results_of_a_failed_job_are_409_with_its_error(api, system):
    job = system.submit(system.make_variant('fail=no_luck'))
    system.wait_terminal([job])
    read = api.get(f'/v1/jobs/{job}').json()
    assert (read['status'], read['error_message']) == ('failed', 'failed as the name orders')
    assert read['completed_at']
    body = check_problem(api.get(f'/v1/jobs/{job}/results'), 409, 'job_failed')
    assert body['error'] == {'code': 'no_luck', 'message': 'failed as the name orders'}


def test_a_canceled_job_shows_as_failed_here(api, system):
    """As no endpoint cancels yet, the row is written."""
    job = system.submit(system.make_variant('plain'))
    system.wait_terminal([job])
    system.query("update jobs set status = 'canceled' where id = %s", job)
    system.query('delete from results where job_id = %s', job)
    read = api.get(f'/v1/jobs/{job}').json()
    assert (read['status'], read['error_message']) == ('failed', 'canceled')
    body = check_problem(api.get(f'/v1/jobs/{job}/results'), 409, 'job_failed')
    assert body['error'] == {'code': 'canceled', 'message': 'canceled'}


@pytest.mark.parametrize('name, types, last', [
    ('plain', {'created', 'started', 'completed'}, 'completed'),
    ('progress=2 sleep=1', {'created', 'started', 'progress', 'completed'}, 'completed'),
    ('fail=x', {'created', 'started', 'failed'}, 'failed')])
def test_the_history_has_one_end(api, system, name, types, last):
    job = system.submit(system.make_variant(name))
    system.wait_terminal([job])
    assert list(api.get(f'/v1/jobs/{job}/events').json()) == ['data']
    events = api.get(f'/v1/jobs/{job}/events').json()['data']
    assert {event['type'] for event in events} <= types
    assert [event['type'] for event in events if event['type'] in ('completed', 'failed', 'canceled')] == [last]
    assert (events[0]['type'], events[-1]['type']) == ('created', last)
    assert [event['seq'] for event in events] == sorted({event['seq'] for event in events})
    assert all(event['job_id'] == job and event['attempt'] == 1 for event in events)


def test_a_history_tells_steps_and_reasons(api, system):
    job = system.submit(system.make_variant('progress=2 sleep=1 fail=x'))
    system.wait_terminal([job])
    events = api.get(f'/v1/jobs/{job}/events').json()['data']
    steps = [(event['step'], event['fraction']) for event in events if event['type'] == 'progress']
    assert steps and steps == sorted(steps) and all(step.startswith('step ') for step, _ in steps)
    assert (events[-1]['code'], events[-1]['message']) == ('x', 'failed as the name orders')
    assert not any(value is None for event in events for value in event.values())


def test_a_long_history_comes_in_pages(api, system):
    job = system.submit(system.make_variant('progress=5 sleep=0.5'))
    system.wait_terminal([job])
    path = f'/v1/jobs/{job}/events'
    whole = api.get(path).json()
    assert list(whole) == ['data'] and len(whole['data']) >= 3
    events, after = [], 0
    while after is not None:
        page = api.get(path, params={'after': after, 'limit': 2}).json()
        assert 1 <= len(page['data']) <= 2
        events += page['data']
        assert page.get('next_after', page['data'][-1]['seq']) == page['data'][-1]['seq']
        after = page.get('next_after')
    assert events == whole['data']
    assert api.get(path, params={'after': events[-1]['seq']}).json() == {'data': []}


@pytest.mark.parametrize('query, name', [('limit=0', 'limit'), ('limit=1001', 'limit'), ('after=x', 'after'), ('page=2', 'page')])
def test_a_historys_bad_parameters_are_named(api, system, query, name):
    job = system.submit()
    body = check_problem(api.get(f'/v1/jobs/{job}/events?{query}'), 400, 'invalid_request')
    assert [error['parameter'] for error in body['errors']] == [name]


@pytest.mark.parametrize('path', ['', '/results', '/events'])
def test_a_job_that_is_none_is_404(api, path):
    check_problem(api.get(f'/v1/jobs/{uuid.uuid4()}{path}'), 404, 'not_found')
