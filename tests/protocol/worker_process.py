"""A real paratope-worker for tests, with pipelines that log what they start."""
import os
import subprocess
import time
import uuid
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get('PARATOPE_BUILD', CHECKOUT / 'build'))
PIPELINES = CHECKOUT / 'tests' / 'pipelines'


class Worker:
    """A real worker; its pipelines log each start of a job to `log`."""

    def __init__(self, folder, brokers, slots=1, pipeline='generic', options=(), name='tested', before=(), config=None):
        """`config`: what a file of its own says of job types, instead of slots and pipeline."""
        self.log = folder / f'jobs-{uuid.uuid4().hex}'
        self.stderr = folder / f'stderr-{uuid.uuid4().hex}'
        self.process = subprocess.Popen(
            [*before, BUILD / 'bin' / 'paratope-worker', '--brokers', ' '.join(b.jobs_endpoint for b in brokers),
             '--events-in', ' '.join(b.events_endpoint for b in brokers), '--name', name,
             *(config_file(folder, config) if config else
               ('--slots', f'humanization={slots}', '--pipeline', f'humanization={PIPELINES / pipeline}')), *options],
            stderr=self.stderr.open('wb'), env={**os.environ, 'PARATOPE_TEST_LOG': str(self.log)})

    @property
    def pid(self):
        return self.process.pid

    def starts(self):
        """(job id, attempt, pid) of each start of a job."""
        lines = self.log.read_text().split('\n')[:-1] if self.log.exists() else []
        return [(uuid.UUID(job).bytes, int(attempt), int(pid)) for job, attempt, pid in map(str.split, lines)]

    def children(self):
        """Its pipelines: the one child of each keeper."""
        return [pid for keeper in children_of(self.pid) for pid in children_of(keeper)]

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


def config_file(folder, text):
    file = folder / f'worker-{uuid.uuid4().hex}.conf'
    file.write_text(text)
    return '--config', file


def until(condition, timeout=40.0):
    limit = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < limit, 'it did not come true in time'
        time.sleep(0.01)
    return value


def children_of(pid):
    return [int(child) for child in Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]


def exists(pid):
    """Whether a process lives: a zombie does not."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False
