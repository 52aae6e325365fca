"""Real workers at real brokers; the gateway is the test: it sends jobs, settles endings, counts."""
import os
import signal
import time
import uuid
from types import SimpleNamespace

import msgpack
import pytest
import zmq
from broker_peers import Broker, Gateway, wait
from worker_process import Worker, exists, until


class Recorder(Gateway):
    """A leading gateway that follows the results and settles each, once it is told to."""

    def __init__(self, broker):
        self.settling, self.endings, self.statuses = True, {}, []
        self.events = zmq.Context.instance().socket(zmq.SUB)
        self.events.setsockopt(zmq.SUBSCRIBE, b'result.')
        self.events.setsockopt(zmq.SUBSCRIBE, b'status.')
        self.events.setsockopt(zmq.RCVHWM, 0)
        self.events.connect(broker.endpoints['events'])
        super().__init__(broker, leader=True)
        self.sockets.append(self.events)
        self.sent = 0

    def pump(self, timeout=0.02):
        super().pump(timeout)
        while self.events.poll(0):
            self.follow(*self.events.recv_multipart()[1:])

    def follow(self, head, payload=None):
        message = msgpack.unpackb(head)
        if message['m'] == 'status':
            self.statuses.append(message)
            return
        self.endings.setdefault(message['job_id'], []).append(message)
        if self.settling:
            self.say('settled', job_id=message['job_id'], attempt=message['attempt'], outcome='committed')

    def named(self, name, **more):
        self.sent += 1
        inputs = {'variant_id': uuid.uuid4().bytes, 'name': name, 'format': 'mab', 'chains': []}
        return self.job(payload=msgpack.packb(inputs), **more)

    def credit_left(self):
        return self.credit.get('humanization', 0) - self.sent


@pytest.fixture
def stage(tmp_path):
    """A broker, a recorder at it, and a way to start workers."""
    broker = Broker(metrics=False)
    endpoints = SimpleNamespace(jobs_endpoint=broker.endpoints['workers'],
                                events_endpoint=broker.endpoints['events-in'])
    workers = []

    def start(name='tested', **options):
        workers.append(Worker(tmp_path, [endpoints], name=name, **options))
        return workers[-1]

    recorder = Recorder(broker)
    yield SimpleNamespace(broker=broker, start=start, recorder=recorder, workers=workers)
    recorder.close()
    for worker in workers:
        worker.end()
        print(worker.stderr.read_text())
    broker.close()


def run_jobs(recorder, total, name=''):
    """Sends as credit allows until all have ended."""
    jobs = set()
    begin = time.monotonic()
    while len(recorder.endings) < total:
        assert time.monotonic() - begin < 100, f'{len(recorder.endings)} of {total} ended'
        while len(jobs) < total and recorder.credit_left() > 0:
            jobs.add(recorder.named(name))
        recorder.pump(0.005)
    return jobs, time.monotonic() - begin


def test_a_thousand_jobs_at_two_workers_each_run_once(stage):
    workers = [stage.start(name, slots=2) for name in ('one', 'two')]
    jobs, seconds = run_jobs(stage.recorder, 1000)
    print(f'{1000 / seconds:.0f} jobs/s')
    assert set(stage.recorder.endings) == jobs
    starts = [start[:2] for worker in workers for start in worker.starts()]
    assert sorted(starts) == sorted((job, 1) for job in jobs)
    assert all(worker.starts() for worker in workers)


def test_kill_of_a_worker_is_told_when_it_comes_back_under_its_name(stage):
    worker = stage.start()
    wait(lambda: stage.recorder.credit_left() > 0, stage.recorder)
    job = stage.recorder.named('sleep=30')
    wait(worker.starts, stage.recorder)
    pipelines = worker.children()
    worker.process.kill()
    until(lambda: not any(map(exists, pipelines)))
    stage.start()
    gone = stage.recorder.wait_for('gone', seconds=40)
    assert gone['job_id'] == job and gone['certain'] is True and not gone.get('handed_back')


def test_sigterm_of_a_worker_hands_back_to_the_gateway(stage):
    worker = stage.start(options=['--grace', '0'])
    wait(lambda: stage.recorder.credit_left() > 0, stage.recorder)
    job = stage.recorder.named('sleep=30')
    wait(worker.starts, stage.recorder)
    worker.process.terminate()
    gone = stage.recorder.wait_for('gone')
    assert (gone['job_id'], gone['certain'], gone['handed_back']) == (job, True, True)
    assert worker.process.wait(40) == 0


def test_leases_and_endings_outlive_the_broker(stage):
    worker = stage.start(slots=2)
    wait(lambda: stage.recorder.credit_left() > 1, stage.recorder)
    stage.recorder.settling = False
    running, ended = stage.recorder.named('sleep=15'), stage.recorder.named('')
    wait(lambda: ended in stage.recorder.endings and len(worker.starts()) == 2, stage.recorder)
    stage.broker.kill()
    stage.broker.start()
    again = Recorder(stage.broker)
    asked = [[running, 1, 'humanization'], [ended, 1, 'humanization']]

    def both_are_held():
        again.say('have?', round=1, jobs=asked)
        again.pump(0.2)
        return any(len(answer['jobs']) == 2 for answer in again.of('have?'))

    again.settling = False
    wait(both_are_held, again, seconds=40)
    again.settling = True
    wait(lambda: running in again.endings and ended in again.endings, again, seconds=60)
    assert len(worker.starts()) == 2
    again.close()


def test_worker_whose_event_path_is_deaf_gets_no_job_and_tries_again(tmp_path):
    broker, other = Broker(metrics=False), Broker(metrics=False)
    split = SimpleNamespace(jobs_endpoint=broker.endpoints['workers'], events_endpoint=other.endpoints['events-in'])
    worker, recorder = Worker(tmp_path, [split]), Recorder(broker)
    try:
        wait(lambda: 'asked for a new hello' in worker.stderr.read_text(), recorder, seconds=40)
        assert worker.process.poll() is None and worker.starts() == []
    finally:
        recorder.close()
        worker.end()
        broker.close()
        other.close()


def test_stopped_worker_loses_its_session_and_keeps_its_job(stage):
    worker = stage.start()
    wait(lambda: stage.recorder.credit_left() > 0, stage.recorder)
    job = stage.recorder.named('sleep=6')
    wait(worker.starts, stage.recorder)
    os.kill(worker.pid, signal.SIGSTOP)
    gone = stage.recorder.wait_for('gone', seconds=40)
    assert gone['job_id'] == job and gone['certain'] is False
    os.kill(worker.pid, signal.SIGCONT)
    wait(lambda: job in stage.recorder.endings, stage.recorder, seconds=40)
    assert stage.recorder.endings[job][0]['status'] == 'completed' and len(worker.starts()) == 1
