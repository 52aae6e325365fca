"""paratope-broker from outside: each role does what PROTOCOL.md says, the broker must too."""
import itertools
import os
import signal
import socket
import subprocess
import time
import uuid

import msgpack
import pytest
import zmq

from broker_peers import (BUILD, INPUTS, PROGRAM, TYPE, Broker, Gateway, Peer, Worker, can_connect, header, pump,
                          read_response, wait)

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def broker():
    process = Broker()
    yield process
    process.close()


@pytest.fixture
def peers():
    """Whoever is put in is closed at the end."""
    made = []
    yield lambda peer: made.append(peer) or peer
    for peer in made:
        peer.close()


def with_credit(gateway, *others, at_least=1):
    wait(lambda: gateway.credit.get(TYPE, 0) >= at_least, gateway, *others, what='credit')


def events_of(broker, peers, subscription=b''):
    subscriber = zmq.Context.instance().socket(zmq.SUB)
    subscriber.setsockopt(zmq.LINGER, 0)
    subscriber.setsockopt(zmq.SUBSCRIBE, subscription)
    subscriber.connect(broker.endpoints['events'])
    return peers(subscriber)


def a_result(job_id, org_id, **more):
    topic = f'result.{uuid.UUID(bytes=org_id)}.{TYPE}.{uuid.UUID(bytes=job_id)}.'
    fields = dict(job_id=job_id, org_id=org_id, job_type=TYPE, attempt=1, status='completed', at=2, started_at=1)
    return {'topic': topic, **fields, **more}


def test_job_goes_to_the_worker_and_settled_too(broker, peers):
    worker, gateway = peers(Worker(broker)), peers(Gateway(broker, leader=True))
    with_credit(gateway, worker)
    assert gateway.credit == {TYPE: 4 + 64}
    org = uuid.uuid4().bytes
    job = gateway.job(org_id=org, attempt=2)
    got = worker.wait_for('job', others=[gateway])
    assert (got['job_id'], got['org_id'], got['job_type'], got['attempt']) == (job, org, TYPE, 2)
    assert got['payload'] == INPUTS
    gateway.say('settled', job_id=job, attempt=2, outcome='refused', reason='no')
    settled = worker.wait_for('settled', others=[gateway])
    assert (settled['job_id'], settled['outcome'], settled['reason']) == (job, 'refused', 'no')


def test_largest_payload_passes_unchanged(broker, peers):
    worker, gateway = peers(Worker(broker)), peers(Gateway(broker))
    with_credit(gateway, worker)
    payload = msgpack.packb({'x': os.urandom(65536 - 6)})
    assert len(payload) == 65536
    gateway.job(payload=payload)
    assert worker.wait_for('job', others=[gateway])['payload'] == payload


def test_beats_come_each_interval(broker, peers):
    gateway = peers(Gateway(broker))
    begin = time.monotonic()
    gateway.wait_for('beat', 4)
    assert 2.5 < time.monotonic() - begin < 20
    assert gateway.broker['interval'] == 1000 and gateway.broker['max'] == 131072


def test_wrong_session_is_asked_hello_and_dropped(broker, peers):
    worker, gateway = peers(Worker(broker)), peers(Gateway(broker))
    with_credit(gateway, worker)
    right, gateway.session = gateway.session, b'\0' * 8
    gateway.job()
    gateway.session = right
    gateway.wait_for('hello?', others=[worker])
    pump(0.3, gateway, worker)
    assert not worker.of('job')


def test_silent_worker_is_gone_in_three_intervals(broker, peers):
    worker, gateway = peers(Worker(broker)), peers(Gateway(broker, leader=True))
    with_credit(gateway, worker)
    job = gateway.job()
    worker.wait_for('job', others=[gateway])
    begin = time.monotonic()
    gone = gateway.wait_for('gone')  # nobody pumps the worker any more
    assert gone['job_id'] == job and gone['certain'] is False
    assert 2 < time.monotonic() - begin < 15


