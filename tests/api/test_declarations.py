"""What pipelines declare, the files of their results, and what a failed job had reached: from the pipeline to the table."""
import json
import re
import time
import uuid

import httpx
import msgpack
import pytest
import zmq

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
        worker.declare(job_type, **said)
        found = row(system, job_type)
        return found is not None and all(found[key] == value for key, value in wanted.items())
    assert wait_for(has, 30, 0.2), row(system, job_type)


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


def test_of_one_version_the_last_counts(system, worker):
    settle(system, worker, 'declared_a', {'wants': []})
    settle(system, worker, 'declared_a', {'wants': ['structure']}, wants=['structure'])
    assert wait_for(lambda: 'different things under one version' in system.log('gateway-1'), 10)


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
    assert wait_for(refused, 30, 0.2)
    worker.socket.close()
    lines = [line for line in system.log('gateway-1').splitlines() if str(uuid.UUID(bytes=worker.instance)) in line]
    assert len(lines) == 1 and why in lines[0] and '"job_type":"declared_c"' in lines[0] and 'a-liar' in lines[0]
    assert row(system, 'declared_c') is None


def test_a_row_that_an_operator_removes_comes_back(system, worker):
    settle(system, worker, 'declared_a', {'version': '2.0.0'}, version='2.0.0')
    system.query("DELETE FROM declarations WHERE job_type = 'declared_a'")
    settle(system, worker, 'declared_a', {'version': '1.0.0'})


def test_a_new_leader_hears_them_too(new_system):
    system = new_system(gateways=2, workers=1)
    assert wait_for(lambda: row(system, 'humanization') is not None, 30)
    leader = next(name for name in ('gateway-1', 'gateway-2') if 'a job type was declared' in system.log(name))
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
