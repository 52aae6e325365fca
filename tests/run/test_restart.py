"""With --stay whatever dies is started again, at the same place."""
import signal
import time

import pytest

from harness import NOOP, System
from harness.processes import wait_for


@pytest.fixture(scope='module')
def running():
    with System(pipelines={'humanization': NOOP}) as started:
        yield started


@pytest.mark.parametrize('name', ['gateway-1', 'broker-1', 'worker-1', 'worker-2'])
def test_killed_process_is_back_at_once(running, name):
    began = time.monotonic()
    running.wait_restarted(name, running.kill(name))
    assert time.monotonic() - began < 5  # 0.8 s at most, on a busy machine
    running.wait_ready()
    job = running.submit()
    assert running.wait_terminal([job])[job]['status'] == 'completed'


def test_process_that_ends_by_itself_is_back_too(running):
    running.wait_restarted('worker-1', running.kill('worker-1', signal.SIGTERM))


def test_killed_postgres_comes_back_with_its_data(running):
    job = running.submit()
    running.wait_terminal([job])
    began = time.monotonic()
    running.wait_restarted('postgres', running.kill('postgres'))
    assert time.monotonic() - began < 5  # 0.8 s at most, on a busy machine
    running.wait_database()
    assert running.jobs([job])[job]['status'] == 'completed'
    running.wait_ready()
    again = running.submit()
    assert running.wait_terminal([again])[again]['status'] == 'completed'


def test_what_dies_again_and_again_is_started_again_each_time(running):
    for _ in range(4):
        began = time.monotonic()
        running.wait_restarted('broker-1', running.kill('broker-1'))
        assert time.monotonic() - began < 5  # the pause does not grow
    running.wait_ready()


def test_all_at_once(running):
    killed = {name: running.kill(name) for name in running.names()}
    for name, pid in killed.items():
        running.wait_restarted(name, pid)
    running.wait_database()
    running.wait_ready()
    job = running.submit()
    assert running.wait_terminal([job])[job]['status'] == 'completed'


def test_a_death_is_told_with_its_cause_and_its_log(running):
    pid = running.kill('worker-2')
    running.wait_restarted('worker-2', pid)
    assert wait_for(lambda: f'worker-2 (pid {pid}) was killed by SIGKILL' in running.run_log.read_text(), 20)
    assert 'log/worker-2.log' in running.run_log.read_text()