def test_worker_whose_connection_is_cut_is_gone_sooner(broker, peers):
    worker, gateway = peers(Worker(broker)), peers(Gateway(broker, leader=True))
    with_credit(gateway, worker)
    job = gateway.job()
    worker.wait_for('job', others=[gateway])
    worker.socket.close()
    gone = gateway.wait_for('gone', seconds=2.5)
    assert gone['job_id'] == job and gone['certain'] is False


def test_restarted_worker_makes_its_jobs_certainly_gone(broker, peers):
    worker, gateway = peers(Worker(broker, machine='bench')), peers(Gateway(broker, leader=True))
    with_credit(gateway, worker)
    job = gateway.job()
    worker.wait_for('job', others=[gateway])
    peers(Worker(broker, machine='bench'))
    gone = gateway.wait_for('gone')  # by its silence alone it would not be certain
    assert gone['job_id'] == job and gone['certain'] is True


def test_worker_that_is_deaf_on_the_event_path_gets_nothing_and_hello_again(broker, peers):
    worker, gateway = peers(Worker(broker, deaf=True)), peers(Gateway(broker))
    worker.wait_for('hello?', others=[gateway])
    assert gateway.credit == {} and not worker.of('job')


def test_restarted_broker_adopts_what_the_worker_names(broker, peers):
    gateway, worker = peers(Gateway(broker, leader=True)), peers(Worker(broker, instance=b'i' * 16))
    with_credit(gateway, worker)
    job = gateway.job()
    worker.wait_for('job', others=[gateway])
    broker.kill()
    broker.start()
    gateway = peers(Gateway(broker, leader=True))
    worker = peers(Worker(broker, instance=b'i' * 16, leases=[], unsettled=[[job, 1, TYPE]]))
    gateway.say('have?', round=9, jobs=[[job, 1, TYPE], [b'x' * 16, 1, TYPE]])
    have = gateway.wait_for('have?', others=[worker])
    assert (have['round'], have['jobs']) == (9, [[job, 1, TYPE]])
    gateway.say('settled', job_id=job, attempt=1, outcome='committed')
    assert worker.wait_for('settled', others=[gateway])['job_id'] == job


def test_two_gateways_share(broker, peers):
    one, other = peers(Gateway(broker)), peers(Gateway(broker))
    worker = peers(Worker(broker, slots=6))
    with_credit(one, other, worker)
    with_credit(other, one, worker)
    assert one.credit[TYPE] == other.credit[TYPE] == (6 + 64) // 2


def test_beyond_credit_is_gone_for_certain(broker, peers):
    worker, gateway = peers(Worker(broker, slots=1)), peers(Gateway(broker, leader=True))
    with_credit(gateway, worker)
    jobs = [gateway.job() for _ in range(gateway.credit[TYPE] + 3)]
    gateway.wait_for('gone', 3, others=[worker])
    assert [gone['job_id'] for gone in gateway.of('gone')] == jobs[-3:]
    assert all(gone['certain'] for gone in gateway.of('gone'))


def connect_through(subscriber, worker):
    """Until what the worker publishes comes to who subscribes to all, or to alive."""
    wait(lambda: subscriber.poll(0), worker, what='alive')


def take(subscriber, milliseconds: int) -> list[bytes] | None:
    """The next message that is no alive; None if none comes."""
    until = time.monotonic() + milliseconds / 1000
    while (left := until - time.monotonic()) > 0:
        if subscriber.poll(int(left * 1000) + 1):
            parts = subscriber.recv_multipart()
            if not parts[0].startswith(b'alive.'):
                return parts
    return None


def test_alive_comes_back_to_who_subscribes_to_it(broker, peers):
    """So that a gateway hears itself, and knows that the event path carries both ways."""
    subscriber, worker = events_of(broker, peers), peers(Worker(broker))
    connect_through(subscriber, worker)
    topic, head = subscriber.recv_multipart()
    assert topic.startswith(b'alive.') and msgpack.unpackb(head)['m'] == 'alive'


