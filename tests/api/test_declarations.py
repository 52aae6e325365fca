"""What pipelines declare, the files of their results, and what a failed job had reached: from the pipeline to the table."""
import json
import re
import time
import uuid

import httpx
import msgpack
import pytest
import zmq

from commands import run_admin
from harness import NOOP
from harness.processes import wait_for

SCHEMA = json.dumps({'type': 'object', 'properties': {
    'n': {'type': 'integer', 'default': 1, 'description': 'How many.'}}, 'additionalProperties': False})


class Worker:
    """What a worker says of job types, written from PROTOCOL.md."""

    def __init__(self, system):
        self.instance = uuid.uuid4().bytes
        self.socket = zmq.Context.instance().socket(zmq.PUB)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(system.env['PARATOPE_EVENTS_IN'])

    def declare(self, job_type, **more):
        header = {'v': 1, 'm': 'declare', 'instance': self.instance, 'job_type': job_type, 'machine': 'a-liar'}
        payload = {'title': 'A title', 'version': '1.0.0', 'options_schema': SCHEMA, **more}
        self.socket.send_multipart([f'declare.{job_type}.'.encode(), msgpack.packb(header), msgpack.packb(payload)])


@pytest.fixture
def worker(system):
    speaker = Worker(system)
    yield speaker
    speaker.socket.close()
    system.query("DELETE FROM declarations WHERE job_type LIKE 'declared%%'")


def row(system, job_type):
    rows = system.query('SELECT title, version, options_schema::text AS schema, wants FROM declarations '
                        'WHERE job_type = %s', job_type)
    return rows[0] if rows else None


def settle(system, worker, job_type, wanted, **said):
    """Says it again and again, as a worker does, until the table has what is wanted."""
    def has():
        found = row(system, job_type)
        return found is not None and all(found[key] == value for key, value in wanted.items())

    def has_once_said():
        worker.declare(job_type, **said)
        return wait_for(has, 1)  # what is said again would still be under way when the next thing is done
    assert wait_for(has_once_said, 60), row(system, job_type)


def metric(system, name):
    text = httpx.get(f'{system.url}/metrics', trust_env=False).text
    return int(re.search(rf'^paratope_{name} (\d+)$', text, re.M)[1])


def run(system, name):
    job = system.submit(system.make_variant(name))
    system.wait_terminal([job], 60)
    return system.query('SELECT status, error_code, error_message, error_details, attempt FROM jobs WHERE id = %s', job)[0], job


# Declarations

def test_the_running_pipelines_are_in_the_table(system):
    assert wait_for(lambda: row(system, 'humanization') is not None, 30)
    found = row(system, 'humanization')
    assert (found['title'], found['version'], found['wants']) == ('Whatever its name orders', '1.0.0', [])
    assert set(json.loads(found['schema'])['properties']) == {'note', 'level'}


def test_the_greatest_version_stands(system, worker):
    settle(system, worker, 'declared_a', {'version': '1.9.0'}, version='1.9.0')
    settle(system, worker, 'declared_a', {'version': '1.10.0', 'title': 'newer'}, version='1.10.0', title='newer')
    for _ in range(5):
        worker.declare('declared_a', version='1.9.9', title='older')
        time.sleep(0.1)
    settle(system, worker, 'declared_b', {'version': '1.0.0'})  # which came after
    assert row(system, 'declared_a')['title'] == 'newer'


def test_an_older_version_is_named_once_and_counts_once_the_newer_is_forgotten(system, worker, admin):
    settle(system, worker, 'declared_a', {'version': '2.0.0'}, version='2.0.0', title='newer')
    settle(system, worker, 'declared_b', {'version': '1.0.0'})

    def behind():
        return [json.loads(line) for line in system.log('gateway-1').splitlines()
                if 'declares an older version' in line and str(uuid.UUID(bytes=worker.instance)) in line]
    for title in ('older', 'oldest', 'older'):  # another each time, so that each is looked at
        worker.declare('declared_a', version='1.9.9', title=title)
        settle(system, worker, 'declared_b', {'title': title}, title=title)
    assert wait_for(behind, 20)
    line, = behind()
    assert (line['version'], line['counts'], line['worker']) == ('1.9.9', '2.0.0', 'a-liar')
    assert row(system, 'declared_a')['title'] == 'newer'
    assert admin('forget', 'declared_a') == {'job_type': 'declared_a', 'version': '2.0.0'}
    settle(system, worker, 'declared_a', {'version': '1.9.9', 'title': 'older'}, version='1.9.9', title='older')
    assert wait_for(lambda: {found['job_type']: found['version'] for found in system.http.get('/v1/job-types').json()['data']}
                    .get('declared_a') == '1.9.9', 20)


def test_what_nobody_declared_cannot_be_forgotten(system):
    for job_type, said in (('declared_never', 'nobody has declared'), ('A b', 'is no job type')):
        done = run_admin(system, 'forget', job_type)
        assert done.returncode == 1 and said in done.stderr


