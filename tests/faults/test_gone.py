"""What dies and is never started again: the others do its work."""
import time

import pytest
from promises import Load, check

from harness.cluster import Server
from harness.parts import Parts, Whole
from harness.processes import wait_for


@pytest.fixture(scope='module')
def server():
    own = Server()
    try:
        yield own.initialise().start()
    finally:
        own.remove()


@pytest.fixture
def whole(server, tmp_path):
    """whole(gateways=2, …): a system on a database of its own."""
    with Parts(tmp_path) as parts:
        def start(**options: int) -> Whole:
            server.query('DROP DATABASE IF EXISTS paratope WITH (FORCE)')
            server.query('DROP ROLE IF EXISTS paratope')
            return Whole(parts, server.create_database().url(), **options)
        yield start


def running(system, count: int) -> bool:
    return system.query("SELECT count(*) FROM jobs WHERE status = 'running'")[0]['count'] == count


def wait_all(system, seconds: float = 60) -> None:
    system.wait_terminal([row['id'] for row in system.query('SELECT id::text FROM jobs')], seconds)


@pytest.mark.parametrize('victim', ['broker-1', 'broker-2'])
def test_one_of_two_brokers(whole, victim):
    system = whole(brokers=2, workers=3)
    with Load(system, system.make_variant('sleep=0.05'), clients=2, pause=0.02) as load:
        time.sleep(2)
        system.parts.kill(victim)
        before = len(load.accepted)
        time.sleep(5)
    assert len(load.accepted) > before + 20, 'jobs are accepted all the time'
    wait_all(system)
    for _ in range(6):
        system.submit(system.make_variant('sleep=8'))
    assert wait_for(lambda: running(system, 6), 40), 'all slots work for the broker that is left'
    wait_all(system)
    check(system)


def test_all_brokers_again_and_again(whole):
    system = whole(brokers=2, workers=3)
    with Load(system, system.make_variant('sleep=0.3'), clients=2, pause=0.02) as load:
        for _ in range(3):
            time.sleep(1.5)
            for name in ('broker-1', 'broker-2'):
                system.parts.kill(name)
            for name in ('broker-1', 'broker-2'):
                system.start(name)
    assert len(load.accepted) > 30
    wait_all(system, 90)
    check(system)


def test_the_gateway_that_records(whole):
    """Another records within seconds, and what ran meanwhile is not run again."""
    system = whole(gateways=2, workers=2)
    leader = int(system.wait_recorder(('gateway-1', 'gateway-2'))[-1])
    system.use(3 - leader)
    jobs = [system.submit(system.make_variant('sleep=8')) for _ in range(4)]
    assert wait_for(lambda: running(system, 4), 40)
    system.parts.kill(f'gateway-{leader}')
    system.wait_recorder([f'gateway-{3 - leader}'])
    rows = system.wait_terminal(jobs)
    assert [(row['status'], row['attempt']) for row in rows.values()] == [('completed', 1)] * 4
    system.wait_terminal([system.submit()])
    check(system)
