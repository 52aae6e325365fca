"""Each statement that takes a batch does work in proportion to it: a list that is joined with another list,
which no index helps, would take n² comparisons (the recorder once took 124 ms for a batch of 1,000)."""
import pytest
from statements import Session
from tables import OTHERS, OURS, VARIANTS, fill, job_id, make_database

from harness import System

SMALL, LARGE = 25, 250
NOW = '2100-01-01T00:00:00+00:00'


def new_ids(count: int) -> list[str]:
    return [f'f0000000-0000-4000-8000-{n:012x}' for n in range(count)]


def completed(count: int) -> list[str]:
    return [job_id(n) for n in range(400, 400 + 4 * count, 4)]


# Of eleven organisations.
def owners(count: int) -> list[str]:
    return [(OURS, *OTHERS)[n % 11] for n in range(count)]


CASES = {
    'submit': lambda n: [new_ids(n), [OURS] * n, (VARIANTS * n)[:n], ['humanization'] * n, [True] * n, [1] * n,
                         ['x'] * n, [None] * n, [None] * n, [None] * n],
    'lock_jobs': lambda n: [completed(n)],
    'update_jobs': lambda n: [completed(n), ['completed'] * n, [1] * n, [0] * n, [0] * n, [None] * n, [NOW] * n,
                              [NOW] * n, [None] * n, [None] * n, [None] * n, [None] * n, [None] * n],
    'insert_results': lambda n: [[job_id(k) for k in range(402, 402 + 4 * n, 4)], ['{}'] * n, ['{}'] * n, [None] * n],
    'append_events': lambda n: [completed(n), owners(n), ['humanization'] * n, ['created'] * n, ['pending'] * n,
                                [1] * n, [NOW] * n, [None] * n],
    'hand_out': lambda n: ['humanization', str(n), '{}', '0'],
}


@pytest.fixture(scope='module')
def session():
    with System(workers=0) as system:
        make_database(system)
        fill(system, 1, 5000)
        own = Session(system)
        yield own
        own.close()


@pytest.mark.parametrize('name', CASES)
def test_work_is_in_proportion_to_the_batch(session, name):
    small, large = (session.run(name, CASES[name](n)).rows for n in (SMALL, LARGE))
    assert small >= SMALL and large >= LARGE, 'not all of the batch was worked on'
    assert large <= 12 * small, f'{small} rows for {SMALL}, {large} for {LARGE}'