def test_events_reach_subscribers_as_they_were(broker, peers):
    subscriber, worker = events_of(broker, peers), peers(Worker(broker))
    connect_through(subscriber, worker)
    job, org = uuid.uuid4().bytes, uuid.uuid4().bytes
    result = a_result(job, org, future={'unknown': True})
    payload = msgpack.packb({'results': [1], 'model_versions': {}})
    worker.publish('result', payload=payload, **result)
    topic, head, body = take(subscriber, 20000)
    assert topic == result.pop('topic').encode() and body == payload
    assert msgpack.unpackb(head) == {'v': 1, 'm': 'result', **result}
    pump(0.5, worker)
    assert not take(subscriber, 100)


def test_events_that_do_not_fit_are_dropped(broker, peers):
    subscriber, worker = events_of(broker, peers), peers(Worker(broker))
    connect_through(subscriber, worker)
    good = a_result(uuid.uuid4().bytes, uuid.uuid4().bytes)
    body = msgpack.packb({'results': 1})
    other_topic = {**good, 'topic': good['topic'].replace('result', 'status')}
    bad = [(other_topic, body), ({**good, 'status': 'running'}, body), ({**good, 'job_id': b'short'}, body),
           ({**good, 'padding': 'x' * 9000}, body), (good, b'\xc1'), (good, body + b'\0'),
           (good, msgpack.packb({'x': bytes(65537)})), (good, None), (good, msgpack.packb([1])),
           ({**good, 'topic': good['topic'][:-1]}, body),
           ({**good, 'status': 'failed'}, msgpack.packb({'x': bytes(16385)})),
           ({**good, 'status': 'failed', 'size': 70000, 'digest': bytes(32)}, None)]
    for fields, payload in bad:
        worker.publish('result', payload=payload, **fields)
    worker.publish('job', topic='result.', session=b'12345678', job_id=b'j' * 16, org_id=b'o' * 16, job_type=TYPE,
                   attempt=1, payload=INPUTS)
    worker.pub.send(b'result.')
    fields = {key: value for key, value in good.items() if key != 'topic'}
    worker.pub.send_multipart([good['topic'].encode(), header('result', **fields), body, body])
    worker.publish('result', payload=body, **{**good, 'attempt': 7})
    assert msgpack.unpackb(take(subscriber, 20000)[1])['attempt'] == 7
    assert not take(subscriber, 200)
    dropped = [line for line in broker.metrics().splitlines()
               if line.startswith('paratope_broker_dropped_total{socket="events"')]
    assert sum(float(line.rsplit(' ', 1)[1]) for line in dropped) == len(bad) + 3, dropped


def test_what_a_failed_job_had_reached_passes(broker, peers):
    subscriber, worker = events_of(broker, peers), peers(Worker(broker))
    connect_through(subscriber, worker)
    failed = a_result(uuid.uuid4().bytes, uuid.uuid4().bytes, status='failed', code='a', message='b', retry=False)
    partial = msgpack.packb({'x': bytes(16384 - 6)})
    assert len(partial) == 16384
    worker.publish('result', payload=partial, **failed)
    assert take(subscriber, 20000)[2] == partial
    worker.publish('result', **failed)
    assert len(take(subscriber, 20000)) == 2


def test_declarations_pass_and_those_that_do_not_fit_do_not(broker, peers):
    subscriber, worker = events_of(broker, peers, b'declare.cdr_length.'), peers(Worker(broker))
    subscriber.setsockopt(zmq.SUBSCRIBE, b'alive.')
    connect_through(subscriber, worker)
    good = {'topic': 'declare.cdr_length.', 'instance': worker.instance, 'job_type': 'cdr_length', 'machine': 'w'}
    body = msgpack.packb({'title': 'CDR length', 'version': '1.0.0', 'options_schema': '{}'})
    bad = [(good, None), (good, msgpack.packb([1])), (good, body + b'\0'), (good, msgpack.packb({'x': bytes(65537)})),
           ({**good, 'job_type': 'cdr_length2'}, body), ({**good, 'instance': b'short'}, body),
           ({**good, 'machine': 'x' * 9000}, body), ({**good, 'topic': 'declare.cdr_length'}, body)]
    for fields, payload in bad:
        worker.publish('declare', payload=payload, **fields)
    worker.publish('declare', payload=body, **good)
    topic, head, payload = take(subscriber, 20000)
    assert (topic, payload) == (b'declare.cdr_length.', body) and msgpack.unpackb(head)['machine'] == 'w'
    assert not take(subscriber, 200)


