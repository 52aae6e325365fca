"""POST /v1/batches, and whoever makes or answers it is killed in the middle: all of a batch or nothing."""
import random
import threading
import time

import httpx
import pytest
from promises import check

from harness import NOOP
from harness.antibodies import EXAMPLE
from harness.processes import wait_for

COUNT = 2_000
ROUNDS = 4        # at least
MOST_ROUNDS = 12  # until one was hit in the middle: how long a batch takes is the machine's other load, too


def fasta(count: int) -> str:
    return ''.join(f'>ab{n}\n{EXAMPLE["heavy"]}\n' for n in range(count))


def post(system, text: str, answers: list) -> None:
    """One batch of a type that nobody serves; what came back, if anything did, and after how long."""
    began = time.monotonic()
    try:
        answer = httpx.post(f'{system.url}/v1/batches?job_type=structure', content=text, timeout=60, trust_env=False,
                            headers={'Authorization': f'Bearer {system.token}', 'Content-Type': 'text/x-fasta'})
        answers.append((answer.status_code, answer.json().get('id'), time.monotonic() - began))
    except httpx.HTTPError as error:
        answers.append((type(error).__name__, None, time.monotonic() - began))


def whole_or_nothing(system) -> dict[str, int]:
    """id → jobs of each batch; and nothing belongs to one that is not there."""
    assert system.query('select count(*) from jobs j where batch_id is not null and not exists '
                        '(select 1 from batches b where b.id = j.batch_id)')[0]['count'] == 0
    assert system.query("select count(*) from variants v where name like 'ab%%' and not exists "
                        '(select 1 from jobs j where j.variant_id = v.id)')[0]['count'] == 0
    assert system.query('select count(*) from jobs j where batch_id is not null and (select count(*) from events e '
                        "where e.job_id = j.id and e.type = 'created') <> 1")[0]['count'] == 0
    rows = system.query('select b.id::text, b.total, count(*) as jobs from batches b join jobs j on j.batch_id = b.id '
                        'group by b.id')
    assert all(row['jobs'] == row['total'] == COUNT for row in rows), rows
    assert len(rows) == system.query('select count(*) from batches')[0]['count']
    return {row['id']: row['jobs'] for row in rows}


@pytest.mark.timeout(400)
@pytest.mark.parametrize('victim', ['gateway-1', 'postgres'])
def test_killed_in_the_middle_of_making_one(new_system, victim):
    system = new_system(workers=0, pipelines={'humanization': NOOP})
    text, answers = fasta(COUNT), []
    post(system, text, answers)
    assert answers[0][0] == 202, answers
    for n in range(MOST_ROUNDS):
        if n >= ROUNDS and (victim == 'postgres' or {status for status, *_ in answers} != {202}):
            break
        took = min(took for status, _, took in answers if status == 202)
        thread = threading.Thread(target=post, args=(system, text, answers))
        thread.start()
        # Most of it is the check of the sequences: more of the rounds are aimed at the end.
        time.sleep(took * random.Random(n).uniform(0.6, 1.1))
        old = system.kill(victim)
        thread.join()
        system.wait_restarted(victim, old)
        system.wait_database()
        system.wait_ready()
        made = whole_or_nothing(system)
        assert {batch for status, batch, _ in answers if status == 202} <= set(made)
    statuses = [status for status, *_ in answers]
    print(f'{victim}: a batch took {took:.2f} s; {statuses}; {len(made)} of {len(answers)} were made')
    for batch in made:
        assert system.http.post(f'/v1/batches/{batch}/cancel', timeout=60).status_code == 200
    check(system)
    # A gateway takes its request along; one whose database dies tries again, up to 30 s.
    assert victim == 'postgres' or set(statuses) != {202}, 'nobody was killed in the middle'


@pytest.mark.timeout(300)
def test_a_batch_goes_on_under_the_next_gateway(new_system):
    """What was answered 202 runs, although who answered it is killed at once."""
    system = new_system(workers=2, pipelines={'humanization': NOOP})
    answer = httpx.post(f'{system.url}/v1/batches?job_type=humanization', content=fasta(COUNT), timeout=60, trust_env=False,
                        headers={'Authorization': f'Bearer {system.token}', 'Content-Type': 'text/x-fasta'})
    old = system.kill('gateway-1')
    assert answer.status_code == 202
    batch = answer.json()['id']
    system.wait_restarted('gateway-1', old)
    system.wait_ready()
    assert wait_for(lambda: system.http.get(f'/v1/batches/{batch}').json()['completed_at'], 120)
    assert system.http.get(f'/v1/batches/{batch}').json()['counts']['completed'] == COUNT
    check(system)


def test_killed_in_the_middle_of_canceling_one(new_system):
    """Asked again it goes on where it was."""
    system = new_system(workers=2)
    answers = []
    post(system, fasta(COUNT), answers)
    batch = answers[0][1]

    def cancel() -> None:
        try:
            system.http.post(f'/v1/batches/{batch}/cancel', timeout=60)
        except httpx.HTTPError:
            pass

    thread = threading.Thread(target=cancel)
    thread.start()
    query = "select count(*) from jobs where batch_id = %s and status = 'canceled'"
    assert wait_for(lambda: system.query(query, batch)[0]['count'] > 0, 30, 0.002)
    old = system.kill('gateway-1')
    thread.join()
    system.wait_restarted('gateway-1', old)
    system.wait_ready()
    read = system.http.get(f'/v1/batches/{batch}').json()
    assert read['canceled_at']
    print(f'{read["counts"]["canceled"]} of {COUNT} were canceled before the gateway was killed')
    again = system.http.post(f'/v1/batches/{batch}/cancel', timeout=60)
    assert again.status_code == 200
    assert (again.json()['status'], again.json()['counts']['canceled']) == ('canceled', COUNT)
    check(system)
