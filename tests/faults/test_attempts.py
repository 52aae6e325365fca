"""What a pipeline does wrong: how often it is tried, what is said of it, and that nobody else suffers."""
import pytest
from promises import check


@pytest.fixture(scope='module')
def own(request):
    from harness import GENERIC, System
    with System(pipelines={'humanization': GENERIC}) as running:
        yield running
        check(running)


def run(system, name: str, seconds: float = 60) -> dict:
    job = system.submit(system.make_variant(name))
    row = system.wait_terminal([job], seconds)[job]
    return {**row, 'code': system.query('SELECT error_code FROM jobs WHERE id = %s', job)[0]['error_code']}


def test_poison_is_tried_three_times_and_named(own):
    row = run(own, 'crash=SEGV')
    assert (row['status'], row['attempt']) == ('failed', 3)
    assert row['code'] == 'died_signal'
    assert '11' in row['error_message'] and 'tried 3 times' in row['error_message']


def test_poison_takes_nobody_with_it(own):
    poison = [own.submit(own.make_variant('crash=KILL')) for _ in range(3)]
    good = [own.submit(own.make_variant('sleep=0.1')) for _ in range(10)]
    rows = own.wait_terminal(good + poison, 60)
    assert {rows[job]['status'] for job in good} == {'completed'}
    assert {rows[job]['attempt'] for job in good} == {1}
    assert {rows[job]['status'] for job in poison} == {'failed'}


def test_exit_code_is_named(own):
    row = run(own, 'exit=7')
    assert row['status'] == 'failed' and '7' in row['error_message']


def test_a_pipeline_that_recovers_completes(own):
    row = run(own, 'crash=SEGV crash_until=3')
    assert (row['status'], row['attempt'], row['error_message']) == ('completed', 3, None)


def test_a_refusal_is_final_at_once(own):
    row = run(own, 'fail=not_an_antibody')
    assert (row['status'], row['attempt'], row['code']) == ('failed', 1, 'not_an_antibody')


def test_a_failure_that_may_pass_is_tried_again(own):
    row = run(own, 'fail=busy retry=1 fail_until=2')
    assert (row['status'], row['attempt']) == ('completed', 2)


def test_garbage_from_a_pipeline(own):
    row = run(own, 'garbage')
    assert (row['status'], row['attempt'], row['code']) == ('failed', 3, 'pipeline_protocol')


def test_progress_is_recorded_in_order(own):
    job = own.submit(own.make_variant('progress=5 sleep=1'))
    own.wait_terminal([job])
    events = own.http.get(f'/v1/jobs/{job}/events').json()['data']
    fractions = [event['fraction'] for event in events if event['type'] == 'progress']
    assert fractions == sorted(fractions) and len(fractions) >= 3
    assert [event['type'] for event in events][:2] == ['created', 'started']
