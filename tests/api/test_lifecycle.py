"""Classes, places in the queue, job types, dead letters: what waits, in which order, and what became of the rest."""
import uuid

import pytest
from problems import check_problem

from harness.processes import wait_for


def submit(api, variant: str, **fields) -> str:
    answer = api.post('/v1/jobs', json={'variant_id': variant, 'job_type': 'humanization', **fields})
    assert answer.status_code == 202, answer.text
    return answer.json()['id']


@pytest.fixture(scope='module')
def idle(system):
    """Structure is served by nobody: what waits stays."""
    return lambda **fields: submit(system.http, system.variant, job_type='structure', **fields)


# ---- classes and places

def test_the_place_is_by_class_then_by_age(api, idle):
    low, normal, high, later = (idle(priority='low'), idle(), idle(priority='high'), idle(priority='normal'))
    places = [api.get(f'/v1/jobs/{job}/position').json() for job in (high, normal, later, low)]
    numbers = [place['position'] for place in places]
    assert numbers == sorted(numbers) and len(set(numbers)) == 4
    assert not any(place['more'] for place in places)
    assert numbers[2] == numbers[1] + 1, 'between them nothing was submitted'


def test_a_job_that_does_not_wait_has_no_place(api, system):
    job = system.submit(system.make_variant('plain'))
    system.wait_terminal([job])
    assert api.get(f'/v1/jobs/{job}/position').json() == {'position': None, 'more': False}


def test_beyond_10000_it_is_not_counted(api, system, idle):
    last = idle(priority='low')
    system.query("""insert into jobs (id, org_id, variant_id, job_type, due_at)
        select gen_random_uuid(), org_id, id, 'structure', now() from variants, generate_series(1, 10001)
        where id = %s""", system.variant)
    try:
        assert api.get(f'/v1/jobs/{last}/position').json() == {'position': 10000, 'more': True}
    finally:
        system.query("delete from jobs where request_id is null and job_type = 'structure'")


def test_another_organisations_jobs_are_not_counted(api, system, other, idle):
    idle()
    chains = [{key: chain[key] for key in ('kind', 'sequence')}
              for chain in api.get(f'/v1/variants/{system.variant}').json()['chains']]
    made = other.http.post('/v1/therapeutic-candidates', json={'name': 'x', 'format': 'mab', 'chains': chains}).json()
    job = submit(other.http, made['variant_id'], job_type='structure')
    assert other.http.get(f'/v1/jobs/{job}/position').json() == {'position': 1, 'more': False}


@pytest.mark.parametrize('value', ['urgent', 'HIGH', '', 1, None])
def test_a_class_is_one_of_three(api, system, value):
    answer = api.post('/v1/jobs', json={'variant_id': system.variant, 'job_type': 'structure', 'priority': value})
    body = check_problem(answer, 400, 'invalid_request')
    assert [error['pointer'] for error in body['errors']] == ['/priority']


def test_the_envelope_is_as_ever(api, idle):
    assert list(api.get(f'/v1/jobs/{idle(priority="high")}').json()) == [
        'id', 'variant_id', 'job_type', 'status', 'created_at', 'started_at', 'completed_at', 'error_message']


# ---- job types

def test_job_types_say_who_is_served(api, system):
    assert wait_for(lambda: api.get('/v1/job-types').json()['data'][0]['slots'] > 0, 40)
    types = {row.pop('job_type'): row for row in api.get('/v1/job-types').json()['data']}
    assert list(types)[:4] == ['humanization', 'structure', 'stability', 'immunogenicity']
    defaults = {'max_tries': 3, 'retry_after_seconds': 2, 'retry_most_seconds': 60, 'queue_timeout_seconds': 86400}
    assert types['structure'] == {**types['structure'], 'served': False, 'slots': 0, **defaults}
    assert types['humanization'] == {**types['humanization'], 'served': True, **defaults}


def test_ready_names_what_waits_for_nobody(anonymous, system, idle):
    idle()
    waiting = {row['job_type'] for row in system.query('select distinct job_type from jobs where due_at is not null')}
    assert 'structure' in waiting

    def named() -> bool:
        ready = anonymous.get('/readyz')
        return (ready.status_code, set(ready.json()['unserved'])) == (200, waiting - {'humanization'})
    assert wait_for(named, 40), anonymous.get('/readyz').text  # once nobody has served it for 6 s


def test_an_operator_sets_a_type(api, admin):
    said = admin('job-type', 'stability', '--max-tries', '7', '--queue-timeout', '90000.5')
    assert (said['max_tries'], said['retry_after_seconds'], said['queue_timeout_seconds']) == (7, 2, 90000.5)
    said = admin('job-type', 'stability', '--retry-after', '0.5')
    assert (said['max_tries'], said['retry_after_seconds']) == (7, 0.5), 'what is not said stays'
    assert admin('show')['job_types'] == [said]
    shown = {row['job_type']: row for row in api.get('/v1/job-types').json()['data']}['stability']
    assert (shown['max_tries'], shown['retry_after_seconds'], shown['queue_timeout_seconds']) == (7, 0.5, 90000.5)


