"""Without a database POST is answered with 503, soon, and no 202 is lost when it comes back."""
import os
import signal
import threading
import time

import httpx
import pytest
from promises import check

from harness import NOOP
from harness.processes import of_home

pytestmark = pytest.mark.timeout(300)
CLIENTS = 24
AWAY = 14.0     # seconds; longer than any request may take
PATIENCE = 5.0  # what a client is promised
MARGIN = 5.0    # two cores, shared; without a limit a request would take all the time


class Client(threading.Thread):
    """Submits one job after the other and keeps (status, when, seconds, Retry-After)."""

    def __init__(self, system, ending: threading.Event) -> None:
        super().__init__()
        self.system, self.ending, self.accepted, self.answers, self.broken = system, ending, [], [], []

    def run(self) -> None:
        with httpx.Client(base_url=self.system.url, timeout=30, trust_env=False,
                          headers={'Authorization': f'Bearer {self.system.token}'}) as client:
            while not self.ending.is_set():
                began = time.monotonic()
                try:
                    answer = client.post('/v1/jobs', json={'variant_id': self.system.variant,
                                                           'job_type': 'humanization'})
                except httpx.HTTPError as error:
                    self.broken.append(error)
                    continue
                self.answers.append((answer.status_code, began, time.monotonic() - began,
                                     answer.headers.get('retry-after')))
                if answer.status_code == 202:
                    self.accepted.append(answer.json()['id'])
                time.sleep(0.05)


def postgres(system) -> list[int]:
    """The postmaster and all that it has started."""
    main = system.pid('postgres')
    found = [pid for pid in of_home(system.home)
             if pid == main or open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[1] == str(main)]
    assert len(found) > 5
    return found


def stopped(system) -> None:
    pids = postgres(system)
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(AWAY)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def killed(system) -> None:
    """It is started again at once; so three times, to meet requests at each stage of the recovery."""
    for _ in range(3):
        system.kill('postgres')
        time.sleep(AWAY / 3)


@pytest.mark.parametrize('away', [stopped, killed])
def test_503_soon_and_no_202_is_lost(new_system, away):
    system = new_system(pipelines={'humanization': NOOP})
    ending = threading.Event()
    clients = [Client(system, ending) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        time.sleep(1)
        began = time.monotonic()
        away(system)
        ended = time.monotonic()
        system.wait_database()
        system.wait_ready()
        time.sleep(1)
    finally:
        ending.set()
        for client in clients:
            client.join()
    answers = [answer for client in clients for answer in client.answers]
    assert not [error for client in clients for error in client.broken], 'the gateway is there all the time'
    assert {status for status, *_ in answers} <= {202, 503}
    slow = [(status, round(seconds, 2)) for status, _, seconds, _ in answers if seconds > PATIENCE + MARGIN]
    assert not slow
    assert {wait for status, _, _, wait in answers if status == 503} <= {str(n) for n in range(1, 31)}
    if away is stopped:
        meanwhile = [status for status, at, seconds, _ in answers if began + 2 < at + seconds < ended]
        assert len(meanwhile) >= CLIENTS and set(meanwhile) == {503}
    accepted = [job for client in clients for job in client.accepted]
    assert len(accepted) > CLIENTS
    system.wait_terminal(accepted, 60)
    system.wait_terminal([row['id'] for row in system.query('select id::text from jobs')], 60)
    check(system)
    print(f"{len(accepted)} accepted, slowest {max(seconds for _, _, seconds, _ in answers):.2f} s")
