"""Limits by job type: what goes beyond one fails with its name, nobody else suffers, and nothing is left behind."""
from pathlib import Path

import pytest
from own_worker import own_worker
from promises import check

from harness import System
from harness.processes import wait_for


def descendants(pid: int) -> set[int]:
    found = set()
    for child in Path(f'/proc/{pid}/task/{pid}/children').read_text().split():
        found |= {int(child)} | descendants(int(child))
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that are no zombies: a zombie has no command line."""
    def lives(pid: int) -> bool:
        try:
            return bool(Path(f'/proc/{pid}/cmdline').read_bytes())
        except OSError:
            return False
    return set(filter(lives, pids))


@pytest.fixture(scope='module')
def limited(tmp_path_factory):
    """A system whose only worker has limits."""
    folder = tmp_path_factory.mktemp('limits')
    with System(workers=0) as system, own_worker(system, folder, '--limits', 'humanization:memory=128M,cpu=1,files=64',
                                                 slots=3) as worker:
        yield system, worker
        check(system)


@pytest.mark.parametrize('order, code, words', [
    ('grow=1000', 'out_of_memory', '128 MiB'),  # a MiB at a time, up to the limit
    ('leak=1000', 'out_of_memory', '128 MiB'),  # all at once, which is refused at once
    ('spin', 'cpu_limit', '1 s of CPU time'),
])
def test_a_job_beyond_a_limit_fails_with_its_name(limited, order, code, words):
    system, _ = limited
    good = [system.submit(system.make_variant('sleep=0.1')) for _ in range(3)]
    job = system.submit(system.make_variant(order))
    rows = system.wait_terminal([job, *good], 90)
    assert {rows[other]['status'] for other in good} == {'completed'}
    row = system.query('SELECT status, tries, error_code, error_message FROM jobs WHERE id = %s', job)[0]
    assert (row['status'], row['tries'], row['error_code']) == ('failed', 3, code)
    assert words in row['error_message']
    events = system.http.get(f'/v1/jobs/{job}/events').json()['data']
    lost = [event['code'] for event in events if event['type'] == 'attempt_lost']
    assert lost == [code, code], 'each attempt says why'


def test_a_job_that_takes_too_long_is_ended_with_all_that_it_started(new_system, tmp_path):
    system = new_system(workers=0)
    with own_worker(system, tmp_path, '--timeout', 'humanization=3', slots=1) as worker:
        job = system.submit(system.make_variant('children=2 as=daemon hang'))
        system.wait_terminal([job], 90)
        row = system.query('SELECT status, tries, error_code FROM jobs WHERE id = %s', job)[0]
        assert (row['status'], row['tries'], row['error_code']) == ('failed', 3, 'timed_out')
        assert wait_for(lambda: len(alive(descendants(worker.process.pid))) == 2, 20), 'something is left'


def test_within_the_limits_nothing_is_noticed(limited):
    system, _ = limited
    jobs = [system.submit(system.make_variant('grow=32 burn=0.5')) for _ in range(6)]
    rows = system.wait_terminal(jobs, 60)
    assert {(row['status'], row['attempt']) for row in rows.values()} == {('completed', 1)}


HIDINGS = ('group', 'session', 'daemon')


def test_what_a_pipeline_leaves_behind_ends_with_it(limited):
    system, worker = limited
    jobs = [system.submit(system.make_variant(f'children=3 as={how} {end}'))
            for how in HIDINGS for end in ('exit=1', 'crash=SEGV')]
    assert wait_for(lambda: set(jobs) <= set(worker.runs()), 60)
    system.wait_terminal(jobs, 60)
    # A keeper and a pipeline in each of the three slots.
    assert wait_for(lambda: len(alive(descendants(worker.process.pid))) == 6, 20), descendants(worker.process.pid)


def test_nothing_is_left_of_a_worker_that_was_killed(new_system, tmp_path):
    system = new_system(workers=0)
    with own_worker(system, tmp_path, slots=3) as worker:
        jobs = [system.submit(system.make_variant(f'children=3 as={how} hang')) for how in HIDINGS]
        worker.wait_started(jobs)
        assert wait_for(lambda: len(alive(descendants(worker.process.pid))) == 6 + 9, 20), descendants(worker.process.pid)
        family = descendants(worker.process.pid)
        worker.process.kill()
        worker.process.wait()
        wait_for(lambda: not alive(family), 20)
        assert not alive(family)
