"""After the storm: what was promised, counted. A line is (what, how many, an example), and must be none."""
import collections
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from load import KINDS
from promises import check_history, check_job

Line = tuple[str, int, str]


def broken(what: str, found: Iterable[object]) -> Line:
    found = list(found)
    return what, len(found), str(found[0]) if found else ''


def failing(check: Callable[..., None], cases: Iterable[tuple]) -> list[str]:
    """Of the cases those which the check refuses, with its reason."""
    found = []
    for case in cases:
        try:
            check(*case)
        except AssertionError as error:
            found.append(f'{str(error).splitlines()[0] if str(error) else error!r}: {case[0]}')
    return found


class Tables:
    """All that the database says at the end."""

    def __init__(self, system) -> None:
        self.jobs = {row['id']: row for row in system.query(
            'SELECT id::text, org_id::text, status, attempt, tries, losses, due_at, created_at, started_at, '
            'completed_at, error_code FROM jobs')}
        self.events: dict[str, list[dict]] = collections.defaultdict(list)   # organisation → in order of seq
        self.history: dict[str, list[dict]] = collections.defaultdict(list)  # job → the same
        for row in system.query('SELECT org_id::text, seq, job_id::text, type, status, attempt, at FROM events '
                                'ORDER BY org_id, seq'):
            self.events[row['org_id']].append(row)
            self.history[row['job_id']].append(row)
        self.results = {row['job_id']: row for row in system.query(
            "SELECT job_id::text, (results->>'attempt')::int AS attempt, (results->>'pid')::int AS pid FROM results")}
        self.counters = {row['org_id']: row['seq'] for row in
                         system.query('SELECT org_id::text, seq FROM event_counters')}

    def highest(self, column: str) -> int:
        return max((job[column] for job in self.jobs.values()), default=0)

    def total(self, column: str) -> int:
        return sum(job[column] for job in self.jobs.values())


def read_runs(file: Path) -> list[tuple[str, int, int]]:
    """(job, attempt, pid) of each start of a job, from the file that the pipelines append to."""
    rows = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
    return [(job, int(attempt), int(pid)) for job, attempt, pid in rows]


def ends_right(status: str, orders: str, canceled: str | None) -> bool:
    """`canceled`: what a cancel was answered with. Without an answer, or with 503, it may count or not."""
    if canceled == '200':
        return status == 'canceled'
    return status == KINDS[orders][1] or (status == 'canceled' and canceled in ('none', '503'))


def of_jobs(tables: Tables, accepted: dict[str, tuple[str, str]], cancels: dict[str, str]) -> list[Line]:
    jobs = tables.jobs
    return [
        broken('accepted, and not in the table', [job for job in accepted if job not in jobs]),
        broken('not ended', [job for job in jobs.values() if job['completed_at'] is None]),
        broken('ended otherwise than ordered', [
            (orders, jobs[job], cancels.get(job)) for job, (_, orders) in accepted.items()
            if job in jobs and not ends_right(jobs[job]['status'], orders, cancels.get(job))]),
        broken('cancels answered otherwise than they can be', [
            (job, code) for job, code in cancels.items() if code not in ('200', '409', '503', 'none')]),
        broken('of another organisation', [job for job, (org, _) in accepted.items()
                                           if job in jobs and jobs[job]['org_id'] != org]),
        broken('row or times that cannot be', failing(check_job, ((job,) for job in jobs.values()))),
        broken('recorded twice, or out of order', failing(
            check_history, ((jobs[job], own) for job, own in tables.history.items()))),
        broken('without history', set(jobs) - set(tables.history)),
        broken('completed without a result, or the reverse', set(tables.results) ^ {
            job['id'] for job in jobs.values() if job['status'] == 'completed'}),
    ]


def of_runs(tables: Tables, runs: list[tuple[str, int, int]]) -> list[Line]:
    times = collections.Counter((job, attempt) for job, attempt, _ in runs)
    known = set(runs)
    return [
        broken('attempts run more than once', [run for run, count in times.items() if count > 1]),
        broken('runs of an attempt that never was', [
            run for run in runs if run[0] not in tables.jobs or run[1] > tables.jobs[run[0]]['attempt']]),
        broken('results of another run than recorded', [
            row for job, row in tables.results.items()
            if row['attempt'] != tables.jobs[job]['attempt'] or (job, row['attempt'], row['pid']) not in known]),
    ]


def of_events(tables: Tables, logs: dict[str, list[dict]]) -> list[Line]:
    """`logs`: organisation → what its subscriber was told, in order."""
    keys = ('seq', 'job_id', 'type', 'status', 'attempt')
    return [
        broken('organisations with a hole in their numbers', [
            org for org, own in tables.events.items()
            if [event['seq'] for event in own] != list(range(1, tables.counters[org] + 1))]),
        broken('subscribers told otherwise than the table', [
            (org, len(log), len(tables.events[org])) for org, log in logs.items()
            if [[event[key] for key in keys] for event in log] !=
            [[event[key] for key in keys] for event in tables.events[org]]]),
    ]


def of_processes(run_log: str, killed: set[int]) -> list[Line]:
    """`run_log`: what scripts/run said of deaths. PostgreSQL refuses to start while a stopped process of the killed
    one is there, and is no program of ours."""
    deaths = re.findall(r'^.*?(\S+) \(pid (\d+)\) ((?:was killed|ended).*)$', run_log, re.MULTILINE)
    return [broken('processes that died of themselves', [
        (name, how) for name, pid, how in deaths if int(pid) not in killed and name != 'postgres'])]
