"""The database's machine dies, and its streaming standby is promoted: what was answered is there afterwards."""
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from promises import Load, check

from harness.cluster import REPLICATED, Server, both
from harness.parts import Parts, Whole
from harness.processes import wait_for

sys.path.insert(0, str(Path(__file__).parents[1] / 'protocol'))
from subscriber import Subscriber  # noqa: E402


@pytest.fixture
def servers():
    """A primary, and a standby without which it commits nothing."""
    pair = [Server(), Server()]
    try:
        pair[0].initialise(REPLICATED).start().create_database()
        pair[1].copy(pair[0]).start()
        yield pair
    finally:
        for server in pair:
            server.remove()


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


@pytest.mark.timeout(400)
def test_what_was_answered_survives_the_primary(servers, tmp_path):
    with Parts(tmp_path) as parts:
        whole = Whole(parts, both(*servers), slots=4)
        follower = Followed(whole.env['PARATOPE_EVENTS'], whole.url, whole.token, whole.org)
        try:
            with Load(whole, whole.variant, pause=0.02) as load:
                time.sleep(3)
                before = len(load.accepted)
                servers[0].kill()
                servers[1].promote()
                time.sleep(1)
                servers[0].copy(servers[1]).start()  # the dead machine comes back, as the other's standby
                assert wait_for(lambda: len(load.accepted) > before + 20, 80), 'nothing is accepted'
            assert before > 20
            assert wait_for(lambda: not whole.query('SELECT 1 FROM jobs WHERE completed_at IS NULL LIMIT 1'), 60)
            assert not set(load.accepted) - {row['id'] for row in whole.query('SELECT id::text FROM jobs')}
            events = whole.query('SELECT seq, job_id::text, type, status, attempt FROM events ORDER BY seq')
            assert wait_for(lambda: follower.last == len(events), 80), (follower.last, len(events))
        finally:
            follower.close()
        check(whole)
        assert [{key: event[key] for key in events[0]} for event in follower.log] == events
        assert follower.timelines == [1, 2]


@pytest.mark.timeout(400)
def test_a_dead_primary_that_comes_back_as_one_takes_no_job(servers, tmp_path):
    """It has no standby, so nothing that it commits counts; when it is gone again, the promoted one goes on."""
    third = Server()
    try:
        with Parts(tmp_path) as parts:
            whole = Whole(parts, both(*servers))
            jobs = [whole.submit()]
            whole.wait_terminal(jobs)
            servers[0].kill()
            servers[1].promote()
            third.copy(servers[1]).start()
            parts.kill('gateway-1')
            servers[0].start()
            whole.start('gateway-1')  # it asks the first host first
            assert wait_for(lambda: answers(whole), 40)
            for _ in range(3):
                assert post(whole).status_code == 503
            servers[0].kill()
            assert wait_for(lambda: post(whole).status_code == 202, 80), 'the promoted one is not found'
            assert wait_for(lambda: not whole.query('SELECT 1 FROM jobs WHERE completed_at IS NULL'), 40)
            check(whole)
    finally:
        third.remove()


def answers(whole: Whole) -> bool:
    try:
        return whole.http.get('/healthz').status_code == 200
    except httpx.HTTPError:
        return False


def post(whole: Whole) -> httpx.Response:
    return whole.http.post('/v1/jobs', json={'variant_id': whole.variant, 'job_type': 'humanization'})


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.mark.timeout(300)
def test_commits_that_wait_for_a_standby_do_not_use_up_the_connections(servers, tmp_path):
    """PostgreSQL keeps each of them until the standby is back, though whoever asked has long gone."""
    with Parts(tmp_path) as parts:
        whole = Whole(parts, both(*servers))
        servers[1].kill()
        given_up = [threading.Thread(target=servers[0].query, args=(f'CREATE TABLE given_up_{n} ()',), kwargs={
            'user': 'paratope'}) for n in range(4)]
        for thread in given_up:
            thread.start()
        time.sleep(6)
        servers[0].query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'paratope' "
                         "AND wait_event IS DISTINCT FROM 'SyncRep'")
        before = servers[0].query(WAITING)[0][0]
        for _ in range(2):
            assert post(whole).status_code == 503
        assert servers[0].query(WAITING)[0][0] == before, 'each attempt leaves a connection behind'
        assert wait_for(lambda: 'commits wait for a standby that is not there' in whole.log('gateway-1'), 40)
        servers[1].copy(servers[0]).start()
        assert wait_for(lambda: post(whole).status_code == 202, 80)
        for thread in given_up:
            thread.join()


@pytest.mark.parametrize('setting', ["synchronous_standby_names = ''", 'synchronous_commit = local'])
def test_two_hosts_without_synchronous_replication_are_refused(servers, tmp_path, setting):
    """Also by what was connected before: each new connection is looked at."""
    with Parts(tmp_path) as parts:
        whole = Whole(parts, both(*servers))
        whole.submit()
        servers[0].query_locally(f'ALTER SYSTEM SET {setting}')
        servers[0].query('SELECT pg_reload_conf()')
        servers[0].query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'paratope'")
        for _ in range(10):
            assert post(whole).status_code == 503
        assert whole.http.get('/readyz').status_code == 503
        assert wait_for(lambda: 'accepted jobs could be lost at a failover' in whole.log('gateway-1'), 20)
