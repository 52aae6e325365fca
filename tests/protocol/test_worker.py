"""paratope-worker as a process, against a fake broker written from PROTOCOL.md."""
import os
import signal
import statistics
import time

import pytest
from fake_broker import FakeBroker
from worker_process import Worker, children_of, exists, until


@pytest.fixture
def start(tmp_path):
    workers = []

    def begin(brokers, **options):
        workers.append(Worker(tmp_path, brokers if isinstance(brokers, list) else [brokers], **options))
        return workers[-1]

    yield begin
    for worker in workers:
        worker.end()
        print(worker.stderr.read_text())


def credit_of(message):
    return message['credit'].get('humanization')


def wait_credit(broker, n, timeout=40.0):
    until(lambda: any(credit_of(m) == n for m in broker.all('credit', session=broker.session)), timeout)


def test_says_hello_and_gives_credit_for_its_free_slots(broker, start):
    start(broker, slots=3)
    hello = broker.wait('hello')
    assert hello['role'] == 'worker' and hello['machine'] == 'tested' and len(hello['instance']) == 16
    assert hello['slots'] == {'humanization': 3}
    assert hello.get('leases', []) == [] and hello.get('unsettled', []) == []
    wait_credit(broker, 3)


def test_is_alive_on_both_sockets(broker, start):
    start(broker)
    hello = broker.wait('hello')
    until(lambda: len(broker.all('beat')) >= 3 and len(broker.all('alive')) >= 8)
    assert {m['instance'] for m in broker.all('alive')} == {hello['instance']}


def test_job_runs_from_started_to_settled(broker, start):
    worker = start(broker)
    wait_credit(broker, 1)
    before = int(time.time() * 1e6)
    job = broker.job('progress=3 sleep=0.4')
    started = broker.wait('status', job_id=job, type='started')
    result = broker.wait('result', job_id=job)
    progress = broker.all('status', job_id=job, type='progress')
    assert [p['step'] for p in progress] == ['step 1', 'step 2', 'step 3']
    assert [p['fraction'] for p in progress] == pytest.approx([1 / 3, 2 / 3, 1])
    assert result['status'] == 'completed' and result['attempt'] == 1
    assert result.payload['model_versions'] == {'generic': '1'}
    assert result.payload['results']['name'] == 'progress=3 sleep=0.4'
    assert before <= started['at'] == result['started_at'] <= progress[0]['at'] <= result['at']
    wait_credit(broker, 2)
    broker.settle(job)
    time.sleep(1.3)
    assert len(broker.all('result', job_id=job)) == 1
    assert [start[:2] for start in worker.starts()] == [(job, 1)]


def test_credit_grows_with_each_job_and_slot(broker, start):
    start(broker, slots=2)
    wait_credit(broker, 2)
    for n in range(6):
        job = broker.job()
        broker.wait('result', job_id=job)
        broker.settle(job)
        wait_credit(broker, n + 3)


def test_ending_is_published_again_until_settled(broker, start):
    start(broker)
    wait_credit(broker, 1)
    job = broker.job()
    until(lambda: len(broker.all('result', job_id=job)) == 3)
    first, second, third = (m.time for m in broker.all('result', job_id=job))
    assert 0.6 < second - first and 1.4 < third - second and third - first < 12, 'after 1 s, then after 2 s'
    broker.settle(job, outcome='unknown')
    time.sleep(0.5)
    count = len(broker.all('result', job_id=job))
    time.sleep(4)
    assert len(broker.all('result', job_id=job)) == count == 3


@pytest.mark.parametrize('order, code, retry, words', [
    ('fail=not_an_antibody', 'not_an_antibody', False, 'as the name orders'),
    ('fail=busy retry=1', 'busy', True, 'as the name orders'),
    ('crash=SEGV', 'died_signal', True, 'signal 11 (Segmentation fault)'),
    ('crash=9', 'died_signal', True, 'out of memory'),
    ('exit=3', 'died_exit', True, 'status 3'),
    ('garbage', 'pipeline_protocol', True, 'no msgpack'),
    ('close', 'pipeline_protocol', True, 'closed its standard output'),
    ('result=67108864', 'result_too_large', False, '67108864'),
    ('result=70000000', 'result_too_large', False, '64 MiB'),
    ('hang', 'timed_out', True, 'within 2 s'),
])
def test_what_goes_wrong_is_said_and_the_slot_serves_on(broker, start, order, code, retry, words):
    worker = start(broker, options=['--timeout', 'humanization=2'])
    wait_credit(broker, 1)
    job = broker.job(order)
    result = broker.wait('result', job_id=job)
    assert (result['status'], result['code'], result['retry']) == ('failed', code, retry)
    assert words in result['message'] and result.payload is None
    broker.settle(job)
    wait_credit(broker, 2)
    job = broker.job()
    assert broker.wait('result', job_id=job)['status'] == 'completed'
    assert worker.process.poll() is None


