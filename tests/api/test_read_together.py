"""Reads of jobs that come at the same time share a query: each gets its own answer all the same."""
import os
import signal
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx

from harness import GENERIC, System
from harness.processes import family, wait_for
from newcomers import newcomer
from problems import check_problem

CLIENTS, READS = 48, 40


def read_all(url: str, token: str, jobs: list[str], first: int) -> list[tuple[str, httpx.Response]]:
    with httpx.Client(base_url=url, headers={'Authorization': f'Bearer {token}'}, timeout=60, trust_env=False) as client:
        return [(job, client.get(f'/v1/jobs/{job}'))
                for job in (jobs[(first + n) % len(jobs)] for n in range(READS))]


def test_each_gets_its_own_answer(system):
    jobs = [system.submit() for _ in range(30)]
    stranger = newcomer(system)
    unknown = [str(uuid.uuid4()), stranger.submit(stranger.make_candidate()[1])]
    mixed = [job for pair in zip(jobs, unknown * 15) for job in pair]
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [answer for read in pool.map(lambda n: read_all(system.url, system.token, mixed, n), range(CLIENTS))
                   for answer in read]
    for job, answer in answers:
        if job in unknown:
            check_problem(answer, 404, 'not_found')
        else:
            assert answer.status_code == 200
            assert answer.json()['id'] == job


def test_what_was_answered_before_is_seen(system, api):
    """A read never shares a query that began before it."""
    variant = system.make_variant('plain')

    def submit_and_read(_: int) -> int:
        job = api.post('/v1/jobs', json={'variant_id': variant, 'job_type': 'humanization'}).json()['id']
        return api.get(f'/v1/jobs/{job}').status_code
    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(submit_and_read, range(600))) == {200}


def test_a_database_that_hangs_costs_nobody_more_than_its_time():
    with System(pipelines={'humanization': GENERIC}) as system:
        job = system.submit()
        postgres = system.kill('postgres', signal.SIGSTOP)
        backends = family(postgres)[1:]
        try:
            for pid in backends:
                os.kill(pid, signal.SIGSTOP)
            with ThreadPoolExecutor(CLIENTS) as pool:
                statuses = list(pool.map(lambda _: httpx.get(
                    f'{system.url}/v1/jobs/{job}', headers={'Authorization': f'Bearer {system.token}'}, timeout=60,
                    trust_env=False).status_code, range(CLIENTS)))
        finally:
            for pid in [*backends, postgres]:
                os.kill(pid, signal.SIGCONT)
        assert set(statuses) <= {503}
        assert wait_for(lambda: system.http.get(f'/v1/jobs/{job}').status_code == 200, 60)
