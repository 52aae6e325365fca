"""A job as its events tell it: pending → running (numbering, grafting) → completed."""
from collections.abc import Iterator
from dataclasses import dataclass, field

from client import Client

ENDED = ('completed', 'failed', 'canceled')


@dataclass
class Job:
    name: str
    id: str
    words: list[str] = field(default_factory=list)  # pending, running (…), …
    steps: list[str] = field(default_factory=list)  # of this attempt
    status: str = ''
    fraction: float = 0.0
    reason: str = ''

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def take(self, event: dict) -> bool:
        """Whether there is anything new to be seen."""
        before = str(self)
        status = event.get('status') or self.status
        if status != self.status:
            if self.status == 'running':
                self.words[-1] = self._running()
            self.status = status
            self.steps = []
            self.words.append(status)
        step = event.get('step')
        if step and step not in self.steps:
            self.steps.append(step)
        if isinstance(event.get('fraction'), (int, float)):
            self.fraction = event['fraction']
        if event.get('type') == 'attempt_lost':
            self.words[-1] = f"pending (attempt {event.get('attempt')}: {reason_of(event) or 'the last was lost'})"
        if status == 'failed':
            self.reason = reason_of(event)
        return str(self) != before

    def _running(self) -> str:
        return f"running ({', '.join(self.steps)})" if self.steps else 'running'

    def __str__(self) -> str:
        words = self.words[:-1] + [self._running()] if self.status == 'running' else self.words
        return ' → '.join(words)


def reason_of(event: dict) -> str:
    return str(event.get('error_message') or event.get('reason') or event.get('message') or '')


class Follower:
    """Reads the organisation's numbered events from the first that belongs to these jobs."""

    def __init__(self, client: Client, jobs: list[Job]) -> None:
        self.client = client
        self.jobs = {job.id: job for job in jobs}
        first = client.job_events(jobs[0].id)
        self.after = first[0]['seq'] - 1 if first else 0

    def read(self) -> Iterator[Job]:
        """Each job about which there is something new, once for each new thing."""
        while page := self.client.events(self.after):
            for event in page:
                self.after = event['seq']
                job = self.jobs.get(event['job_id'])
                if job and job.take(event):
                    yield job
