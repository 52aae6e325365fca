"""Every place of the routes' table that takes an identifier: another organisation's is answered like nobody's.

A route without a case here fails the test, and so does a case without a route."""
import re
import uuid
from collections.abc import Callable

import pytest

from harness.processes import wait_for
from harness.system import CHECKOUT
from problems import check_problem
from test_tenants import shape

ROUTES = re.findall(r'\{"([A-Z]+)",\s*"([^"]+)"', (CHECKOUT / 'gateway' / 'api' / 'routes.c').read_text())

# What stands for {id}: the name of one of ours.
PATHS = {
    ('GET', '/v1/jobs/{id}'): 'job',
    ('GET', '/v1/jobs/{id}/results'): 'job',
    ('GET', '/v1/jobs/{id}/events'): 'job',
    ('GET', '/v1/jobs/{id}/logs'): 'job',
    ('GET', '/v1/jobs/{id}/position'): 'job',
    ('POST', '/v1/jobs/{id}/cancel'): 'waiting',
    ('POST', '/v1/jobs/{id}/resubmit'): 'failed',
    ('GET', '/v1/therapeutic-candidates/{id}'): 'candidate',
    ('GET', '/v1/variants/{id}'): 'variant',
    ('GET', '/v1/jobs/{id}/files/{name}'): 'job',
    ('GET', '/v1/{resource}/{id}'): 'job',
    ('GET', '/v1/{resource}/{id}/results'): 'job',
    ('GET', '/v1/{resource}/{id}/files/{name}'): 'job',
    ('POST', '/v1/{resource}/{id}/cancel'): 'typed',
    ('GET', '/v1/job-types/{job_type}/jobs/{id}'): 'own',
    ('GET', '/v1/job-types/{job_type}/jobs/{id}/results'): 'own',
    ('GET', '/v1/job-types/{job_type}/jobs/{id}/files/{name}'): 'own',
    ('POST', '/v1/job-types/{job_type}/jobs/{id}/cancel'): 'own_waiting',
    ('GET', '/v1/batches/{id}'): 'batch',
    ('GET', '/v1/batches/{id}/jobs'): 'batch',
    ('GET', '/v1/batches/{id}/results'): 'batch',
    ('POST', '/v1/batches/{id}/cancel'): 'batch',
}
# What stands for the other holes of a path, which name nobody's thing.
HOLES = {'{job_type}': 'own_type', '{name}': 'file-1.txt', '{resource}': 'humanizations'}
# (what is ours, the body that names it)
BODIES: dict[tuple[str, str], list[tuple[str, Callable[[str], dict]]]] = {
    ('POST', '/v1/jobs'): [('variant', lambda id: {'variant_id': id, 'job_type': 'humanization'})],
    ('POST', '/v1/{resource}'): [('variant', lambda id: {'variant_id': id})],
    ('POST', '/v1/job-types/{job_type}/jobs'): [('variant', lambda id: {'variant_id': id})],
    ('POST', '/v1/batches'): [('variant', lambda id: {'variants': [id], 'job_type': 'humanization'})],
}
# Filters do not refuse what is not there: their page is empty. (what is ours, the query that names it)
FILTERS = {
    ('GET', '/v1/jobs'): [('variant', 'variant_id={id}')],
    ('GET', '/v1/{resource}'): [('variant', 'variant_id={id}')],
    ('GET', '/v1/job-types/{job_type}/jobs'): [('variant', 'variant_id={id}')],
}
# Nothing that the client sends can name anybody's thing.
NONE = {
    ('POST', '/v1/therapeutic-candidates'), ('GET', '/v1/me'), ('GET', '/v1/events'), ('GET', '/v1/job-types'),
    ('GET', '/v1/batches'),
    ('GET', '/healthz'), ('GET', '/readyz'), ('GET', '/metrics'),
}