def test_a_pipeline_that_reads_no_more_does_not_keep_the_next_job_until_its_time_out(broker, start):
    """Which comes first, its end or the next job, is not said: the job has another attempt, or none is lost."""
    worker = start(broker)
    for n in range(3):
        wait_credit(broker, 2 * n + 1)
        job = broker.job('deaf')
        assert broker.wait('result', job_id=job)['status'] == 'completed'
        broker.settle(job)
        wait_credit(broker, 2 * n + 2)
        job = broker.job()
        result = broker.wait('result', job_id=job)
        assert result['status'] == 'completed' or (result['code'], result['retry']) == ('pipeline_protocol', True)
        broker.settle(job)
    assert 'it closed its standard input' in worker.stderr.read_text()
    assert worker.process.poll() is None


def test_a_pipeline_that_reads_no_more_finishes_the_job_that_it_has(broker, start):
    start(broker)
    wait_credit(broker, 1)
    job = broker.job('deaf=first sleep=3')
    assert broker.wait('result', job_id=job)['status'] == 'completed'


def test_result_of_almost_64_kib_is_carried(broker, start):
    start(broker)
    wait_credit(broker, 1)
    job = broker.job('result=65000')
    assert len(broker.wait('result', job_id=job).payload['results']['blob']) == 65000


def test_pipeline_is_kept_between_jobs(broker, start):
    worker = start(broker)
    for n in range(3):
        wait_credit(broker, n + 1)
        broker.settle(broker.job())
        until(lambda n=n: len(worker.starts()) == n + 1)
    assert len({pid for _, _, pid in worker.starts()}) == 1


def test_kill_of_the_pipeline_ends_only_its_job(broker, start):
    worker = start(broker, slots=2)
    wait_credit(broker, 2)
    other, job = broker.job('sleep=1.5'), broker.job('sleep=30')
    until(lambda: len(worker.starts()) == 2)
    os.kill(next(pid for id, _, pid in worker.starts() if id == job), signal.SIGKILL)
    assert broker.wait('result', job_id=job)['code'] == 'died_signal'
    assert broker.wait('result', job_id=other)['status'] == 'completed'
    wait_credit(broker, 4)


def test_kill_of_the_agent_leaves_no_pipeline(broker, start):
    worker = start(broker, slots=2)
    wait_credit(broker, 2)
    broker.job('progress=1 children=3 hang')
    until(worker.starts)
    pipelines = worker.children()
    pid = worker.starts()[0][2]
    grandchildren = until(lambda: len(children_of(pid)) == 3 and children_of(pid))
    assert len(pipelines) == 2 and all(map(exists, pipelines + grandchildren))
    worker.process.kill()
    until(lambda: not any(map(exists, pipelines + grandchildren)))


def test_kill_of_a_keeper_ends_its_job_and_all_of_its_processes(broker, start):
    worker = start(broker)
    wait_credit(broker, 1)
    job = broker.job('children=3 as=daemon hang')
    until(worker.starts)
    keeper = children_of(worker.pid)[0]
    hidden = until(lambda: len(children_of(keeper)) == 4 and children_of(keeper))
    os.kill(keeper, signal.SIGKILL)
    assert broker.wait('result', job_id=job)['code'] == 'died_signal'
    until(lambda: not any(map(exists, hidden)))
    wait_credit(broker, 2)


@pytest.mark.parametrize('order, code, words', [
    ('spin', 'cpu_limit', '1 s of CPU time'),
    ('grow=512', 'out_of_memory', '96 MiB'),
])
def test_limits_end_a_job_with_their_name(broker, start, order, code, words):
    start(broker, options=['--limits', 'humanization:memory=96M,cpu=1'])
    wait_credit(broker, 1)
    job = broker.job(order)
    result = broker.wait('result', job_id=job)
    assert (result['status'], result['code'], result['retry']) == ('failed', code, True)
    assert words in result['message']
    broker.settle(job)
    wait_credit(broker, 2)
    assert broker.wait('result', job_id=broker.job())['status'] == 'completed'


def test_stop_kills_the_group_and_publishes_no_ending(broker, start):
    worker = start(broker)
    wait_credit(broker, 1)
    job = broker.job('sleep=30')
    until(worker.starts)
    pid = worker.starts()[0][2]
    broker.send('stop', job_id=job, attempt=1)
    until(lambda: not exists(pid))
    wait_credit(broker, 2)
    assert broker.all('result', job_id=job) == []


def test_stop_of_another_attempt_changes_nothing(broker, start):
    start(broker)
    wait_credit(broker, 1)
    job = broker.job('sleep=0.5', attempt=2)
    broker.send('stop', job_id=job, attempt=1)
    assert broker.wait('result', job_id=job)['status'] == 'completed'


