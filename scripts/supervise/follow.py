"""A job as its events tell it: pending → running (numbering, grafting) → completed."""
from collections.abc import Iterator
from dataclasses import dataclass, field

from client import Client
from live import Live

ENDED = ('completed', 'failed', 'canceled')


@dataclass
class Job:
    name: str
    id: str
    words: list[str] = field(default_factory=list)  # pending, running (…), …
    steps: list[str] = field(default_factory=list)  # of this attempt
    status: str = ''
    attempt: int = 1
    fraction: float = 0.0
    reason: str = ''

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def take(self, event: dict) -> bool:
        """Whether there is anything new to be seen."""
        if self.ended or event.get('attempt', self.attempt) < self.attempt:
            return False  # a worker's word that came late
        before = str(self)
        self._enter(event.get('status') or self.status)
        step = str(event.get('step') or '').split(' (')[0]  # without the strategy: each step once
        if step and step not in self.steps:
            self.steps.append(step)
        self.fraction = event.get('fraction') or self.fraction
        reason = str(event.get('message') or event.get('code') or '')
        if event.get('type') == 'attempt_lost':
            self.words[-1] = f'pending (attempt {self.attempt} was lost: {reason})'
            self.attempt += 1
        if self.status == 'failed':
            self.reason = reason
        return str(self) != before

    def _enter(self, status: str) -> None:
        if status != self.status:
            if self.status == 'running':
                self.words[-1] = self._running()
            self.status, self.steps, self.fraction = status, [], 0.0
            self.words.append(status)

    def _running(self) -> str:
        return f"running ({', '.join(self.steps)})" if self.steps else 'running'

    def __str__(self) -> str:
        words = self.words[:-1] + [self._running()] if self.status == 'running' else self.words
        return ' → '.join(words)


class Follower:
    """Reads the organisation's numbered events from the first that belongs to these jobs, and
    between them what the workers say."""

    def __init__(self, client: Client, live: Live, jobs: list[Job]) -> None:
        self.client = client
        self.live = live
        self.jobs = {job.id: job for job in jobs}
        self.said: list[dict] = []  # live, not yet shown
        first = client.job_events(jobs[0].id)
        self.after = first[0]['seq'] - 1 if first else 0

    def read(self) -> Iterator[Job]:
        """Each job about which there is something new, once for each new thing."""
        while page := self.client.events(self.after):
            for event in page:
                self.after = event['seq']
                if event['type'] != 'created':
                    yield from self._live(event['job_id'])
                yield from self._take(event)
        for job in self.jobs.values():
            yield from self._live(job.id)

    def _live(self, job_id: str) -> Iterator[Job]:
        """What was said of this job before now; of a job that is not yet created, nothing."""
        self.said += self.live.read()
        mine = [word for word in self.said if word['job_id'] == job_id]
        if job_id in self.jobs and self.jobs[job_id].status:
            for word in mine:
                self.said.remove(word)
                yield from self._take(word)

    def _take(self, event: dict) -> Iterator[Job]:
        job = self.jobs.get(event['job_id'])
        if job and job.take(event):
            yield job