def test_of_one_version_the_last_counts(system, worker):
    settle(system, worker, 'declared_a', {'wants': []})
    settle(system, worker, 'declared_a', {'wants': ['structure']}, wants=['structure'])
    assert wait_for(lambda: 'different things under one version' in system.log('gateway-1'), 40)


def test_what_does_not_change_the_row_wakes_nobody(system, worker):
    settle(system, worker, 'declared_a', {'version': '1.0.0'})
    since = system.query("SELECT xmin::text FROM declarations WHERE job_type = 'declared_a'")
    connection = system.db()
    with connection.cursor() as cursor:
        cursor.execute('LISTEN paratope_settings')
    for version in ('0.9.0', '1.0.0') * 3:
        worker.declare('declared_a', version=version)
        time.sleep(0.1)
    settle(system, worker, 'declared_b', {'version': '1.0.0'})  # one notice, of this one
    time.sleep(0.5)
    connection.poll()
    assert len(connection.notifies) == 1
    connection.close()
    assert system.query("SELECT xmin::text FROM declarations WHERE job_type = 'declared_a'") == since


@pytest.mark.parametrize('wrong, why', [
    ({'title': ''}, 'title'), ({'version': '1.0'}, 'version'), ({'options_schema': '{'}, 'no JSON'),
    ({'options_schema': '{"type": "object", "oneOf": []}'}, 'oneOf'), ({'options_schema': 7}, 'options_schema'),
    ({'wants': ['No Type']}, 'wants')], ids=lambda value: value if isinstance(value, str) else '')
def test_what_is_not_acceptable_is_counted_and_its_reason_logged_once(system, wrong, why):
    worker, before = Worker(system), metric(system, 'declarations_refused_total')

    def refused():
        worker.declare('declared_c', **wrong)
        return metric(system, 'declarations_refused_total') >= before + 3
    assert wait_for(refused, 60, 0.2)
    worker.socket.close()

    def told():
        return [line for line in system.log('gateway-1').splitlines() if str(uuid.UUID(bytes=worker.instance)) in line]
    lines = wait_for(told, 20)  # what was counted may have been another one's
    assert len(lines) == 1 and why in lines[0] and '"job_type":"declared_c"' in lines[0] and 'a-liar' in lines[0]
    assert row(system, 'declared_c') is None


def test_a_row_that_an_operator_removes_comes_back(system, worker):
    settle(system, worker, 'declared_a', {'version': '2.0.0'}, version='2.0.0')
    settle(system, worker, 'declared_b', {'version': '1.0.0'})  # all that was said of the first has come by now
    system.query("DELETE FROM declarations WHERE job_type = 'declared_a'")
    settle(system, worker, 'declared_a', {'version': '1.0.0'})


def declare_rows(system, types):
    """As if workers had declared them at some time."""
    system.query("INSERT INTO declarations (job_type, title, version, options_schema) "
                 "SELECT t, 'own', '1.0.0', '{\"type\": \"object\", \"properties\": {}}' FROM unnest(%s) AS t", types)


def test_of_own_types_there_are_as_many_as_gateways_have_places_for(system, worker):
    """One more would be accepted, and never be handed out."""
    declare_rows(system, [f'declared_{n:02}' for n in range(58)])
    before = metric(system, 'declarations_refused_total')

    def refused():
        worker.declare('declared_more')
        return metric(system, 'declarations_refused_total') > before
    assert wait_for(refused, 30, 0.2), row(system, 'declared_more')
    assert row(system, 'declared_more') is None
    assert wait_for(lambda: 'as many job types of operators' in system.log('gateway-1'), 10)
    settle(system, worker, 'declared_07', {'version': '2.0.0'}, version='2.0.0')  # one that is there
    system.query("DELETE FROM declarations WHERE job_type = 'declared_11'")
    settle(system, worker, 'declared_more', {'version': '1.0.0'})


def test_types_that_are_gone_make_room_for_others(new_system):
    """All that a leader has ever seen waiting are more than it has places for."""
    system = new_system(workers=1, pipelines={'humanization': NOOP, 'last': NOOP})
    for generation in 'ab':
        types = [f'{generation}_{n:02}' for n in range(40)]
        declare_rows(system, types)
        for job_type in types:
            assert wait_for(lambda t=job_type: system.http.get(f'/v1/job-types/{t}/jobs').status_code == 200, 10)
            made = system.http.post(f'/v1/job-types/{job_type}/jobs', json={'variant_id': system.variant})
            assert system.http.post(f'/v1/jobs/{made.json()["id"]}/cancel').status_code == 200
        system.query('DELETE FROM declarations WHERE job_type = ANY (%s)', types)
    declare_rows(system, ['last'])
    assert wait_for(lambda: system.http.get('/v1/job-types/last/jobs').status_code == 200, 10)
    system.query("INSERT INTO limits (job_type, max_out) VALUES ('last', 4)")  # so that they are its leader's to hand out
    jobs = [system.http.post('/v1/job-types/last/jobs', json={'variant_id': system.variant}).json()['id']
            for _ in range(20)]
    assert {row['status'] for row in system.wait_terminal(jobs, 90).values()} == {'completed'}


