"""Batches: made whole or not at all, watched and canceled as one."""
import time

import pytest

from harness.antibodies import EXAMPLE
from harness.processes import wait_for
from problems import check_problem, messages

ENVELOPE = ['id', 'object', 'name', 'job_type', 'priority', 'options', 'status', 'created_at', 'completed_at',
            'canceled_at', 'total', 'progress', 'counts']
NOWHERE = '00000000-0000-4000-8000-000000000000'


def submit(api, variants: list[str], **fields: object) -> dict:
    answer = api.post('/v1/batches', json={'job_type': 'humanization', 'variants': variants, **fields})
    assert answer.status_code == 202, answer.text
    return answer.json()


def wait_ended(api, batch: str, seconds: float = 60) -> dict:
    wait_for(lambda: api.get(f'/v1/batches/{batch}').json()['completed_at'], seconds)
    read = api.get(f'/v1/batches/{batch}').json()
    assert read['completed_at'], read
    return read


def jobs_of(api, batch: str, limit: int = 1000) -> list[dict]:
    jobs, cursor = [], ''
    while cursor is not None:
        page = api.get(f'/v1/batches/{batch}/jobs', params={'limit': limit, 'cursor': cursor}).json()
        jobs += page['data']
        cursor = page['next_cursor']
    return jobs


def test_202_has_location_envelope_and_durable_jobs(api, system):
    variants = [system.make_variant(name) for name in ('sleep=1', 'plain', 'plain')]
    answer = api.post('/v1/batches', json={'job_type': 'humanization', 'variants': variants, 'name': 'three', 'priority': 'low'})
    assert answer.status_code == 202, answer.text
    batch = answer.json()
    assert list(batch) == ENVELOPE
    assert answer.headers['location'] == f'/v1/batches/{batch["id"]}'
    assert (batch['object'], batch['name'], batch['job_type'], batch['priority'], batch['total']) == (
        'batch', 'three', 'humanization', 'low', 3)
    assert batch['options'] is None and batch['canceled_at'] is None
    assert sum(batch['counts'].values()) == 3
    rows = system.query('select variant_id::text, priority from jobs where batch_id = %s order by id', batch['id'])
    assert [row['variant_id'] for row in rows] == variants
    assert {row['priority'] for row in rows} == {2}


def test_it_ends_with_its_last_job(api, system):
    batch = submit(api, [system.make_variant(name) for name in ('plain', 'fail=no_luck', 'plain', 'plain')])
    read = wait_ended(api, batch['id'])
    assert (read['status'], read['progress'], read['name']) == ('completed', 1, None)
    assert read['counts'] == {'pending': 0, 'running': 0, 'completed': 3, 'failed': 1, 'canceled': 0}
    jobs = jobs_of(api, batch['id'])
    assert read['completed_at'] == max(job['completed_at'] for job in jobs)
    assert read == api.get(f'/v1/batches/{batch["id"]}').json()  # by now kept, not counted
    row = system.query('select completed, failed, canceled from batches where id = %s', batch['id'])[0]
    assert row == {'completed': 3, 'failed': 1, 'canceled': 0}


def test_progress_and_counts_while_it_runs(api, system):
    batch = submit(api, [system.make_variant(name) for name in ('plain', 'progress=40 sleep=4')])['id']

    def beyond_half() -> dict | None:
        read = api.get(f'/v1/batches/{batch}').json()
        return read if read['progress'] > 0.5 else None
    read = wait_for(beyond_half, 60)
    assert read['status'] == 'running' and 0.5 < read['progress'] < 1
    assert read['counts'] == {'pending': 0, 'running': 1, 'completed': 1, 'failed': 0, 'canceled': 0}
    assert wait_ended(api, batch)['progress'] == 1


def test_its_jobs_are_jobs_in_the_order_given(api, system):
    variants = [system.make_variant(str(n)) for n in range(7)]
    batch = submit(api, variants)['id']
    wait_ended(api, batch)
    whole = jobs_of(api, batch)
    assert [job['variant_id'] for job in whole] == variants
    assert jobs_of(api, batch, limit=3) == whole
    assert all(api.get(f'/v1/jobs/{job["id"]}').json() == job for job in whole)
    events = api.get(f'/v1/jobs/{whole[0]["id"]}/events').json()['data']
    assert (events[0]['type'], events[0]['variant_id'], events[-1]['type']) == ('created', variants[0], 'completed')


