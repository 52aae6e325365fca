"""A whole running system: `scripts/run --stay` in a home of its own."""
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import httpx
import psycopg2
import psycopg2.extras

from .antibodies import EXAMPLE
from .homes import make_home, remove_home
from .processes import die_with_parent, wait_for, wait_gone

CHECKOUT = Path(__file__).resolve().parents[2]
RUN = CHECKOUT / 'scripts' / 'run'
GENERIC = CHECKOUT / 'tests' / 'pipelines' / 'generic'
NOOP = CHECKOUT / 'tests' / 'pipelines' / 'noop'
START = 90.0   # seconds for a start (the programs are built before)
END = 10.0     # what the contract gives an end


def programs() -> Path:
    """Where the programs are that the tests run: build/bin, or what the environment says."""
    return Path(os.environ.get('PARATOPE_TEST_PROGRAMS') or CHECKOUT / 'build' / 'bin')


class System:
    running: list['System'] = []  # whose logs a failed test shows

    def __init__(self, home: Path | None = None, *, workers: int = 2, brokers: int = 1, gateways: int = 1,
                 pipelines: dict[str, Path | str] | None = None, arguments: Iterable[str] = (),
                 programs: Path | None = None, keys: bool = False) -> None:
        """`pipelines`: job type → program. `arguments`: more of scripts/run. `programs`: run these
        instead of build/bin (also by the environment's PARATOPE_TEST_PROGRAMS)."""
        self.own_home = home is None
        self.home = home or make_home()
        programs = programs or os.environ.get('PARATOPE_TEST_PROGRAMS')
        self.command = [
            str(RUN), '--stay', '--no-example', '--home', str(self.home), '--workers', str(workers),
            '--brokers', str(brokers), '--gateways', str(gateways), *(('--keys',) if keys else ()), *arguments,
            *(part for name, program in (pipelines or {}).items() for part in ('--pipeline', f'{name}={program}')),
            *(('--programs', str(programs)) if programs else ())]
        self.runner: subprocess.Popen[bytes] | None = None
        self.env: dict[str, str] = {}
        self.http: httpx.Client | None = None

    def __enter__(self) -> 'System':
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    # Start and end

    def start(self) -> 'System':
        self.env_file.unlink(missing_ok=True)  # of a run that was killed
        with open(self.run_log, 'ab') as log:
            self.runner = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM))
        System.running.append(self)
        wait_for(lambda: self.env_file.exists() or self.runner.poll() is not None, START)
        if not self.env_file.exists():
            said = self.run_log.read_text()[-2000:]
            self.stop(expect=None)
            raise AssertionError(f'scripts/run did not come up: {said}')
        self.env = read_env(self.env_file)
        self.http = httpx.Client(base_url=self.url, headers={'Authorization': f'Bearer {self.token}'},
                                 timeout=30, trust_env=False)
        return self

    def stop(self, signum: int = signal.SIGTERM, expect: int | None = 0) -> float:
        """Ends it and looks that nothing is left; the seconds that it took."""
        if self.runner is None:
            return 0.0
        began = time.monotonic()
        try:
            self.runner.send_signal(signum)
            status = self.runner.wait(END + 5)
            took = time.monotonic() - began
        finally:
            self.runner.kill()
            self.runner.wait()
            self.runner = None
            System.running.remove(self)
            self.http and self.http.close()
            left = wait_gone(self.home)
            if self.own_home:
                remove_home(self.home)
        assert expect is None or status == expect, f'scripts/run ended with status {status}'
        assert took <= END, f'it took {took:.1f} s to end'
        assert not left, f'left running: {left}'
        return took

    def crash(self) -> None:
        """The runner is killed with -9; call start() for another on the same home."""
        self.runner.kill()
        self.runner.wait()
        self.runner = None
        System.running.remove(self)
        self.http.close()
        left = wait_gone(self.home)
        assert not left, f'left running: {left}'

    # What it is

    @property
    def url(self) -> str:
        return self.env['PARATOPE_URL']

    @property
    def token(self) -> str:
        return self.env['PARATOPE_TOKEN']

    @property
    def variant(self) -> str:
        return self.env['PARATOPE_VARIANT']

    @property
    def env_file(self) -> Path:
        return self.home / 'env'

    @property
    def run_log(self) -> Path:
        return self.home / 'run.log'

    def log(self, name: str) -> str:
        return (self.home / 'log' / f'{name}.log').read_text(errors='replace')

    def log_tails(self, characters: int = 2000) -> list[tuple[str, str]]:
        files = [self.run_log, *sorted((self.home / 'log').glob('*.log'))]
        return [(str(file), file.read_text(errors='replace')[-characters:]) for file in files if file.exists()]

    def db(self):
        """A connection that commits each statement."""
        connection = psycopg2.connect(self.env['DATABASE_URL'])
        connection.autocommit = True
        return connection

    def query(self, statement: str, *values: object) -> list[dict]:
        with self.db() as connection, connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(statement, values)
            rows = cursor.fetchall() if cursor.description else []
        connection.close()
        return [dict(row) for row in rows]

    # Its processes

    def pid(self, name: str) -> int:
        return int((self.home / 'pids' / name).read_text())

    def names(self) -> list[str]:
        return sorted(file.name for file in (self.home / 'pids').iterdir() if not file.name.startswith('.'))

    def kill(self, name: str, signum: int = signal.SIGKILL) -> int:
        """The id of the process that got the signal."""
        pid = self.pid(name)
        os.kill(pid, signum)
        return pid

    def wait_restarted(self, name: str, old: int, seconds: float = 40.0) -> int:
        """The new process id."""
        wait_for(lambda: self.pid(name) != old, seconds)
        assert self.pid(name) != old, f'{name} was not started again within {seconds} s'
        return self.pid(name)

    def wait_database(self, seconds: float = 60.0) -> None:
        """Until PostgreSQL answers, as after its recovery."""
        def answers() -> bool:
            try:
                return bool(self.query('SELECT 1'))
            except psycopg2.OperationalError:
                return False
        assert wait_for(answers, seconds), f'PostgreSQL does not answer after {seconds} s'

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Until the first gateway says that all is there."""
        def ready() -> bool:
            try:
                return httpx.get(f'{self.url}/readyz', timeout=10, trust_env=False).status_code == 200
            except httpx.HTTPError:
                return False
        assert wait_for(ready, seconds), f'not ready after {seconds} s'

    def wait_recorder(self, of: Iterable[str], seconds: float = 60.0) -> str:
        """Which of these gateways records, as its log says: a moment after it does."""
        def found() -> str | None:
            return next((name for name in of if 'records now' in self.log(name)), None)
        name = wait_for(found, seconds)
        assert name, f'nobody records after {seconds} s'
        return name

    # Its work

    def make_variant(self, name: str = 'example', chains: dict[str, str] | list[dict] | None = None,
                     form: str | None = None) -> str:
        """POST /v1/therapeutic-candidates. `chains`: kind → sequence, or as the API wants them."""
        chains = EXAMPLE if chains is None else chains
        if isinstance(chains, dict):
            chains = [{'kind': kind, 'sequence': sequence} for kind, sequence in chains.items()]
        form = form or {'vhh': 'nanobody', 'scfv': 'scfv'}.get(chains[0]['kind'], 'mab')
        answer = self.http.post('/v1/therapeutic-candidates', json={'name': name, 'format': form, 'chains': chains})
        assert answer.status_code == 201, answer.text
        return answer.json()['variant_id']

    def submit(self, variant: str | None = None, job_type: str = 'humanization') -> str:
        """The id of a job that was answered with 202."""
        answer = self.http.post('/v1/jobs', json={'variant_id': variant or self.variant, 'job_type': job_type})
        assert answer.status_code == 202, answer.text
        return answer.json()['id']

    def jobs(self, ids: Iterable[str]) -> dict[str, dict]:
        """id → row of the table jobs."""
        rows = self.query('SELECT id::text, status::text, attempt, created_at, started_at, completed_at, '
                          'error_message FROM jobs WHERE id = ANY (%s::uuid[])', list(ids))
        return {row['id']: row for row in rows}

    def wait_terminal(self, ids: Iterable[str], seconds: float = 60.0) -> dict[str, dict]:
        """id → row, once all have ended; also while PostgreSQL comes and goes."""
        wanted = list(ids)
        last: dict[str, dict] = {}

        def ended() -> bool:
            try:
                last.update(self.jobs(wanted))
            except psycopg2.OperationalError:
                return False
            return len(last) == len(set(wanted)) and all(
                row['status'] in ('completed', 'failed', 'canceled') for row in last.values())

        if not wait_for(ended, seconds, 0.05):
            open_ones = {job: last.get(job, {}).get('status', 'not in the table') for job in wanted
                         if last.get(job, {}).get('status') not in ('completed', 'failed', 'canceled')}
            raise AssertionError(f'{len(open_ones)} of {len(wanted)} have not ended after {seconds} s: '
                                 f'{dict(list(open_ones.items())[:5])}')
        return last


def read_env(file: Path) -> dict[str, str]:
    """Lines `export NAME='value'`."""
    return dict(word.split('=', 1) for line in file.read_text().splitlines()
                for word in shlex.split(line)[1:])
