"""Humanizes the antibodies of a FASTA file at PARATOPE_URL and shows how that goes.

usage: submit.py [--variant ID] FASTA      with --variant FASTA's only antibody is already there
Exits with 0 only if every job completed."""
import os
import signal
import sys
import time
from pathlib import Path

from client import Client, Refused
from errors import SetupError
from fasta import read
from follow import Follower, Job
from live import Live
from report import report
from show import Show

POLL = 0.05  # seconds between two looks at the events, while jobs are open


def main() -> int:
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))
    arguments = sys.argv[1:]
    variant = arguments.pop(1) if arguments[0] == '--variant' else None
    antibodies = read(Path(arguments[-1]))
    client = Client(os.environ['PARATOPE_URL'], os.environ['PARATOPE_TOKEN'])
    live = Live()  # before the first job, so that it misses nothing
    jobs = []
    for antibody in antibodies:
        try:
            job_id = client.submit(variant or client.make_variant(antibody.candidate()), 'humanization')
        except Refused as refused:
            print(f'{antibody.name}: refused: {refused}', flush=True)
            continue
        jobs.append(Job(antibody.name, job_id))

    follow(client, live, jobs)
    for job in jobs:
        tell(client, job)
    completed = sum(job.status == 'completed' for job in jobs)
    if len(antibodies) > 1 or completed < len(antibodies):
        print(f'\n{completed} of {len(antibodies)} completed', flush=True)
    return 0 if completed == len(antibodies) else 1


def follow(client: Client, live: Live, jobs: list[Job]) -> None:
    """Shows them until all have ended."""
    if not jobs:
        return
    show, follower = Show(jobs), Follower(client, live, jobs)
    try:
        while not all(job.ended for job in jobs):
            for job in follower.read():
                show.news(job)
            time.sleep(POLL)
    finally:
        show.leave()


def tell(client: Client, job: Job) -> None:
    """The result, or why there is none."""
    if job.status != 'completed':
        reason = job.reason or client.job(job.id).get('error_message') or 'no reason given'
        print(f'\n{job.name}: {job.status}: {reason}', flush=True)
        return
    print(f'\n{job.name}')
    for line in report(client.results(job.id).get('results')):
        print(line)
    sys.stdout.flush()


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (Refused, SetupError) as error:
        sys.exit(f'scripts/run: {error}')
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(1)
