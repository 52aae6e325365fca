"""Nobody acknowledges a worker's results, because the database is away: it stops in time, and repeats nothing."""
import os
import signal
import time

import pytest
from promises import check

from harness import GENERIC
from harness.processes import family, wait_for

SLOTS = 2
BOUND = 2 * SLOTS + 16  # unsettled endings, above which a worker gives no credit (PROTOCOL.md 5)
AWAY = 8.0              # seconds more; however long it is, the bound is what holds


def runs(file) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.timeout(300)
def test_a_worker_stops_at_its_bound_and_everything_settles(new_system, home):
    log, pipeline = home / 'runs', home / 'pipeline'
    pipeline.write_text(f'#!/bin/sh\nPARATOPE_TEST_LOG={log} exec {GENERIC}\n')
    pipeline.chmod(0o755)
    system = new_system(workers=1, pipelines={'humanization': pipeline})
    variant = system.make_variant('sleep=0.25 result=1000')
    jobs = [system.submit(variant) for _ in range(50)]  # the broker has room for 66: all are there
    ran_before = len(runs(log))
    stopped = family(system.pid('postgres'))
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(lambda: len(runs(log)) - ran_before >= BOUND, 40)  # on a busy machine that takes longer
        time.sleep(AWAY)
        ran = len(runs(log)) - ran_before
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert ran >= BOUND - 2, f'only {ran} ran: the worker did not come to its bound'
    assert ran <= BOUND + 2 * SLOTS + 8, f'{ran} ran, and nobody had settled them'
    rows = system.wait_terminal(jobs, 90)
    assert {row['status'] for row in rows.values()} == {'completed'}
    assert len(runs(log)) == len(jobs), 'some were run again'
    assert wait_for(lambda: set(line.split()[0] for line in runs(log)) == set(jobs), 20)
    check(system)
