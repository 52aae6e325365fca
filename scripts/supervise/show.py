"""Jobs on their way: one line that is written over on a terminal, else a line for each event."""
import shutil
import sys
import time

from follow import Job


class Show:
    def __init__(self, jobs: list[Job]) -> None:
        self.jobs = jobs
        self.terminal = sys.stdout.isatty()
        self.began = time.monotonic()

    def news(self, job: Job) -> None:
        if job.ended and self.terminal:
            self._over(f'{job.name}: {job}', end='\n')
        elif self.terminal:
            self._over(self._progress(job))
        else:
            print(f'{job.name}: {job}', flush=True)

    def leave(self) -> None:
        """Whatever comes next begins on a line of its own."""
        if self.terminal and not all(job.ended for job in self.jobs):
            print(flush=True)

    def _progress(self, job: Job) -> str:
        done = sum(other.ended for other in self.jobs)
        count = f'{done}/{len(self.jobs)} done  ' if len(self.jobs) > 1 else ''
        bar = f'  [{"#" * round(job.fraction * 20):<20}]' if job.status == 'running' else ''
        return f'{count}{job.name}: {job}{bar}  {time.monotonic() - self.began:.1f} s'

    def _over(self, line: str, end: str = '') -> None:
        width = shutil.get_terminal_size().columns - 1
        if not end and len(line) > width:
            line = line[:width - 1] + '…'
        print(f'\r\033[K{line}', end=end, flush=True)
