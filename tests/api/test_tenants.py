"""Another organisation's things are not there: the same bytes as for what does not exist."""
import uuid

import pytest


@pytest.fixture(scope='module')
def job(system):
    """A job of the first organisation, completed."""
    made = system.submit(system.make_variant('plain'))
    system.wait_terminal([made])
    return made


def shape(answer) -> tuple:
    """All that a client sees, without what differs between any two requests."""
    headers = [(name, value) for name, value in answer.headers.items() if name not in ('date', 'x-request-id')]
    return answer.status_code, headers, answer.content.replace(answer.request.url.path.encode(), b'PATH')


@pytest.mark.parametrize('path', ['/v1/jobs/{job}', '/v1/jobs/{job}/results', '/v1/jobs/{job}/events', '/v1/jobs/{job}/position',
                                  '/v1/variants/{variant}', '/v1/therapeutic-candidates/{candidate}'])
def test_in_a_path(system, api, other, job, path):
    candidate = api.get(f'/v1/variants/{system.variant}').json()['candidate_id']
    ours = path.format(job=job, variant=system.variant, candidate=candidate)
    nobodys = path.format(job=uuid.uuid4(), variant=uuid.uuid4(), candidate=uuid.uuid4())
    assert api.get(ours).status_code == 200
    theirs = other.http.get(ours)
    assert theirs.status_code == 404
    assert shape(theirs) == shape(other.http.get(nobodys))


@pytest.mark.parametrize('what', ['resubmit', 'cancel'])
def test_in_a_path_that_is_posted_to(other, job, what):
    theirs, nobodys = (other.http.post(f'/v1/jobs/{one}/{what}') for one in (job, uuid.uuid4()))
    assert theirs.status_code == 404
    assert shape(theirs) == shape(nobodys)


def test_in_a_body(system, other):
    theirs = other.http.post('/v1/jobs', json={'variant_id': system.variant, 'job_type': 'humanization'})
    nobodys = other.http.post('/v1/jobs', json={'variant_id': str(uuid.uuid4()), 'job_type': 'humanization'})
    assert theirs.status_code == 404
    assert theirs.content == nobodys.content
    assert shape(theirs) == shape(nobodys)


def test_in_events(other, job):
    page = other.http.get('/v1/events').json()
    assert (page['data'], page['last_seq']) == ([], 0)


def test_a_job_of_one_is_counted_for_one(system, api, other):
    before = api.get('/v1/events?limit=1').json()['last_seq']
    made = other.http.post('/v1/therapeutic-candidates', json={'name': 'plain', 'format': 'mab', 'chains': [
        {key: chain[key] for key in ('kind', 'sequence')}
        for chain in api.get(f'/v1/variants/{system.variant}').json()['chains']]}).json()
    job = other.http.post('/v1/jobs', json={'variant_id': made['variant_id'], 'job_type': 'humanization'}).json()
    system.wait_terminal([job['id']])
    assert other.http.get('/v1/events').json()['data'][0]['seq'] == 1
    assert job['id'] not in {event['job_id'] for event in api.get(f'/v1/events?after={before}').json()['data']}
