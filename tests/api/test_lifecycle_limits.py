"""Limits, turns and tries as an operator sets them, seen from outside while jobs run."""
import os
import signal
import time

import httpx
import pytest

from harness import GENERIC
from harness.processes import wait_for

pytestmark = pytest.mark.timeout(300)
SLOTS = 4  # of two workers with two each


def most_at_once(system, jobs: list[str]) -> int:
    """Of these, as their own times say: started, and not completed."""
    moments = sorted(moment for row in system.jobs(jobs).values()
                     for moment in ((row['started_at'], 1), (row['completed_at'], -1)))
    running = most = 0
    for _, step in moments:
        running += step
        most = max(most, running)
    return most


def out_now(system, org: str | None = None) -> int:
    return system.query('select count(*) from jobs where due_at is null and completed_at is null '
                        'and (%s::uuid is null or org_id = %s)', org, org)[0]['count']


def watch(system, jobs: list[str], org: str | None = None, seconds: float = 60) -> int:
    """Until they have ended: how many were out at once at most, asked again and again."""
    most, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        most = max(most, out_now(system, org))
        if all(row['completed_at'] for row in system.jobs(jobs).values()):
            return most
        time.sleep(0.02)
    raise AssertionError('not all have ended')


class Tenant:
    """An organisation of its own."""

    def __init__(self, system, admin) -> None:
        self.org = admin('create-organisation', 'x')['org_id']
        token = admin('create-token', self.org)['token']
        self.http = httpx.Client(base_url=system.url, headers={'Authorization': f'Bearer {token}'}, timeout=30,
                                 trust_env=False)
        self.chains = [{key: chain[key] for key in ('kind', 'sequence')}
                       for chain in system.http.get(f'/v1/variants/{system.variant}').json()['chains']]

    def variant(self, name: str) -> str:
        body = {'name': name, 'format': 'mab', 'chains': self.chains}
        return self.http.post('/v1/therapeutic-candidates', json=body).json()['variant_id']

    def submit(self, variant: str, **fields) -> str:
        body = {'variant_id': variant, 'job_type': 'humanization', **fields}
        answer = self.http.post('/v1/jobs', json=body)
        assert answer.status_code == 202, answer.text
        return answer.json()['id']


@pytest.fixture
def tenant(system, admin):
    made = []

    def make() -> Tenant:
        made.append(Tenant(system, admin))
        return made[-1]
    yield make
    for one in made:
        one.http.close()


@pytest.fixture
def limit(admin):
    """limit(N, '--org', …), none of which is left afterwards."""
    made = []

    def call(most, *of: str) -> None:
        made.append(of)
        admin('limit', str(most), *of)
    yield call
    for of in made:
        admin('limit', 'none', *of)


@pytest.fixture(autouse=True)
def slots(system):
    """All are free and known before a test begins."""
    assert wait_for(lambda: out_now(system) == 0, 60)
    assert wait_for(lambda: system.http.get('/v1/job-types').json()['data'][0]['slots'] == SLOTS, 60)


# ---- limits

@pytest.mark.parametrize('kind', ['organisation', 'type', 'both'])
def test_no_more_than_the_limit_are_out(system, tenant, limit, kind):
    one = tenant()
    limit(2, *{'organisation': ['--org', one.org], 'type': ['--job-type', 'humanization'],
               'both': ['--org', one.org, '--job-type', 'humanization']}[kind])
    time.sleep(1)  # every gateway has heard of it
    variant = one.variant('sleep=0.15')
    jobs = [one.submit(variant) for _ in range(50)]
    assert watch(system, jobs) <= 2
    assert most_at_once(system, jobs) == 2
    assert {row['status'] for row in system.jobs(jobs).values()} == {'completed'}


def test_a_limit_changes_while_they_run(system, tenant, limit):
    one = tenant()
    limit(0, '--org', one.org)
    time.sleep(1)
    variant = one.variant('sleep=0.2')
    jobs = [one.submit(variant) for _ in range(120)]  # some are left however long the commands take
    time.sleep(1)
    assert out_now(system, one.org) == 0
    limit(1, '--org', one.org)
    assert wait_for(lambda: out_now(system, one.org) == 1, 40), 'nobody was woken'
    limit(3, '--org', one.org)
    assert wait_for(lambda: out_now(system, one.org) == 3, 40), 'nobody was woken'
    limit('none', '--org', one.org)
    system.wait_terminal(jobs, 60)
    assert most_at_once(system, jobs) == SLOTS