def test_duplicate_is_run_once_and_a_newer_attempt_instead_of_the_older(broker, start):
    worker = start(broker, slots=3)
    wait_credit(broker, 3)
    job = broker.job('sleep=30')
    broker.job('sleep=30', job_id=job)
    until(worker.starts)
    broker.job('', job_id=job, attempt=2)
    assert broker.wait('result', job_id=job)['attempt'] == 2
    assert [start[:2] for start in worker.starts()] == [(job, 1), (job, 2)]
    until(lambda: not exists(worker.starts()[0][2]))
    assert broker.all('gone') == []


def test_job_that_it_has_no_room_for_is_handed_back(broker, start):
    start(broker)
    wait_credit(broker, 1)
    broker.job('sleep=5')
    second, unknown = broker.job(), broker.job(job_type='alchemy')
    assert broker.wait('gone', job_id=second)['certain'] is True
    assert broker.wait('gone', job_id=unknown)['certain'] is True


def test_silent_broker_is_left_for_the_next_with_all_that_is_held(start):
    first, second = FakeBroker(), FakeBroker()
    try:
        worker = start([first, second], slots=2)
        until(lambda: first.session or second.session)
        home, other = (first, second) if first.session else (second, first)
        wait_credit(home, 2)
        running, ended = home.job('progress=1 sleep=8'), home.job()
        home.wait('result', job_id=ended)
        home.wait('status', job_id=running, type='progress')
        home.beating = False
        hello = other.wait('hello')
        assert hello['leases'] == [[running, 1, 'humanization']]
        assert hello['unsettled'] == [[ended, 1, 'humanization']]
        other.wait('result', job_id=ended)
        other.wait('status', job_id=running, type='progress')
        wait_credit(other, 1)
        assert other.wait('result', job_id=running)['status'] == 'completed'
        assert len(worker.starts()) == 2
    finally:
        first.close(), second.close()
    assert first.wrong == second.wrong == []


def test_broker_that_is_killed_and_comes_back_is_found_with_the_lease(start):
    first = FakeBroker()
    worker = start(first)
    wait_credit(first, 1)
    job = first.job('sleep=8')
    until(worker.starts)
    first.close()
    again = FakeBroker(ports=(first.jobs_endpoint, first.events_endpoint))
    try:
        assert again.wait('hello')['leases'] == [[job, 1, 'humanization']]
        assert again.wait('result', job_id=job)['status'] == 'completed'
        assert len(worker.starts()) == 1
    finally:
        again.close()
    assert again.wrong == []  # beats of the old session are not: they were answered hello?


def test_new_hello_on_a_new_socket_when_asked_for(broker, start):
    start(broker)
    wait_credit(broker, 1)
    old = broker.routing
    broker.send_raw({'m': 'hello?'})
    until(lambda: broker.routing != old)
    assert broker.all('hello')[0]['instance'] == broker.all('hello')[-1]['instance']
    wait_credit(broker, 1)


def test_unanswered_hello_is_repeated_and_then_a_new_socket_opened(start):
    mute = FakeBroker(welcoming=False)
    try:
        start(mute)
        until(lambda: len({m.routing for m in mute.all('hello')}) == 2)
        times = [m for m in mute.all('hello')]
        assert [m.routing for m in times].count(times[0].routing) == 3
        assert 2 < times[-1].time - times[0].time < 20
    finally:
        mute.close()


GARBAGE = [b'', b'\xc1', b'garbage', b'\xdf\xff\xff\xff\xff', b'\x81\xa1v\x01', b'\x82\xa1v\x01\xa1m\xa3job',
           b'\x82\xa1v\x02\xa1m\xa4beat', b'\x82\xa1v\x01\xa1m\xa5sleep', b'\x91' * 1000, os.urandom(5000)]


def test_garbage_from_the_broker_changes_nothing(broker, start):
    worker = start(broker)
    wait_credit(broker, 1)
    routing = broker.routing
    for header in GARBAGE:
        broker.send_raw(header)
        broker.send_raw(header, b'\xc1\xc1')
    broker.send_raw({'m': 'job', 'session': b'x' * 8, 'job_id': b'j' * 16, 'org_id': b'o' * 16,
                     'job_type': 'humanization', 'attempt': 1}, b'\x80')
    broker.send_raw({'m': 'job', 'session': broker.session, 'job_id': b'k' * 16, 'org_id': b'o' * 16,
                     'job_type': 'humanization', 'attempt': 1}, b'\xc1')
    job = broker.job()
    assert broker.wait('result', job_id=job)['status'] == 'completed'
    assert [start[0] for start in worker.starts()] == [job]
    assert broker.routing == routing and worker.process.poll() is None


