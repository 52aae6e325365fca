"""Plans made from statistics of a quiet hour, when nothing waited: the partial index of what waits looks empty to
them, and a plan that reads all of it looks cheap. In the morning there is a backlog (hand_out once compared
the whole of it with each job that it handed out, and the rate of all fell to a half)."""
import pytest
from statements import Session
from tables import cursor_of, fill, make_database
from test_plans import CASES, NAMES

from harness import System


def measure(session) -> list:
    return [session.run(name, arguments) for name, arguments, *_ in CASES]


@pytest.fixture(scope='module')
def ran():
    """How each case ran with 3,000 and with 30,000 jobs, half of them waiting."""
    with System(workers=0) as system:
        make_database(system)
        fill(system, 1, 30_000)
        with cursor_of(system) as cursor:
            cursor.execute('delete from jobs where due_at is not null')
            cursor.execute('update batches b set total = greatest(1, (select count(*) from jobs j where j.batch_id = b.id))')
            cursor.execute('vacuum analyze')
        session = Session(system)
        measure(session)
        fill(system, 30_001, 33_000)
        small = measure(session)
        fill(system, 33_001, 60_000)
        yield small, measure(session)
        session.close()


@pytest.mark.parametrize('number', range(len(CASES)), ids=NAMES)
def test_work_does_not_grow_with_the_backlog(ran, number):
    small, large = (cases[number] for cases in ran)
    assert large.buffers <= 1.5 * small.buffers + 100
    assert large.rows <= 2 * small.rows + 1000
