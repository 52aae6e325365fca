"""A stop that never arrives: the cancel is recorded, and the slot is free all the same, long before the job's time-out."""
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

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


@pytest.mark.timeout(180)
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
