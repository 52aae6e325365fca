"""An independent subscriber follows jobs from created to completed, and proves order and completeness."""
import collections
import subprocess
import time
import uuid
from pathlib import Path

import msgpack
import pytest
from subscriber import Subscriber

from harness import GENERIC, System


@pytest.fixture(scope='module')
def own():
    with System(pipelines={'humanization': GENERIC}) as running:
        yield running


@pytest.fixture
def subscribe(own):
    made = []

    def start(last: int = 0) -> Subscriber:
        org = own.query('SELECT org_id::text FROM variants WHERE id = %s', own.variant)[0]['org_id']
        made.append(Subscriber(own.env['PARATOPE_EVENTS'], own.url, own.token, org, last))
        return made[-1]

    yield start
    for subscriber in made:
        subscriber.close()


def take_rest(own, subscriber: Subscriber, seconds: float = 60) -> list[dict]:
    """Until it has all that the table has by now."""
    last = own.query('SELECT seq FROM event_counters WHERE org_id = %s', subscriber.org)[0]['seq']
    events, limit = [], time.monotonic() + seconds
    while subscriber.last < last and time.monotonic() < limit:
        events += subscriber.take(0.2)
    return events


def check_complete(own, events: list[dict], first: int = 1) -> None:
    """The log is the table's: every number once, in order, and the same words."""
    assert [event['seq'] for event in events] == list(range(first, first + len(events)))
    rows = own.query('SELECT seq, job_id::text, type, status, attempt FROM events WHERE seq >= %s AND org_id = '
                     '(SELECT org_id FROM variants WHERE id = %s) ORDER BY seq', first, own.variant)
    assert [{key: event[key] for key in rows[0]} for event in events] == rows


def test_follows_jobs_live(own, subscribe):
    subscriber = subscribe()
    events = subscriber.take(1)
    jobs = [own.submit(own.make_variant('progress=2 sleep=0.2')) for _ in range(20)]
    own.wait_terminal(jobs)
    events += take_rest(own, subscriber)
    check_complete(own, events)
    live = [event for event in events if event['live']]
    assert len(live) > len(events) / 2, 'most of it came live, not from the table'
    history = collections.defaultdict(list)
    for event in events:
        history[event['job_id']].append(event['type'])
    for job in jobs:
        assert history[job][0] == 'created' and history[job][-1] == 'completed', history[job]


def test_created_says_of_which_variant_and_request(own, subscribe):
    """As the table does; what follows does not."""
    subscriber, made = subscribe(), []
    subscriber.take(1)
    handle = subscriber.handle
    subscriber.handle = lambda topic, header: made.append(msgpack.unpackb(header)) or handle(topic, header)
    answer = own.http.post('/v1/jobs', json={'variant_id': own.variant, 'job_type': 'humanization'},
                           headers={'X-Request-Id': 'asked-for-17'})
    own.wait_terminal([answer.json()['id']])
    take_rest(own, subscriber)
    subscriber.take(0.5)  # an edge may have come before the message
    events = [message for message in made if message['m'] == 'event']
    assert (events[0]['type'], uuid.UUID(bytes=events[0]['variant_id']), events[0]['request']) == \
        ('created', uuid.UUID(own.variant), 'asked-for-17')
    assert events[-1]['type'] == 'completed'
    assert not any('variant_id' in message or 'request' in message for message in events[1:])


def test_was_away_and_reads_what_it_missed(own, subscribe):
    first = subscribe()
    events = first.take(0.5)
    first.close()
    jobs = [own.submit() for _ in range(10)]
    own.wait_terminal(jobs)
    later = subscribe(first.last)
    more = [own.submit() for _ in range(10)]
    own.wait_terminal(more)
    events += take_rest(own, later)
    check_complete(own, events)
    assert {event['job_id'] for event in events if event['type'] == 'completed'} >= set(jobs + more)


def test_learns_of_the_last_event_by_the_edge(own, subscribe):
    """Deaf while the last events are published, it hears of them by the edge alone."""
    subscriber = subscribe()
    events = subscriber.take(0.5)
    subscriber.socket.unsubscribe(f'event.{subscriber.org}.'.encode())
    own.wait_terminal([own.submit()])
    reads = subscriber.reads
    events += take_rest(own, subscriber)
    check_complete(own, events)
    assert subscriber.reads > reads and events[-1]['type'] == 'completed'


def test_misses_nothing_while_the_broker_dies(own, subscribe):
    subscriber = subscribe()
    events = subscriber.take(0.5)
    variant = own.make_variant('sleep=0.2')
    jobs = [own.submit(variant) for _ in range(8)]
    events += subscriber.take(0.3)
    old = own.kill('broker-1')
    own.wait_restarted('broker-1', old)
    jobs += [own.submit(variant) for _ in range(8)]
    own.wait_terminal(jobs, 60)
    events += take_rest(own, subscriber)
    check_complete(own, events)


def test_a_page_above_the_last_number_says_where_the_table_ends(own):
    last = own.query('SELECT seq FROM event_counters WHERE org_id = (SELECT org_id FROM variants WHERE id = %s)',
                     own.variant)[0]['seq']
    page = own.http.get('/v1/events', params={'after': last + 1000}).json()
    assert page['data'] == [] and page['rewound_to'] == last


def test_follows_its_organisation_encrypted():
    """With a certificate for this organisation alone."""
    with System(keys=True, pipelines={'humanization': GENERIC}) as running:
        org = running.query('SELECT org_id::text FROM variants WHERE id = %s', running.variant)[0]['org_id']
        programs = Path(f'/proc/{running.pid("broker-1")}/exe').resolve().parent
        subprocess.run([programs / 'paratope-keys', 'add', running.home / 'keys', 'dashboard', '--role=subscriber',
                        f'--org={org}'], check=True, timeout=30)
        subscriber = Subscriber(running.env['PARATOPE_EVENTS'], running.url, running.token, org,
                                keys=running.home / 'keys' / 'machines' / 'dashboard')
        events = subscriber.take(2)
        jobs = [running.submit() for _ in range(5)]
        running.wait_terminal(jobs)
        events += take_rest(running, subscriber)
        subscriber.close()
        check_complete(running, events)
        assert any(event['live'] for event in events)
