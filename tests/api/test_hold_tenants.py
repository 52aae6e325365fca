"""Every place of the routes' table that takes an identifier: another organisation's is answered like nobody's.

A route without a case here fails the test, and so does a case without a route."""
import re
import uuid
from collections.abc import Callable

import pytest

from harness.system import CHECKOUT
from problems import check_problem
from test_tenants import shape

ROUTES = re.findall(r'\{"([A-Z]+)",\s*"([^"]+)"', (CHECKOUT / 'gateway' / 'routes.c').read_text())

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
}
# (what is ours, the body that names it)
BODIES: dict[tuple[str, str], list[tuple[str, Callable[[str], dict]]]] = {
    ('POST', '/v1/jobs'): [('variant', lambda id: {'variant_id': id, 'job_type': 'humanization'})],
}
# Filters do not refuse what is not there: their page is empty. (what is ours, the query that names it)
FILTERS = {
    ('GET', '/v1/jobs'): [('variant', 'variant_id={id}')],
}
# Nothing that the client sends can name anybody's thing.
NONE = {
    ('POST', '/v1/therapeutic-candidates'), ('GET', '/v1/me'), ('GET', '/v1/events'), ('GET', '/v1/job-types'),
    ('GET', '/healthz'), ('GET', '/readyz'), ('GET', '/metrics'),
}


@pytest.fixture(scope='module')
def ours(system):
    """Ids of the first organisation's things."""
    job, failed = (system.submit(system.make_variant(orders)) for orders in ('plain', 'fail=x'))
    waiting = system.submit(job_type='structure')
    system.wait_terminal([job, failed])
    variant = system.http.get(f'/v1/jobs/{job}').json()['variant_id']
    return {'job': job, 'failed': failed, 'waiting': waiting, 'variant': variant,
            'candidate': system.http.get(f'/v1/variants/{variant}').json()['candidate_id']}


def test_every_route_has_its_case():
    assert set(ROUTES) == {*PATHS, *BODIES, *FILTERS, *NONE}
    assert {route for route in ROUTES if '{' in route[1]} == set(PATHS)


@pytest.mark.parametrize('route', PATHS, ids=' '.join)
def test_in_a_path(api, other, ours, route):
    method, pattern = route
    mine = pattern.replace('{id}', ours[PATHS[route]])
    assert api.request(method, mine).status_code < 300
    theirs = other.http.request(method, mine)
    check_problem(theirs, 404, 'not_found')
    assert shape(theirs) == shape(other.http.request(method, pattern.replace('{id}', str(uuid.uuid4()))))


@pytest.mark.parametrize('route', BODIES, ids=' '.join)
def test_in_a_body(api, other, ours, route):
    method, path = route
    for name, body in BODIES[route]:
        assert api.request(method, path, json=body(ours[name])).status_code < 300
        theirs = other.http.request(method, path, json=body(ours[name]))
        check_problem(theirs, 404, 'not_found')
        assert shape(theirs) == shape(other.http.request(method, path, json=body(str(uuid.uuid4()))))


@pytest.mark.parametrize('route', FILTERS, ids=' '.join)
def test_in_a_filter(api, other, ours, route):
    method, path = route
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