def test_sigterm_hands_back_says_bye_and_exits_with_0(broker, start):
    worker = start(broker, slots=2, options=['--grace', '0'])
    wait_credit(broker, 2)
    ended, running = broker.job(), broker.job('sleep=60')
    broker.wait('result', job_id=ended)
    until(lambda: len(worker.starts()) == 2)
    pipelines = worker.children()
    before = broker.mark()
    worker.process.terminate()
    gone = broker.wait('gone', job_id=running)
    assert gone['certain'] is gone['handed_back'] is True and 'shutting down' in gone['reason']
    broker.wait('result', job_id=ended, after=before)
    assert broker.all('bye') == []
    broker.settle(ended)
    broker.wait('bye')
    assert worker.process.wait(20) == 0
    assert not any(map(exists, pipelines)) and broker.all('result', job_id=running) == []


def test_sigterm_lets_what_runs_finish_and_takes_nothing_new(broker, start):
    worker = start(broker, slots=2, options=['--grace', '60'])
    wait_credit(broker, 2)
    running = broker.job('sleep=6')
    broker.wait('status', job_id=running)
    worker.process.terminate()
    until(lambda: 'shutting down' in worker.stderr.read_text())
    late = broker.job()
    assert broker.wait('gone', job_id=late)['handed_back'] is True
    assert broker.wait('result', job_id=running)['status'] == 'completed'
    broker.settle(running)
    broker.wait('bye')
    assert worker.process.wait(40) == 0
    assert [start[0] for start in worker.starts()] == [running]


def test_a_second_sigterm_stops_at_once(broker, start):
    worker = start(broker, options=['--grace', '60'])
    wait_credit(broker, 1)
    broker.wait('status', job_id=broker.job('sleep=60'))
    pipelines = worker.children()
    worker.process.terminate()
    until(lambda: 'shutting down' in worker.stderr.read_text())
    time.sleep(0.5)
    assert worker.process.poll() is None
    worker.process.terminate()
    assert worker.process.wait(40) == 130
    until(lambda: not any(map(exists, pipelines)))


def test_sigterm_without_grace_waits_two_seconds_for_settlement(broker, start):
    worker = start(broker, options=['--grace', '0'])
    wait_credit(broker, 1)
    broker.wait('result', job_id=broker.job())
    before = time.monotonic()
    worker.process.terminate()
    assert worker.process.wait(40) == 0
    assert 1.8 < time.monotonic() - before < 12
    broker.wait('bye')


def test_as_pid_1_it_ends_at_sigterm_and_reaps_orphans(broker, start):
    worker = start(broker, before=['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'],
                   options=['--grace', '1'])
    until(lambda: broker.session or worker.process.poll() is not None)
    if worker.process.poll() is not None:
        pytest.skip('no new process namespace is allowed here')
    wait_credit(broker, 1)
    agent = children_of(worker.pid)[0]
    job = broker.job('children=3 exit=1')
    assert broker.wait('result', job_id=job)['code'] == 'died_exit'
    broker.settle(job)
    wait_credit(broker, 2)
    until(lambda: len(children_of(agent)) == 1)  # the next pipeline's keeper: no orphan is left
    running = broker.job('sleep=60')
    broker.wait('status', job_id=running)
    os.kill(agent, signal.SIGTERM)
    assert broker.wait('gone', job_id=running)['handed_back'] is True
    assert worker.process.wait(40) == 0


def test_paused_worker_does_not_blame_the_broker(broker, start):
    worker = start(broker)
    wait_credit(broker, 1)
    routing = broker.routing
    worker.process.send_signal(signal.SIGSTOP)
    time.sleep(8 * broker.interval / 1000)  # a session ends after three
    worker.process.send_signal(signal.SIGCONT)
    time.sleep(1)
    assert broker.routing == routing and len(broker.all('hello')) == 1
    assert broker.wait('result', job_id=broker.job())['status'] == 'completed'


def test_program_that_is_missing_gives_no_credit(broker, start):
    worker = start(broker, pipeline='nothing-of-that-name')
    broker.wait('hello')
    until(lambda: 'cannot be started' in worker.stderr.read_text())
    time.sleep(1)
    assert all(credit_of(m) == 0 for m in broker.all('credit'))
    assert len(worker.stderr.read_text().splitlines()) < 20


def test_broker_with_another_interval_is_beaten_to(start):
    slow = FakeBroker(interval=600)
    try:
        start(slow)
        until(lambda: len(slow.all('beat')) >= 8)
        times = [beat.time for beat in slow.all('beat')]
        gaps = [after - before for before, after in zip(times, times[1:])]
        assert 0.4 < statistics.median(gaps) < 0.9
    finally:
        slow.close()
