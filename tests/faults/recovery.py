"""How long the system is without what died: `/usr/bin/python3 tests/faults/recovery.py --rounds 5` prints a table.

Each line: from the death until a job that was submitted at that moment (again and again, until one was answered with
202) has completed; for a worker, until the job that it ran runs again. Without a fault the first takes the time of
the first line.
"""
import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness.cluster import REPLICATED, Server, both  # noqa: E402
from harness.parts import Parts, Whole  # noqa: E402
from harness.processes import wait_for  # noqa: E402

LIMIT = 90.0  # seconds after which a round has failed
CALM = 4.0    # seconds between rounds: everybody knows everybody again


def submit(system: Whole) -> str:
    """A job that one of the gateways took, asked in turn."""
    limit = time.monotonic() + LIMIT
    while time.monotonic() < limit:
        for url in system.env['PARATOPE_URLS'].split():
            try:
                answer = httpx.post(f'{url}/v1/jobs', headers={'Authorization': f'Bearer {system.token}'}, timeout=2,
                                    json={'variant_id': system.variant, 'job_type': 'humanization'}, trust_env=False)
                if answer.status_code == 202:
                    return answer.json()['id']
            except httpx.HTTPError:
                pass
        time.sleep(0.02)
    raise AssertionError('no gateway takes a job')


def until_completed(system: Whole) -> float:
    began = time.monotonic()
    system.wait_terminal([submit(system)], LIMIT)
    return time.monotonic() - began


def leader(system: Whole) -> str:
    """Of the gateways the one whose log says so last."""
    def leads(name: str) -> bool:
        said = [line for line in system.log(name).splitlines() if 'this gateway records' in line]
        return bool(said) and 'records now' in said[-1]
    gateways = [name for name in system.commands if name.startswith('gateway')]
    living = [name for name in gateways if system.parts.processes[name].poll() is None]
    assert wait_for(lambda: any(map(leads, living)), 30), 'nobody records'
    return next(filter(leads, living))


# One round of each: what dies, and the seconds that it took.

def nothing(system: Whole) -> float:
    return until_completed(system)


def worker(system: Whole, again: bool = False) -> float:
    """Two of them, one slot each; the job runs at the first, because the second is not there yet."""
    system.parts.kill('worker-2')
    time.sleep(CALM)
    job = system.submit(system.make_variant('sleep=5'))
    assert wait_for(lambda: system.jobs([job])[job]['status'] == 'running', 30)
    system.start('worker-2')
    time.sleep(1)
    began = time.monotonic()
    system.parts.kill('worker-1')
    if again:
        system.start('worker-1')
    runs = "SELECT 1 FROM jobs WHERE id = %s AND attempt = 2 AND status = 'running'"
    assert wait_for(lambda: system.query(runs, job), LIMIT, 0.01), 'it does not run again'
    took = time.monotonic() - began
    if not again:
        system.start('worker-1')
    system.wait_terminal([job], LIMIT)
    return took


def worker_again(system: Whole) -> float:
    return worker(system, again=True)


def broker_again(system: Whole) -> float:
    for name in filter(lambda name: name.startswith('broker'), system.commands):
        system.parts.kill(name)
        system.start(name)
    return until_completed(system)


def broker(system: Whole) -> float:
    """The one that has the worker: the other one's death would change nothing."""
    for name in ('worker-1', 'worker-2', 'broker-2'):
        system.parts.kill(name)
    time.sleep(CALM)
    system.start('worker-1')
    until_completed(system)
    system.start('broker-2')
    time.sleep(CALM)
    system.parts.kill('broker-1')
    took = until_completed(system)
    system.start('broker-1')
    system.start('worker-2')
    return took


def gateway(system: Whole) -> float:
    name = leader(system)
    system.parts.kill(name)
    took = until_completed(system)
    system.start(name)
    return took


def gateway_stopped(system: Whole) -> float:
    pid = system.pid(leader(system))
    os.kill(pid, signal.SIGSTOP)
    try:
        return until_completed(system)
    finally:
        os.kill(pid, signal.SIGCONT)


def postgres(system: Whole, servers: list[Server]) -> float:
    servers[0].kill()
    began = time.monotonic()
    servers[0].start()
    until_completed(system)
    return time.monotonic() - began


def standby(system: Whole, servers: list[Server]) -> float:
    """The standby is promoted at once, and the dead machine becomes its standby."""
    began = time.monotonic()
    servers[0].kill()
    servers[1].promote()
    servers[0].copy(servers[1]).start()
    until_completed(system)
    servers.reverse()
    return time.monotonic() - began


SINGLE: dict[str, tuple[Callable[..., float], dict[str, int]]] = {
    'nothing': (nothing, {}),
    'a worker, never started again; its job runs elsewhere': (worker, {'workers': 2, 'slots': 1}),
    'a worker, started again at once': (worker_again, {'workers': 2, 'slots': 1}),
    'the only broker, started again at once': (broker_again, {}),
    'both brokers, started again at once': (broker_again, {'brokers': 2}),
    'the broker that has the worker, never started again; there is another': (broker, {'brokers': 2, 'workers': 2}),
    'the gateway that records, never started again; there is another': (gateway, {'gateways': 2}),
    'the same, stopped (SIGSTOP) instead of killed': (gateway_stopped, {'gateways': 2}),
    'PostgreSQL, killed and started again at once': (postgres, {}),
}
FAILOVER = 'PostgreSQL\'s machine; the standby is promoted, a new standby made'


@contextmanager
def database(replicated: bool) -> Iterator[tuple[list[Server], str]]:
    """The servers, and the connection string."""
    servers = [Server(), Server()] if replicated else [Server()]
    try:
        servers[0].initialise(REPLICATED if replicated else '').start().create_database()
        if replicated:
            servers[1].copy(servers[0]).start()
        yield servers, both(*servers) if replicated else servers[0].url()
    finally:
        for server in servers:
            server.remove()


def measure(round_: Callable[..., float], options: dict[str, int], rounds: int, replicated: bool) -> list[float]:
    with tempfile.TemporaryDirectory(prefix='pt-recovery-') as folder, database(replicated) as (servers, url), \
            Parts(Path(folder)) as parts:
        system = Whole(parts, url, **options)
        more = (servers,) if round_ in (postgres, standby) else ()
        took = []
        for _ in range(rounds):
            time.sleep(CALM)
            until_completed(system)
            took.append(round_(system, *more))
        return took


def main() -> None:
    parser = argparse.ArgumentParser(prog='tests/faults/recovery.py', description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=5)
    rounds = parser.parse_args().rounds
    print('| what dies | median, s | least | most |\n|---|---|---|---|', flush=True)
    for what, (round_, options) in [*SINGLE.items(), (FAILOVER, (standby, {}))]:
        took = measure(round_, options, rounds, round_ is standby)
        print(f'| {what} | {statistics.median(took):.2f} | {min(took):.2f} | {max(took):.2f} |', flush=True)


if __name__ == '__main__':
    main()
