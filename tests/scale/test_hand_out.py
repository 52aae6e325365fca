"""The statements that hand jobs out, by themselves, as two gateways run them that both believe to lead."""
import json
import threading
import time

import psycopg2
import pytest
from statements import as_text, settings, statements
from tables import OTHERS, OURS, VARIANTS, address, cursor_of, make_database

from harness import System


@pytest.fixture(scope='module')
def system():
    with System(workers=0) as running:
        yield running


@pytest.fixture
def database(system):
    """Without limits, but for those that a test sets."""
    make_database(system)
    with cursor_of(system) as cursor:
        cursor.execute('delete from limits')
    return system


class Leader:
    """A sweep's connection: hands out as gateway/dispatch/sweep_hand_out.c does, two statements in one transaction."""

    def __init__(self, system) -> None:
        self.connection = psycopg2.connect(address(system), options=settings())
        self.cursor = self.connection.cursor()
        for name in ('lock_hand_out', 'hand_out', 'submit', 'out_page'):
            self.cursor.execute(f'prepare {name} as {statements()[name]}')
        self.connection.commit()
        self.turns: dict[str, int] = {}
        self.now = 0

    def submit(self, ids: list[str], org: str, reserved: bool = False, priority: int = 1) -> list[bool]:
        """Which of them are out at once."""
        n = len(ids)
        self.cursor.execute('execute submit (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)', [as_text(value) for value in (
            ids, [org] * n, [VARIANTS[0]] * n, ['humanization'] * n, [reserved] * n, [priority] * n, [None] * n,
            [None] * n, [None] * n, [None] * n)])
        rows = self.cursor.fetchall()
        self.connection.commit()
        return [row[1] for row in sorted(rows)]

    def hand_out(self, limit: int, job_type: str = 'humanization', pause: float = 0) -> list[tuple]:
        """(id, org); `pause`: before the commit."""
        self.cursor.execute('execute lock_hand_out')
        ahead = json.dumps({org: at for org, at in self.turns.items() if at > self.now})
        self.cursor.execute('execute hand_out (%s, %s, %s, %s)', [job_type, str(limit), ahead, str(self.now)])
        rows = self.cursor.fetchall()
        time.sleep(pause)
        self.connection.commit()
        for row in rows:
            self.now = row[10]
            self.turns[row[1]] = row[10] + 1000000 // row[9]
        return [(row[0], row[1]) for row in rows]

    def out_page(self, after: str, limit: int) -> list[str]:
        self.cursor.execute('execute out_page (%s, %s)', [after, str(limit)])
        return [row[0] for row in self.cursor.fetchall()]

    def close(self) -> None:
        self.connection.close()


@pytest.fixture
def leader(database):
    made = []

    def make() -> Leader:
        made.append(Leader(database))
        return made[-1]
    yield make
    for one in made:
        one.close()


def ids(first: int, count: int) -> list[str]:
    return [f'{n:08x}-0000-7000-8000-000000000000' for n in range(first, first + count)]


def query(database, text: str, *values) -> list[tuple]:
    with cursor_of(database) as cursor:
        cursor.execute(text, values)
        return cursor.fetchall() if cursor.description else []


def fill_waiting(database, org: str, first: int, count: int, job_type: str = 'humanization', out: bool = False) -> None:
    query(database, "insert into jobs (id, org_id, variant_id, job_type, due_at, created_at) select id, %s, %s, %s, "
          "case when not %s then now() - interval '1 hour' + n * interval '1 millisecond' end, now() - interval '1 hour' "
          'from unnest(%s::uuid[]) with ordinality as u (id, n)', org, VARIANTS[0], job_type, out, ids(first, count))


