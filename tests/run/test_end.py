"""The end leaves nothing running, however it comes."""
import os
import signal
import subprocess
import time

import pytest

from harness import System
from harness.system import RUN
from harness.processes import of_home, wait_for, wait_gone


@pytest.mark.parametrize('signum', [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_all_within_ten_seconds(home, signum):
    running = System(home).start()
    running.stop(signum)  # looks at the time, the status, and what is left
    assert not running.env_file.exists()
    assert running.names() == []


def test_a_shell_s_background_job_ends_by_sigterm(home):
    """Such a job ignores SIGINT from its start."""
    shell = subprocess.Popen(
        ['bash', '-c', f'{RUN} --stay --no-example --home {home} {programs()} & echo $!; wait $!'],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    pid = int(shell.stdout.readline())
    assert wait_for((home / 'env').exists, 90)
    os.kill(pid, signal.SIGTERM)
    assert shell.wait(11) == 0
    assert not wait_gone(home)


def test_stopped_processes_do_not_hold_it_up(new_system):
    running = new_system(pipelines={})
    for name in ('broker-1', 'gateway-1', 'worker-1', 'worker-2'):
        running.kill(name, signal.SIGSTOP)
    running.stop()


def test_killed_runner_takes_all_along_and_another_can_start(new_system):
    running = new_system(pipelines={})
    token, variant = running.token, running.variant
    assert len(of_home(running.home)) > 5
    running.crash()
    running.start()
    assert (running.token, running.variant) == (token, variant)
    assert running.http.get(f'/v1/variants/{variant}').status_code == 200


@pytest.mark.parametrize('seconds', [0.05, 0.3, 0.6, 1.0, 1.5])
def test_a_signal_during_the_start_ends_it_too(home, seconds):
    runner = subprocess.Popen([str(RUN), '--stay', '--home', str(home), *programs().split()],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    runner.terminate()
    # 0: it was up and had shown its example; the bare signal: Python had not yet begun.
    assert runner.wait(10) in (0, 128 + signal.SIGTERM, -signal.SIGTERM)
    assert not wait_gone(home)
    assert not (home / 'env').exists()


def programs() -> str:
    folder = os.environ.get('PARATOPE_TEST_PROGRAMS')
    return f'--programs {folder}' if folder else ''