def test_subscriptions_do_not_reach_publishers(broker, peers):
    publisher = peers(zmq.Context.instance().socket(zmq.XPUB))
    publisher.connect(broker.endpoints['events-in'])
    assert publisher.poll(20000) and publisher.recv() == b'\x01'
    many = events_of(broker, peers)
    for i in range(2000):
        many.setsockopt(zmq.SUBSCRIBE, f'event.{i}.'.encode())
    assert not publisher.poll(500)


def test_stopped_subscriber_does_not_hold_up_others(broker, peers):
    stopped, reader, worker = events_of(broker, peers), events_of(broker, peers), peers(Worker(broker))
    stopped.setsockopt(zmq.RCVHWM, 1)
    connect_through(reader, worker)
    before = resident(broker)
    payload = msgpack.packb({'results': bytes(60000)})
    for i in range(3000):
        worker.publish('result', payload=payload, **a_result(uuid.uuid4().bytes, uuid.uuid4().bytes, attempt=i))
        assert reader.poll(20000), f'the {i}th does not come'
        reader.recv_multipart()
    assert resident(broker) - before < (500 if 'san' in BUILD.name else 160)  # sanitizers keep shadows


def resident(broker):
    with open(f'/proc/{broker.process.pid}/status') as status:
        return int(next(line for line in status if line.startswith('VmRSS')).split()[1]) / 1024


def test_metrics_answer_scrapers_and_survive_everybody_else(broker, peers):
    worker, gateway = peers(Worker(broker)), peers(Gateway(broker))
    with_credit(gateway, worker)
    assert broker.metric(f'paratope_broker_slots{{job_type="{TYPE}"}}') == 4
    assert broker.metric('paratope_broker_peers{role="worker"}') == 1
    held = [socket.create_connection(('127.0.0.1', broker.metrics_port), 5) for _ in range(30)]
    for i, client in enumerate(held):
        client.sendall([b'GET /met', os.urandom(5000), b'\r\n\r\n', b''][i % 4])
    with socket.create_connection(('127.0.0.1', broker.metrics_port), 5) as client:
        client.sendall(b'GET /other HTTP/1.1\r\n\r\n')
        assert read_response(client).startswith(b'HTTP/1.1 404 ')
    with socket.create_connection(('127.0.0.1', broker.metrics_port), 5) as client:
        try:
            client.sendall(b'x' * 20000)
            assert client.recv(10) == b''
        except ConnectionError:
            pass
    held[0].settimeout(10)
    try:
        assert held[0].recv(10) == b''  # its 5 seconds are over
    except ConnectionError:
        pass
    for client in held:
        client.close()
    assert broker.metric('paratope_broker_workers_heard') in (0, 1)


def test_sigterm_says_bye_and_ends_within_a_second(broker, peers):
    worker, gateway = peers(Worker(broker)), peers(Gateway(broker))
    status, seconds = broker.close()
    assert status == 0 and seconds < 5  # on a busy machine
    worker.wait_for('bye', others=[gateway])
    gateway.wait_for('bye')