def test_its_events_are_numbered_without_holes(api, system, other):
    made = [other.http.post('/v1/therapeutic-candidates', json={
        'name': str(n), 'format': 'nanobody', 'chains': [{'kind': 'vhh', 'sequence': EXAMPLE['heavy']}]}).json()
        for n in range(5)]
    batch = submit(other.http, [candidate['variant_id'] for candidate in made])
    wait_ended(other.http, batch['id'])
    events = other.http.get('/v1/events', params={'limit': 1000}).json()['data']
    assert [event['seq'] for event in events] == list(range(1, len(events) + 1))
    assert [event['type'] for event in events[:5]] == ['created'] * 5
    assert {event['at'] for event in events[:5]} == {batch['created_at']}
    assert len({event['request_id'] for event in events[:5]}) == 1


def test_a_list_is_newest_first_and_comes_in_pages(api, system, other):
    assert other.http.get('/v1/batches').json() == {'data': [], 'next_cursor': None}
    variant = system.make_variant('plain')
    batches = [submit(api, [variant], name=str(n))['id'] for n in range(6)]
    for batch in batches:
        wait_ended(api, batch)
    found, cursor = [], ''
    while len(found) < 6:
        page = api.get('/v1/batches', params={'limit': 2, 'cursor': cursor}).json()
        assert len(page['data']) == 2
        found += page['data']
        cursor = page['next_cursor']
    assert [batch['id'] for batch in found] == batches[::-1]
    assert found[0] == api.get(f'/v1/batches/{batches[-1]}').json()
    assert other.http.get('/v1/batches').json()['data'] == []


@pytest.mark.parametrize('body, pointers', [
    ({}, {'/job_type'}),
    ({'job_type': 'x', 'variants': [NOWHERE]}, {'/job_type'}),
    ({'job_type': 'humanization', 'variants': []}, {'/variants'}),
    ({'job_type': 'humanization', 'variants': ['x', NOWHERE, 7]}, {'/variants/0', '/variants/2'}),
    ({'job_type': 'humanization', 'variants': [NOWHERE] * 10001}, {'/variants'}),
    ({'job_type': 'humanization', 'variants': [NOWHERE], 'name': '', 'colour': 1}, {'/name', '/colour'}),
    ({'job_type': 'humanization', 'fasta': 'EVQL'}, {'/fasta'}),
    ({'job_type': 'humanization', 'fasta': ''}, {'/fasta'}),
    ({'job_type': 'humanization', 'variants': [NOWHERE], 'options': []}, {'/options'}),
])
def test_a_bad_body_names_what_is_wrong(api, body, pointers):
    assert set(messages(check_problem(api.post('/v1/batches', json=body), 400, 'invalid_request'))) == pointers


def test_options_are_checked_and_each_job_has_them(api, system):
    variants = [system.make_variant('plain') for _ in range(2)]
    wait_ended(api, submit(api, variants)['id'])  # the pipeline has declared its options by now
    batch = submit(api, variants, options={'note': 'x,y', 'level': 3})
    assert batch['options'] == {'note': 'x,y', 'level': 3}
    wait_ended(api, batch['id'])
    for job in jobs_of(api, batch['id']):
        assert 'options' in api.get(f'/v1/jobs/{job["id"]}/results').json()['results']  # it got some
        assert system.query('select options from jobs where id = %s', job['id'])[0]['options'] == batch['options']
    body = {'job_type': 'humanization', 'variants': variants, 'options': {'level': 10, 'note': 7}}
    refused = check_problem(api.post('/v1/batches', json=body), 400, 'invalid_request')
    assert set(messages(refused)) == {'/options/level', '/options/note'}
    body['options'] = {'words': ['x' * 100] * 100}
    assert '/options' in messages(check_problem(api.post('/v1/batches', json=body), 400, 'invalid_request'))
    body = {'job_type': 'structure', 'variants': variants, 'options': {'engine': 'x'}}
    check_problem(api.post('/v1/batches', json=body), 503, 'unavailable')  # nobody has declared any
    assert submit(api, variants, options={})['options'] is None


@pytest.mark.parametrize('fields', [{}, {'variants': [NOWHERE], 'fasta': '>x\nEVQL'}])
def test_either_variants_or_fasta(api, fields):
    body = check_problem(api.post('/v1/batches', json={'job_type': 'humanization', **fields}), 400, 'invalid_request')
    assert 'either' in body['detail']


