"""A PostgreSQL of a test's own, and its standby: scripts/run has one server only."""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg2

from .processes import die_with_parent, wait_for

CONFIGURATION = """\
listen_addresses = ''
port = {port}
unix_socket_directories = '{folder}'
unix_socket_permissions = 0700
max_connections = 60
shared_buffers = 64MB
"""
REPLICATED = "synchronous_standby_names = '*'\n"
HBA = 'local all all trust\nlocal replication all trust\n'  # nobody else can enter the folder
PORT = 5432


class Server:
    """One data folder and its server, in a folder that only PostgreSQL's user and root can enter."""

    def __init__(self) -> None:
        self.user = pwd.getpwnam('postgres').pw_uid if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix='pt-pg-', dir='/tmp'))
        if self.user:
            os.chown(self.folder, self.user, -1)
        self.data = self.folder / 'data'
        self.bin = max(Path('/usr/lib/postgresql').glob('*/bin'), key=lambda path: int(path.parent.name))
        self.process: subprocess.Popen[bytes] | None = None

    def initialise(self, more: str = '') -> 'Server':
        """A new cluster; `more` is configuration."""
        self.call('initdb', '-D', self.data, '--username=postgres', '--encoding=UTF8', '--locale=C.UTF-8',
                  '--auth=trust', '--no-instructions', '--no-sync')
        self.write('postgresql.conf', CONFIGURATION.format(port=PORT, folder=self.folder) + more)
        self.write('pg_hba.conf', HBA)
        return self

    def copy(self, primary: 'Server') -> 'Server':
        """Becomes a standby of that one."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.call('pg_basebackup', '-d', primary.url('postgres', 'postgres'), '-D', self.data, '-X', 'stream',
                  '--checkpoint=fast', '-R', '--no-sync')
        self.write('postgresql.auto.conf', f"unix_socket_directories = '{self.folder}'\n", 'a')
        return self

    def start(self) -> 'Server':
        with open(self.folder / 'log', 'ab') as log:
            self.process = subprocess.Popen(
                [self.bin / 'postgres', '-D', self.data], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd='/',
                user=self.user, start_new_session=True, preexec_fn=die_with_parent(signal.SIGQUIT))
        assert wait_for(self.answers, 30, 0.1), (self.folder / 'log').read_text()[-2000:]
        return self

    def create_database(self) -> 'Server':
        """Also while the standby without which nothing is committed is not there yet."""
        for statement in ('CREATE ROLE paratope LOGIN', 'CREATE DATABASE paratope OWNER paratope'):
            self.query_locally(statement)
        return self

    def promote(self) -> None:
        self.query('SELECT pg_promote()')

    def kill(self) -> None:
        """As a machine that loses its power: nothing is written any more."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        self.kill()
        time.sleep(0.2)  # its backends notice
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = 'paratope', user: str = 'paratope') -> str:
        return f'postgresql:///{database}?host={quote(str(self.folder), safe="")}&port={PORT}&user={user}'

    def query(self, statement: str, options: str = '', user: str = 'postgres') -> list[tuple]:
        database = 'postgres' if user == 'postgres' else 'paratope'
        connection = psycopg2.connect(self.url(database, user), options=options)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def query_locally(self, statement: str) -> None:
        """One that does not wait for a standby."""
        self.query(statement, options='-c synchronous_commit=local')

    def answers(self) -> bool:
        try:
            return self.query('SELECT 1') == [(1,)]
        except psycopg2.OperationalError:
            return False

    def call(self, program: str, *arguments: object) -> None:
        done = subprocess.run([self.bin / program, *map(str, arguments)], cwd='/', user=self.user,
                              capture_output=True, text=True, env={'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8'})
        assert done.returncode == 0, done.stderr

    def write(self, name: str, text: str, mode: str = 'w') -> None:
        with open(self.data / name, mode) as file:
            file.write(text)


def both(first: Server, second: Server) -> str:
    """A connection string that names both hosts."""
    hosts = ','.join(f'{quote(str(server.folder), safe="")}:{PORT}' for server in (first, second))
    return f'postgresql://paratope@{hosts}/paratope?target_session_attrs=read-write'