def test_ends_within_a_second_also_as_process_1():
    if subprocess.run(['unshare', '--pid', '--fork', 'true'], stderr=subprocess.DEVNULL).returncode:
        pytest.skip('no namespaces here')
    broker = Broker('--insecure')
    broker.close()
    command = ['unshare', '--pid', '--fork', '--kill-child', *broker.command]
    outer = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + 40
        while not can_connect(broker.ports[0]):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with open(f'/proc/{outer.pid}/task/{outer.pid}/children') as children:
            inner = int(children.read().split()[0])
        begin = time.monotonic()
        os.kill(inner, signal.SIGTERM)
        assert outer.wait(20) == 0 and time.monotonic() - begin < 5  # on a busy machine
    finally:
        outer.kill()
        outer.wait(5)


def run_it(*arguments, **environment):
    return subprocess.run([str(PROGRAM), *arguments], capture_output=True, text=True, timeout=40,
                          env={**os.environ, **environment})


@pytest.fixture
def endpoints(tmp_path):
    """Options for four endpoints, those that are named at the given places."""
    return lambda **changed: some_endpoints(tmp_path, **changed)


def some_endpoints(folder, **changed):
    names = ('gateways', 'workers', 'events_in', 'events')
    return list(itertools.chain.from_iterable(
        (f'--{name.replace("_", "-")}', changed.get(name, f'ipc://{folder}/{name}')) for name in names))


def test_wider_than_this_machine_only_if_told_insecure(endpoints):
    result = run_it(*endpoints(workers='tcp://0.0.0.0:0'))
    assert result.returncode == 2 and result.stderr.count('\n') == 1
    assert 'tcp://0.0.0.0:0' in result.stderr and '--insecure' in result.stderr


def test_endpoint_in_use_is_said_in_one_line(endpoints):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        endpoint = f'tcp://127.0.0.1:{taken.getsockname()[1]}'
        for name in ('gateways', 'workers', 'events_in', 'events'):
            result = run_it(*endpoints(**{name: endpoint}))
            assert result.returncode == 1 and result.stderr.count('\n') == 1
            assert endpoint in result.stderr and 'in use' in result.stderr


def test_says_what_is_missing():
    result = run_it('--gateways', 'ipc:///tmp/x')
    assert result.returncode == 2 and '--workers' in result.stderr


def test_hello_is_repeated_without_harm(broker, peers):
    gateway = peers(Gateway(broker))
    session = gateway.session
    gateway.hello()
    assert gateway.wait_for('welcome', 2)['session'] == session


def test_worker_at_the_gateways_socket_is_refused_with_a_reason(broker, peers):
    wrong = peers(Peer(broker.endpoints['gateways'], 'worker', slots={TYPE: 1}))
    assert 'gateways' in wrong.wait_for('hello?')['reason']


def test_hundreds_of_workers(broker, peers):
    workers = [peers(Worker(broker, slots=2)) for _ in range(200)]
    gateway = peers(Gateway(broker))
    wait(lambda: gateway.credit.get(TYPE) == 464, gateway, *workers, what='credit of all')
    for _ in range(400):
        gateway.job()
    wait(lambda: all(len(worker.of('job')) == 2 for worker in workers), gateway, *workers,
         what='two jobs at each')


def test_job_with_a_frame_too_many_is_dropped(broker, peers):
    worker, gateway = peers(Worker(broker)), peers(Gateway(broker))
    with_credit(gateway, worker)
    about = dict(session=gateway.session, job_id=b'j' * 16, org_id=b'o' * 16, job_type=TYPE, attempt=1)
    gateway.socket.send_multipart([header('job', **about), INPUTS, INPUTS])
    gateway.socket.send_multipart([header('job', **about)])
    gateway.socket.send_multipart([header('job', **{**about, 'attempt': 2}), INPUTS])
    assert worker.wait_for('job', others=[gateway])['attempt'] == 2


def test_header_of_another_version_is_counted_and_not_answered(broker, peers):
    gateway = peers(Gateway(broker))
    gateway.socket.send(header('beat', session=gateway.session).replace(b'\xa1v\x01', b'\xa1v\x02'))
    wait(lambda: broker.metric('paratope_broker_dropped_total{socket="gateways",'
                               'reason="another version of the protocol"}') == 1, gateway)
    assert not gateway.of('hello?')
