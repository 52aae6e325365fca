"""Mixed jobs on a whole system, and everything that can go wrong at once: `tests/faults/storm --seed N --seconds S`.

The seed fixes which faults happen when and at whom, and what each client asks for in which order. It does not fix
the kernel's timing, so the same seed is a similar storm, not the same one. Exit status 1: a promise was broken.
"""
import argparse
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

import count  # noqa: E402
import network  # noqa: E402
import schedule  # noqa: E402
from far import Far  # noqa: E402
from faults import Faults, carry_out  # noqa: E402
from load import Follower, Load, make_organisations  # noqa: E402

from harness import GENERIC, System, make_home, remove_home  # noqa: E402
from harness.processes import wait_for  # noqa: E402

EXPECTED = {'202', '408', '503', 'none'}  # 408: what came of the request was late, as over a lossy connection
CALM = 240.0  # seconds after the faults within which all has ended; a job lost six times waits for 60 s


def main() -> int:
    parser = argparse.ArgumentParser(prog='tests/faults/storm', description=__doc__.splitlines()[0])
    parser.add_argument('--seed', type=int, default=int(time.time()))
    parser.add_argument('--seconds', type=float, default=60.0, help='how long there are faults (default 60)')
    parser.add_argument('--pause', type=float, default=1.3, help='from one to the next, on average (default 1.3)')
    parser.add_argument('--keep', action='store_true', help='keep the home with its logs and database')
    options = parser.parse_args()
    own_network = network.enter()
    if not own_network:
        print('no network namespace here: faults of the network are left out')
    home = make_home()
    pipeline = make_pipeline(home)
    with System(home, workers=schedule.WORKERS, brokers=schedule.BROKERS, gateways=schedule.GATEWAYS,
                pipelines={'humanization': pipeline}) as system:
        lines = storm(system, own_network, pipeline, options)
    good = report(lines, options.seed)
    if good and not options.keep:
        remove_home(home)
    else:
        print(f'logs: {home}')
    return 0 if good else 1


def make_pipeline(home: Path) -> Path:
    """The generic one, which appends each run to a file: scripts/run passes no environment on."""
    program = home / 'pipeline'
    program.write_text(f'#!/bin/sh\nPARATOPE_TEST_LOG={home}/runs exec {GENERIC}\n')
    program.chmod(0o755)
    return program


def storm(system: System, own_network, pipeline: Path, options: argparse.Namespace) -> list[count.Line]:
    organisations = make_organisations(system)
    followers = {organisation.id: Follower(system, organisation) for organisation in organisations}
    far = Far(system, pipeline, options.seed)
    faults = Faults(system, own_network, far)
    load = Load(system, organisations, options.seed)
    try:
        began = carry_out(faults, schedule.make(options.seed, options.seconds, options.pause,
                                                own_network is not None), options.seconds, say)
    finally:
        load.end()
    calm = wait_until_calm(system, followers)
    for follower in followers.values():
        follower.close()
    lived = far.close()
    tables = count.Tables(system)
    runs = count.read_runs(system.home / 'runs')
    show(load, tables, runs, began, calm, followers)
    return [*count.of_jobs(tables, load.accepted, load.cancels),
            *count.of_runs(tables, runs),
            *count.of_events(tables, {org: follower.log for org, follower in followers.items()}),
            *count.of_processes(system.run_log.read_text(), faults.killed),
            count.broken('answers that nobody expects', set(load.answers) - EXPECTED),
            count.broken('far worker dead', [] if lived else ['far'])]


def say(text: str) -> None:
    print(text, flush=True)


def wait_until_calm(system: System, followers: dict[str, Follower]) -> float:
    """Until every job has ended and every subscriber knows; the seconds that it took."""
    began = time.monotonic()
    system.wait_database()

    def calm() -> bool:
        if system.query('SELECT 1 FROM jobs WHERE completed_at IS NULL LIMIT 1'):
            return False
        counters = system.query('SELECT org_id::text, seq FROM event_counters')
        return all(followers[row['org_id']].last == row['seq'] for row in counters if row['org_id'] in followers)

    wait_for(calm, CALM, 0.2)
    return time.monotonic() - began


def show(load: Load, tables: count.Tables, runs: list, began: int, calm: float, followers: dict) -> None:
    answers = ', '.join(f'{number} × {answer}' for answer, number in sorted(load.answers.items()))
    states = [job['status'] for job in tables.jobs.values()]
    say(f"""
faults begun                    {began}
answers to submissions          {answers}
accepted (202)                  {len(load.accepted)}
jobs in the table               {len(tables.jobs)} ({states.count('completed')} completed, {states.count('failed')} failed,
                                {states.count('canceled')} canceled)
runs of pipelines               {len(runs)}
losses of workers and brokers   {tables.total('losses')} (most of one job: {tables.highest('losses')})
highest attempt                 {tables.highest('attempt')}
events                          {sum(map(len, tables.events.values()))}, of them live {sum(
    event['live'] for follower in followers.values() for event in follower.log)}
all ended after                 {calm:.1f} s without faults
""")


def report(lines: list[count.Line], seed: int) -> bool:
    for what, number, example in lines:
        say(f'{what:<45} {number:>5}{"   for example " + example if number else ""}')
    good = not any(number for _, number, _ in lines)
    say(f'seed {seed}: {"every promise was kept" if good else "A PROMISE WAS BROKEN"}')
    return good


if __name__ == '__main__':
    sys.exit(main())
