"""A stop that never arrives: the cancel is recorded, and the slot is free all the same, long before the job's time-out.
An answer of the database that never arrives: the cancel counts, and subscribers hear of it."""
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgpack
import psycopg2
import pytest
import zmq

from harness import GENERIC, System
from harness.parts import Parts
from harness.processes import wait_for
from harness.relay import Relay


def second_gateway(system: System, parts: Parts, relay: Relay) -> httpx.Client:
    """One whose path to the broker leads through the relay."""
    listen = parts.address()
    parts.start('gateway-9', '--database', system.env['DATABASE_URL'], '--listen', listen,
                '--brokers', f'tcp://127.0.0.1:{relay.port}', '--events-in', system.env['PARATOPE_EVENTS_IN'],
                '--events', system.env['PARATOPE_EVENTS'])
    return httpx.Client(base_url=f'http://{listen}', headers={'Authorization': f'Bearer {system.token}'}, timeout=30,
                        trust_env=False)


def is_in_session(http: httpx.Client) -> bool:
    try:
        return http.get('/readyz').json()['broker']
    except httpx.HTTPError:
        return False


@pytest.mark.timeout(300)
def test_slots_of_canceled_jobs_whose_stop_was_lost(tmp_path: Path):
    with System(workers=1, pipelines={'humanization': GENERIC}) as system, Parts(tmp_path) as parts:
        broker = urlsplit(system.env['PARATOPE_BROKER_GATEWAYS'])
        relay = Relay((broker.hostname, broker.port))
        http = second_gateway(system, parts, relay)
        assert wait_for(lambda: is_in_session(http), 30, 0.1)
        jobs = [system.submit(system.make_variant('hang')) for _ in range(2)]
        assert wait_for(lambda: {row['status'] for row in system.jobs(jobs).values()} == {'running'}, 30)
        relay.cut()  # it does not know yet, and says stop into the void
        assert [http.post(f'/v1/jobs/{job}/cancel').status_code for job in jobs] == [200, 200]
        after = system.submit(system.make_variant('plain'))
        assert system.jobs([after])[after]['status'] == 'pending'
        assert system.wait_terminal([after], 90)[after]['status'] == 'completed'
        http.close()
        relay.close()


def superuser(system: System):
    """A connection of his that commits each statement."""
    connection = psycopg2.connect(system.env['DATABASE_URL'].replace('user=paratope', 'user=postgres'))
    connection.autocommit = True
    return connection


def commit_waits(system: System) -> list[dict]:
    return system.query("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'")


@pytest.mark.timeout(300)
def test_a_cancel_whose_answer_was_lost_is_told_to_subscribers(new_system):
    """Its commit waits for a standby that does not come, until its connection ends; then it counts all the same."""
    system = new_system(workers=0)
    org = system.query('SELECT org_id::text FROM variants LIMIT 1')[0]['org_id']
    job = system.submit()
    with zmq.Context() as context, closing(context.socket(zmq.SUB)) as socket, ThreadPoolExecutor() as threads:
        socket.connect(system.env['PARATOPE_EVENTS'])
        socket.subscribe(f'edge.{org}.'.encode())
        time.sleep(5)  # what was submitted has been told; from here on the table is looked at each 30 s
        with closing(superuser(system)) as connection, connection.cursor() as cursor:
            cursor.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            cursor.execute('SELECT pg_reload_conf()')
            time.sleep(1)
            answer = threads.submit(system.http.post, f'/v1/jobs/{job}/cancel')
            assert wait_for(lambda: commit_waits(system), 4)
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
            cursor.execute('ALTER SYSTEM RESET synchronous_standby_names')
            cursor.execute('SELECT pg_reload_conf()')
        assert answer.result().status_code == 200
        last = system.query('SELECT max(seq) FROM events WHERE org_id = %s', org)[0]['max']
        assert wait_for(lambda: socket.poll(0) and msgpack.unpackb(socket.recv_multipart()[1])['seq'] == last, 8), \
            'nobody tells that there is an event more'