def test_a_type_that_no_pipeline_has_declared_is_noted(system):
    from commands import run_admin
    for arguments in (['job-type', 'humanisation'], ['limit', '1', '--job-type', 'humanisation'],
                      ['limit', 'none', '--job-type', 'humanisation']):
        done = run_admin(system, *arguments)
        assert (done.returncode, 'no pipeline of humanisation' in done.stderr) == (0, True), done
    system.query("delete from job_types where job_type = 'humanisation'")
    assert wait_for(lambda: not run_admin(system, 'limit', 'none', '--job-type', 'humanization').stderr, 20)


# ---- dead letters

@pytest.fixture
def dead(system):
    """Two that failed for one reason, one for another."""
    code = f'reason_{uuid.uuid4().hex[:8]}'
    jobs = [system.submit(system.make_variant(f'fail={code}')) for _ in range(2)]
    jobs.append(system.submit(system.make_variant(f'fail=not_{code}')))
    system.wait_terminal(jobs)
    return code, jobs


def test_failed_jobs_are_listed_by_reason(api, dead):
    code, jobs = dead

    def listed(**params) -> list[str]:
        return [job['id'] for job in api.get('/v1/jobs', params=params).json()['data']]
    assert listed(error_code=code) == [jobs[1], jobs[0]]
    assert listed(error_code=code, status='failed', job_type='humanization') == [jobs[1], jobs[0]]
    assert listed(error_code=code, status='completed') == listed(error_code=code, job_type='structure') == []
    variant = api.get(f'/v1/jobs/{jobs[0]}').json()['variant_id']
    assert listed(error_code=code, variant_id=variant) == [jobs[0]]
    first = api.get('/v1/jobs', params={'error_code': code, 'limit': 1}).json()
    assert listed(error_code=code, limit=1, cursor=first['next_cursor']) == [jobs[0]]


@pytest.mark.parametrize('value', ['', 'a b', 'x' * 128, "'", '%27', 'ü'])
def test_a_reason_is_a_word(api, value):
    body = check_problem(api.get(f'/v1/jobs?error_code={value}'), 400, 'invalid_request')
    assert [error['parameter'] for error in body['errors']] == ['error_code']


def test_a_failed_job_is_submitted_again(api, system, dead):
    _, jobs = dead
    system.query("update jobs set options = '{\"x\": 1}', priority = 2 where id = %s", jobs[0])
    answer = api.post(f'/v1/jobs/{jobs[0]}/resubmit', headers={'X-Request-Id': 'again-1'})
    again = answer.json()['id']
    assert answer.status_code == 202 and answer.headers['Location'] == f'/v1/jobs/{again}'
    old = api.get(f'/v1/jobs/{jobs[0]}').json()
    assert answer.json() == {**old, 'id': again, 'status': 'pending', 'created_at': answer.json()['created_at'],
                             'started_at': None, 'completed_at': None, 'error_message': None}
    row, = system.query('select resubmit_of::text, options, priority, request_id from jobs where id = %s', again)
    assert row == {'resubmit_of': jobs[0], 'options': {'x': 1}, 'priority': 2, 'request_id': 'again-1'}
    system.wait_terminal([again])
    assert api.get(f'/v1/jobs/{jobs[0]}').json() == old


def test_only_what_failed_is(api, system, idle):
    job = system.submit(system.make_variant('plain'))
    system.wait_terminal([job])
    for one in (job, idle()):
        check_problem(api.post(f'/v1/jobs/{one}/resubmit'), 409, 'conflict')
    check_problem(api.post(f'/v1/jobs/{uuid.uuid4()}/resubmit'), 404, 'not_found')


def test_operators_do_it_in_bulk_and_once(api, admin, system, other, dead):
    code, jobs = dead
    assert admin('resubmit', '--error-code', code, '--org', other.org_id) == {'resubmitted': 0}
    assert admin('resubmit', '--error-code', code, '--job-type', 'structure') == {'resubmitted': 0}
    assert admin('resubmit', '--error-code', code, '--since', '2100-01-01') == {'resubmitted': 0}
    assert admin('resubmit', '--error-code', code, '--since', '2020-01-01') == {'resubmitted': 2}
    again = [row['id'] for row in system.query('select id::text from jobs where resubmit_of = any (%s::uuid[])', jobs)]
    assert len(again) == 2
    system.wait_terminal(again)
    assert admin('resubmit', '--error-code', code) == {'resubmitted': 2}, 'those that failed again, and no other'


@pytest.mark.parametrize('arguments', [
    ['job-type', 'X'], ['job-type', 'x', '--max-tries', '0'], ['job-type', 'x', '--retry-after', '-1'],
    ['job-type', 'x', '--retry-most', 'nan'], ['job-type', 'x', '--max-tries'], ['limit', '1', '--org', 'x'],
    ['limit', '-1', '--job-type', 'x'], ['limit', 'none', '--color', 'x'], ['weight', 'x', '1'],
    ['limit', '1', '--org', '00000000-0000-4000-8000-000000000000'],
    ['weight', '00000000-0000-4000-8000-000000000000', '101'], ['resubmit', '--org', '00000000-0000-4000-8000-000000000000']])
def test_nonsense_is_refused(system, arguments):
    from commands import run_admin
    done = run_admin(system, *arguments)
    assert done.returncode != 0 and done.stderr and not done.stdout