@pytest.mark.parametrize('org, job_type', [(OURS, None), (None, 'humanization'), (OURS, 'humanization')])
def test_two_leaders_together_keep_a_limit(database, leader, org, job_type):
    query(database, 'insert into limits (org_id, job_type, max_out) values (%s, %s, 5)', org, job_type)
    fill_waiting(database, OURS, 1, 400)
    leaders, given = [leader(), leader()], []

    def lead(one: Leader) -> None:
        for _ in range(40):
            for job, _ in one.hand_out(3):
                given.append(job)
                query(database, 'update jobs set status = \'completed\', completed_at = now(), started_at = now() '
                      'where id = %s and (select count(*) from jobs where due_at is null and completed_at is null) > 3', job)
            most.append(query(database, 'select count(*) from jobs where due_at is null and completed_at is null')[0][0])
    most: list[int] = []
    threads = [threading.Thread(target=lead, args=(one,)) for one in leaders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 5, 'more than the limit, or never as many'
    assert len(given) == len(set(given)) > 20


def test_who_hands_out_waits_for_another_who_does(database, leader):
    """Of another type, where no row is locked by both: what the first has not committed yet is counted."""
    query(database, 'insert into limits (org_id, max_out) values (%s, 5)', OURS)
    fill_waiting(database, OURS, 1, 20)
    fill_waiting(database, OURS, 101, 20, 'structure')
    first, second = leader(), leader()
    slow = threading.Thread(target=first.hand_out, args=(4, 'humanization', 0.3))
    slow.start()
    time.sleep(0.1)
    assert len(second.hand_out(10, 'structure')) == 1
    slow.join()


def test_a_limit_of_all_types_counts_all_types(database, leader):
    query(database, 'insert into limits (org_id, max_out) values (%s, 5)', OURS)
    fill_waiting(database, OURS, 1, 2, 'structure', out=True)
    fill_waiting(database, OURS, 11, 2, 'stability', out=True)
    fill_waiting(database, OURS, 21, 20)
    fill_waiting(database, OTHERS[0], 101, 20)
    assert [org for _, org in leader().hand_out(30)].count(OURS) == 1


def test_a_backlog_of_100000_delays_nobody(database, leader):
    fill_waiting(database, OURS, 1, 100_000)
    one = leader()
    for _ in range(3):
        assert {org for _, org in one.hand_out(20)} == {OURS}
    fill_waiting(database, OTHERS[0], 200_001, 1)
    fill_waiting(database, OTHERS[1], 200_011, 3)
    orgs = [org for _, org in one.hand_out(12)]
    assert {*orgs[:2]} == {OTHERS[0], OTHERS[1]} and OURS in orgs[:4], orgs
    assert orgs.count(OURS) == 8


def test_turns_go_on_one_job_at_a_time(database, leader):
    """As they are handed out when slots become free one by one."""
    query(database, 'update organisations set weight = 3 where id = %s', OURS)
    for n, org in enumerate((OURS, OTHERS[0], OTHERS[1])):
        fill_waiting(database, org, 1000 * (n + 1), 300)
    one = leader()
    orgs = [one.hand_out(1)[0][1] for _ in range(50)]
    assert 29 <= orgs.count(OURS) <= 31 and abs(orgs.count(OTHERS[0]) - 10) <= 1


def test_a_new_job_is_out_at_once_if_none_of_its_class_or_a_higher_one_waits(database, leader):
    one = leader()
    assert one.submit(ids(1, 1), OURS, reserved=True) == [True]
    assert one.submit(ids(2, 1), OURS, reserved=False) == [False]
    assert one.submit(ids(3, 1), OURS, reserved=True) == [False], 'a normal one waits'
    assert one.submit(ids(4, 1), OURS, reserved=True, priority=2) == [False]
    assert one.submit(ids(5, 1), OURS, reserved=True, priority=0) == [True]
    query(database, 'insert into limits (org_id, max_out) values (%s, 100)', OTHERS[0])
    assert one.submit(ids(6, 1), OURS, reserved=True, priority=0) == [True], 'the limit is another\'s'
    query(database, "insert into limits (job_type, max_out) values ('humanization', 100)")
    assert one.submit(ids(7, 1), OURS, reserved=True, priority=0) == [False]
    assert [job for job, _ in one.hand_out(10)] == ids(7, 1) + ids(2, 2) + ids(4, 1)


def test_pages_of_what_is_out_have_each_once(database, leader):
    """Also when the job that a page ended with has ended meanwhile."""
    for n, (org, job_type) in enumerate((org, kind) for org in (OURS, *OTHERS[:3]) for kind in ('a', 'b', 'structure')):
        fill_waiting(database, org, 100 * (n + 1), 17, job_type, out=True)
    one, found, after = leader(), [], '00000000-0000-0000-0000-000000000000'
    while page := one.out_page(after, 10):
        found += page
        after = page[-1]
        query(database, "update jobs set status = 'failed', completed_at = now() where id = %s", after)
    assert len(found) == 12 * 17 and len(set(found)) == len(found)