def test_others_are_not_held_back(system, tenant, limit):
    held, free = tenant(), tenant()
    limit(0, '--org', held.org)
    time.sleep(1)
    waiting = [held.submit(held.variant('plain')) for _ in range(20)]
    variant = free.variant('plain')
    done = [free.submit(variant) for _ in range(20)]
    system.wait_terminal(done)
    assert {row['status'] for row in system.jobs(waiting).values()} == {'pending'}
    limit('none', '--org', held.org)
    system.wait_terminal(waiting)


# ---- turns and classes

def started_between(system, org: str, first: str, out_at) -> tuple[int, int]:
    """Jobs of the organisation that started before `first` did, and after it was submitted, or was handed out."""
    row = system.query('select count(*) as submitted, count(*) filter (where j.started_at > %s) as out from jobs j, jobs f '
                       'where f.id = %s and j.org_id = %s and j.started_at > f.created_at and j.started_at < f.started_at',
                       out_at, first, org)[0]
    return row['submitted'], row['out']


def await_out(system, job: str):
    """When it was seen to be handed out."""
    seen = 'select clock_timestamp() as at from jobs where id = %s and due_at is null'
    return wait_for(lambda: system.query(seen, job), 30)[0]['at']


def test_a_backlog_delays_anothers_first_job_by_one_for_each_slot(system, tenant):
    many, few = tenant(), tenant()
    variant, single = many.variant('sleep=4'), few.variant('plain')  # longer than a busy machine takes to hand out
    system.query("""select count(*) from submit_jobs((select array_agg(gen_random_uuid()) from generate_series(1, 3000)),
        array_fill(%s::uuid, array[3000]), array_fill(%s::uuid, array[3000]), array_fill('humanization'::text, array[3000]),
        array_fill(false, array[3000]), array_fill(1::smallint, array[3000]), array_fill(null::text, array[3000]),
        array_fill(null::uuid, array[3000]), array_fill(null::text, array[3000]), array_fill(null::uuid, array[3000]))""", many.org, variant)
    many.submit(variant)  # tells the sweep
    assert wait_for(lambda: out_now(system, many.org) > SLOTS, 30), 'the broker has a queue of them'
    try:
        for _ in range(4):
            first = few.submit(single)
            out_at = await_out(system, first)
            system.wait_terminal([first], 30)
            since_submitted, since_out = started_between(system, many.org, first, out_at)
            assert since_out <= SLOTS, 'it waited at the broker'
            assert since_submitted <= SLOTS, 'it waited in the table'
    finally:
        system.query("update jobs set status = 'canceled', completed_at = now(), due_at = null where org_id = %s "
                     'and due_at is not null', many.org)
        for row in system.query('select id::text from jobs where org_id = %s and completed_at is null', many.org):
            many.http.post(f"/v1/jobs/{row['id']}/cancel")
        assert wait_for(lambda: out_now(system) == 0, 60)


def test_a_high_job_goes_first_and_a_low_one_last(system, tenant, limit):
    one = tenant()
    limit(0, '--org', one.org)
    time.sleep(1)
    variant = one.variant('sleep=0.3')
    jobs = {priority: one.submit(variant, priority=priority) for priority in ('low', 'normal', 'high')}
    limit(1, '--org', one.org)  # now that all wait
    rows = system.wait_terminal(jobs.values())
    assert sorted(jobs, key=lambda priority: rows[jobs[priority]]['started_at']) == ['high', 'normal', 'low']


def test_weights_share_the_turns(system, tenant, limit, admin):
    """Three turns to one: of the first 40 that started, about 30."""
    heavy, light = tenant(), tenant()
    admin('weight', heavy.org, '3')
    limit(0, '--job-type', 'humanization')
    time.sleep(1)
    jobs = {}
    for one in (light, heavy):
        variant = one.variant('sleep=0.02')
        jobs.update({one.submit(variant): one for _ in range(60)})
    limit(1, '--job-type', 'humanization')  # so that the order of starting is the order of turns
    rows = system.wait_terminal(jobs, 60)
    order = sorted(jobs, key=lambda job: rows[job]['started_at'])
    assert 28 <= sum(jobs[job] is heavy for job in order[:40]) <= 32


