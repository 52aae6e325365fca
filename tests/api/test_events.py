"""GET /v1/events: pages that fit together, whatever is written meanwhile."""
import threading

import pytest

from newcomers import Newcomer, newcomer
from problems import check_problem


@pytest.fixture(scope='module')
def own(system) -> Newcomer:
    """Whose events are those of these tests alone: jobs of others may still go on."""
    return newcomer(system, 'reader')


@pytest.fixture(scope='module')
def variant(own) -> str:
    return own.make_candidate('plain')[1]


@pytest.fixture
def api(own):
    return own.http


@pytest.fixture(scope='module')
def written(system, own, variant):
    """At least 60 events, all of jobs that have ended."""
    system.wait_terminal([own.submit(variant) for _ in range(20)])
    return own.http.get('/v1/events?limit=1').json()['last_seq']


def read_all(api, limit: int) -> list[dict]:
    events, after = [], 0
    while True:
        page = api.get('/v1/events', params={'after': after, 'limit': limit}).json()
        events += page['data']
        assert len(page['data']) <= limit
        assert page['next_after'] == (events[-1]['seq'] if events else 0)
        assert page['has_more'] == (page['next_after'] < page['last_seq'])
        if not page['has_more']:
            return events
        after = page['next_after']


@pytest.mark.parametrize('limit', [1, 7, 1000])
def test_pages_have_every_number_once(api, written, limit):
    assert [event['seq'] for event in read_all(api, limit)] == list(range(1, written + 1))


def test_an_event_says_all_that_its_message_does(api, written):
    event = api.get('/v1/events?limit=1').json()['data'][0]
    assert list(event) == ['seq', 'job_id', 'job_type', 'type', 'status', 'attempt', 'at', 'variant_id', 'request_id']
    assert (event['type'], event['status'], event['attempt']) == ('created', 'pending', 1)


def test_created_names_the_variant_and_the_request(api, system, variant):
    made = api.post('/v1/jobs', json={'variant_id': variant, 'job_type': 'humanization'},
                    headers={'X-Request-Id': 'a"b\\c-17'})
    created = api.get(f'/v1/jobs/{made.json()["id"]}/events').json()['data'][0]
    assert (created['type'], created['variant_id'], created['request_id']) == ('created', variant, 'a"b\\c-17')
    system.wait_terminal([made.json()['id']])
    later = api.get(f'/v1/jobs/{made.json()["id"]}/events').json()['data'][1:]
    assert later and not any('variant_id' in event or 'request_id' in event for event in later)


def test_the_default_page_is_100(api, system, own, variant, written):
    system.wait_terminal([own.submit(variant) for _ in range(20)])
    assert len(api.get('/v1/events').json()['data']) == 100


def test_at_the_edge_the_page_is_empty(api, written):
    last = api.get('/v1/events?limit=1').json()['last_seq']
    page = api.get(f'/v1/events?after={last}').json()
    assert page == {'data': [], 'next_after': last, 'has_more': False, 'last_seq': last, 'timeline': page['timeline']}


def test_a_number_above_the_table_is_told_so(api, written):
    page = api.get('/v1/events?after=999999999').json()
    assert (page['data'], page['has_more']) == ([], False)
    assert page['rewound_to'] == page['next_after'] == page['last_seq']


def test_the_timeline_is_the_databases(api, system, written):
    timeline = system.query('select timeline_id from pg_control_checkpoint()')[0]['timeline_id']
    assert api.get('/v1/events').json()['timeline'] == timeline


@pytest.mark.parametrize('query, names', [
    ('after=x', ['after']), ('after=-1', ['after']), ('after=1.5', ['after']), ('after=', ['after']), ('after', ['after']),
    ('after=99999999999999999999', ['after']), ('after=%31', ['after']), ('limit=0', ['limit']), ('limit=1001', ['limit']),
    ('limit=abc&after=-2', ['after', 'limit']), ('afer=1', ['afer']), ('after=1&after=2', ['after']), ('=1', ['']),
    ("after=1'--", ['after'])])
def test_bad_values_are_named(api, query, names):
    body = check_problem(api.get(f'/v1/events?{query}'), 400, 'invalid_request')
    assert sorted(error['parameter'] for error in body['errors']) == names


@pytest.mark.timeout(240)
def test_nothing_is_missed_while_it_is_written(api, system, own, variant):
    """Reads on and on while jobs go through: each number comes once, in order, without a hole."""
    after = api.get('/v1/events?limit=1').json()['last_seq']
    seen: list[int] = []
    done = threading.Event()
    jobs: list[str] = []

    def write() -> None:
        try:
            jobs.extend(own.submit(variant) for _ in range(100))
            system.wait_terminal(jobs)
        finally:
            done.set()

    writer = threading.Thread(target=write)
    writer.start()
    pages = 0
    while True:
        ended = done.is_set()
        page = api.get('/v1/events', params={'after': (seen or [after])[-1], 'limit': 50}).json()
        seen += [event['seq'] for event in page['data']]
        pages += 1
        if ended and not page['data']:
            break
    writer.join()
    assert seen == list(range(after + 1, after + 1 + len(seen)))
    assert len(seen) >= 200 and pages > 5
