"""The invariants of DESIGN.md, checked in the tables after a fault."""
import collections
import threading
import time

import httpx

TERMINAL = {'completed', 'failed', 'canceled'}
ORDER = {'pending': 0, 'running': 1, 'completed': 2, 'failed': 2, 'canceled': 2}


class Load:
    """Clients that submit jobs until told to stop; they remember each job that was answered 202."""

    def __init__(self, system, variant: str, clients: int = 4, pause: float = 0.0) -> None:
        self.accepted: list[str] = []
        self.refused: collections.Counter[int] = collections.Counter()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(system, variant, pause)) for _ in range(clients)]

    def __enter__(self) -> 'Load':
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def run(self, system, variant: str, pause: float) -> None:
        with httpx.Client(base_url=system.url, headers={'Authorization': f'Bearer {system.token}'}, timeout=10,
                          trust_env=False) as client:
            while not self.stopping.is_set():
                try:
                    answer = client.post('/v1/jobs', json={'variant_id': variant, 'job_type': 'humanization'})
                except httpx.HTTPError:  # the gateway is away: nothing was accepted, as far as a client knows
                    time.sleep(0.05)
                    continue
                if answer.status_code == 202:
                    self.accepted.append(answer.json()['id'])
                else:
                    self.refused[answer.status_code] += 1
                    time.sleep(0.02)
                if pause:
                    time.sleep(pause)


def check(system) -> None:
    """All promises about all jobs of the system, once everything has ended."""
    jobs = {row['id']: row for row in system.query('SELECT id::text, org_id::text, status, attempt, tries, losses, '
                                                   'due_at, created_at, started_at, completed_at FROM jobs')}
    events = system.query('SELECT org_id::text, seq, job_id::text, type, status, attempt, at FROM events '
                          'ORDER BY org_id, seq')
    results = {row['job_id'] for row in system.query('SELECT job_id::text FROM results')}
    check_jobs(jobs, results)
    check_numbers(events, system)
    history = collections.defaultdict(list)
    for event in events:
        history[event['job_id']].append(event)
    assert set(history) == set(jobs)
    for job_id, own in history.items():
        check_history(jobs[job_id], own)


def check_jobs(jobs: dict[str, dict], results: set[str]) -> None:
    for job in jobs.values():
        check_job(job)
    assert results == {job['id'] for job in jobs.values() if job['status'] == 'completed'}


def check_job(job: dict) -> None:
    assert job['status'] in TERMINAL, job
    assert job['due_at'] is None, job
    assert job['created_at'] <= job['completed_at'], job
    if job['started_at'] or job['status'] == 'completed':
        assert job['created_at'] <= job['started_at'] <= job['completed_at'], job
    assert job['attempt'] == 1 + job['tries'] + job['losses'] - (job['status'] == 'failed') or \
        job['attempt'] >= job['tries'] + job['losses'], job


def check_numbers(events: list[dict], system) -> None:
    """Each organisation's events are numbered 1, 2, 3 … without holes, up to its counter."""
    numbers = collections.defaultdict(list)
    for event in events:
        numbers[event['org_id']].append(event['seq'])
    for org, own in numbers.items():
        assert own == list(range(1, len(own) + 1))
        counter = system.query('SELECT seq FROM event_counters WHERE org_id = %s', org)
        assert counter[0]['seq'] == len(own)


def check_history(job: dict, events: list[dict]) -> None:
    """One created, one ending; (attempt, status) never goes backwards."""
    types = [event['type'] for event in events]
    assert types[0] == 'created' and types.count('created') == 1, types
    assert [kind in TERMINAL for kind in types].count(True) == 1 and types[-1] == job['status'], types
    assert events[-1]['attempt'] == job['attempt']
    at = (1, 0)
    for event in events[1:]:
        assert event['attempt'] == at[0], (at, event)
        if event['type'] == 'attempt_lost':
            at = (at[0] + 1, 0)
        else:
            step = (event['attempt'], ORDER[event['status']])
            assert step >= at, (at, event)
            at = step