def test_a_variant_twice_is_refused(api, system):
    variant = system.make_variant()
    body = {'job_type': 'humanization', 'variants': [variant, system.make_variant(), variant.upper()]}
    refused = check_problem(api.post('/v1/batches', json=body), 400, 'invalid_request')
    assert messages(refused) == {'/variants/2': 'is the same as /variants/0'}


def test_unknown_variants_are_named_and_nothing_is_made(api, system, other):
    """Another organisation's is none."""
    theirs = other.http.post('/v1/therapeutic-candidates', json={
        'name': 'x', 'format': 'nanobody', 'chains': [{'kind': 'vhh', 'sequence': EXAMPLE['heavy']}]}).json()['variant_id']
    before = system.query('select (select count(*) from jobs) as jobs, (select count(*) from batches) as batches')
    refused = api.post('/v1/batches', json={'job_type': 'humanization', 'variants': [system.make_variant(), NOWHERE, theirs]})
    assert set(messages(check_problem(refused, 404, 'not_found'))) == {'/variants/1', '/variants/2'}
    assert before == system.query('select (select count(*) from jobs) as jobs, (select count(*) from batches) as batches')


def test_another_organisations_batch_is_none(api, system, other):
    batch = submit(api, [system.make_variant('sleep=1')])['id']
    for method, path in (('GET', ''), ('GET', '/jobs'), ('GET', '/results'), ('POST', '/cancel')):
        theirs = other.http.request(method, f'/v1/batches/{batch}{path}')
        nobodys = other.http.request(method, f'/v1/batches/{NOWHERE}{path}')
        check_problem(theirs, 404, 'not_found')
        assert theirs.text.replace(batch, NOWHERE) == nobodys.text
    assert wait_ended(api, batch)['counts']['completed'] == 1


def test_canceled_whole(api, system):
    """More than one piece of 250; what runs is stopped, what waits never begins."""
    variants = [system.make_variant('hang')] + [system.make_variant('sleep=100') for _ in range(20)]
    copies = system.query('insert into variants (id, org_id, candidate_id, name, format, chains) '
                          'select gen_random_uuid(), org_id, candidate_id, name, format, chains '
                          'from variants, generate_series(1, 600) where id = %s returning id::text', variants[1])
    batch = submit(api, variants + [row['id'] for row in copies])['id']
    assert wait_for(lambda: api.get(f'/v1/batches/{batch}').json()['counts']['running'] > 0, 30)
    began = time.monotonic()
    answer = api.post(f'/v1/batches/{batch}/cancel')
    assert answer.status_code == 200, answer.text
    read = answer.json()
    assert list(read) == ENVELOPE
    assert read['status'] == 'canceled' and read['counts'] == {
        'pending': 0, 'running': 0, 'completed': 0, 'failed': 0, 'canceled': 621}
    assert time.monotonic() - began < 20
    assert api.post(f'/v1/batches/{batch}/cancel').json() == read  # again is the same
    job = submit(api, [system.make_variant('plain')])
    wait_ended(api, job['id'])  # the slots are free again
    assert system.query("select count(*) from events e join jobs j on j.id = e.job_id where j.batch_id = %s "
                        "and e.type = 'canceled'", batch)[0]['count'] == 621


def test_a_finished_one_is_not_canceled(api, system):
    batch = submit(api, [system.make_variant('plain')])['id']
    before = wait_ended(api, batch)
    check_problem(api.post(f'/v1/batches/{batch}/cancel'), 409, 'conflict')
    assert api.get(f'/v1/batches/{batch}').json() == before


def test_a_canceled_one_keeps_what_had_completed(api, system):
    batch = submit(api, [system.make_variant('plain'), system.make_variant('hang')])['id']
    assert wait_for(lambda: api.get(f'/v1/batches/{batch}').json()['counts']['completed'] == 1, 30)
    read = api.post(f'/v1/batches/{batch}/cancel').json()
    assert (read['status'], read['counts']['completed'], read['counts']['canceled']) == ('canceled', 1, 1)


def test_high_priority_goes_before_it(api, system):
    """A single job is not behind the whole batch, if it says so."""
    single = system.make_variant('plain')
    batch = submit(api, [system.make_variant('sleep=0.5') for _ in range(150)])['id']
    job = api.post('/v1/jobs', json={'variant_id': single, 'job_type': 'humanization',
                                     'priority': 'high'}).json()['id']
    system.wait_terminal([job])
    assert api.get(f'/v1/batches/{batch}').json()['counts']['pending'] > 0
    api.post(f'/v1/batches/{batch}/cancel')
