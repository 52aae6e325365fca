"""A worker of a test's own beside a running system, with options, and a record of what its pipelines ran."""
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import GENERIC
from harness.processes import die_with_parent, wait_for
from harness.system import programs


def make_pipeline(folder: Path) -> tuple[Path, Path]:
    """The generic pipeline as a program that notes each start of a job; and where."""
    program, log = folder / 'generic', folder / 'runs'
    program.write_text(f'#!/bin/sh\nPARATOPE_TEST_LOG={log} exec {GENERIC}\n')
    program.chmod(0o755)
    return program, log


def runs(log: Path) -> Counter[str]:
    """How often each job was started."""
    return Counter(line.split()[0] for line in log.read_text().splitlines()) if log.exists() else Counter()


class OwnWorker:
    def __init__(self, process: subprocess.Popen[bytes], log: Path, said: Path) -> None:
        self.process = process
        self.log = log
        self.stderr = said

    def runs(self) -> Counter[str]:
        return runs(self.log)

    def wait_started(self, jobs: list[str], seconds: float = 30) -> None:
        assert wait_for(lambda: set(jobs) <= set(self.runs()), seconds), f'not started: {set(jobs) - set(self.runs())}'

    def said(self) -> str:
        return self.stderr.read_text(errors='replace')


@contextmanager
def own_worker(system, folder: Path, *options: str, name: str = 'own', slots: int = 2) -> Iterator[OwnWorker]:
    folder = folder / name
    folder.mkdir()
    program, log = make_pipeline(folder)
    with open(folder / 'stderr', 'wb') as said:
        process = subprocess.Popen(
            [programs() / 'paratope-worker', '--brokers', system.env['PARATOPE_BROKER_WORKERS'], '--events-in',
             system.env['PARATOPE_EVENTS_IN'], '--name', name, '--slots', f'humanization={slots}',
             '--pipeline', f'humanization={program}', *options], stderr=said,
            env={key: value for key, value in os.environ.items() if not key.startswith('PARATOPE_')},
            preexec_fn=die_with_parent(signal.SIGKILL))
    try:
        yield OwnWorker(process, log, folder / 'stderr')
    finally:
        process.kill()
        process.wait()
