"""A PostgreSQL of our own: data folder, socket and port that no other cluster has.

Only Unix sockets: the kernel says who connects (peer), and pg_ident.conf lets whoever ran the
script in as the database's owner. No password, and nobody else."""
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from accounts import Account, database_account, runner_name
from errors import SetupError
from files import say
from places import private_folder
from processes import Program
from supervisor import Child, Supervisor

# SIGINT: fast shutdown; SIGQUIT: at once, with recovery at the next start; its backends follow.
ENDS = ((0.0, signal.SIGINT), (2.5, signal.SIGQUIT), (3.5, signal.SIGKILL))
SOCKET_FOLDER_MAX = 107 - len('/.s.PGSQL.65535.lock')
NAME = 'paratope'  # of the database and its owner

CONFIGURATION = """\
# Written by scripts/run at each start.
listen_addresses = ''
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 256MB
fsync = on
full_page_writes = on
synchronous_commit = on
commit_delay = 0            # the gateways commit in groups themselves
max_wal_size = 1GB
autovacuum_naptime = 10s    # docs/operations.md, PostgreSQL's vacuum
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %u@%d '
log_checkpoints = off
"""
HBA = 'local all all peer map=runner\n'
IDENT = """\
runner "{runner}" postgres
runner "{runner}" paratope
"""
CREATE = f"""\
SELECT 'CREATE ROLE {NAME} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{NAME}')
\\gexec
SELECT 'CREATE DATABASE {NAME} OWNER {NAME}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{NAME}')
\\gexec
"""


@dataclass
class Postgres:
    supervisor: Supervisor
    home: Path
    log: Path
    port: int

    def __post_init__(self) -> None:
        as_root = os.geteuid() == 0
        self.runner = runner_name()
        self.account = database_account()
        self.folder = private_folder(self.home, 'postgres', self.account,
                                     Path('/var/lib') if as_root else Path('/var/tmp'))
        self.sockets = private_folder(self.home, 'sockets', self.account,
                                      Path('/run' if as_root and os.path.isdir('/run') else '/tmp'),
                                      SOCKET_FOLDER_MAX)
        self.data = self.folder / 'data'
        self.programs = find_programs(self._version())
        if self.folder.parent != self.home:
            say(f"PostgreSQL's data is in {self.folder}, because user "
                f'{self.account.name if self.account else self.runner} cannot enter {self.home}')

    @property
    def url(self) -> str:
        return f'postgresql:///{NAME}?host={quote(str(self.sockets), safe="")}&port={self.port}&user={NAME}'

    def start(self) -> None:
        if not self.data.exists():
            self._initialise()
        self._write_configuration()
        self.supervisor.add(Child(
            Program('postgres', [str(self.programs / 'postgres'), '-D', str(self.data)], log=self.log,
                    account=self.account, death_signal=signal.SIGQUIT,
                    env={'PARATOPE_HOME': str(self.home)}),
            stage=0, ends=ENDS, patience=10.0))

    def wait(self) -> None:
        """Until it takes connections, however long its recovery takes."""
        said, began = False, time.monotonic()
        check = [str(self.programs / 'pg_isready'), '-q', '-h', str(self.sockets), '-p', str(self.port),
                 '-U', 'postgres', '-d', 'postgres']
        while subprocess.run(check, stdin=subprocess.DEVNULL, cwd='/').returncode != 0:
            self.supervisor.tick(0.05)
            if not said and time.monotonic() - began > 5:
                say(f'PostgreSQL is recovering; log: {self.log}')
                said = True

    def create_database(self) -> None:
        script = self.home / 'state' / 'create.sql'
        script.write_text(CREATE)
        self.supervisor.call(Program('psql', [
            str(self.programs / 'psql'), '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', str(self.sockets),
            '-p', str(self.port), '-U', 'postgres', '-d', 'postgres', '-f', str(script)]),
            'creating the database')

    def _version(self) -> str | None:
        """The version that made the data folder."""
        try:
            return (self.data / 'PG_VERSION').read_text().strip()
        except FileNotFoundError:
            return None

    def _initialise(self) -> None:
        draft = self.folder / 'new'  # renamed when whole, so that a killed initdb leaves no half
        shutil.rmtree(draft, ignore_errors=True)
        self.supervisor.call(Program('initdb', [
            str(self.programs / 'initdb'), '-D', str(draft), '--username=postgres', '--encoding=UTF8',
            '--locale=C.UTF-8', '--auth=peer', '--no-instructions'], account=self.account),
            f"making PostgreSQL's data folder {self.data}", seconds=300)
        draft.rename(self.data)

    def _write_configuration(self) -> None:
        files = {
            'postgresql.conf': CONFIGURATION.format(port=self.port, sockets=self.sockets),
            'pg_hba.conf': HBA,
            'pg_ident.conf': IDENT.format(runner=self.runner),
        }
        for name, text in files.items():
            write_as(self.account, self.data / name, text)


def write_as(account: Account | None, path: Path, text: str) -> None:
    """As the folder's owner: root would follow a link that this user put there."""
    written = subprocess.run(
        ['/usr/bin/tee', str(path)], input=text.encode(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        cwd='/', user=account.uid if account else None, group=account.gid if account else None,
        extra_groups=account.groups if account else None)
    if written.returncode != 0:
        raise SetupError(f'cannot write: {written.stderr.decode().strip()}')


def find_programs(version: str | None) -> Path:
    """The folder of the newest server, or of the one that made the data."""
    found = {path.parent.parent.name: path.parent
             for path in Path('/usr/lib/postgresql').glob('*/bin/postgres')}
    if version:
        if version not in found:
            raise SetupError(f'the data folder is of PostgreSQL {version}, which is not installed: '
                             f'apt-get install postgresql-{version}, or use a new --home DIR')
        return found[version]
    if not found:
        raise SetupError('no PostgreSQL server in /usr/lib/postgresql: run scripts/install-deps')
    return found[max(found, key=lambda name: [int(n) for n in re.findall(r'\d+', name)])]
