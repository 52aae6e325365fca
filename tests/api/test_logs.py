"""GET /v1/jobs/{id}/logs: what a pipeline wrote on standard error, while it runs and afterwards."""
import json
import time
import uuid

import httpx
import psycopg2
import pytest

from harness.antibodies import EXAMPLE
from harness.processes import wait_for


def run(system, name: str, seconds: float = 60) -> str:
    job = system.submit(system.make_variant(name))
    system.wait_terminal([job], seconds)
    return job


def logs(system, job: str, **query: object) -> list[dict]:
    answer = system.http.get(f'/v1/jobs/{job}/logs', params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()['data']


def wait_logs(system, job: str, enough, seconds: float = 60) -> list[dict]:
    """They are stored beside the ending, not with it."""
    wait_for(lambda: enough(logs(system, job)), seconds, 0.1)
    return logs(system, job)


def text_of(pieces: list[dict]) -> str:
    return ''.join(piece['text'] for piece in pieces)


def test_a_job_that_says_nothing_has_none(system):
    assert logs(system, run(system, 'sleep=0')) == []


def test_what_it_says_is_there_while_it_runs_and_afterwards(system):
    job = system.submit(system.make_variant('say=begun sleep=8 noise=2'))
    pieces = wait_logs(system, job, bool)
    assert [(piece['attempt'], piece['offset'], piece['text']) for piece in pieces] == [(1, 0, 'begun\n')]
    assert system.http.get(f'/v1/jobs/{job}').json()['status'] == 'running', 'the log came too late to be live'
    system.wait_terminal([job])
    whole = 'begun\nnoise 0\nnoise 1\n'
    pieces = wait_logs(system, job, lambda pieces: text_of(pieces) == whole)
    assert text_of(pieces) == whole
    assert pieces[0]['at'] <= system.http.get(f'/v1/jobs/{job}').json()['completed_at']


def test_the_first_48_and_the_last_16_kib_are_kept_and_the_gap_shows(system):
    job = run(system, 'lines=50000')
    pieces = wait_logs(system, job, lambda pieces: text_of(pieces).endswith('0049999\n'))
    whole = ''.join(f'{line:07}\n' for line in range(50000))
    for piece in pieces:
        assert piece['text'] == whole[piece['offset']:piece['offset'] + len(piece['text'])]
    assert sum(len(piece['text']) for piece in pieces) == 65536
    ends = [piece['offset'] + len(piece['text']) for piece in pieces]
    gaps = [after['offset'] - end for after, end in zip(pieces[1:], ends) if after['offset'] != end]
    assert pieces[0]['offset'] == 0 and ends[-1] == len(whole) and gaps == [len(whole) - 65536]


def test_bytes_that_are_no_text_are_replaced(system):
    job = run(system, 'binary')
    pieces = wait_logs(system, job, bool)
    assert text_of(pieces) == '??café?(\n'


def test_each_attempt_has_its_own(system):
    job = run(system, 'say=hello exit=3')
    pieces = wait_logs(system, job, lambda pieces: len(pieces) == 3)
    assert [(piece['attempt'], piece['text']) for piece in pieces] == [(n, 'hello\n') for n in (1, 2, 3)]
    assert [piece['attempt'] for piece in logs(system, job, attempt=2)] == [2]
    assert logs(system, job, attempt=4) == []


def test_a_crash_keeps_its_last_words(system):
    job = run(system, 'say=last crash=SEGV')
    assert text_of(wait_logs(system, job, bool))[:5] == 'last\n'


def test_after_cuts_where_it_says(system):
    job = run(system, 'lines=3000')
    whole = text_of(wait_logs(system, job, lambda pieces: len(text_of(pieces)) == 24000))
    for after in (0, 1, 8191, 8192, 8193, 20000, 23999):
        pieces = logs(system, job, attempt=1, after=after)
        assert pieces[0]['offset'] == after and text_of(pieces) == whole[after:]
    assert logs(system, job, attempt=1, after=24000) == []
    assert logs(system, job, attempt=1, after=10**17) == []


def test_after_in_the_middle_of_a_character_begins_before_it(system):
    job = run(system, 'binary')
    wait_logs(system, job, bool)  # "??café?(": é is the bytes 5 and 6
    assert logs(system, job, attempt=1, after=5)[0]['text'] == 'é?(\n'
    piece = logs(system, job, attempt=1, after=6)[0]
    assert (piece['offset'], piece['text']) == (0, '??café?(\n')


def test_as_plain_text(system):
    job = run(system, 'lines=50000')
    wait_logs(system, job, lambda pieces: text_of(pieces).endswith('0049999\n'))
    answer = system.http.get(f'/v1/jobs/{job}/logs?attempt=1', headers={'Accept': 'text/plain'})
    assert (answer.status_code, answer.headers['content-type']) == (200, 'text/plain; charset=utf-8')
    assert answer.text.startswith('0000000\n') and answer.text.endswith('0049999\n')
    assert '0006143\n[334464 bytes left out]\n' in answer.text
    both = system.http.get(f'/v1/jobs/{job}/logs', headers={'Accept': 'text/plain, application/json'})
    assert both.headers['content-type'] == 'application/json'
    several = run(system, 'say=hello exit=3')
    wait_logs(system, several, lambda pieces: len(pieces) == 3)
    answer = system.http.get(f'/v1/jobs/{several}/logs', headers={'Accept': 'text/plain'})
    assert answer.text == ''.join(f'[attempt {n}]\nhello\n' for n in (1, 2, 3))
    quiet = run(system, 'plain')
    answer = system.http.get(f'/v1/jobs/{quiet}/logs', headers={'Accept': 'text/plain'})
    assert (answer.status_code, answer.text) == (200, '')


@pytest.mark.parametrize('query', ['attempt=0', 'attempt=x', 'after=-1', 'attempt=1&attempt=2', 'limit=3',
                                   'attempt=99999999999'])
def test_bad_parameters_are_named(system, query):
    job = run(system, 'plain')
    answer = system.http.get(f'/v1/jobs/{job}/logs?{query}')
    assert answer.status_code == 400 and answer.json()['code'] == 'invalid_request', answer.text


def test_only_ones_own(system, other):
    job = run(system, 'say=secret')
    wait_logs(system, job, bool)
    assert system.http.get(f'/v1/jobs/{uuid.uuid4()}/logs').status_code == 404
    assert httpx.get(f'{system.url}/v1/jobs/{job}/logs', trust_env=False).status_code == 401
    for accept in ('application/json', 'text/plain'):
        answer = other.http.get(f'/v1/jobs/{job}/logs', headers={'Accept': accept})
        assert answer.status_code == 404 and 'secret' not in answer.text


def test_no_sequence_is_in_the_workers_log(system):
    """The generic pipeline prints none, so there must be none."""
    job = run(system, 'say=printed exit=3')
    wait_logs(system, job, lambda pieces: len(pieces) == 3)

    def said() -> str:
        return ''.join(system.log(name) for name in system.names() if name.startswith('worker'))
    assert wait_for(lambda: job in said(), 20), 'that it failed is told'
    told = said()
    for sequence in EXAMPLE.values():
        assert sequence[:20] not in told
    assert '"printed"' not in told, "a job's text is the job's"


def test_pieces_that_fit_no_job_are_not_stored(system):
    """A worker that says what is not so: of a job that there is not, of another organisation's, of an attempt to come,
    and more than 16 of one attempt. All by the event path, as a real worker's."""
    from log_sender import LogSender
    job = run(system, 'plain')
    org = system.query('SELECT org_id::text FROM jobs WHERE id = %s', job)[0]['org_id']
    with LogSender(system.env['PARATOPE_EVENTS_IN'].split()[0]) as worker:
        for _ in range(3):  # the first ones may be lost: a PUB drops until it is heard
            worker.say(str(uuid.uuid4()), org, 1, 0, 'no such job')
            worker.say(job, str(uuid.uuid4()), 1, 0, 'of another organisation')
            worker.say(job, org, 2, 0, 'of an attempt to come')
            worker.say(job, org, 0, 0, 'of no attempt')
            for piece in range(40):
                worker.say(job, org, 1, piece * 10, f'piece {piece}')
            worker.say(job, org, 1, 2**62, 'too far')
            time.sleep(0.5)
        wait_for(lambda: len(logs(system, job)) == 16, 40, 0.1)
        time.sleep(1)
        pieces = logs(system, job)
        assert len(pieces) == 16
        assert {piece['text'] for piece in pieces} <= {f'piece {piece}' for piece in range(40)}
        first = pieces[0]
        worker.say(job, org, 1, first['offset'], 'x')
        worker.say(job, org, 1, first['offset'], first['text'] + ', which has grown')
        wait_for(lambda: logs(system, job)[0]['text'] != first['text'], 40, 0.1)
        assert logs(system, job)[0]['text'] == first['text'] + ', which has grown'
    rows = system.query('SELECT text FROM job_logs WHERE text IN %s', ('no such job', 'of another organisation',
                                                                         'of an attempt to come', 'of no attempt'))
    assert rows == []


def test_logs_that_cannot_be_stored_delay_no_ending(new_system):
    system = new_system(workers=1)
    first = system.submit(system.make_variant('plain'))
    system.wait_terminal([first])
    with psycopg2.connect(system.env['DATABASE_URL']) as connection, connection.cursor() as cursor:
        cursor.execute('LOCK TABLE job_logs IN ACCESS EXCLUSIVE MODE')
        jobs = [system.submit(system.make_variant('noise=100')) for _ in range(5)]
        rows = system.wait_terminal(jobs)
        assert {row['status'] for row in rows.values()} == {'completed'}
    connection.close()
    late = run(system, 'say=late')
    assert text_of(wait_logs(system, late, bool)) == 'late\n'
    assert json.dumps(logs(system, first)) == '[]'


PIECES = """insert into job_logs (job_id, attempt, "offset", at, text)
select (lpad(to_hex((extract(epoch from now() - %s::interval) * 1000)::bigint), 12, '0') || right(replace(gen_random_uuid()::text, '-', ''), 20))::uuid,
       1, 0, now() - %s::interval, 'x' from generate_series(1, %s) n"""


def test_logs_are_kept_for_thirty_days(new_system):
    """From when they were written, however long before the job was made; a new leader looks soon."""
    system = new_system(workers=0)
    for made, written, count in (('31 days', '31 days', 2500), ('31 days', '29 days', 3), ('29 days', '29 days', 2)):
        system.query(PIECES, made, written, count)
    system.kill('gateway-1')
    left = "select count(*) from job_logs where at < now() - interval '30 days'"
    assert wait_for(lambda: system.query(left)[0]['count'] == 0, 60)
    assert system.query('select count(*) from job_logs')[0]['count'] == 5
