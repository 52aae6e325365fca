"""Canceling: recorded first, then the process is stopped; against an ending at the same time the first commit wins."""
import os
import signal
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import GENERIC, System
from harness.processes import family, wait_for
from newcomers import newcomer
from problems import check_problem


def types(system, job: str) -> list[str]:
    return [event['type'] for event in system.http.get(f'/v1/jobs/{job}/events').json()['data']]


def status(system, job: str) -> str:
    return system.jobs([job])[job]['status']


def cancel(http, job: str):
    return http.post(f'/v1/jobs/{job}/cancel', headers={'X-Request-Id': 'cancel-1'})


def start_running(system, orders: str) -> str:
    job = system.submit(system.make_variant(orders))
    assert wait_for(lambda: status(system, job) == 'running', 60)
    return job


def pipelines(system) -> set[int]:
    """The processes of all pipelines, with what they started."""
    return {pid for name in system.names() if name.startswith('worker') for keeper in family(system.pid(name))[1:]
            for pid in family(keeper)[1:]}


def test_one_that_waits(system, api):
    job = system.submit(job_type='structure')
    answer = cancel(api, job)
    assert answer.status_code == 200
    assert (answer.json()['id'], answer.json()['status'], answer.json()['error_message']) == (job, 'failed', 'canceled')
    assert answer.json()['started_at'] is None and answer.json()['completed_at']
    assert types(system, job) == ['created', 'canceled']
    assert api.get(f'/v1/jobs/{job}/position').json() == {'position': None, 'more': False}
    assert check_problem(api.get(f'/v1/jobs/{job}/results'), 409, 'job_failed')['error']['code'] == 'canceled'


def test_one_that_runs_is_stopped_with_all_that_it_started(system, api):
    job = start_running(system, 'children=2 as=daemon hang')
    busy = pipelines(system)
    assert cancel(api, job).status_code == 200
    assert status(system, job) == 'canceled'
    assert wait_for(lambda: not busy <= pipelines(system), 40), 'a process was ended'
    assert types(system, job)[-1] == 'canceled'
    after = system.submit(system.make_variant('plain'))
    assert system.wait_terminal([after])[after]['status'] == 'completed'
    assert types(system, job).count('canceled') == 1 and types(system, job)[-1] == 'canceled'


def test_all_slots_work_again(system):
    jobs = [start_running(system, 'hang') for _ in range(4)]
    assert [cancel(system.http, job).status_code for job in jobs] == [200] * 4
    again = [start_running(system, 'hang') for _ in range(4)]
    assert [cancel(system.http, job).status_code for job in again] == [200] * 4


def test_one_that_has_ended_is_a_conflict(system, api):
    done, failed, canceled = system.submit(system.make_variant('plain')), system.submit(system.make_variant('fail=x')), \
        system.submit(job_type='structure')
    cancel(api, canceled)
    system.wait_terminal([done, failed, canceled])
    for job in (done, failed, canceled):
        before = system.jobs([job])
        check_problem(cancel(api, job), 409, 'conflict')
        assert system.jobs([job]) == before
    check_problem(cancel(api, str(uuid.uuid4())), 404, 'not_found')


def test_who_asked_stands_in_the_history(system, api):
    job = system.submit(job_type='structure')
    cancel(api, job)
    detail = system.query("select detail from events where job_id = %s and type = 'canceled'", job)
    assert detail == [{'detail': {'request_id': 'cancel-1'}}]


@pytest.mark.timeout(240)
def test_against_endings_at_the_same_moment(system):
    """Who was told 200 finds the job canceled, who was told 409 finds it completed; one ending each."""
    own = newcomer(system)
    variant = own.make_candidate('sleep=0.01')[1]

    def race(_: int) -> tuple[str, int]:
        job = own.submit(variant)
        return job, cancel(own.http, job).status_code
    with ThreadPoolExecutor(8) as pool:
        told = dict(pool.map(race, range(300)))
    rows = system.wait_terminal(told, 120)
    assert {told[job] for job in told} <= {200, 409}
    for job, code in told.items():
        assert rows[job]['status'] == ('canceled' if code == 200 else 'completed')
    endings = system.query("select job_id::text, count(*) from events where job_id = any (%s::uuid[]) and "
                           "type in ('completed', 'canceled', 'failed') group by job_id", list(told))
    assert {row['count'] for row in endings} == {1} and len(endings) == len(told)


@pytest.mark.timeout(400)
def test_while_brokers_and_gateways_change():
    """The stop is lost with its broker; the worker is told when it next says something. At either gateway."""
    with System(pipelines={'humanization': GENERIC}, gateways=2, brokers=1) as system:
        jobs = [start_running(system, 'progress=600 sleep=300') for _ in range(2)]
        old = system.kill('broker-1', signal.SIGSTOP)
        system.http.base_url = system.env['PARATOPE_URLS'].split()[1]
        busy = pipelines(system)
        assert [cancel(system.http, job).status_code for job in jobs] == [200, 200]
        os.kill(old, signal.SIGKILL)
        system.wait_restarted('broker-1', old)
        assert wait_for(lambda: len(busy & pipelines(system)) <= len(busy) - 2, 40), 'two processes were ended'
        again = [start_running(system, 'hang') for _ in range(4)]
        assert {status(system, job) for job in again} == {'running'}
