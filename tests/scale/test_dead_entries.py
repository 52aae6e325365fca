"""Jobs that waited leave dead entries in the index of what waits, until a vacuum: each statement passes them once,
however many jobs it is about."""
import pytest
from statements import Session
from tables import OURS, VARIANTS, cursor_of, make_database
from uuid import UUID

from harness import System

GONE = 20_000
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope='module')
def dead_pages():
    """(the session, pages of the index in front of the one job that waits)"""
    with System(workers=0) as system:
        make_database(system)
        with cursor_of(system) as cursor:
            cursor.execute('delete from limits')
            cursor.execute("insert into jobs (id, org_id, variant_id, job_type, due_at) select gen_random_uuid(), %s, %s, "
                           "'humanization', now() - interval '1 hour' + n * interval '1 millisecond' "
                           'from generate_series(1, %s) n', [OURS, VARIANTS[0], GONE])
            cursor.execute('update jobs set due_at = null')
            cursor.execute("select pg_relation_size('jobs_waiting') / current_setting('block_size')::int")
            (pages,), = cursor.fetchall()
            cursor.execute("insert into jobs (id, org_id, variant_id, job_type, due_at) "
                           "values (gen_random_uuid(), %s, %s, 'humanization', now())", [OURS, VARIANTS[0]])
        session = Session(system)
        yield session, pages
        session.close()


def submit(count: int, reserved: bool) -> list:
    ids = [str(UUID(int=9000 + n)) for n in range(count)]
    return [ids, [OURS] * count, [VARIANTS[0]] * count, ['humanization'] * count, [reserved] * count, [1] * count,
            *[[None] * count] * 4]


@pytest.mark.parametrize('name, arguments, beside', [
    ('submit', submit(50, True), submit(50, False)),
    ('hand_out', ['humanization', '50', '{}', '0'], None), ('next_due', ['humanization'], None)])
def test_dead_entries_are_passed_once(dead_pages, name, arguments, beside):
    session, pages = dead_pages
    for _ in range(2):  # who comes first finds out that they are dead, and notes it in the index
        session.run(name, arguments)
    read = session.run(name, arguments).buffers
    if beside:  # the same, but that nobody need look whether something waits
        read -= session.run(name, beside).buffers
    assert pages > 100
    assert pages * 0.8 < read < pages * 1.6
