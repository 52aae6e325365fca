"""Keeps programs running: starts again what dies, and ends them all in order."""
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from errors import SetupError
from files import last_line, replace_file, say
from processes import Program, how_it_ended, start
from signals import Signals

SETTLED = 10.0  # seconds after which a death is no crash loop's
LONGEST = 0.8   # seconds before a new start: the contract says within one
DEATHS = 5      # in a row, before the system was ever ready, are an error

# How a program is asked to end: (seconds after the first request, signal).
ENDS = ((0.0, signal.SIGTERM), (1.5, signal.SIGTERM), (2.5, signal.SIGKILL))


@dataclass
class Child:
    program: Program
    stage: int                    # ended from the highest to the lowest
    ends: tuple[tuple[float, int], ...] = ENDS
    patience: float = 0.0         # seconds of dying that are no error yet
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float | None = None      # when it is started again
    deaths: int = 0               # in a row
    first_death: float = 0.0

    @property
    def name(self) -> str:
        return self.program.name


@dataclass
class Supervisor:
    signals: Signals
    pids: Path                    # folder with a file a process
    children: list[Child] = field(default_factory=list)
    ready: bool = False           # before, what dies again and again is an error

    def add(self, child: Child) -> None:
        self._start(child)
        self.children.append(child)

    def tick(self, seconds: float) -> None:
        """Sleeps at most so long and does what is due; raises Stop once a signal came."""
        now = time.monotonic()
        self.signals.sleep(min([seconds] + [c.due - now for c in self.children if c.due is not None]))
        self.signals.check()
        for child in self.children:
            if child.process and child.process.poll() is not None:
                self._died(child, child.process)
            if child.due is not None and child.due <= time.monotonic():
                self._start(child)

    def call(self, program: Program, what: str, seconds: float | None = 60) -> str:
        """Runs a program to its end beside the others; its standard output, or SetupError."""
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            process = start(program, output, errors)
            limit = time.monotonic() + (seconds or float('inf'))
            try:
                while process.poll() is None:
                    if time.monotonic() > limit:
                        raise SetupError(f'{what} took more than {seconds:.0f} s')
                    self.tick(0.2)
            finally:
                end_now(process)
            output.seek(0)
            errors.seek(0)
            if process.returncode != 0:
                said = errors.read().decode(errors='replace').strip().splitlines()
                why = next((line for line in said if re.search('error|fatal|could not', line, re.IGNORECASE)),
                           said[-1] if said else how_it_ended(process.returncode))
                raise SetupError(f'{what} failed: {why}')
            return output.read().decode()

    def end(self) -> None:
        """Ends all, stage by stage, within 10 s; a second signal makes short work of it."""
        for child in self.children:
            child.due = None
        for stage in sorted({child.stage for child in self.children}, reverse=True):
            self._end_stage([child for child in self.children if child.stage == stage])

    def _end_stage(self, children: list[Child]) -> None:
        began = time.monotonic()
        living = [(child, child.process, list(child.ends)) for child in children if child.process]
        while living:
            for child, process, steps in living:
                while steps and (self.signals.urgent() or began + steps[0][0] <= time.monotonic()):
                    process.send_signal(steps.pop(0)[1])
            self.signals.sleep(0.05)
            living = [entry for entry in living if entry[1].poll() is None]
        for child in children:
            (self.pids / child.name).unlink(missing_ok=True)

    def _start(self, child: Child) -> None:
        child.process = start(child.program)
        child.started = time.monotonic()
        child.due = None
        replace_file(self.pids / child.name, f'{child.process.pid}\n')
        if child.deaths:
            say(f'{child.name} started again as pid {child.process.pid}')

    def _died(self, child: Child, process: subprocess.Popen[bytes]) -> None:
        now = time.monotonic()
        child.process = None
        if child.deaths == 0 or now - child.started > SETTLED:
            child.deaths, child.first_death = 0, now
        child.deaths += 1
        child.due = now + (0.0 if child.deaths == 1 else min(LONGEST, 0.05 * 2 ** child.deaths))
        said = last_line(child.program.log) if process.returncode >= 0 else ''
        story = '; '.join(part for part in (
            f'{child.name} (pid {process.pid}) {how_it_ended(process.returncode)}',
            said, f'log: {child.program.log}') if part)
        if not self.ready and child.deaths >= DEATHS and now - child.first_death >= child.patience:
            raise SetupError(story)
        say(story)


def end_now(process: subprocess.Popen[bytes]) -> None:
    """What still runs gets 2 s to end."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