# ---- tries

def history(system, job: str) -> list[tuple]:
    events = system.http.get(f'/v1/jobs/{job}/events').json()['data']
    return [(event['type'], event['attempt'], event.get('code'), event.get('message')) for event in events
            if event['type'] in ('attempt_lost', 'failed', 'completed')]


@pytest.fixture
def quick(admin):
    admin('job-type', 'humanization', '--retry-after', '0.2', '--retry-most', '0.3', '--max-tries', '2')
    time.sleep(1)
    yield
    admin('job-type', 'humanization', '--retry-after', '2', '--retry-most', '60', '--max-tries', '3')


@pytest.mark.parametrize('order, code, words', [
    ('crash=SEGV', 'died_signal', 'signal 11'), ('exit=3', 'died_exit', '3'), ('garbage', 'pipeline_protocol', ''),
    ('fail=no_luck retry=1', 'no_luck', '')])
def test_each_attempt_says_why(system, quick, order, code, words):
    job = system.submit(system.make_variant(order))
    system.wait_terminal([job])
    lost, failed = history(system, job)
    assert (lost[:3], failed[:3]) == (('attempt_lost', 1, code), ('failed', 2, code))
    assert words in lost[3] and words in failed[3]


def test_what_cannot_help_is_not_tried_again(system, quick):
    job = system.submit(system.make_variant('fail=bad_input'))
    system.wait_terminal([job])
    (what, attempt, code, _), = history(system, job)
    assert (what, attempt, code) == ('failed', 1, 'bad_input')


def test_a_lost_worker_counts_apart(new_system):
    own = new_system(workers=1, pipelines={'humanization': GENERIC})
    job = own.submit(own.make_variant('sleep=6'))
    assert wait_for(lambda: own.jobs([job])[job]['status'] == 'running', 40)
    own.kill('worker-1')
    own.wait_terminal([job], 60)
    lost, completed = history(own, job)
    assert (lost[0], lost[2], completed[0]) == ('attempt_lost', 'worker_lost', 'completed')
    assert own.query('select tries, losses from jobs where id = %s', job) == [{'tries': 0, 'losses': 1}]


# ---- types that nobody serves

def test_attempts_do_not_rise_while_nobody_serves_the_type(new_system):
    """Its workers have gone, and left credit behind."""
    own = new_system(workers=1, pipelines={'humanization': GENERIC})
    own.wait_terminal([own.submit()])
    assert wait_for(lambda: own.http.get('/v1/job-types').json()['data'][0]['slots'] > 0, 40)
    os.kill(own.pid('worker-1'), signal.SIGSTOP)  # so that nobody starts another one
    try:
        assert wait_for(lambda: own.http.get('/v1/job-types').json()['data'][0]['slots'] == 0, 40)
        jobs = [own.submit() for _ in range(20)]
        time.sleep(10)
        assert {(row['status'], row['attempt']) for row in own.jobs(jobs).values()} == {('pending', 1)}
    finally:
        os.kill(own.pid('worker-1'), signal.SIGCONT)
    rows = own.wait_terminal(jobs, 60)
    assert {(row['status'], row['attempt']) for row in rows.values()} == {('completed', 1)}


def test_a_job_that_nobody_serves_fails_in_the_end_and_not_before(new_system):
    """Also when everything was started again in between."""
    own = new_system(workers=0, gateways=2)
    own.query("insert into job_types (job_type, queue_timeout) values ('humanization', '20 seconds')")
    job, young = own.submit(), None
    began = time.monotonic()
    assert wait_for(lambda: own.query('select 1 from unserved'), 30), 'it is not noted'
    assert own.http.get('/readyz').json()['unserved'] == ['humanization']
    own.crash()
    own.start()
    young = own.submit()
    own.wait_terminal([job], 60)
    row = own.query('select status, attempt, started_at, error_code, error_message from jobs where id = %s', job)[0]
    assert (row['status'], row['attempt'], row['started_at'], row['error_code']) == ('failed', 1, None, 'not_served')
    assert 'humanization' in row['error_message']
    assert time.monotonic() - began > 19
    assert history(own, job) == [('failed', 1, 'not_served', row['error_message'])]
    assert own.jobs([young])[young]['status'] == 'pending'