@pytest.fixture(scope='module')
def ours(system):
    """Ids of the first organisation's things."""
    variant = system.make_variant('files=1')
    job, own, failed = system.submit(variant), system.submit(variant), system.submit(system.make_variant('fail=x'))
    waiting, own_waiting = (system.submit(variant, 'structure') for _ in range(2))
    system.wait_terminal([job, own, failed])
    # An operator's own type, which nobody serves here.
    system.query("insert into declarations (job_type, title, version, options_schema) values ('own_type', 'x', '1.0.0', %s)",
                 '{"type": "object"}')
    system.query("update jobs set job_type = 'own_type' where id = any (%s::uuid[])", [own, own_waiting])
    assert wait_for(lambda: system.http.get('/v1/job-types/own_type/jobs').status_code == 200, 40), 'it is not known'
    typed = system.submit(system.make_variant('hang'))  # what is canceled must not have ended
    batch = system.http.post('/v1/batches', json={'variants': [variant], 'job_type': 'structure'}).json()['id']
    yield {'job': job, 'failed': failed, 'waiting': waiting, 'variant': variant, 'typed': typed, 'own': own,
           'own_waiting': own_waiting, 'batch': batch,
           'candidate': system.http.get(f'/v1/variants/{variant}').json()['candidate_id']}
    system.http.post(f'/v1/jobs/{typed}/cancel')  # if no test did
    system.query("delete from declarations where job_type = 'own_type'")
    # What waits is nobody's business any more.
    for waits in system.query("select id::text from jobs where job_type = 'own_type' and completed_at is null"):
        system.http.post(f'/v1/jobs/{waits["id"]}/cancel')


def filled(pattern: str, identifier: str = '') -> str:
    return re.sub(r'\{\w+\}', lambda hole: HOLES.get(hole[0], identifier), pattern)


def test_every_route_has_its_case():
    assert set(ROUTES) == {*PATHS, *BODIES, *FILTERS, *NONE}
    assert {route for route in ROUTES if '{id}' in route[1]} == set(PATHS)


@pytest.mark.parametrize('route', PATHS, ids=' '.join)
def test_in_a_path(api, other, ours, route):
    method, pattern = route
    mine = filled(pattern, ours[PATHS[route]])
    assert api.request(method, mine).status_code < 300
    theirs = other.http.request(method, mine)
    check_problem(theirs, 404, 'not_found')
    assert shape(theirs) == shape(other.http.request(method, filled(pattern, str(uuid.uuid4()))))


@pytest.mark.parametrize('route', BODIES, ids=' '.join)
def test_in_a_body(api, other, ours, route):
    method, path = route[0], filled(route[1])
    for name, body in BODIES[route]:
        assert api.request(method, path, json=body(ours[name])).status_code < 300
        theirs = other.http.request(method, path, json=body(ours[name]))
        check_problem(theirs, 404, 'not_found')
        assert shape(theirs) == shape(other.http.request(method, path, json=body(str(uuid.uuid4()))))


@pytest.mark.parametrize('route', FILTERS, ids=' '.join)
def test_in_a_filter(api, other, ours, route):
    method, path = route[0], filled(route[1])
    for name, query in FILTERS[route]:
        assert api.request(method, f'{path}?{query.format(id=ours[name])}').json()['data']
        theirs = other.http.request(method, f'{path}?{query.format(id=ours[name])}')
        assert (theirs.status_code, theirs.json()['data']) == (200, [])
        assert shape(theirs) == shape(other.http.request(method, f'{path}?{query.format(id=uuid.uuid4())}'))


def test_a_list_has_nothing_of_anybody_else(api, other, ours):
    assert api.get('/v1/jobs').json()['data']
    assert other.http.get('/v1/jobs').json()['data'] == []
    assert other.http.get('/v1/events').json()['data'] == []


def test_a_cursor_of_ours_shows_nothing_to_them(system, api, other, ours):
    """It says where to go on, not what may be seen."""
    for _ in range(2):
        system.submit(ours['variant'])
    cursor = api.get('/v1/jobs?limit=1').json()['next_cursor']
    assert cursor and api.get('/v1/jobs', params={'limit': 1, 'cursor': cursor}).json()['data']
    theirs = other.http.get('/v1/jobs', params={'limit': 1, 'cursor': cursor})
    assert theirs.status_code == 200 and theirs.json()['data'] == [] or theirs.status_code == 400
