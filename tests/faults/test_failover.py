"""The database's machine dies, and its streaming standby is promoted: what was answered is there afterwards."""
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import psycopg2
import psycopg2.extras
import pytest
from promises import Load, check

from harness import GENERIC
from harness.cluster import Server, both
from harness.parts import EXAMPLE_FASTA, Parts, admin, wait_ready
from harness.processes import wait_for
from harness.system import programs

sys.path.insert(0, str(Path(__file__).parents[1] / 'protocol'))
from subscriber import Subscriber  # noqa: E402


@pytest.fixture
def servers():
    """A primary, and a standby without which it commits nothing."""
    pair = [Server(), Server()]
    try:
        pair[0].initialise().start()
        pair[0].query("SET synchronous_commit = local; CREATE ROLE paratope LOGIN")
        with_local_commit(pair[0], 'CREATE DATABASE paratope OWNER paratope')
        pair[1].copy(pair[0]).start()
        yield pair
    finally:
        for server in pair:
            server.remove()


def with_local_commit(server: Server, statement: str) -> None:
    subprocess.run([server.bin / 'psql', '-qX', server.url('postgres', 'postgres'), '-c', statement], check=True,
                   env={'PGOPTIONS': '-c synchronous_commit=local'})


class Followed(Subscriber):
    """A subscriber in a thread, who waits out a gateway without a database and remembers the timelines it saw."""

    def __init__(self, *arguments: object) -> None:
        self.log: list[dict] = []
        self.timelines: list[int] = []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, args=arguments)
        self.thread.start()

    def run(self, *arguments: object) -> None:
        super().__init__(*arguments)
        while not self.ending.is_set():
            self.log += self.take(0.3)
        super().close()

    def handle(self, topic: bytes, header: bytes) -> list[dict]:
        taken = super().handle(topic, header)
        if self.timeline not in self.timelines:
            self.timelines.append(self.timeline)
        return taken

    def read_page(self) -> dict:
        while True:
            try:
                return super().read_page()
            except httpx.HTTPError:
                time.sleep(0.2)

    def close(self) -> None:
        self.ending.set()
        self.thread.join()


class Whole:
    """A gateway, a broker and a worker on a pair of servers; what promises.py asks of a system."""

    def __init__(self, parts: Parts, servers: list[Server]) -> None:
        self.database = both(*servers)
        subprocess.run([programs() / 'paratope-gateway', '--migrate', '--database', self.database], check=True)
        self.org = admin(self.database, 'create-organisation', 'tests')['org_id']
        self.token = admin(self.database, 'create-token', self.org, 'tests')['token']
        self.variant = admin(self.database, 'import-variants', self.org, str(EXAMPLE_FASTA))['variant_id']
        self.broker = parts.broker('broker-1')
        self.url = parts.gateway('gateway-1', self.database, self.broker)
        parts.worker('worker-1', self.broker, GENERIC, 4)
        wait_ready(self.url)

    def query(self, statement: str, *values: object) -> list[dict]:
        connection = psycopg2.connect(self.database, target_session_attrs='read-write')
        with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(statement, values)
            rows = cursor.fetchall()
        connection.close()
        return [dict(row) for row in rows]

    def post(self) -> httpx.Response:
        return httpx.post(f'{self.url}/v1/jobs', headers={'Authorization': f'Bearer {self.token}'}, timeout=10,
                          json={'variant_id': self.variant, 'job_type': 'humanization'}, trust_env=False)


@pytest.mark.timeout(180)
def test_what_was_answered_survives_the_primary(servers, tmp_path):
    with Parts(tmp_path) as parts:
        whole = Whole(parts, servers)
        follower = Followed(whole.broker['events'], whole.url, whole.token, whole.org)
        try:
            with Load(whole, whole.variant, pause=0.02) as load:
                time.sleep(3)
                before = len(load.accepted)
                servers[0].kill()
                servers[1].promote()
                time.sleep(1)
                servers[0].copy(servers[1]).start()  # the dead machine comes back, as the other's standby
                assert wait_for(lambda: len(load.accepted) > before + 20, 40), 'nothing is accepted'
            assert before > 20
            assert wait_for(lambda: not whole.query('SELECT 1 FROM jobs WHERE completed_at IS NULL LIMIT 1'), 60)
            assert not set(load.accepted) - {row['id'] for row in whole.query('SELECT id::text FROM jobs')}
            events = whole.query('SELECT seq, job_id::text, type, status, attempt FROM events ORDER BY seq')
            assert wait_for(lambda: follower.last == len(events), 40), (follower.last, len(events))
        finally:
            follower.close()
        check(whole)
        assert [{key: event[key] for key in events[0]} for event in follower.log] == events
        assert follower.timelines == [1, 2]


@pytest.mark.parametrize('setting', ["synchronous_standby_names = ''", 'synchronous_commit = local'])
def test_two_hosts_without_synchronous_replication_are_refused(servers, tmp_path, setting):
    """Also by what was connected before: each new connection is looked at."""
    with Parts(tmp_path) as parts:
        whole = Whole(parts, servers)
        assert whole.post().status_code == 202
        with_local_commit(servers[0], f'ALTER SYSTEM SET {setting}')
        servers[0].query('SELECT pg_reload_conf()')
        servers[0].query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'paratope'")
        for _ in range(10):
            assert whole.post().status_code == 503
        assert httpx.get(f'{whole.url}/readyz', trust_env=False).status_code == 503
        assert 'accepted jobs could be lost at a failover' in parts.log('gateway-1')