def test_a_new_leader_hears_them_too(new_system):
    system = new_system(gateways=2, workers=1)
    assert wait_for(lambda: row(system, 'humanization') is not None, 30)
    leader = system.wait_recorder(('gateway-1', 'gateway-2'))
    system.kill(leader)
    system.query('DELETE FROM declarations')
    assert wait_for(lambda: row(system, 'humanization') is not None, 60)


# Files

def test_files_are_kept_beside_the_results(system):
    found, job = run(system, 'files=2')
    assert found['status'] == 'completed'
    kept = system.query('SELECT files, results FROM results WHERE job_id = %s', job)[0]
    assert kept['files'] == {f'file-{n}.txt': {'media_type': 'text/plain', 'content': str(n)} for n in (1, 2)}
    assert 'files' not in kept['results']
    without = run(system, 'plain')[1]
    assert system.query('SELECT files FROM results WHERE job_id = %s', without) == [{'files': None}]


def test_large_files_are_kept_too(system):
    found, job = run(system, 'files=3 content=2000000')
    assert found['status'] == 'completed'
    kept = system.query("SELECT key, length(value->>'content') AS size FROM results, json_each(files) WHERE job_id = %s "
                        'ORDER BY key', job)
    assert kept == [{'key': f'file-{n}.txt', 'size': 2000000} for n in (1, 2, 3)]
    found, job = run(system, 'result=100000')  # without any, by the same way
    assert system.query('SELECT files FROM results WHERE job_id = %s', job) == [{'files': None}]


@pytest.mark.parametrize('order, why', [('files=17', 'more than 16 files'), ('files=1 folder', "a file's name")])
def test_files_that_do_not_fit_fail_the_job(system, order, why):
    found, job = run(system, order)
    assert (found['status'], found['error_code']) == ('failed', 'invalid_result') and why in found['error_message']
    assert found['error_details'] is None
    assert system.query('SELECT 1 FROM results WHERE job_id = %s', job) == []


# What was reached

def test_what_a_failed_job_had_reached_is_kept_with_it(system):
    found, _ = run(system, 'fail=no_template reached=numbering')
    assert (found['status'], found['error_code']) == ('failed', 'no_template')
    assert found['error_details'] == {'reached': 'numbering'}
    assert run(system, 'fail=other')[0]['error_details'] is None


def test_an_attempt_that_is_tried_again_leaves_none(system):
    found, job = run(system, 'fail=busy retry=1 reached=numbering fail_until=2')
    assert (found['status'], found['attempt'], found['error_details']) == ('completed', 2, None)
    while_waiting = system.make_variant('fail=busy retry=1 reached=numbering')
    job = system.submit(while_waiting)
    assert wait_for(lambda: system.query('SELECT attempt FROM jobs WHERE id = %s', job)[0]['attempt'] == 2, 30)
    details = system.query('SELECT status, error_details FROM jobs WHERE id = %s', job)[0]
    assert details['error_details'] is None or details['status'] == 'failed'
    system.wait_terminal([job], 60)
    assert system.query('SELECT error_details FROM jobs WHERE id = %s', job) == [{'error_details': {'reached': 'numbering'}}]


# A type that is gone

def test_the_jobs_of_a_type_that_is_gone_stay_where_they_were(system, worker):
    settle(system, worker, 'declared_gone', {'version': '1.0.0'})
    path, variant = '/v1/job-types/declared_gone/jobs', system.make_variant()
    assert wait_for(lambda: system.http.get(path).status_code == 200, 30)
    job = system.http.post(path, json={'variant_id': variant}).json()['id']
    system.query("DELETE FROM declarations WHERE job_type = 'declared_gone'")
    assert wait_for(lambda: 'declared_gone' not in system.http.get('/v1/job-types').text, 30)

    def listed(query):
        answer = system.http.get(f'/v1/jobs?{query}')
        assert answer.status_code == 200, answer.text
        return [row['id'] for row in answer.json()['data']]
    assert job in listed('status=pending') and job in listed(f'variant_id={variant}') and job in listed('limit=1000')
    assert listed('job_type=declared_gone') == listed('job_type=declared_gone&status=pending') == [job]
    assert listed('job_type=declared_gone&status=failed') == []
    assert [row['id'] for row in system.http.get(path).json()['data']] == [job]
    assert system.http.get(f'{path}/{job}').json()['status'] == 'pending'
    assert 'declared_gone' in system.http.get('/readyz').json()['unserved']
    assert system.http.post(path, json={'variant_id': variant}).status_code == 404
    assert system.http.post(f'{path}/{job}/cancel').status_code == 200
    assert job in listed('status=failed')
    for query in ('job_type=declared_never', 'job_type=', 'job_type=declared_gone&job_type=declared_gone', 'job_type=a%20b'):
        assert system.http.get(f'/v1/jobs?{query}').status_code == 400
    assert system.http.get('/v1/job-types/declared_never/jobs').status_code == 404
